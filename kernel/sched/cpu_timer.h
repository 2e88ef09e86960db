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
 * it counts (clock_getcpuclockid(3)).
 */
#define CPU_CLOCK_OF_THREAD 4
/* The id with a pid in it, for one that says 0 (oneself), CLOCK_PROCESS_CPUTIME_ID or the like. 0:
 * there is no such clock, or the current process may not read it. tasks_lock is held. */
int cpu_clock_resolve(int clock);
/* What a clock of that form shows. -EINVAL: who had it is gone. tasks_lock is held. */
ktime_t cpu_clock_by_id(int clock);
/* The time, of clock_now, at which a process may have used `left` more, at the earliest: if all CPUs
 * run it. */
ktime_t cpu_clock_when(ktime_t left);
/* Set a timer of the current process (CPU_TIMER_USER or _ALL): after `value` more CPU time, and then
 * each `interval`; 0: not. What was left of the old one; 0: it did not run. Both take tasks_lock. */
ktime_t cpu_timer_set(int which, ktime_t value, ktime_t interval, ktime_t *old_interval);
ktime_t cpu_timer_get(int which, ktime_t *interval);
/* The group's RLIMIT_CPU is another one: watch that. Takes tasks_lock. */
void cpu_limit_changed(struct thread_group *group);
/* All threads are gone, and the group is about to go. tasks_lock is not held: waits for a timer's
 * function, which takes it. */
void cpu_timers_cancel(struct thread_group *group);
#endif
