/* Deadline timers: call a function at a time. One tree by deadline for each CPU. */
#ifndef SCHED_TIMER_H
#define SCHED_TIMER_H
#include "arch/clock.h"
#include "lib/rbtree.h"

/* What programs set and are told of a timer of theirs: when it expires next, from now on (0: never),
 * and how often after that (0: not again). */
struct timer_times {
    ktime_t value, interval;
};

struct timer {
    struct rb_node node;
    ktime_t deadline;
    bool armed;
    uint32_t cpu; /* whose tree it is in, or was in last */
    void (*expire)(struct timer *timer); /* in the interrupt, interrupts off, no lock held */
};

/* Arm (again), on this CPU; `expire` is set. A time that has passed is at once, in the next
 * interrupt. Any context. */
void timer_set(struct timer *timer, ktime_t deadline);
/* True if it was armed. It does not run afterwards, and nobody reads it: waits for a run that is
 * under way, so it is not for the timer's own function, nor under a lock which that takes. */
bool timer_cancel(struct timer *timer);
/* Run what is due, not all if that is much; when to come again. For the timer interrupt. */
ktime_t timer_run(void);
/* On this CPU, interrupts off: does timer_run call a timer's function just now? And when is the next timer
 * due, but for one at the time `but`; or KTIME_NEVER? */
bool timer_is_running(void);
ktime_t timer_next(ktime_t but);
void timer_init_cpu(uint32_t id); /* before the CPU runs */
#endif
