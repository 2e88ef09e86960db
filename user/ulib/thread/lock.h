/*
 * The lock below all others: one word with three states, and a futex only when there is a queue.
 *
 *     FREE ---take---> HELD           an atomic compare-and-swap, no system call
 *     HELD ---take---> HELD_QUEUED    by one who then sleeps until the word is something else
 *     either --drop--> FREE           an atomic exchange; wakes one if it was HELD_QUEUED
 *
 * Why no wake-up is lost: a taker sleeps only while the word is HELD_QUEUED, and the kernel looks
 * at it once more before it lets it sleep. So whoever sleeps, the holder's drop sees HELD_QUEUED
 * and wakes one. A woken taker cannot know whether others still sleep; therefore it takes the lock
 * as HELD_QUEUED, too, and its own drop wakes the next. The worst that happens is one wake for
 * nobody, at the end of a queue. A newcomer may take the lock before the woken one: then the
 * woken one marks the word HELD_QUEUED again and sleeps again.
 */
#ifndef ULIB_THREAD_LOCK_H
#define ULIB_THREAD_LOCK_H
#include <stdbool.h>

#include "futex.h"

enum { FREE, HELD, HELD_QUEUED };

static inline bool lock_try(unsigned *lock)
{
//@lab 4 try begin
    unsigned free = FREE;

    return __atomic_compare_exchange_n(lock, &free, HELD, false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
//@lab 4 try stub
//|     *lock = HELD; /* lab 4, step 5: it lets everybody in */
//|     return true;
//@lab 4 try end
}

/* Join the queue. Returns 0, ETIMEDOUT or EINVAL as futex_wait does. */
int lock_wait(unsigned *lock, int shared, struct until until);

static inline int lock_take_until(unsigned *lock, int shared, struct until until)
{
    return lock_try(lock) ? 0 : lock_wait(lock, shared, until);
}

static inline void lock_drop_shared(unsigned *lock, int shared)
{
//@lab 4 drop begin
    if (__atomic_exchange_n(lock, FREE, __ATOMIC_RELEASE) == HELD_QUEUED) {
        futex_wake(lock, 1, shared);
    }
//@lab 4 drop stub
//|     (void)shared;
//|     *lock = FREE;
//@lab 4 drop end
}

static inline void lock_take(unsigned *lock)
{
    lock_take_until(lock, false, FOREVER);
}

static inline void lock_drop(unsigned *lock)
{
    lock_drop_shared(lock, false);
}
#endif
