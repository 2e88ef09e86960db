/*
 * Semaphores: a number that may be taken from while it is above 0, and who waits for that.
 *
 * Value and number of waiters are one 64-bit word, so sem_post raises the one and reads the other
 * in one step. After that step it does not touch the semaphore: the thread it let through may
 * destroy it. Nothing is locked, so a signal's handler may post.
 */
#include <semaphore.h>

#include "thread.h"

_Static_assert(sizeof(sem_t) == 32, "as in the GNU library");

#define WAITER (1ul << 32) /* one more of them in the word */

int sem_init(sem_t *semaphore, int shared, unsigned value)
{
    if (value > SEM_VALUE_MAX) {
        errno = EINVAL;
        return -1;
    }
    *semaphore = (sem_t){.__value = value, .__shared = shared != 0};
    return 0;
}

int sem_destroy(sem_t *semaphore)
{
    (void)semaphore;
    return 0;
}

/* Take one, if there is one, and change the number of waiters by `waiters` with it. */
static bool take(sem_t *semaphore, unsigned long waiters)
{
    unsigned long now = __atomic_load_n(&semaphore->__both, __ATOMIC_RELAXED);

    while ((unsigned)now != 0) {
        if (__atomic_compare_exchange_n(&semaphore->__both, &now, now - 1 + waiters, false,
                                        __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
            return true;
        }
    }
    return false;
}

/*
 * A waiter is counted before it looks at the value for the last time (futex_wait does). So a post
 * either comes before that look, or sees the waiter and wakes one.
 */
static int wait(sem_t *semaphore, struct until until)
{
    int error = 0;

    if (take(semaphore, 0)) {
        return 0;
    }
    __atomic_add_fetch(&semaphore->__both, WAITER, __ATOMIC_RELAXED);
    do {
        if (take(semaphore, -WAITER)) {
            return 0;
        }
        error = futex_wait(&semaphore->__value, 0, semaphore->__shared, until);
    } while (error == 0 || error == EAGAIN);
    __atomic_sub_fetch(&semaphore->__both, WAITER, __ATOMIC_RELAXED);
    errno = error; /* EINTR, ETIMEDOUT, EINVAL */
    return -1;
}

int sem_wait(sem_t *semaphore)
{
    return wait(semaphore, FOREVER);
}

int sem_timedwait(sem_t *semaphore, const struct timespec *time)
{
    return wait(semaphore, (struct until){CLOCK_REALTIME, time});
}

int sem_trywait(sem_t *semaphore)
{
    if (take(semaphore, 0)) {
        return 0;
    }
    errno = EAGAIN;
    return -1;
}

int sem_post(sem_t *semaphore)
{
    unsigned long now = __atomic_load_n(&semaphore->__both, __ATOMIC_RELAXED);
    int shared = semaphore->__shared;

    do {
        if ((unsigned)now == SEM_VALUE_MAX) {
            errno = EOVERFLOW;
            return -1;
        }
    } while (!__atomic_compare_exchange_n(&semaphore->__both, &now, now + 1, false,
                                          __ATOMIC_RELEASE, __ATOMIC_RELAXED));
    if (now >= WAITER) {
        futex_wake(&semaphore->__value, 1, shared);
    }
    return 0;
}

int sem_getvalue(sem_t *semaphore, int *value)
{
    *value = (int)__atomic_load_n(&semaphore->__value, __ATOMIC_RELAXED);
    return 0;
}
