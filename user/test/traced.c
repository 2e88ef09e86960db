/*
 * A program that knows what it does: so many sleeps, faults, children, signals, calls, switches.
 * tests/tracing.py runs it with the trace on and compares; the numbers below are in both.
 */
#include <pthread.h>
#include <sys/mman.h>
#include <time.h>

#include "ktap.h"

enum { SLEEPS = 7, PAGES = 11, CHILDREN = 5, CALLS = 13, SIGNALS = 3, THREADS = 4, ROUNDS = 9 };
#define PAGES_AT ((char *)0x200000000000) /* the faults are known by their addresses */

static void sleeps_block(void)
{
    for (int i = 0; i < SLEEPS; i++) {
        CHECK(nanosleep(&(struct timespec){0, 1000000}, NULL) == 0);
    }
}

static void first_touch_faults(void)
{
    char *pages = mmap(PAGES_AT, PAGES * 4096, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

    CHECK(pages == PAGES_AT);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < PAGES; i++) {
            pages[i * 4096] = 1;
        }
    }
}

static void children_are_cloned_and_exit(void)
{
    for (int i = 0; i < CHILDREN; i++) {
        pid_t child = fork();
        int status;

        CHECK(child >= 0);
        if (child == 0) {
            _exit(40 + i);
        }
        CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 40 + i);
    }
}

static void calls_enter_and_return(void)
{
    for (int i = 0; i < CALLS; i++) {
        CHECK(getppid() > 0);
    }
}

static volatile int caught;

static void catch(int signal)
{
    (void)signal;
    caught++;
}

static void signals_arrive(void)
{
    signal(SIGUSR2, catch);
    for (int i = 0; i < SIGNALS; i++) {
        CHECK(kill(getpid(), SIGUSR2) == 0);
    }
    CHECK(caught == SIGNALS);
}

static void *nothing(void *unused)
{
    return unused;
}

static void threads_share_a_process(void)
{
    for (int i = 0; i < THREADS; i++) {
        pthread_t thread;

        CHECK(pthread_create(&thread, NULL, nothing, NULL) == 0);
        CHECK(pthread_join(thread, NULL) == 0);
    }
}

/* Each side waits for the other: one gets the CPU only when the other gives it away. */
static void a_pipe_hands_the_cpu_over(void)
{
    int there[2], back[2];
    char byte = 'x';

    CHECK(pipe(there) == 0 && pipe(back) == 0);
    if (fork() == 0) {
        for (int i = 0; i < ROUNDS; i++) {
            CHECK(read(there[0], &byte, 1) == 1);
            nanosleep(&(struct timespec){0, 1000000}, NULL); /* so that the other one is asleep */
            CHECK(write(back[1], &byte, 1) == 1);
        }
        _exit(0);
    }
    for (int i = 0; i < ROUNDS; i++) {
        CHECK(write(there[1], &byte, 1) == 1);
        CHECK(read(back[0], &byte, 1) == 1);
    }
    CHECK(wait(NULL) > 0);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(sleeps_block), TEST(first_touch_faults), TEST(children_are_cloned_and_exit),
        TEST(calls_enter_and_return), TEST(signals_arrive), TEST(threads_share_a_process),
        TEST(a_pipe_hands_the_cpu_over),
    };

    return RUN_TESTS(tests);
}
