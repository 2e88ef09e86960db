/* Things done once, by whoever comes first; and spin locks, which never sleep. */
#include "thread.h"

enum { ONCE_FRESH, ONCE_RUNS, ONCE_DONE, ONCE_AWAITED /* it runs, and somebody sleeps */ };

int pthread_once(pthread_once_t *once, void (*function)(void))
{
    int seen = ONCE_FRESH;

    if (__atomic_load_n(once, __ATOMIC_ACQUIRE) == ONCE_DONE) {
        return 0;
    }
    if (__atomic_compare_exchange_n(once, &seen, ONCE_RUNS, false, __ATOMIC_ACQUIRE,
                                    __ATOMIC_ACQUIRE)) {
        function();
        if (__atomic_exchange_n(once, ONCE_DONE, __ATOMIC_RELEASE) == ONCE_AWAITED) {
            futex_wake(once, INT_MAX, false);
        }
        return 0;
    }
    while (seen != ONCE_DONE) {
        if (seen == ONCE_AWAITED ||
            __atomic_compare_exchange_n(once, &seen, ONCE_AWAITED, false, __ATOMIC_ACQUIRE,
                                        __ATOMIC_ACQUIRE)) {
            futex_wait(once, ONCE_AWAITED, false, FOREVER);
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
