/*
 * What a call writes to user memory it has made itself: between and behind the fields of each result
 * there are zeroes, or what was there before, and no byte of what the kernel had on its stack, in its
 * heap or in a page before. In the sanitized build (make SANITIZE=1) those are full of a pattern.
 */
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>

#include "context.h"

#define BEFORE 0x5c /* what was there before */
#define SIZE 4096

static unsigned char buffer[SIZE] __attribute__((aligned(64)));

struct field {
    size_t offset, size;
};

static void prepare(void)
{
    memset(buffer, BEFORE, SIZE);
}

static int is_clean(const unsigned char *bytes, size_t size, const struct field *fields,
                    size_t count)
{
    for (size_t at = 0; at < size; at++) {
        size_t i = 0;

        while (i < count && at - fields[i].offset >= fields[i].size) {
            i++;
        }
        if (i == count && bytes[at] != 0 && bytes[at] != BEFORE) {
            fprintf(stderr, "# byte %zu is %02x\n", at, bytes[at]);
            return 0;
        }
    }
    return 1;
}

/* The buffer has nothing but these fields: pairs of offset and size. */
#define CLEAN(...)                                                                   \
    do {                                                                             \
        static const struct field fields[] = {__VA_ARGS__};                          \
                                                                                     \
        CHECK(is_clean(buffer, SIZE, fields, sizeof(fields) / sizeof(*fields)));     \
    } while (0)
/* A raw call succeeds, and leaves no more than that in the buffer. */
#define CALL(number, a, b, c, d)                                                     \
    do {                                                                             \
        prepare();                                                                   \
        CHECK(syscall(number, (long)(a), (long)(b), (long)(c), (long)(d), 0L, 0L) >= 0); \
    } while (0)

static void on_system_and_process(void)
{
    static const char *const short_name = "x";
    struct rlimit limit;
    pid_t pid;

    CALL(99, buffer, 0, 0, 0); /* sysinfo */
    CLEAN({0, 82}, {88, 16}, {104, 4});
    CALL(63, buffer, 0, 0, 0); /* uname */
    for (int i = 0; i < 6; i++) {
        char *field = (char *)buffer + 65 * i;

        memset(field, 0, strlen(field));
    }
    CLEAN({0, 0});
    CALL(157, 15, "a long name here", 0, 0); /* prctl(PR_SET_NAME), then a shorter one */
    CALL(157, 15, short_name, 0, 0);
    CALL(157, 16, buffer, 0, 0);
    CLEAN({0, 1});
    CALL(97, 7, buffer, 0, 0); /* getrlimit */
    CLEAN({0, sizeof(limit)});
    CALL(302, 0, 7, 0, buffer); /* prlimit64 */
    CLEAN({0, sizeof(limit)});
    CALL(98, 0, buffer, 0, 0); /* getrusage */
    CLEAN({0, 144});
    CALL(100, buffer, 0, 0, 0); /* times */
    CLEAN({0, 32});
    CALL(204, 0, 8, buffer, 0); /* sched_getaffinity */
    CLEAN({0, 8});
    CALL(79, buffer, SIZE, 0, 0); /* getcwd */
    memset(buffer, 0, strlen((char *)buffer));
    CLEAN({0, 0});
    pid = fork();
    if (pid == 0) {
        _exit(3);
    }
    prepare();
    CHECK(syscall(SYS_waitid, 1L, (long)pid, buffer, 4L | 0x1000000, buffer + 1024, 0L) == 0);
    CLEAN({0, 4}, {8, 4}, {16, 12}, {1024, 144});
    CALL(61, pid, buffer, 0, buffer + 1024); /* wait4 */
    CLEAN({0, 4}, {1024, 144});
}

static void on_times(void)
{
    struct itimerspec spec = {{0, 0}, {1000, 5}};
    long value[4] = {0, 0, 1000, 5}; /* struct itimerval */
    int fd = timerfd_create(CLOCK_MONOTONIC, 0);

    CALL(228, CLOCK_MONOTONIC, buffer, 0, 0); /* clock_gettime */
    CLEAN({0, 16});
    CALL(96, buffer, buffer + 64, 0, 0); /* gettimeofday */
    CLEAN({0, 16}, {64, 8});
    CHECK(fd >= 0 && timerfd_settime(fd, 0, &spec, NULL) == 0);
    CALL(287, fd, buffer, 0, 0); /* timerfd_gettime */
    CLEAN({0, 32});
    CALL(286, fd, 0, &spec, buffer); /* timerfd_settime */
    CLEAN({0, 32});
    CALL(38, 0, value, buffer, 0); /* setitimer */
    CLEAN({0, 32});
    value[2] = value[3] = 0;
    CALL(38, 0, value, buffer, 0);
    CLEAN({0, 32});
}

static void on_files(void)
{
    static const char path[] = "leak", link[] = "leak-link";
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600), directory;
    long used;

    unlink(link);
    CHECK(fd >= 0 && symlink(path, link) == 0);
    CALL(4, path, buffer, 0, 0); /* stat */
    CLEAN({0, 36}, {40, 80});
    CALL(5, fd, buffer, 0, 0); /* fstat */
    CLEAN({0, 36}, {40, 80});
    CALL(6, link, buffer, 0, 0); /* lstat */
    CLEAN({0, 36}, {40, 80});
    CALL(262, -100, path, buffer, 0); /* newfstatat */
    CLEAN({0, 36}, {40, 80});
    CALL(89, link, buffer, SIZE, 0); /* readlink */
    CLEAN({0, 4});
    directory = open(".", O_RDONLY | O_DIRECTORY);
    prepare();
    used = syscall(SYS_getdents64, directory, buffer, SIZE, 0, 0, 0);
    CHECK(used > 0);
    for (long at = 0; at < used;) {
        unsigned char *entry = buffer + at, *name = entry + 19;

        at += *(unsigned short *)(entry + 16);
        memset(name, 0, strlen((char *)name));
        memset(entry, 0, 19);
    }
    CLEAN({0, 0});
    CHECK(unlink(path) == 0 && unlink(link) == 0);
}

/* A file has what was written, and zeroes; a mapping of its last page, too. */
static void in_files(void)
{
    int fd = open("leak", O_RDWR | O_CREAT | O_TRUNC, 0600);
    unsigned char *map;

    memset(buffer, 'x', SIZE);
    for (int i = 0; i < 8; i++) { /* pages that are free again soon, and not clean */
        CHECK(write(fd, buffer, SIZE) == SIZE);
    }
    CHECK(ftruncate(fd, 10) == 0 && ftruncate(fd, 3 * SIZE) == 0);
    CALL(17, fd, buffer, SIZE, 0); /* pread64 */
    CLEAN({0, 10});
    CALL(17, fd, buffer, SIZE, SIZE);
    CLEAN({0, 0});
    CHECK(ftruncate(fd, 0) == 0 && lseek(fd, SIZE + 100, SEEK_SET) > 0);
    CHECK(write(fd, "abc", 3) == 3 && write(fd, (char *)8, 3) == -1);
    map = mmap(NULL, 2 * SIZE, PROT_READ, MAP_PRIVATE, fd, 0);
    CHECK(map != MAP_FAILED);
    memcpy(buffer, map, SIZE);
    CLEAN({0, 0});
    memcpy(buffer, map + SIZE, SIZE);
    CLEAN({100, 3});
    CHECK(unlink("leak") == 0);
}

/* New memory is zero wherever it comes from, though others have just written to it. */
static void in_memory(void)
{
    enum { PAGES = 64 };
    unsigned char *map;

    for (int round = 0; round < 4; round++) {
        map = mmap(NULL, PAGES * SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(map != MAP_FAILED);
        for (int i = 0; i < PAGES; i++) {
            CHECK(is_clean(map + i * SIZE, SIZE, NULL, 0) && map[i * SIZE] == 0);
            memset(map + i * SIZE, 'x', SIZE);
        }
        map = (void *)syscall(SYS_mremap, map, (long)PAGES * SIZE, 2l * PAGES * SIZE, 1L);
        CHECK(map != MAP_FAILED);
        for (int i = PAGES; i < 2 * PAGES; i++) {
            CHECK(is_clean(map + i * SIZE, SIZE, NULL, 0) && map[i * SIZE] == 0);
        }
        CHECK(munmap(map, 2 * PAGES * SIZE) == 0);
    }
}

static void on_descriptors(void)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = 5};
    int set = epoll_create1(0), fd = eventfd(1, 0), ends[2];
    struct pollfd *p = (struct pollfd *)buffer;
    struct timeval *time = (struct timeval *)(buffer + 512);

    CHECK(set >= 0 && fd >= 0 && epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) == 0);
    CALL(232, set, buffer, 8, 0); /* epoll_wait */
    CLEAN({0, 12});
    prepare();
    *p = (struct pollfd){.fd = fd, .events = POLLIN};
    CHECK(syscall(SYS_poll, buffer, 1L, 0L, 0L, 0L, 0L) == 1);
    CLEAN({0, 8});
    prepare();
    memset(buffer, 0, 128);
    *time = (struct timeval){0, 0};
    buffer[0] = (unsigned char)(1 << fd);
    CHECK(fd < 8 && syscall(SYS_select, fd + 1L, buffer, 0L, 0L, time, 0L) == 1);
    CLEAN({0, 1}, {512, 16});
    CALL(0, fd, buffer, 8, 0); /* read, of an eventfd */
    CLEAN({0, 8});
    CALL(22, buffer, 0, 0, 0); /* pipe */
    CLEAN({0, 8});
    CHECK(pipe(ends) == 0 && write(ends[1], "abc", 3) == 3);
    CALL(0, ends[0], buffer, SIZE, 0);
    CLEAN({0, 3});
    CHECK(write(ends[1], "abcd", 4) == 4);
    CALL(16, ends[0], 0x541b, buffer, 0); /* ioctl(FIONREAD) */
    CLEAN({0, 4});
}

static void on_sockets(void)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "\0leaks"};
    int server = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
    int *size = (int *)(buffer + 512);

    CHECK(bind(server, (void *)&name, 8) == 0 && listen(server, 1) == 0);
    CHECK(connect(client, (void *)&name, 8) == 0);
    prepare();
    *size = 110;
    CHECK(syscall(SYS_getsockname, server, buffer, size, 0L, 0L, 0L) == 0);
    CLEAN({0, 8}, {512, 4});
    prepare();
    *size = 110;
    CHECK(syscall(SYS_getpeername, client, buffer, size, 0L, 0L, 0L) == 0);
    CLEAN({0, 8}, {512, 4});
    prepare();
    *size = 110;
    server = (int)syscall(SYS_accept, server, buffer, size, 0L, 0L, 0L);
    CHECK(server >= 0);
    CLEAN({0, 2}, {512, 4});
    for (int i = 3; i < 40; i += i == 3 ? 14 : 1) { /* getsockopt: 3 SO_TYPE, 17 SO_PEERCRED, ... */
        prepare();
        *size = 12;
        if (i == 3 || i == 17 || i == 30 || i == 38 || i == 39) {
            CHECK(syscall(SYS_getsockopt, client, 1L, (long)i, buffer, size, 0L) == 0);
            CLEAN({0, 12}, {512, 4});
        }
    }
    CHECK(write(client, "abc", 3) == 3);
    prepare();
    *size = 110;
    CHECK(syscall(SYS_recvfrom, server, buffer, 64L, 0L, buffer + 256, size) == 3);
    CLEAN({0, 3}, {512, 4});
}

static unsigned char frame[sizeof(struct context) + 128], fpu[512];

static void keep(int signal, siginfo_t *info, void *pointer)
{
    struct context *context = pointer;

    memcpy(frame, context, sizeof(*context));
    memcpy(frame + sizeof(*context), info, 128);
    memcpy(fpu, context->fpu, sizeof(fpu));
    if (signal == SIGSEGV) {
        context->registers[R_RIP] += 2;
    }
}

/* Registers, the mask and siginfo; the reserved words of a machine with more state are its own. */
static int frame_is_clean(size_t info_size)
{
    const struct field fields[] = {
        {0, 8}, {16, 12}, {32, 8}, {40, 8 * R_COUNT}, {40 + 8 * R_COUNT, 8},
        {offsetof(struct context, mask), 8}, {sizeof(struct context), 12},
        {sizeof(struct context) + 16, info_size},
    };

    return is_clean(frame, sizeof(frame), fields, sizeof(fields) / sizeof(*fields));
}

static void in_frames_of_signals(void)
{
    static unsigned char stack[65536];
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK, .sa_sigaction = keep};
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};

    CHECK(sigaltstack(&alternate, NULL) == 0);
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0 && sigaction(SIGSEGV, &action, NULL) == 0);
    for (int i = 0; i < 3; i++) {
        memset(stack, BEFORE, sizeof(stack));
        if (i == 1) {
            syscall(SYS_getrandom, buffer, 256L, 0L); /* something else on the kernel's stack */
        }
        CHECK(raise(SIGUSR1) == 0 && frame_is_clean(8));
        CHECK(is_clean(fpu + 416, 96, &(struct field){48, 48}, 1));
        memset(stack, BEFORE, sizeof(stack));
        __asm__ volatile("xorl %%eax, %%eax\n\tmovb %%al, (%%rax)" : : : "rax", "memory");
        CHECK(frame_is_clean(8));
        CHECK(is_clean(fpu + 416, 96, &(struct field){48, 48}, 1));
    }
    CALL(131, 0, buffer, 0, 0); /* sigaltstack */
    CLEAN({0, 12}, {16, 8});
    CALL(13, SIGUSR1, 0, buffer, 8); /* rt_sigaction */
    CLEAN({0, 32});
    CALL(14, 0, 0, buffer, 8); /* rt_sigprocmask */
    CLEAN({0, 8});
}

int main(void)
{
    static const struct test tests[] = {
        TEST(on_system_and_process), TEST(on_times), TEST(on_files), TEST(in_files),
        TEST(in_memory), TEST(on_descriptors), TEST(on_sockets), TEST(in_frames_of_signals),
    };

    return RUN_TESTS(tests);
}
