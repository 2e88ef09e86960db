/*
 * Locks for what is shared between CPUs or with interrupt handlers; held for a few instructions.
 *
 * Holding one keeps preemption off. A lock that an interrupt handler takes is always taken with
 * the irqsave form elsewhere.
 */
#ifndef ARCH_SPINLOCK_H
#define ARCH_SPINLOCK_H

#include "arch/cpu.h"
#include "arch/percpu.h"
#include "lib/lock_debug.h"
#include "lib/log.h"

struct spinlock {
    uint32_t holder; /* the CPU's lock_token, or 0 */
    LOCK_DEBUG(struct lock_debug debug;)
};

#define SPINLOCK_INIT {.holder = 0}

#define LOCK_SITE_TEXT(line) #line
#define LOCK_SITE(line) LOCK_SITE_TEXT(line)
/* A macro, so that the debug build knows where: that is the lock's class. */
#define spin_init(lock) \
    (*(lock) = (struct spinlock){LOCK_DEBUG(.debug.class = __FILE__ ":" LOCK_SITE(__LINE__))})

static inline bool spin_is_held(const struct spinlock *lock)
{
    return __atomic_load_n(&lock->holder, __ATOMIC_RELAXED) == this_cpu(lock_token);
}

/* spin_lock's slow half: wait for a lock that another CPU holds, and take it. Preemption is off.
 * Panics when this CPU holds it already. */
void spin_wait(struct spinlock *lock);

static inline bool spin_trylock(struct spinlock *lock)
{
    uint32_t holder = 0;

    preempt_disable();
    LOCK_DEBUG(lock_debug_acquire(&lock->debug, false, true));
    if (__atomic_compare_exchange_n(&lock->holder, &holder, this_cpu(lock_token), false,
                                    __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
        return true;
    }
    LOCK_DEBUG(lock_debug_release(&lock->debug, false));
    preempt_enable_no_resched();
    return false;
}

/* Preemption is off. */
static inline void spin_take(struct spinlock *lock)
{
    uint32_t holder = 0;

    LOCK_DEBUG(lock_debug_acquire(&lock->debug, false, false));
    if (unlikely(!__atomic_compare_exchange_n(&lock->holder, &holder, this_cpu(lock_token), false,
                                              __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))) {
        spin_wait(lock);
    }
}

static inline void spin_lock(struct spinlock *lock)
{
    preempt_disable();
    spin_take(lock);
}

static inline void spin_unlock(struct spinlock *lock)
{
    LOCK_DEBUG(lock_debug_release(&lock->debug, false));
    __atomic_store_n(&lock->holder, 0, __ATOMIC_RELEASE);
    preempt_enable();
}

/* Preemption first, and last below: so these are places, too, where a task can lose the CPU
 * (arch/places.h). */
static inline uint64_t spin_lock_irqsave(struct spinlock *lock)
{
    uint64_t flags;

    preempt_disable();
    flags = irq_save();
    spin_take(lock);
    return flags;
}

static inline void spin_unlock_irqrestore(struct spinlock *lock, uint64_t flags)
{
    LOCK_DEBUG(lock_debug_release(&lock->debug, false));
    __atomic_store_n(&lock->holder, 0, __ATOMIC_RELEASE);
    irq_restore(flags);
    preempt_enable();
}

#endif
