/*
 * For the programs that measure other coroutine libraries, in C or C++, by what each offers to its users:
 *
 *     NAME ROUNDS COUNT       each row once a round, of about COUNT operations; "name nanoseconds"
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* CPU time of this process in nanoseconds. */
static inline double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* What one of `count` costs, where `work` does them all. */
static inline void measure(const char *name, void (*work)(long count), long count)
{
    double start = now();

    work(count);
    printf("%s %.3f\n", name, (now() - start) / (double)count);
}

static inline int rounds(int count, char **arguments, void (*one)(long count))
{
    if (count != 3 || atol(arguments[1]) < 1 || atol(arguments[2]) < 1) {
        fprintf(stderr, "usage: %s ROUNDS COUNT\n", arguments[0]);
        return 2;
    }
    for (long i = atol(arguments[1]); i > 0; i--) {
        one(atol(arguments[2]));
    }
    return 0;
}
#endif
