/*
 * Barriers: nobody passes before `count` have come; then all do, and it starts anew.
 *
 * The round's number changes only after all have come, so a thread that reads it before it counts
 * itself reads its own round. The last one sets up the next round first and opens this one then:
 * a fast thread that comes again finds `missing` complete.
 */
#include "thread.h"
#include "users.h"

_Static_assert(sizeof(pthread_barrier_t) == 32, "as in the GNU library");

int pthread_barrier_init(pthread_barrier_t *barrier, const pthread_barrierattr_t *attr,
                         unsigned count)
{
    if (count == 0 || count > INT_MAX) {
        return EINVAL;
    }
    *barrier = (pthread_barrier_t){.__count = count, .__missing = count,
                                   .__shared = attr ? attr->__shared : false};
    return 0;
}

int pthread_barrier_destroy(pthread_barrier_t *barrier)
{
    if (__atomic_load_n(&barrier->__missing, __ATOMIC_RELAXED) != barrier->__count) {
        return EBUSY;
    }
    users_await_none(&barrier->__users, barrier->__shared);
    return 0;
}

int pthread_barrier_wait(pthread_barrier_t *barrier)
{
    unsigned round = __atomic_load_n(&barrier->__round, __ATOMIC_RELAXED);
    int shared = barrier->__shared, result = 0;

    users_enter(&barrier->__users);
    if (__atomic_sub_fetch(&barrier->__missing, 1, __ATOMIC_ACQ_REL) == 0) {
        result = PTHREAD_BARRIER_SERIAL_THREAD;
        __atomic_store_n(&barrier->__missing, barrier->__count, __ATOMIC_RELAXED);
        __atomic_store_n(&barrier->__round, round + 1, __ATOMIC_RELEASE);
        futex_wake(&barrier->__round, INT_MAX, shared);
    } else {
        while (__atomic_load_n(&barrier->__round, __ATOMIC_ACQUIRE) == round) {
            futex_wait(&barrier->__round, round, shared, FOREVER);
        }
    }
    users_leave(&barrier->__users, shared);
    return result;
}

int pthread_barrierattr_init(pthread_barrierattr_t *attr)
{
    attr->__shared = PTHREAD_PROCESS_PRIVATE;
    return 0;
}

int pthread_barrierattr_destroy(pthread_barrierattr_t *attr)
{
    (void)attr;
    return 0;
}

int pthread_barrierattr_setpshared(pthread_barrierattr_t *attr, int shared)
{
    if (shared != PTHREAD_PROCESS_PRIVATE && shared != PTHREAD_PROCESS_SHARED) {
        return EINVAL;
    }
    attr->__shared = shared;
    return 0;
}

int pthread_barrierattr_getpshared(const pthread_barrierattr_t *attr, int *shared)
{
    *shared = attr->__shared;
    return 0;
}
