/* Lab 4: threads and futexes as all of its tests use them. */
#ifndef LAB4_THREADS_H
#define LAB4_THREADS_H
#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "grade.h"

#define CLONE     56
#define FUTEX     202
#define PRIVATE   128
#define WAIT      128 /* FUTEX_WAIT and FUTEX_WAKE, private: futex(2) */
#define WAKE      129
#define WAIT_BITS 9
#define WAKE_BITS 10
#define MS        1000000l

static volatile int word, other_word, flags[512];
static volatile uint64_t sum;

static long futex(volatile int *at, int operation, int value, long ns)
{
    struct timespec limit = {ns / 1000000000, ns % 1000000000};

    return syscall(FUTEX, at, operation, value, ns ? &limit : NULL, NULL, 0) < 0 ? -errno : 0;
}

static long wake(volatile int *at, int count)
{
    return syscall(FUTEX, at, WAKE, count, NULL, NULL, 0);
}

static void await(volatile int *flag, const char *expected)
{
    for (int i = 0; i < 200 && !*flag; i++) {
        usleep(1000);
    }
    EXPECT(*flag, expected, "nothing of it within 200 ms");
}

static void start(pthread_t *thread, void *(*function)(void *), long argument)
{
    int error = pthread_create(thread, NULL, function, (void *)argument);

    EXPECT(error == 0, "a thread", "error %d", error);
}

static long cpu_ms(void)
{
    struct timespec time;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return time.tv_sec * 1000 + time.tv_nsec / MS;
}

/* A time of CLOCK_REALTIME, so many milliseconds from now, less than a second before or after. */
static inline struct timespec in_ms(long ms)
{
    struct timespec time;

    clock_gettime(CLOCK_REALTIME, &time);
    time.tv_nsec += ms * MS + 1000000000;
    time.tv_sec += time.tv_nsec / 1000000000 - 1;
    time.tv_nsec %= 1000000000;
    return time;
}
#endif
