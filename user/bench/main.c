/*
 * What a coroutine switch costs beside other switches, and what coroutines cost:
 *
 *     bench switches ROUNDS COUNT     each row once a round, of about COUNT operations
 *     bench creation N
 *
 * Rows take turns, so that what slows the machine down for a while hits all of them; tools/bench
 * takes the medians. A line is "name figure". The same sources run on the host (nanoseconds) and
 * in the guest under icount (instructions).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"

double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void measure(const struct row *row, long count)
{
    for (; row->name; row++) {
        printf("%s %.3f\n", row->name, row->measure(count / row->divisor));
        fflush(stdout);
    }
}

int main(int count, char **arguments)
{
    if (count == 4 && strcmp(arguments[1], "switches") == 0) {
        for (int rounds = atoi(arguments[2]); rounds > 0; rounds--) {
            measure(switch_rows, atol(arguments[3]));
            measure(library_rows, atol(arguments[3]));
        }
        return 0;
    }
    if (count == 3 && strcmp(arguments[1], "creation") == 0) {
        return creation(atol(arguments[2]));
    }
    fprintf(stderr, "usage: bench switches ROUNDS COUNT | bench creation N\n");
    return 2;
}
