/* Many pieces of memory in one call are one read or write: nothing of others comes between. And what lies in
 * front of the end of memory is moved. */
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "ktap.h"

#define WRITERS 3
#define ROUNDS 300
#define RECORD 600

static void pieces_are_one_packet(void)
{
    const int types[] = {SOCK_DGRAM, SOCK_SEQPACKET};
    char block[20], a[2], b[3];

    for (int i = 0; i < 2; i++) {
        struct iovec out[] = {{"abc", 3}, {"", 0}, {"defg", 4}}, in[] = {{a, 2}, {b, 3}};
        int pair[2];

        CHECK(socketpair(AF_UNIX, types[i] | SOCK_NONBLOCK, 0, pair) == 0);
        CHECK(writev(pair[0], out, 3) == 7 && writev(pair[0], out, 1) == 3);
        CHECK(read(pair[1], block, sizeof(block)) == 7 && memcmp(block, "abcdefg", 7) == 0);
        CHECK(read(pair[1], block, sizeof(block)) == 3);
        CHECK(write(pair[0], "123456", 6) == 6 && write(pair[0], "78", 2) == 2);
        CHECK(readv(pair[1], in, 2) == 5 && memcmp(a, "12", 2) == 0 && memcmp(b, "345", 3) == 0);
        CHECK(readv(pair[1], in, 2) == 2 && memcmp(a, "78", 2) == 0);
        CHECK_ERROR(readv(pair[1], in, 2), EAGAIN);
        out[0].iov_len = out[2].iov_len = 0;
        CHECK(writev(pair[0], out, 3) == 0); /* not even an empty one */
        CHECK_ERROR(read(pair[1], block, sizeof(block)), EAGAIN);
        CHECK(close(pair[0]) == 0 && close(pair[1]) == 0);
    }
}

/* Each writes records of a letter of his own, in three pieces, or (`whole`) in one. */
static void start_writers(int to, int from, bool whole)
{
    for (int i = 0; i < WRITERS; i++) {
        if (fork() == 0) {
            char text[RECORD];
            struct iovec pieces[] = {{text, 100}, {text, 200}, {text, 300}}, piece = {text, RECORD};

            close(from);
            memset(text, 'a' + i, sizeof(text));
            for (int round = 0; round < ROUNDS; round++) {
                if (writev(to, whole ? &piece : pieces, whole ? 1 : 3) != RECORD) {
                    _exit(1);
                }
            }
            _exit(0);
        }
    }
}

static bool is_one_record(const char *text)
{
    for (int i = 1; i < RECORD; i++) {
        if (text[i] != text[0]) {
            return false;
        }
    }
    return true;
}

static int count_records(int from, bool *whole)
{
    char text[RECORD];
    int records = 0;

    for (*whole = true;; records++) {
        ssize_t done = 0, part;

        while (done < RECORD && (part = read(from, text + done, RECORD - (size_t)done)) > 0) {
            done += part;
        }
        if (done < RECORD) {
            return records;
        }
        *whole = *whole && is_one_record(text);
    }
}

static void wait_for_writers(void)
{
    int status;

    for (int i = 0; i < WRITERS; i++) {
        CHECK(wait(&status) > 0 && status == 0);
    }
}

static void records_do_not_mix_in_files(void)
{
    const int flags[] = {O_APPEND, 0};
    bool whole;

    for (int i = 0; i < 2; i++) {
        int fd = open("records", O_RDWR | O_CREAT | O_TRUNC | flags[i], 0600);

        start_writers(fd, -1, false);
        wait_for_writers();
        CHECK(lseek(fd, 0, SEEK_SET) == 0 && count_records(fd, &whole) == WRITERS * ROUNDS && whole);
        CHECK(close(fd) == 0 && unlink("records") == 0);
    }
}

static void records_do_not_mix_on_their_way(void)
{
    bool whole;
    int ends[2];

    for (int i = 0; i < 4; i++) {
        CHECK((i < 2 ? pipe(ends) : socketpair(AF_UNIX, SOCK_STREAM, 0, ends)) == 0);
        start_writers(ends[1], ends[0], i & 1);
        CHECK(close(ends[1]) == 0);
        CHECK(count_records(ends[0], &whole) == WRITERS * ROUNDS && whole);
        wait_for_writers();
        CHECK(close(ends[0]) == 0);
    }
}

static void a_small_record_waits_for_room(void)
{
    static char block[65536];
    struct iovec pieces[] = {{block, 3000}, {block, 1096}};
    int ends[2];

    CHECK(pipe(ends) == 0 && fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0);
    CHECK(write(ends[1], block, 65536 - 4096) == 65536 - 4096 && writev(ends[1], pieces, 2) == 4096);
    CHECK_ERROR(writev(ends[1], pieces, 2), EAGAIN);
    CHECK(read(ends[0], block, 4096) == 4096 && writev(ends[1], pieces, 2) == 4096);
    CHECK(read(ends[0], block, 4096) == 4096 && write(ends[1], block, 4096) == 4096);
    CHECK_ERROR(writev(ends[1], pieces, 1), EAGAIN);
    CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
}

static long read_at(int fd, char *to, long size, long position)
{
    return syscall(SYS_pread64, fd, to, size, position);
}

static void files_move_what_is_there(void)
{
    char *memory = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct iovec pieces[] = {{"ab", 2}, {memory + 4090, 10}, {"cd", 2}};
    int fd = open("part", O_RDWR | O_CREAT | O_TRUNC, 0600);
    struct stat status;

    CHECK(memory != MAP_FAILED && munmap(memory + 4096, 4096) == 0);
    memset(memory, 'x', 4096);
    CHECK(write(fd, memory + 4090, 10) == 6 && lseek(fd, 0, SEEK_CUR) == 6);
    CHECK(syscall(SYS_pwrite64, fd, memory, 8192l, 100l) == 4096 && fstat(fd, &status) == 0 && status.st_size == 4196);
    CHECK(read_at(fd, memory + 4000, 4000, 200) == 96 && read_at(fd, memory + 4000, 4000, 10) == 96);
    CHECK(memory[4000] == '\0' && memory[4089] == '\0' && memory[4090] == 'x');
    CHECK_ERROR(read_at(fd, memory + 4096, 10, 0), EFAULT);
    CHECK_ERROR(syscall(SYS_pwrite64, fd, memory + 4096, 10l, 0l), EFAULT);
    memset(memory, 'y', 4096);
    CHECK(lseek(fd, 0, SEEK_SET) == 0 && writev(fd, pieces, 3) == 8 && lseek(fd, 0, SEEK_CUR) == 8);
    CHECK_ERROR(syscall(SYS_pwritev, fd, pieces, 3, LONG_MAX - 5, 0l), EINVAL);
    CHECK(unlink("part") == 0);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(pieces_are_one_packet), TEST(records_do_not_mix_in_files), TEST(records_do_not_mix_on_their_way),
        TEST(a_small_record_waits_for_room), TEST(files_move_what_is_there),
    };

    return RUN_TESTS(tests);
}
