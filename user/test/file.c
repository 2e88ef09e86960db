/* Files, directories, descriptors, pipes, poll. */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "ktap.h"

static void open_errors(void)
{
    CHECK_ERROR(open("/nothing", O_RDONLY), ENOENT);
    CHECK_ERROR(open("", O_RDONLY), ENOENT);
    CHECK_ERROR(open("/tmp", O_WRONLY), EISDIR);
    CHECK_ERROR(open("/dev/null/x", O_RDONLY), ENOTDIR);
    CHECK_ERROR(open("/dev/null", O_RDONLY | O_DIRECTORY), ENOTDIR);
    CHECK_ERROR(open((char *)8, O_RDONLY), EFAULT);
    CHECK_ERROR(close(99), EBADF);
    CHECK_ERROR(lseek(99, 0, SEEK_SET), EBADF);
}

/* Who wants to go around the kernel's memory does so (Linux, on a disk), or hears that it cannot be. */
static void direct_access_is_not_pretended(void)
{
    enum { DIRECT = 040000 };
    int fd = open("direct", O_RDWR | O_CREAT | DIRECT, 0600);

    CHECK(fd >= 0 ? fcntl(fd, F_SETFL, DIRECT) == 0 : errno == EINVAL);
    CHECK(unlink("direct") == 0); /* it was made before */
}

static void create_exclusive(void)
{
    int fd = open("excl", O_RDWR | O_CREAT | O_EXCL, 0640);
    struct stat st;

    CHECK(fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0);
    CHECK_ERROR(open("excl", O_RDWR | O_CREAT | O_EXCL, 0640), EEXIST);
    CHECK(unlink("excl") == 0);
    CHECK_ERROR(unlink("excl"), ENOENT);
}

static void append_writes_at_the_end(void)
{
    int a = open("app", O_RDWR | O_CREAT | O_TRUNC, 0600);
    int b = open("app", O_WRONLY | O_APPEND);
    char text[16] = "";

    CHECK(write(a, "abc", 3) == 3 && write(b, "def", 3) == 3);
    CHECK(lseek(a, 0, SEEK_SET) == 0 && read(a, text, 16) == 6 && strcmp(text, "abcdef") == 0);
    CHECK(lseek(a, 100, SEEK_SET) == 100 && write(a, "z", 1) == 1);
    CHECK(lseek(a, 50, SEEK_SET) == 50 && read(a, text, 1) == 1 && text[0] == 0);
    CHECK_ERROR(lseek(a, -1, SEEK_SET), EINVAL);
    CHECK_ERROR(lseek(a, 0, 9), EINVAL);
    CHECK_ERROR(read(b, text, 1), EBADF);
    unlink("app");
}

static void directories(void)
{
    CHECK(mkdir("d", 0755) == 0);
    CHECK_ERROR(mkdir("d", 0755), EEXIST);
    CHECK(mkdir("d/e", 0755) == 0);
    CHECK_ERROR(rmdir("d"), ENOTEMPTY);
    CHECK_ERROR(rename("d", "d/e/f"), EINVAL);
    CHECK(rename("d/e", "d/g") == 0);
    CHECK_ERROR(rmdir("d/e"), ENOENT);
    CHECK_ERROR(unlink("d/g"), EISDIR);
    CHECK(rmdir("d/g") == 0 && rmdir("d") == 0);
    CHECK_ERROR(mkdir("/nothing/x", 0755), ENOENT);
}

static void links(void)
{
    char text[32];
    int fd = open("l1", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    struct stat st;

    CHECK(write(fd, "x", 1) == 1 && link("l1", "l2") == 0);
    CHECK(stat("l2", &st) == 0 && st.st_nlink == 2 && st.st_size == 1);
    CHECK(symlink("l1", "s") == 0);
    CHECK(readlink("s", text, sizeof(text)) == 2 && memcmp(text, "l1", 2) == 0);
    CHECK(lstat("s", &st) == 0 && S_ISLNK(st.st_mode));
    CHECK(stat("s", &st) == 0 && S_ISREG(st.st_mode));
    CHECK_ERROR(open("s", O_RDONLY | O_NOFOLLOW), ELOOP);
    CHECK_ERROR(readlink("l1", text, sizeof(text)), EINVAL);
    CHECK(unlink("s") == 0 && symlink("s", "s") == 0);
    CHECK_ERROR(stat("s", &st), ELOOP);
    CHECK(unlink("s") == 0 && unlink("l1") == 0 && unlink("l2") == 0);
}

static void chains_of_links(void)
{
    char name[32], target[32];
    int fd;

    for (int i = 0; i < 42; i++) {
        snprintf(name, sizeof(name), "chain%d", i);
        snprintf(target, sizeof(target), "chain%d", i + 1);
        CHECK(symlink(target, name) == 0);
    }
    CHECK_ERROR(open("chain1", O_RDWR | O_CREAT, 0600), ELOOP);
    fd = open("chain2", O_RDWR | O_CREAT, 0600); /* 40 links: the end is made */
    CHECK(fd >= 0 && access("chain42", F_OK) == 0 && access("chain30", F_OK) == 0);
    CHECK_ERROR(access("chain2/", F_OK), ENOTDIR);
    CHECK_ERROR(open("chain20", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
    for (int i = 0; i < 43; i++) {
        snprintf(name, sizeof(name), "chain%d", i);
        CHECK(unlink(name) == 0);
    }
}

static void descriptors_at_the_limit(void)
{
    struct rlimit limit = {20, 20};
    int fd, last = -1;

    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    while ((fd = dup(1)) >= 0) {
        last = fd;
    }
    CHECK(errno == EMFILE && last == 19);
    CHECK_ERROR(open("/dev/null", O_RDONLY), EMFILE);
    CHECK_ERROR(dup2(1, 20), EBADF);
    CHECK(close(10) == 0 && dup(1) == 10);
    CHECK(fcntl(1, F_GETFD) == 0 && fcntl(1, F_SETFD, FD_CLOEXEC) == 0);
    CHECK(fcntl(1, F_GETFD) == FD_CLOEXEC);
}

static void pipe_behaviour(void)
{
    int fds[2], total = 0;
    int *volatile nowhere = (int *)8;
    char buffer[4096] = {0};
    struct pollfd p;

    CHECK(pipe(fds) == 0);
    CHECK(fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0 && fcntl(fds[1], F_SETFL, O_NONBLOCK) == 0);
    CHECK_ERROR(read(fds[0], buffer, 1), EAGAIN);
    p = (struct pollfd){.fd = fds[0], .events = POLLIN};
    CHECK(poll(&p, 1, 0) == 0);
    while (write(fds[1], buffer, 4096) == 4096) {
        total += 4096;
    }
    CHECK(errno == EAGAIN && total == 65536);
    CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLIN);
    while (total > 0) {
        total -= (int)read(fds[0], buffer, 4096);
    }
    close(fds[1]);
    CHECK(read(fds[0], buffer, 1) == 0);
    CHECK(poll(&p, 1, 1000) == 1 && p.revents == POLLHUP);
    CHECK_ERROR(lseek(fds[0], 0, SEEK_SET), ESPIPE);
    CHECK_ERROR(write(fds[0], "x", 1), EBADF);
    CHECK_ERROR(pipe(nowhere), EFAULT);
}

static void broken_pipe_kills_or_fails(void)
{
    int fds[2], status;

    CHECK(pipe(fds) == 0);
    close(fds[0]);
    if (fork() == 0) {
        write(fds[1], "x", write(fds[1], "", 0) == 0); /* nothing can be written all the same */
        _exit(0);
    }
    wait(&status);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
    signal(SIGPIPE, SIG_IGN);
    CHECK_ERROR(write(fds[1], "x", 1), EPIPE);
}

static void poll_wakes_for_a_writer(void)
{
    int fds[2];
    struct pollfd p;

    CHECK(pipe(fds) == 0);
    if (fork() == 0) {
        usleep(20000);
        write(fds[1], "x", 1);
        _exit(0);
    }
    p = (struct pollfd){.fd = fds[0], .events = POLLIN};
    CHECK(poll(&p, 1, -1) == 1 && p.revents == POLLIN);
    p.fd = 99;
    CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLNVAL);
    CHECK_ERROR(poll((struct pollfd *)8, 1, 0), EFAULT);
}

static void devices(void)
{
    char buffer[16];
    int zero = open("/dev/zero", O_RDWR), full = open("/dev/full", O_RDWR);
    int null = open("/dev/null", O_RDWR), noise = open("/dev/urandom", O_RDONLY);

    memset(buffer, 1, 16);
    CHECK(read(zero, buffer, 16) == 16 && buffer[0] == 0 && buffer[15] == 0);
    CHECK(read(null, buffer, 16) == 0 && write(null, buffer, 16) == 16);
    CHECK_ERROR(write(full, buffer, 1), ENOSPC);
    CHECK(read(noise, buffer, 16) == 16);
}

static void bad_pointers(void)
{
    char *const bad[] = {NULL, (char *)0xffff888000000000ul, (char *)0x8000000000000000ul};
    int fds[2];
    struct stat *st;

    CHECK(pipe(fds) == 0 && write(fds[1], "abc", 3) == 3);
    for (int i = 0; i < 3; i++) {
        st = (struct stat *)bad[i];
        CHECK_ERROR(read(fds[0], bad[i], 1), EFAULT);
        CHECK_ERROR(write(fds[1], bad[i], 1), EFAULT);
        CHECK_ERROR(stat("/", st), EFAULT);
        CHECK_ERROR(stat(bad[i], st), EFAULT);
        CHECK_ERROR(mkdir(bad[i], 0), EFAULT);
        CHECK_ERROR(unlink(bad[i]), EFAULT);
        CHECK_ERROR(rename(bad[i], "x"), EFAULT);
        CHECK_ERROR(chdir(bad[i]), EFAULT);
        CHECK_ERROR(readlink(bad[i], (char *)st, 4), EFAULT);
    }
}

/* RLIMIT_FSIZE: what still fits is written. */
static void files_end_at_their_limit(void)
{
    int fd = open("limited", O_RDWR | O_CREAT | O_TRUNC, 0600), status;

    if (fork() == 0) {
        CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
        CHECK(setrlimit(RLIMIT_FSIZE, &(struct rlimit){10, 10}) == 0);
        CHECK(write(fd, "12345678", 8) == 8 && write(fd, "12345678", 8) == 2 && write(fd, "", 0) == 0);
        CHECK_ERROR(write(fd, "1", 1), EFBIG);
        CHECK_ERROR(ftruncate(fd, 11), EFBIG);
        CHECK(ftruncate(fd, 10) == 0 && ftruncate(fd, 4) == 0 && lseek(fd, 4, SEEK_SET) == 4);
        CHECK(signal(SIGXFSZ, SIG_DFL) != SIG_ERR && write(fd, "1234567", 7) == 6);
        write(fd, "7", 1);
        _exit(0);
    }
    CHECK(wait(&status) > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ);
    CHECK(ftruncate(fd, 20) == 0 && unlink("limited") == 0); /* the limit was the child's */
}

static void room_is_made_before_it_is_needed(void)
{
    const long page = 4096, keep = 1; /* FALLOC_FL_KEEP_SIZE */
    int fd = open("room", O_RDWR | O_CREAT | O_TRUNC, 0600), reader = open("room", O_RDONLY), ends[2];
    struct rlimit limit = {2 * (unsigned long)page, RLIM_INFINITY};
    struct stat st;
    char text[4] = "xyz";

    CHECK(pipe(ends) == 0 && write(fd, "abc", 3) == 3);
    CHECK(syscall(SYS_fallocate, fd, keep, 0, 4 * page) == 0 && fstat(fd, &st) == 0 && st.st_size == 3);
    CHECK(syscall(SYS_fallocate, fd, 0, page, page) == 0 && fstat(fd, &st) == 0 && st.st_size == 2 * page);
    CHECK(syscall(SYS_fallocate, fd, 0, 0, 1) == 0 && fstat(fd, &st) == 0 && st.st_size == 2 * page);
    CHECK(read(reader, text, 3) == 3 && memcmp(text, "abc", 3) == 0);
    CHECK(lseek(reader, page, SEEK_SET) == page && read(reader, text, 3) == 3 && memcmp(text, "\0\0", 3) == 0);
    CHECK_ERROR(syscall(SYS_fallocate, reader, 0, 0, page), EBADF);
    CHECK_ERROR(syscall(SYS_fallocate, 99, 0, 0, page), EBADF);
    CHECK_ERROR(syscall(SYS_fallocate, fd, 0, -1l, page), EINVAL);
    CHECK_ERROR(syscall(SYS_fallocate, fd, 0, 0, 0), EINVAL);
    CHECK_ERROR(syscall(SYS_fallocate, fd, 0, 0x7fffffffffffffffl, page), EFBIG);
    CHECK_ERROR(syscall(SYS_fallocate, ends[1], 0, 0, page), ESPIPE);
    CHECK_ERROR(syscall(SYS_fallocate, open("/dev/null", O_RDWR), 0, 0, page), ENODEV);
    signal(SIGXFSZ, SIG_IGN);
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    CHECK_ERROR(syscall(SYS_fallocate, fd, 0, 2 * page, page), EFBIG);
    CHECK(fstat(fd, &st) == 0 && st.st_size == 2 * page && unlink("room") == 0);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(open_errors), TEST(direct_access_is_not_pretended), TEST(create_exclusive), TEST(append_writes_at_the_end),
        TEST(directories), TEST(links), TEST(chains_of_links),
        TEST(descriptors_at_the_limit), TEST(pipe_behaviour),
        TEST(broken_pipe_kills_or_fails), TEST(poll_wakes_for_a_writer), TEST(devices),
        TEST(bad_pointers), TEST(files_end_at_their_limit),
        TEST(room_is_made_before_it_is_needed),
    };

    return RUN_TESTS(tests);
}
