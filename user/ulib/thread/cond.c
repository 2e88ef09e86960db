/*
 * Condition variables: a number that each signal changes, and a futex on it.
 *
 * The invariant: a waiter reads `sequence` while it holds the mutex; a signal changes `sequence`
 * first and wakes then. So for each waiter that came before the signal there are two cases: it
 * sleeps by the time of the wake, and is one of those the wake chooses from; or it does not sleep
 * yet, and then finds the number changed and returns at once (which may be once too often: POSIX
 * allows that, and callers look at their condition again). No third case, so no signal is lost.
 * A time that ran out takes nothing with it: the kernel says ETIMEDOUT only to a waiter that no
 * wake has chosen. The number comes round after 4 billion signals; all of them would have to fall
 * between a waiter's reading and sleeping.
 *
 * broadcast wakes all, who then queue for the mutex. (FUTEX_CMP_REQUEUE would move them to the
 * mutex's queue unwoken: fewer switches, but then mutex and condition variable must know each
 * other's states.)
 */
#include "thread.h"
#include "users.h"

_Static_assert(sizeof(pthread_cond_t) == 48, "as in the GNU library");

int pthread_cond_init(pthread_cond_t *cond, const pthread_condattr_t *attr)
{
    *cond = (pthread_cond_t){.__clock = attr ? attr->__clock : CLOCK_REALTIME,
                             .__shared = attr ? attr->__shared : false};
    return 0;
}

int pthread_cond_destroy(pthread_cond_t *cond)
{
    users_await_none(&cond->__users, cond->__shared);
    return 0;
}

static int wait(pthread_cond_t *cond, pthread_mutex_t *mutex, struct until until)
{
    unsigned seen;
    int shared = cond->__shared, error;

    users_enter(&cond->__users);
    seen = __atomic_load_n(&cond->__sequence, __ATOMIC_RELAXED);
    error = pthread_mutex_unlock(mutex);
    if (error) {
        users_leave(&cond->__users, shared);
        return error; /* not the caller's */
    }
//@lab 4 cond-wait begin
    do {
        error = futex_wait(&cond->__sequence, seen, shared, until);
    } while (error == EINTR);
//@lab 4 cond-wait stub
//|     (void)seen, (void)until; /* lab 4, step 6: it comes back at once, for no reason */
//@lab 4 cond-wait end
    users_leave(&cond->__users, shared);
    pthread_mutex_lock(mutex);
    return error == ETIMEDOUT || error == EINVAL ? error : 0;
}

int pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
    return wait(cond, mutex, FOREVER);
}

int pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                           const struct timespec *time)
{
    return wait(cond, mutex, (struct until){cond->__clock, time});
}

/*
 * Who changes the condition under the mutex and signals later sees every waiter in `users`: it
 * entered before it gave the mutex away. Without waiters there is no system call.
 */
static int wake(pthread_cond_t *cond, int count)
{
//@lab 4 cond-wake begin
    if (__atomic_load_n(&cond->__users, __ATOMIC_RELAXED) != 0) {
        __atomic_add_fetch(&cond->__sequence, 1, __ATOMIC_RELAXED);
        futex_wake(&cond->__sequence, count, cond->__shared);
    }
//@lab 4 cond-wake stub
//|     (void)cond, (void)count;
//@lab 4 cond-wake end
    return 0;
}

int pthread_cond_signal(pthread_cond_t *cond)
{
    return wake(cond, 1);
}

int pthread_cond_broadcast(pthread_cond_t *cond)
{
    return wake(cond, INT_MAX);
}

int pthread_condattr_init(pthread_condattr_t *attr)
{
    *attr = (pthread_condattr_t){CLOCK_REALTIME, PTHREAD_PROCESS_PRIVATE};
    return 0;
}

int pthread_condattr_destroy(pthread_condattr_t *attr)
{
    (void)attr;
    return 0;
}

int pthread_condattr_setclock(pthread_condattr_t *attr, clockid_t clock)
{
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC) {
        return EINVAL;
    }
    attr->__clock = (short)clock;
    return 0;
}

int pthread_condattr_getclock(const pthread_condattr_t *attr, clockid_t *clock)
{
    *clock = attr->__clock;
    return 0;
}

int pthread_condattr_setpshared(pthread_condattr_t *attr, int shared)
{
    if (shared != PTHREAD_PROCESS_PRIVATE && shared != PTHREAD_PROCESS_SHARED) {
        return EINVAL;
    }
    attr->__shared = (short)shared;
    return 0;
}

int pthread_condattr_getpshared(const pthread_condattr_t *attr, int *shared)
{
    *shared = attr->__shared;
    return 0;
}
