/* Between the files of the coroutine benchmark. */
#ifndef BENCH_H
#define BENCH_H
#include <stddef.h>

/* One figure: what `measure` finds for one operation, as the mean of `count`. */
struct row {
    const char *name;
    double (*measure)(long count);
    long divisor; /* how much slower than a bare switch it is, by order of magnitude */
};

/* Each table ends with a row without a name. */
extern const struct row switch_rows[];
extern const struct row library_rows[]; /* of the host's C library */

/* CPU time of this process, which other load on the machine does not change, in nanoseconds; in a
 * guest under icount one is one instruction. */
double now(void);

/* Print what n coroutines cost. 0, or 1: they cannot be made. */
int creation(long n);
#endif
