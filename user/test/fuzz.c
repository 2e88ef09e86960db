/*
 * Random system calls with odd arguments: whatever comes back, the kernel lives. Each child makes
 * calls from its own seed until it dies or is done. The output says nothing of the results.
 */
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include "ktap.h"

static unsigned long state;

static unsigned long next(void)
{
    state = state * 6364136223846793005ul + 1442695040888963407ul;
    return state >> 17;
}

static long argument(char *page)
{
    static const long odd[] = {
        0, 1, 2, 3, -1, 8, 16, 4096, 65536, 1l << 31, 1l << 32, 1l << 47, -4096,
        (long)0xffff888000000000ul, (long)0xffffffff80100000ul, 0x7ffffffff000, 0x400000,
    };

    switch (next() % 4) {
    case 0: return (long)page + (long)(next() % 8192);
    case 1: return (long)(next() % 32);
    default: return odd[next() % (sizeof(odd) / sizeof(*odd))];
    }
}

/* Not: ends of the machine or of itself, signals to others, sleeps and stops without end. */
static int harmless(long number)
{
    static const long no[] = {34, 35, 37, 38, 56, 57, 58, 60, 61, 62, 109, 112, 130, 165, 169, 200,
                              202, 230, 231, 234, 247, 7, 23, 271, 39, 232, 270, 281};

    for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++) {
        if (no[i] == number) {
            return 0;
        }
    }
    return 1;
}

/* Descriptors 3 to 9, of what does not block. */
static void open_all_kinds(void)
{
    struct sockaddr name = {AF_UNIX, "\0fuzz"};
    int pair[2], server = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
    CHECK(bind(server, &name, sizeof(name)) == 0 && listen(server, 1) == 0);
    CHECK(eventfd(1, EFD_NONBLOCK) >= 0 && timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK) >= 0);
    CHECK(epoll_create1(0) >= 0 && epoll_create1(0) >= 0);
}

static void calls_in_a_child(unsigned long seed)
{
    struct rlimit small = {32 << 20, 32 << 20};
    char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int ends[2];

    state = seed * 7919 + 1;
    setrlimit(RLIMIT_AS, &small);
    CHECK(chdir("/tmp") == 0 && pipe2(ends, 04000) == 0); /* what blocks is not what we look for */
    dup2(ends[0], 0);
    dup2(ends[1], 1);
    dup2(ends[1], 2);
    open_all_kinds();
    alarm(1);
    memcpy(page, "fuzzed", 7);
    for (int i = 0; i < 400; i++) {
        long number = (long)(next() % 335);
        long a[5];

        for (int j = 0; j < 5; j++) {
            a[j] = argument(page);
        }
        if (harmless(number)) {
            syscall(number, a[0], a[1], a[2], a[3], a[4], 0L);
        }
    }
}

static void kernel_survives(void)
{
    if (access("/proc/unimplemented", F_OK) != 0) {
        return; /* somebody's own machine is no place for this */
    }
    for (unsigned long seed = 1; seed <= 300; seed++) {
        pid_t pid = fork();

        CHECK(pid >= 0);
        if (pid == 0) {
            calls_in_a_child(seed);
            _exit(0);
        }
        CHECK(waitpid(pid, NULL, 0) == pid);
    }
}

int main(void)
{
    static const struct test tests[] = {TEST(kernel_survives)};

    return RUN_TESTS(tests);
}
