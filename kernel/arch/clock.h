/* Time: the TSC as nanoseconds since boot, and the one-shot timer of this CPU. */
#ifndef ARCH_CLOCK_H
#define ARCH_CLOCK_H

#include "arch/percpu.h"
#include "lib/types.h"

extern uint64_t clock_tsc_base, clock_mult; /* ns = (tsc - base) * mult >> 32 */
extern uint64_t clock_tsc_khz;
extern ktime_t clock_realtime_offset; /* CLOCK_REALTIME is clock_now() plus this */

static inline ktime_t clock_now(void)
{
    return (ktime_t)((unsigned __int128)(rdtsc() - clock_tsc_base) * clock_mult >> 32);
}

/* Now it is `time` later: for who explores, as if nobody had had the CPU for so long. */
void clock_skip(ktime_t time);
/* Measure the TSC and the APIC timer against the PIT. At boot, after lapic_init, interrupts off. */
void clock_init(void);

/*
 * Interrupt this CPU at `deadline` (at once if it has passed), or earlier: the timer counts no further
 * than a second. Then sched_timer_interrupt runs. Interrupts off. Setting the device is expensive, so
 * callers use timer_arm, which leaves an earlier interrupt to set it again.
 */
void timer_program(ktime_t deadline);

/* In the timer's interrupt: how late it is. Negative: it belongs to an earlier time, and came while
 * interrupts were off; the right one will come. */
ktime_t timer_came(void);

static inline void timer_arm(ktime_t deadline)
{
    if (deadline < this_cpu(timer_deadline)) {
        timer_program(deadline);
    }
}

/* Upcall, defined in sched/core.c: the timer has come. `user`: it interrupted user mode. */
void sched_timer_interrupt(bool user);

#endif
