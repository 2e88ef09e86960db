/*
 * Bad pointers into every system call that takes one: the kernel answers -EFAULT and lives.
 *
 * Four kinds: nothing mapped, the kernel's half, not canonical, and a range that begins in a
 * mapped page and ends in a hole. Results that must be written also meet a read-only page.
 */
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

#include "ktap.h"

/* P stands for the bad pointer, the others for descriptors of such files. */
#define P 0x7fff0123
#define SOCKET 20 /* connected, and there is something to read */
#define EPOLL 21  /* watches SOCKET */
#define TIMER 22

static long bad[4], read_only;
static int fds[2];

static void prepare(void)
{
    char *page = mmap(NULL, 12288, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct epoll_event event = {.events = EPOLLIN};
    int pair[2];

    memset(page, 'a', 12288);
    munmap(page + 4096, 4096);
    mprotect(page + 8192, 4096, PROT_READ);
    bad[0] = 8;
    bad[1] = (long)0xffff888000000000ul;
    bad[2] = (long)0x8000000000000000ul;
    bad[3] = (long)page + 4095;
    read_only = (long)page + 8192;
    CHECK(pipe(fds) == 0 && write(fds[1], "abcdefgh", 8) == 8);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && write(pair[1], "abcdefgh", 8) == 8);
    CHECK(dup2(pair[0], SOCKET) == SOCKET && dup2(epoll_create1(0), EPOLL) == EPOLL);
    CHECK(dup2(timerfd_create(CLOCK_MONOTONIC, 0), TIMER) == TIMER);
    CHECK(epoll_ctl(EPOLL, EPOLL_CTL_ADD, SOCKET, &event) == 0);
}

static long expect(long number, long a, long b, long c, long d, long e)
{
    errno = 0;
    if (syscall(number, a, b, c, d, e, 0L) == -1 && errno == EFAULT) {
        return 0;
    }
    fprintf(stderr, "# call %ld: errno %d\n", number, errno);
    return 1;
}

struct call {
    long number, a[5];
};

static long try(const struct call *call, long pointer)
{
    long a[5];

    for (int i = 0; i < 5; i++) {
        a[i] = call->a[i] == P ? pointer : call->a[i];
    }
    return expect(call->number, a[0], a[1], a[2], a[3], a[4]);
}

static void calls_that_read_memory(void)
{
    long cwd = -100, one = (long)"/";
    const struct call calls[] = {
        {1, {fds[1], P, 64}}, {2, {P, 0}}, {4, {P, 0}}, {6, {P, 0}}, {7, {P, 8, 0}},
        {13, {10, P, 0, 8}}, {14, {0, P, 0, 8}}, {20, {fds[1], P, 2}}, {21, {P, 0}},
        {35, {P, 0}}, {38, {0, P, 0}}, {59, {P, 0, 0}}, {59, {(long)"/bin/sh", P, 0}}, {76, {P, 0}}, {80, {P}},
        {82, {P, one}}, {82, {one, P}}, {83, {P, 0}}, {84, {P}}, {86, {P, one}}, {87, {P}},
        {88, {P, one}}, {89, {P, one, 1}}, {130, {P, 8}}, {131, {P, 0}}, {144, {0, 0, P}},
        {203, {0, 8, P}}, {230, {1, 0, P, 0}}, {257, {cwd, P, 0, 0}}, {262, {cwd, P, 0, 0}},
        {271, {P, 8, 0, 0, 8}}, {302, {0, 7, P, 0}}, {23, {8, P, 0, 0, 0}}, {23, {0, 0, 0, 0, P}},
        {270, {8, 0, P, 0, 0}}, {270, {0, 0, 0, 0, P}}, {271, {0, 0, 0, P, 8}},
        {42, {SOCKET, P, 64}}, {44, {SOCKET, P, 64, 0, 0}}, {46, {SOCKET, P, 0}}, {49, {SOCKET, P, 64}},
        {54, {SOCKET, 1, 7, P, 4}}, {233, {EPOLL, 1, SOCKET, P}}, {47, {SOCKET, P, 0}},
        {286, {TIMER, 0, P, 0}},
    };
    long failed = 0;

    prepare();
    for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
        struct call call = calls[i];

        for (int j = 0; j < 5; j++) { /* the pipe did not exist yet when the table was made */
            call.a[j] = call.number == 1 || call.number == 20 ? j == 0 ? fds[1] : call.a[j] : call.a[j];
        }
        for (int kind = 0; kind < 4; kind++) {
            failed += try(&call, bad[kind]);
        }
    }
    CHECK(failed == 0);
}

static void calls_that_write_memory(void)
{
    static char address[128];
    static int size = sizeof(address);
    const struct call calls[] = {
        {0, {0, P, 8}}, {4, {(long)"/", P}}, {5, {1, P}}, {6, {(long)"/", P}}, {13, {10, 0, P, 8}},
        {14, {0, 0, P, 8}}, {22, {P}}, {63, {P}}, {79, {P, 4096}}, {96, {P, 0}}, {97, {7, P}},
        {98, {0, P}}, {99, {P}}, {100, {P}}, {131, {0, P}}, {158, {0x1003, P}}, {204, {0, 8, P}},
        {228, {1, P}}, {262, {-100, (long)"/", P, 0}}, {293, {P, 0}}, {302, {0, 7, 0, P}},
        {318, {P, 8, 0}}, {51, {SOCKET, P, (long)&size}}, {51, {SOCKET, (long)address, P}},
        {52, {SOCKET, P, (long)&size}}, {53, {1, 1, 0, P}}, {55, {SOCKET, 1, 3, P, (long)&size}},
        {55, {SOCKET, 1, 3, (long)address, P}}, {45, {SOCKET, P, 1, 0, 0}},
        {232, {EPOLL, P, 1, 0}}, {287, {TIMER, P}},
    };
    long failed = 0;
    int directory;

    prepare();
    directory = open("/", O_RDONLY | O_DIRECTORY);
    for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
        struct call call = calls[i];

        call.a[0] = call.number == 0 ? fds[0] : call.a[0];
        for (int kind = 0; kind < 3; kind++) {
            failed += try(&call, bad[kind]);
        }
        failed += try(&call, read_only);
    }
    failed += expect(217, directory, bad[1], 4096, 0, 0);
    CHECK(failed == 0);
}

static void straddling_results(void)
{
    struct stat st;

    prepare();
    CHECK_ERROR(syscall(SYS_stat, "/", bad[3], 0L, 0L, 0L, 0L), EFAULT);
    CHECK_ERROR(syscall(SYS_clock_gettime, 1L, bad[3], 0L, 0L, 0L, 0L), EFAULT);
    CHECK_ERROR(syscall(SYS_pipe2, bad[3], 0L, 0L, 0L, 0L, 0L), EFAULT);
    CHECK(stat("/", &st) == 0);
}

/* A name that is all the last bytes of user memory have: it goes on where there is none. */
static void string_up_to_the_end_of_user_memory(void)
{
    char *page = (char *)0x7fffffffe000;

    /* Where it is not free, it has the strings that the stack begins with. */
    mmap(page, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    memset(page + 4080, 'a', 16);
    CHECK_ERROR(syscall(SYS_open, page + 4092, 0L, 0L, 0L, 0L, 0L), EFAULT);
    page[4095] = '\0';
    CHECK_ERROR(syscall(SYS_open, page + 4092, 0L, 0L, 0L, 0L, 0L), ENOENT);
    CHECK_ERROR(syscall(SYS_write, 1L, page + 4092, 8L, 0L, 0L, 0L), EFAULT);
    page[4095] = 'a';
    CHECK_ERROR(syscall(SYS_execve, page + 4080, NULL, NULL, 0L, 0L, 0L), EFAULT);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(calls_that_read_memory), TEST(calls_that_write_memory), TEST(straddling_results),
        TEST(string_up_to_the_end_of_user_memory),
    };

    return RUN_TESTS(tests);
}
