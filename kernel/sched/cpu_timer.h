/* Clocks and timers of CPU time: setitimer(2)'s ITIMER_VIRTUAL and PROF, RLIMIT_CPU. */
#ifndef SCHED_CPU_TIMER_H
#define SCHED_CPU_TIMER_H
#include "sched/timer.h"

struct task;
struct thread_group;

/* clock_gettime(2) */
enum {
    CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID,
    CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME,
};
/* What a clock counts: the low bits of its id, as in Linux. */
enum cpu_clock { CPU_CLOCK_ALL, CPU_CLOCK_USER, CPU_CLOCK_EXACT };
enum { CPU_TIMER_USER, CPU_TIMER_ALL, CPU_TIMER_LIMIT, CPU_TIMERS };

struct cpu_timer {
    struct timer timer; /* looks again then */
    struct thread_group *group;
    int which;
    ktime_t expires; /* CPU time; 0: off. tasks_lock */
    ktime_t interval;
};

/*
 * Clocks of CPU time have a negative id: ~pid in the upper bits, whether it is one thread's, and what
 * it counts (clock_getcpuclockid(3)). Without 0 for oneself, and CLOCK_PROCESS_CPUTIME_ID and
 * CLOCK_THREAD_CPUTIME_ID so: cpu_clock_resolve; 0: there is none such for the current process.
 * cpu_clock_by_id: -EINVAL, who had it is gone. tasks_lock is held for both.
 */
#define CPU_CLOCK_OF_THREAD 4
int cpu_clock_resolve(int clock);
ktime_t cpu_clock_by_id(int clock);
/* What the process has used, or this task alone if it is not NULL. tasks_lock is held. */
ktime_t cpu_clock_read(struct thread_group *group, struct task *task, enum cpu_clock clock);
/* When the clock may have gone on by `left`, at the earliest; after some time in any case. */
ktime_t cpu_clock_when(ktime_t left);
/* After `value` more, and then each `interval`; 0: not. What was left of the old one, 0 if nothing.
 * For the current process; takes tasks_lock. */
ktime_t cpu_timer_set(int which, ktime_t value, ktime_t interval, ktime_t *old_interval);
ktime_t cpu_timer_get(int which, ktime_t *interval);
/* The group's RLIMIT_CPU is another one. Takes tasks_lock. */
void cpu_limit_changed(struct thread_group *group);
/* All threads are gone. */
void cpu_timers_cancel(struct thread_group *group);
#endif
