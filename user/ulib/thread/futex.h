/*
 * futex(2): sleep in the kernel while a word of memory has a given value.
 *
 * This is all the thread library asks of the kernel for waiting. The kernel compares the word and
 * puts the caller to sleep in one step as seen by any wake on the same word. So who changes the
 * word first and wakes then cannot be missed: a waiter either sleeps already and is woken, or
 * finds the word changed and does not sleep.
 */
#ifndef ULIB_THREAD_FUTEX_H
#define ULIB_THREAD_FUTEX_H
#include <errno.h>
#include <limits.h>
#include <time.h>

#include "../internal.h"

#define FUTEX_WAKE 1
#define FUTEX_WAIT_BITSET 9 /* its time is absolute, so a wait that is done again needs no sums */
#define FUTEX_PRIVATE 128
#define FUTEX_CLOCK_REALTIME 256
#define FUTEX_ANY (-1) /* the bitset that matches every wake */

/* The moment when a wait gives up. */
struct until {
    clockid_t clock;
    const struct timespec *time; /* NULL: never */
};

#define SECOND 1000000000ul /* in nanoseconds */

static const struct until FOREVER = {CLOCK_MONOTONIC, NULL};

/*
 * Sleep while *word is `value`, at most until `until`. `shared`: other processes may wake it.
 *
 * Returns 0 when woken (now and then for no reason), EAGAIN when *word was different, EINTR after
 * a signal's handler, ETIMEDOUT, never early, and EINVAL for a time that is none.
 */
static inline int futex_wait(const void *word, unsigned value, int shared, struct until until)
{
    int operation = FUTEX_WAIT_BITSET | (shared ? 0 : FUTEX_PRIVATE) |
                    (until.clock == CLOCK_REALTIME ? FUTEX_CLOCK_REALTIME : 0);

    if (until.time && (unsigned long)until.time->tv_nsec >= SECOND) {
        return EINVAL;
    }
    if (until.time && until.time->tv_sec < 0) {
        return ETIMEDOUT; /* the kernel does not take times before 1970 */
    }
    return (int)-ulib_syscall(SYS_futex, (long)word, operation, (int)value, (long)until.time, 0,
                              FUTEX_ANY);
}

/* Wake up to `count` of those who sleep on the word. The memory may be gone: nothing happens. */
static inline void futex_wake(const void *word, int count, int shared)
{
    ulib_syscall(SYS_futex, (long)word, FUTEX_WAKE | (shared ? 0 : FUTEX_PRIVATE), count, 0, 0, 0);
}
#endif
