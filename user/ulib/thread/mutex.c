/*
 * Mutexes: the lock of lock.h, and who holds it.
 *
 * `owner` is written by the holder only, before it gives the lock back. So another thread that
 * reads it meanwhile sees some value, but never its own tid: that comparison needs no lock.
 */
#include "thread.h"

_Static_assert(sizeof(pthread_mutex_t) == 40 && offsetof(pthread_mutex_t, __kind) == 16,
               "static initial values as in the GNU library");

int pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attr)
{
    *mutex = (pthread_mutex_t){.__kind = attr ? attr->__kind : PTHREAD_MUTEX_DEFAULT,
                               .__shared = attr ? attr->__shared : false};
    return 0;
}

int pthread_mutex_destroy(pthread_mutex_t *mutex)
{
    return __atomic_load_n(&mutex->__lock, __ATOMIC_RELAXED) == FREE ? 0 : EBUSY;
}

static bool is_mine(const pthread_mutex_t *mutex)
{
    return __atomic_load_n(&mutex->__owner, __ATOMIC_RELAXED) == thread_self()->tid;
}

static void set_owner(pthread_mutex_t *mutex, int tid)
{
    __atomic_store_n(&mutex->__owner, tid, __ATOMIC_RELAXED);
}

/* What the kind says about taking it a second time: 0 for done. */
static int take_again(pthread_mutex_t *mutex)
{
    if (mutex->__kind == PTHREAD_MUTEX_ERRORCHECK) {
        return EDEADLK;
    }
    if (mutex->__count == UINT_MAX) {
        return EAGAIN;
    }
    mutex->__count++;
    return 0;
}

static int take(pthread_mutex_t *mutex, struct until until)
{
    int error;

    if (mutex->__kind != PTHREAD_MUTEX_NORMAL && is_mine(mutex)) {
        return take_again(mutex);
    }
    error = lock_take_until(&mutex->__lock, mutex->__shared, until);
    if (!error) {
        set_owner(mutex, thread_self()->tid);
    }
    return error;
}

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    return take(mutex, FOREVER);
}

int pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *time)
{
    return take(mutex, (struct until){CLOCK_REALTIME, time});
}

int pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    if (mutex->__kind == PTHREAD_MUTEX_RECURSIVE && is_mine(mutex)) {
        return take_again(mutex);
    }
    if (!lock_try(&mutex->__lock)) {
        return EBUSY;
    }
    set_owner(mutex, thread_self()->tid);
    return 0;
}

int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    if (mutex->__kind != PTHREAD_MUTEX_NORMAL) {
        if (!is_mine(mutex)) {
            return EPERM;
        }
        if (mutex->__count > 0) {
            mutex->__count--;
            return 0;
        }
    }
    set_owner(mutex, 0);
    lock_drop_shared(&mutex->__lock, mutex->__shared);
    return 0;
}

int pthread_mutexattr_init(pthread_mutexattr_t *attr)
{
    *attr = (pthread_mutexattr_t){PTHREAD_MUTEX_DEFAULT, PTHREAD_PROCESS_PRIVATE};
    return 0;
}

int pthread_mutexattr_destroy(pthread_mutexattr_t *attr)
{
    (void)attr;
    return 0;
}

int pthread_mutexattr_settype(pthread_mutexattr_t *attr, int kind)
{
    if (kind < PTHREAD_MUTEX_NORMAL || kind > PTHREAD_MUTEX_ERRORCHECK) {
        return EINVAL;
    }
    attr->__kind = (short)kind;
    return 0;
}

int pthread_mutexattr_gettype(const pthread_mutexattr_t *attr, int *kind)
{
    *kind = attr->__kind;
    return 0;
}

int pthread_mutexattr_setpshared(pthread_mutexattr_t *attr, int shared)
{
    if (shared != PTHREAD_PROCESS_PRIVATE && shared != PTHREAD_PROCESS_SHARED) {
        return EINVAL;
    }
    attr->__shared = (short)shared;
    return 0;
}

int pthread_mutexattr_getpshared(const pthread_mutexattr_t *attr, int *shared)
{
    *shared = attr->__shared;
    return 0;
}
