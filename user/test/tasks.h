/* Bare threads for tests of the kernel: clone and futex, without the thread library. */
#ifndef TEST_TASKS_H
#define TEST_TASKS_H
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>

#include "ktap.h"

#define THREAD_FLAGS \
    (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)

enum {
    FUTEX_WAIT, FUTEX_WAKE, FUTEX_REQUEUE = 3, FUTEX_CMP_REQUEUE, FUTEX_WAIT_BITSET = 9,
    FUTEX_WAKE_BITSET, FUTEX_PRIVATE = 128, FUTEX_CLOCK_REALTIME = 256,
};

struct thread {
    pid_t tid; /* 0 when it has ended */
    char stack[16384] __attribute__((aligned(16)));
};

static inline long futex(volatile int *word, int operation, int value, const void *timeout)
{
    return syscall(SYS_futex, word, operation, value, timeout, 0, 0);
}

static inline long futex_bits(volatile int *word, int operation, int value, const void *timeout,
                              unsigned bits)
{
    return syscall(SYS_futex, word, operation, value, timeout, 0, bits);
}

static inline pid_t thread_start(struct thread *thread, int (*function)(void *), void *argument)
{
    return clone(function, thread->stack + sizeof(thread->stack),
                 THREAD_FLAGS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID, argument, &thread->tid,
                 NULL, &thread->tid);
}

static inline void thread_join(struct thread *thread)
{
    int tid;

    while ((tid = *(volatile int *)&thread->tid) != 0) {
        futex(&thread->tid, FUTEX_WAIT, tid, NULL);
    }
}

/* How many microseconds to wait, at most, for what another thread is sure to do soon. */
#define PATIENCE 20000000

/* Wait until the condition holds: another thread is about to make it so. */
#define AWAIT(condition)                                            \
    do {                                                            \
        int await_left = PATIENCE / 1000;                           \
                                                                    \
        while (!(condition)) {                                      \
            CHECK(await_left-- > 0);                                \
            usleep(1000);                                           \
        }                                                           \
    } while (0)

/* Is the thread asleep in a call? From /proc, as ps shows it. */
static inline int thread_sleeps(pid_t tid)
{
    char path[64], line[256], *state;
    FILE *file;
    int sleeps = 0;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", getpid(), tid);
    file = fopen(path, "r");
    if (!file) {
        return 0;
    }
    if (fgets(line, sizeof(line), file) && (state = strrchr(line, ')'))) {
        sleeps = state[2] == 'S';
    }
    fclose(file);
    return sleeps;
}
#endif
