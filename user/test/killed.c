/* SIGKILL reaches a process wherever it is: running, or asleep in any call. */
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

#include "ktap.h"

static int fds[2];

static void kill_in(void (*place)(void))
{
    int status;
    pid_t pid;

    CHECK(pipe(fds) == 0);
    for (int delay = 0; delay < 3; delay++) { /* at once, soon, and surely inside */
        pid = fork();
        if (pid == 0) {
            place();
            _exit(0);
        }
        usleep((unsigned)delay * delay * 10000);
        CHECK(kill(pid, SIGKILL) == 0);
        CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    }
}

static void computing(void)
{
    for (;;) {
    }
}

static void reading(void)
{
    char c;

    read(fds[0], &c, 1);
}

static void writing(void)
{
    static char block[4096];

    while (write(fds[1], block, sizeof(block)) > 0) {
    }
}

static void sleeping(void)
{
    struct timespec time = {1000, 0};

    nanosleep(&time, NULL);
}

static void polling(void)
{
    struct pollfd p = {.fd = fds[0], .events = POLLIN};

    poll(&p, 1, -1);
}

static void waiting(void)
{
    if (fork() == 0) {
        alarm(1); /* the grandchild must not stay for ever */
        pause();
        _exit(0);
    }
    wait(NULL);
}

static void suspended(void)
{
    sigset_t none;

    sigemptyset(&none);
    sigsuspend(&none);
}

static void on_a_futex(void)
{
    int word = 0;

    syscall(SYS_futex, &word, 0, 0L, 0L, 0L, 0L);
}

static int late(void *argument)
{
    alarm(1); /* outlives its parent, but not for ever */
    pause();
    return argument != NULL;
}

static void in_vfork(void)
{
    static char stack[8192];

    clone(late, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, NULL, NULL, NULL, NULL);
}

static void stopped(void)
{
    raise(SIGSTOP);
}

static void forking(void)
{
    for (;;) {
        pid_t pid = fork();

        if (pid == 0) {
            _exit(0);
        }
        waitpid(pid, NULL, 0);
    }
}

static void mapping(void)
{
    for (;;) {
        char *p = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        p[5000] = 1;
        munmap(p, 65536);
    }
}

/* So much shared memory, of one small piece, wherever one looks. */
static char *endless_memory(size_t size)
{
    const size_t unit = 2 << 20;
    char *memory = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    int fd = open("endless", O_RDWR | O_CREAT, 0600);

    CHECK(fd >= 0 && unlink("endless") == 0 && ftruncate(fd, (off_t)unit) == 0 && memory != MAP_FAILED);
    for (size_t at = 0; at < size; at += unit) {
        CHECK(mmap(memory + at, unit, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == memory + at);
    }
    return memory;
}

static void *wide_area(size_t size)
{
    void *area = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    CHECK(area != MAP_FAILED);
    return area;
}

static void taking_random_bytes(void)
{
    syscall(SYS_getrandom, endless_memory(1ul << 30), 1ul << 30, 0);
}

static void reading_random_bytes(void)
{
    read(open("/dev/urandom", O_RDONLY), endless_memory(1ul << 30), 1ul << 30);
}

static void asking_for_many_pages(void)
{
    syscall(SYS_mincore, wide_area(1ul << 38), 1ul << 38, endless_memory(1ul << 26));
}

static void telling_of_a_wide_area(void)
{
    char *area = wide_area(1ul << 45), text[1000];

    CHECK(*area == 0 && read(open("/proc/self/smaps", O_RDONLY), text, sizeof(text)) > 0);
}

/* What it was doing may take seconds: it does not go on with it. Linux, which has no such file, does so with
 * one of them and is not judged. */
static void long_calls_are_short_then(void)
{
    static void (*const calls[])(void) = {
        taking_random_bytes, reading_random_bytes, asking_for_many_pages, telling_of_a_wide_area,
    };

    for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
        struct rusage usage;
        pid_t pid = fork();

        if (pid == 0) {
            calls[i]();
            _exit(0);
        }
        usleep(50000);
        CHECK(kill(pid, SIGKILL) == 0 && wait4(pid, NULL, 0, &usage) == pid);
        CHECK(access("/proc/latency", F_OK) != 0 ||
              (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec == 0 &&
               usage.ru_utime.tv_usec + usage.ru_stime.tv_usec < 500000));
    }
}

#define PLACE(name)                    \
    static void killed_while_##name(void) \
    {                                  \
        kill_in(name);                 \
    }
PLACE(computing)
PLACE(reading)
PLACE(writing)
PLACE(sleeping)
PLACE(polling)
PLACE(waiting)
PLACE(suspended)
PLACE(on_a_futex)
PLACE(in_vfork)
PLACE(stopped)
PLACE(forking)
PLACE(mapping)

int main(void)
{
    static const struct test tests[] = {
        TEST(killed_while_computing), TEST(killed_while_reading), TEST(killed_while_writing),
        TEST(killed_while_sleeping), TEST(killed_while_polling), TEST(killed_while_waiting),
        TEST(killed_while_suspended), TEST(killed_while_on_a_futex), TEST(killed_while_in_vfork),
        TEST(killed_while_stopped),
        TEST(killed_while_forking), TEST(killed_while_mapping), TEST(long_calls_are_short_then),
    };

    return RUN_TESTS(tests);
}
