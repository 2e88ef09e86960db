/* The slow half of a spinlock: another CPU holds it. */
#include "arch/spinlock.h"

void spin_wait(struct spinlock *lock)
{
    uint32_t holder;

    if (spin_is_held(lock)) {
        panic("spinlock %p: this CPU holds it already", (void *)lock);
    }
    do {
        while (__atomic_load_n(&lock->holder, __ATOMIC_RELAXED)) {
            cpu_pause();
        }
        holder = 0;
    } while (!__atomic_compare_exchange_n(&lock->holder, &holder, this_cpu(lock_token), false,
                                          __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
}
