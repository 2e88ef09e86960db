/*
 * How many are inside an object's wait function, so that it can be destroyed safely.
 *
 * POSIX lets a program destroy a condition variable or a barrier, and free its memory, as soon as
 * all who waited are woken. But a woken thread still has a few instructions to go in there:
 * destroying waits until the last has left. After users_leave the object is not touched.
 */
#ifndef ULIB_THREAD_USERS_H
#define ULIB_THREAD_USERS_H
#include "futex.h"

#define USERS_AWAITED 0x80000000u /* somebody in users_await_none wants to hear of the last one */

static inline void users_enter(unsigned *users)
{
    __atomic_add_fetch(users, 1, __ATOMIC_RELAXED);
}

static inline void users_leave(unsigned *users, int shared)
{
    if (__atomic_sub_fetch(users, 1, __ATOMIC_RELEASE) == USERS_AWAITED) {
        futex_wake(users, 1, shared);
    }
}

static inline void users_await_none(unsigned *users, int shared)
{
    unsigned now = __atomic_or_fetch(users, USERS_AWAITED, __ATOMIC_ACQUIRE);

    while (now != USERS_AWAITED) {
        futex_wait(users, now, shared, FOREVER);
        now = __atomic_load_n(users, __ATOMIC_ACQUIRE);
    }
}
#endif
