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
#include "lib/log.h"

struct spinlock {
    uint32_t holder; /* the CPU's lock_token, or 0 */
};

#define SPINLOCK_INIT {0}

static inline void spin_init(struct spinlock *lock)
{
    lock->holder = 0;
}

static inline bool spin_is_held(const struct spinlock *lock)
{
    return __atomic_load_n(&lock->holder, __ATOMIC_RELAXED) == this_cpu(lock_token);
}

static inline void assert_held(const struct spinlock *lock)
{
    assert(spin_is_held(lock));
}

/* Wait for a lock that another CPU holds; panics when this CPU holds it already. */
void spin_wait(struct spinlock *lock);

static inline bool spin_trylock(struct spinlock *lock)
{
    uint32_t holder = 0;

    preempt_disable();
    if (__atomic_compare_exchange_n(&lock->holder, &holder, this_cpu(lock_token), false,
                                    __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
        return true;
    }
    preempt_enable_no_resched();
    return false;
}

static inline void spin_lock(struct spinlock *lock)
{
    uint32_t holder = 0;

    preempt_disable();
    if (unlikely(!__atomic_compare_exchange_n(&lock->holder, &holder, this_cpu(lock_token), false,
                                              __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))) {
        spin_wait(lock);
    }
}

static inline void spin_unlock(struct spinlock *lock)
{
    __atomic_store_n(&lock->holder, 0, __ATOMIC_RELEASE);
    preempt_enable();
}

static inline uint64_t spin_lock_irqsave(struct spinlock *lock)
{
    uint64_t flags = irq_save();

    spin_lock(lock);
    return flags;
}

static inline void spin_unlock_irqrestore(struct spinlock *lock, uint64_t flags)
{
    __atomic_store_n(&lock->holder, 0, __ATOMIC_RELEASE);
    preempt_enable_no_resched();
    irq_restore_preempt(flags);
}

#endif
