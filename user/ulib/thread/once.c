/* Things done once, by whoever comes first; and spin locks, which never sleep. */
#include "thread.h"

/* Of a thing that runs now, the bits above say since which fork: see once_forked. */
enum { ONCE_FRESH, ONCE_RUNS, ONCE_DONE, ONCE_AWAITED /* it runs, and somebody sleeps */ };
#define ONE_FORK 4

static int forks;

/* What ran in the parent may have been in a thread the child has not: it would never be done. */
void once_forked(void)
{
    forks += ONE_FORK;
}

int pthread_once(pthread_once_t *once, void (*function)(void))
{
    int runs = forks + ONCE_RUNS, awaited = forks + ONCE_AWAITED;
    int seen = __atomic_load_n(once, __ATOMIC_ACQUIRE);

    while (seen != ONCE_DONE) {
        if (seen != runs && seen != awaited) {
            if (__atomic_compare_exchange_n(once, &seen, runs, false, __ATOMIC_ACQUIRE,
                                            __ATOMIC_ACQUIRE)) {
                function();
                seen = __atomic_exchange_n(once, ONCE_DONE, __ATOMIC_RELEASE);
                if (seen % ONE_FORK == ONCE_AWAITED) { /* of any fork: function() may have forked */
                    futex_wake(once, INT_MAX, false);
                }
                return 0;
            }
        } else if (seen == awaited ||
                   __atomic_compare_exchange_n(once, &seen, awaited, false, __ATOMIC_ACQUIRE,
                                               __ATOMIC_ACQUIRE)) {
            futex_wait(once, (unsigned)awaited, false, FOREVER);
            seen = __atomic_load_n(once, __ATOMIC_ACQUIRE);
        }
    }
    return 0;
}

int pthread_spin_init(pthread_spinlock_t *lock, int shared)
{
    (void)shared;
    *lock = FREE;
    return 0;
}

int pthread_spin_destroy(pthread_spinlock_t *lock)
{
    (void)lock;
    return 0;
}

int pthread_spin_trylock(pthread_spinlock_t *lock)
{
    return __atomic_exchange_n(lock, HELD, __ATOMIC_ACQUIRE) == FREE ? 0 : EBUSY;
}

int pthread_spin_lock(pthread_spinlock_t *lock)
{
    while (pthread_spin_trylock(lock)) {
        while (*lock != FREE) { /* only look: writing would take the line from the holder's CPU */
            __builtin_ia32_pause();
        }
    }
    return 0;
}

int pthread_spin_unlock(pthread_spinlock_t *lock)
{
    __atomic_store_n(lock, FREE, __ATOMIC_RELEASE);
    return 0;
}
