/*
 * A lock that its holder may sleep with. One word: free, held, held and waited for. Waiting and
 * waking are sched's: who finds it held looks for a while whether another CPU gives it back, before
 * he sleeps, and giving it back wakes one.
 */
#ifndef LIB_MUTEX_H
#define LIB_MUTEX_H
#include "lib/lock_debug.h"
#include "lib/types.h"

struct mutex {
    int state; /* 0 free, 1 held, 2 held and somebody may wait */
    LOCK_DEBUG(struct lock_debug debug;)
};

#define MUTEX_INIT(name) {LOCK_DEBUG(.debug.class = #name)}

/* Upcalls, defined in sched/wait.c: take one that was held / wake one of those who sleep for it. */
void mutex_lock_held(struct mutex *mutex);
void mutex_wake(struct mutex *mutex);

/* A macro, so that the debug build knows which it is. */
#define mutex_init(which) \
    (*(which) = (struct mutex){LOCK_DEBUG(.debug.class = __FILE__ " " #which)})

static inline bool mutex_take(struct mutex *mutex)
{
    int expected = 0;

    return __atomic_compare_exchange_n(&mutex->state, &expected, 1, false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

/* May sleep: no spinlock is held, interrupts are on. */
static inline void mutex_lock(struct mutex *mutex)
{
    LOCK_DEBUG(lock_debug_acquire(&mutex->debug, true, false));
    if (unlikely(!mutex_take(mutex))) {
        mutex_lock_held(mutex);
    }
}

static inline void mutex_unlock(struct mutex *mutex)
{
    LOCK_DEBUG(lock_debug_release(&mutex->debug, true));
    if (unlikely(__atomic_exchange_n(&mutex->state, 0, __ATOMIC_RELEASE) == 2)) {
        mutex_wake(mutex);
    }
}
#endif
