/* What the tests of threads share: some threads at a time, and moments in the near future. */
#ifndef PTHREAD_TEST_H
#define PTHREAD_TEST_H
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <time.h>

#include "ktap.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))
#define MOST_THREADS 8

static pthread_t threads[MOST_THREADS];

/* Threads 0 to count - 1; each gets its number as argument. */
static inline void start_threads(int count, void *(*function)(void *))
{
    for (long i = 0; i < count; i++) {
        CHECK(pthread_create(&threads[i], NULL, function, (void *)i) == 0);
    }
}

static inline void join_threads(int count)
{
    for (int i = 0; i < count; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
    }
}

static inline void run_threads(int count, void *(*function)(void *))
{
    start_threads(count, function);
    join_threads(count);
}

static inline struct timespec in_microseconds(long microseconds, clockid_t clock)
{
    struct timespec time;

    CHECK(clock_gettime(clock, &time) == 0);
    time.tv_nsec += microseconds * 1000;
    time.tv_sec += time.tv_nsec / 1000000000;
    time.tv_nsec %= 1000000000;
    return time;
}

static inline int is_past(clockid_t clock, struct timespec time)
{
    struct timespec now;

    CHECK(clock_gettime(clock, &now) == 0);
    return now.tv_sec > time.tv_sec || (now.tv_sec == time.tv_sec && now.tv_nsec >= time.tv_nsec);
}
#endif
