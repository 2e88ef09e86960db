/* Calls that move many bytes or descriptors at once, and memory of /dev/zero. */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "ktap.h"

static void vectors_go_to_a_position(void)
{
    char a[] = "abc", b[] = "def", c[4] = "", d[2] = "";
    struct iovec out[] = {{a, 3}, {b, 3}}, in[] = {{c, 4}, {d, 2}};
    int fd = open("vector", O_RDWR | O_CREAT | O_TRUNC, 0600), ends[2];

    CHECK(syscall(SYS_pwritev, fd, out, 2, 10l, 0l) == 6 && lseek(fd, 0, SEEK_CUR) == 0);
    CHECK(syscall(SYS_preadv, fd, in, 2, 11l, 0l) == 5 && memcmp(c, "bcde", 4) == 0 && d[0] == 'f');
    CHECK(syscall(SYS_preadv, fd, in, 2, 16l, 0l) == 0);
    CHECK_ERROR(syscall(SYS_preadv, fd, in, 2, -1l, 0l), EINVAL);
    CHECK_ERROR(syscall(SYS_preadv, 99, in, 2, 0l, 0l), EBADF);
    CHECK(pipe(ends) == 0);
    CHECK_ERROR(syscall(SYS_preadv, ends[0], in, 2, 0l, 0l), ESPIPE);
    CHECK(syscall(SYS_fadvise64, fd, 0l, 0l, 3) == 0);
    CHECK_ERROR(syscall(SYS_fadvise64, fd, 0l, 0l, 77), EINVAL);
    CHECK_ERROR(syscall(SYS_fadvise64, ends[0], 0l, 0l, 0), ESPIPE);
    CHECK(unlink("vector") == 0);
}

static void a_vector_has_an_end(void)
{
    char *wide = mmap(NULL, 1ul << 30, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    struct iovec pieces[] = {{wide, 1ul << 30}, {wide, 1ul << 30}, {wide, 1ul << 30}};

    CHECK(wide != MAP_FAILED && writev(open("/dev/null", O_WRONLY), pieces, 3) == 0x7ffff000);
}

static void do_nothing(int signal)
{
    (void)signal;
}

/* A signal comes while `to` is being written to, and somebody takes it from `from` as fast as he can. */
static void long_write_is_cut(int to, int from)
{
    const size_t size = 1ul << 30;
    char *wide = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0), part[4096];
    int fd = open("zeroes", O_RDWR | O_CREAT, 0600), status;
    const struct sigaction action = {.sa_handler = do_nothing, .sa_flags = SA_RESTART};
    const long soon[] = {0, 0, 0, 20000}; /* struct itimerval, in microseconds */
    pid_t reader = fork();
    ssize_t done;

    if (reader == 0) {
        close(to);
        while (read(from, part, sizeof(part)) > 0) {
        }
        _exit(0);
    }
    CHECK(fd >= 0 && unlink("zeroes") == 0 && ftruncate(fd, 1 << 20) == 0 && wide != MAP_FAILED);
    for (size_t at = 0; at < size; at += 1 << 20) { /* little memory, again and again */
        CHECK(mmap(wide + at, 1 << 20, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0) == wide + at);
    }
    CHECK(sigaction(SIGALRM, &action, NULL) == 0 && syscall(SYS_setitimer, 0, soon, NULL) == 0);
    done = write(to, wide, size);
    CHECK(done > 0 && (size_t)done < size && munmap(wide, size) == 0);
    CHECK(kill(reader, SIGKILL) == 0 && waitpid(reader, &status, 0) == reader && close(to) == 0 && close(from) == 0);
}

static void a_signal_cuts_a_long_write(void)
{
    int ends[2], off = 0;
    char name[32];

    CHECK(pipe(ends) == 0);
    long_write_is_cut(ends[1], ends[0]);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    long_write_is_cut(ends[0], ends[1]);
    for (int typed = 0; typed < 2; typed++) { /* TIOCSPTLCK, TIOCGPTN. What is typed and is no line is thrown away */
        ends[0] = open("/dev/ptmx", O_RDWR | O_NOCTTY);
        CHECK(ioctl(ends[0], 0x40045431, &off) == 0 && ioctl(ends[0], 0x80045430, &ends[1]) == 0);
        snprintf(name, sizeof(name), "/dev/pts/%d", ends[1]);
        ends[1] = open(name, O_RDWR | O_NOCTTY);
        CHECK(ends[1] >= 0);
        long_write_is_cut(ends[!typed], ends[typed]);
    }
}

static void ranges_of_descriptors_close(void)
{
    CHECK(dup2(0, 50) == 50 && dup2(0, 51) == 51 && dup2(0, 300) == 300);
    CHECK(syscall(SYS_close_range, 51, 400, 4) == 0); /* on exec */
    CHECK(fcntl(50, F_GETFD) == 0 && fcntl(51, F_GETFD) == FD_CLOEXEC && fcntl(300, F_GETFD) == FD_CLOEXEC);
    CHECK(syscall(SYS_close_range, 51, ~0u, 0) == 0 && fcntl(50, F_GETFD) == 0);
    CHECK_ERROR(fcntl(51, F_GETFD), EBADF);
    CHECK_ERROR(fcntl(300, F_GETFD), EBADF);
    CHECK_ERROR(syscall(SYS_close_range, 2, 1, 0), EINVAL);
    CHECK_ERROR(syscall(SYS_close_range, 60, 61, 128), EINVAL);
}

static void zeroes_are_memory(void)
{
    int fd = open("/dev/zero", O_RDWR), status;
    char *shared = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char *own = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 4096);

    CHECK(shared != MAP_FAILED && own != MAP_FAILED && shared[5000] == 0 && own[5000] == 0);
    if (fork() == 0) {
        shared[5000] = own[5000] = 1;
        _exit(0);
    }
    CHECK(wait(&status) > 0 && shared[5000] == 1 && own[5000] == 0 && read(fd, own, 1) == 1);
    fd = open("/dev/zero", O_RDONLY);
    CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EACCES);
}

static void a_file_is_sent(void)
{
    int from = open("sent", O_RDWR | O_CREAT | O_TRUNC, 0600), to = open("got", O_RDWR | O_CREAT | O_TRUNC, 0600);
    static char out[20000], in[20000];
    long at = 4090;
    int ends[2];

    for (int i = 0; i < 20000; i++) {
        out[i] = (char)(i * 7 / 5);
    }
    CHECK(write(from, out, 20000) == 20000 && write(to, "abc", 3) == 3 && lseek(from, 10, SEEK_SET) == 10);
    CHECK(syscall(SYS_sendfile, to, from, NULL, 5000l) == 5000);
    CHECK(lseek(from, 0, SEEK_CUR) == 5010 && lseek(to, 0, SEEK_CUR) == 5003);
    CHECK(syscall(SYS_sendfile, to, from, &at, 30000l) == 20000 - 4090 && at == 20000);
    CHECK(lseek(from, 0, SEEK_CUR) == 5010 && syscall(SYS_sendfile, to, from, &at, 1l) == 0 && at == 20000);
    CHECK(lseek(to, 0, SEEK_SET) == 0 && read(to, in, 20000) == 20000 && memcmp(in, "abc", 3) == 0);
    CHECK(memcmp(in + 3, out + 10, 5000) == 0 && memcmp(in + 5003, out + 4090, 14997) == 0);
    CHECK(pipe(ends) == 0 && fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0);
    at = 4000;
    CHECK(syscall(SYS_sendfile, ends[1], from, &at, 200l) == 200 && at == 4200);
    CHECK(read(ends[0], in, 300) == 200 && memcmp(in, out + 4000, 200) == 0);
    while (syscall(SYS_sendfile, ends[1], from, &at, 4096l) > 0) {
        at = 0;
    }
    CHECK(errno == EAGAIN && unlink("sent") == 0 && unlink("got") == 0);
}

static void bad_sendings(void)
{
    int from = open("sent", O_RDWR | O_CREAT | O_TRUNC, 0600), to = open("got", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    int more = open("got", O_WRONLY | O_APPEND), reader = open("sent", O_RDONLY), ends[2];
    long at = -1;

    CHECK(pipe(ends) == 0 && write(from, "abcdef", 6) == 6 && lseek(from, 0, SEEK_SET) == 0);
    CHECK_ERROR(syscall(SYS_sendfile, to, 99, NULL, 1l), EBADF);
    CHECK_ERROR(syscall(SYS_sendfile, 99, from, NULL, 1l), EBADF);
    CHECK_ERROR(syscall(SYS_sendfile, to, to, NULL, 1l), EBADF);
    CHECK_ERROR(syscall(SYS_sendfile, reader, from, NULL, 1l), EBADF);
    CHECK_ERROR(syscall(SYS_sendfile, to, from, 8l, 1l), EFAULT);
    CHECK_ERROR(syscall(SYS_sendfile, to, ends[0], &at, 1l), ESPIPE);
    CHECK_ERROR(syscall(SYS_sendfile, to, from, &at, 1l), EINVAL);
    CHECK_ERROR(syscall(SYS_sendfile, more, from, NULL, 1l), EINVAL);
    CHECK(syscall(SYS_sendfile, to, from, NULL, 0l) == 0 && lseek(from, 0, SEEK_CUR) == 0);
    CHECK(unlink("sent") == 0 && unlink("got") == 0);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(vectors_go_to_a_position), TEST(a_vector_has_an_end), TEST(a_signal_cuts_a_long_write),
        TEST(ranges_of_descriptors_close), TEST(zeroes_are_memory),
        TEST(a_file_is_sent), TEST(bad_sendings),
    };

    return RUN_TESTS(tests);
}
