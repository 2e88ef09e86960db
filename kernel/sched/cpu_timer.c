/*
 * Clocks and timers of CPU time; see cpu_timer.h.
 *
 * Switches count CPU time and look at no timer: that would cost each of them. A timer of the usual
 * kind looks instead, when the CPU time can have come so far, if all CPUs did nothing else; then again
 * with what is left. So a process that sleeps is looked at seldom, and one that computes is told in
 * time.
 */
#include "sched/cpu_timer.h"

#include "lib/errno.h"
#include "sched/sched.h"

#define LOOK_MIN 1000000 /* from one look to the next; so late may the signal be */

/* What the process has used, or this task alone if it is not NULL. */
static ktime_t cpu_clock_read(struct thread_group *group, struct task *task, enum cpu_clock clock)
{
    struct cpu_usage usage = task ? sched_usage(task) : group_usage(group);
    struct cpu_times *shown = task ? &task->shown : &group->shown;

    assert_held(&tasks_lock);
    if (clock != CPU_CLOCK_USER) {
        return usage.time;
    }
    usage_divide(&usage, shown);
    return shown->user;
}

int cpu_clock_resolve(int clock)
{
    pid_t pid = ~(clock >> 3);
    struct task *task;
    bool of_thread = clock & CPU_CLOCK_OF_THREAD;

    assert_held(&tasks_lock);
    if (clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID) {
        pid = 0;
        of_thread = clock == CLOCK_THREAD_CPUTIME_ID;
        clock = CPU_CLOCK_EXACT | (of_thread ? CPU_CLOCK_OF_THREAD : 0);
    } else if (clock >= 0 || (clock & 3) > CPU_CLOCK_EXACT) {
        return 0;
    }
    if (!pid) {
        pid = of_thread ? current->tid : current->group->pid;
    }
    task = task_find_locked(pid);
    if (!task || (of_thread ? task->group != current->group : task->group->pid != pid)) {
        return 0;
    }
    return (int)(~(unsigned)pid << 3) | (clock & 7);
}

ktime_t cpu_clock_by_id(int clock)
{
    pid_t pid = ~(clock >> 3);
    struct task *task = task_find_locked(pid);
    bool of_thread = clock & CPU_CLOCK_OF_THREAD;

    if (!task || (!of_thread && task->group->pid != pid)) {
        return -EINVAL;
    }
    return cpu_clock_read(task->group, of_thread ? task : NULL, (enum cpu_clock)(clock & 3));
}

ktime_t cpu_clock_when(ktime_t left)
{
    left /= cpu_count;
    return clock_now() + (left > LOOK_MIN ? left : LOOK_MIN);
}

static ktime_t cpu_timer_used(const struct cpu_timer *timer)
{
    return cpu_clock_read(timer->group, NULL,
                          timer->which == CPU_TIMER_USER ? CPU_CLOCK_USER : CPU_CLOCK_ALL);
}

static ktime_t limit_time(uint64_t seconds)
{
    return seconds < KTIME_FAR / SECOND ? (ktime_t)seconds * SECOND : KTIME_FAR;
}

/* SIGXCPU at the soft limit, and each second of CPU time after; SIGKILL at the hard one. */
static void cpu_limit_expired(struct cpu_timer *timer, ktime_t used)
{
    struct rlimit *limit = &timer->group->limits[RLIMIT_CPU];
    const struct signal_info info = {.code = SI_KERNEL};
    bool ends = used >= limit_time(limit->hard);

    signal_send_process_locked(timer->group, ends ? SIGKILL : SIGXCPU, &info);
    limit->soft += !ends;
    timer->expires = ends ? 0 : limit_time(limit->soft);
}

static void cpu_timer_expired(struct cpu_timer *timer, ktime_t used)
{
    const struct signal_info info = {.code = SI_KERNEL};

    assert_held(&tasks_lock);
    if (timer->which == CPU_TIMER_LIMIT) {
        cpu_limit_expired(timer, used);
        return;
    }
    signal_send_process_locked(timer->group, timer->which == CPU_TIMER_USER ? SIGVTALRM : SIGPROF,
                               &info);
    if (timer->interval) {
        timer->expires += ((used - timer->expires) / timer->interval + 1) * timer->interval;
    } else {
        timer->expires = 0;
    }
}

static void cpu_timer_look(struct timer *when)
{
    struct cpu_timer *timer = container_of(when, struct cpu_timer, timer);
    uint64_t flags = spin_lock_irqsave(&tasks_lock);

    if (timer->expires && !timer->group->dead) {
        ktime_t used = cpu_timer_used(timer);

        if (used >= timer->expires) {
            cpu_timer_expired(timer, used);
        }
        if (timer->expires) {
            timer_set(when, cpu_clock_when(timer->expires - used));
        }
    }
    spin_unlock_irqrestore(&tasks_lock, flags);
}

static struct cpu_timer *cpu_timer_of(struct thread_group *group, int which)
{
    struct cpu_timer *timer = &group->cpu_timers[which];

    assert_held(&tasks_lock);
    timer->group = group;
    timer->which = which;
    timer->timer.expire = cpu_timer_look;
    return timer;
}

/* The least that is told of a timer that is set: 1 us (setitimer(2)). */
static ktime_t cpu_timer_left(const struct cpu_timer *timer, ktime_t used)
{
    ktime_t left = timer->expires - used;

    if (!timer->expires) {
        return 0;
    }
    return left > 1000 ? left : 1000;
}

ktime_t cpu_timer_set(int which, ktime_t value, ktime_t interval, ktime_t *old_interval)
{
    uint64_t flags = spin_lock_irqsave(&tasks_lock);
    struct cpu_timer *timer = cpu_timer_of(current->group, which);
    ktime_t used = cpu_timer_used(timer), left = cpu_timer_left(timer, used);

    *old_interval = timer->interval;
    timer->interval = interval;
    timer->expires = value ? used + value : 0;
    if (value) {
        timer_set(&timer->timer, cpu_clock_when(value));
    }
    spin_unlock_irqrestore(&tasks_lock, flags);
    return left;
}

ktime_t cpu_timer_get(int which, ktime_t *interval)
{
    uint64_t flags = spin_lock_irqsave(&tasks_lock);
    struct cpu_timer *timer = cpu_timer_of(current->group, which);
    ktime_t left = cpu_timer_left(timer, cpu_timer_used(timer));

    *interval = timer->interval;
    spin_unlock_irqrestore(&tasks_lock, flags);
    return left;
}

void cpu_limit_changed(struct thread_group *group)
{
    uint64_t flags = spin_lock_irqsave(&tasks_lock);
    struct cpu_timer *timer = cpu_timer_of(group, CPU_TIMER_LIMIT);
    uint64_t soft = group->limits[RLIMIT_CPU].soft;

    timer->expires = soft == UINT64_MAX ? 0 : limit_time(soft) + !soft;
    if (timer->expires && !group->dead) {
        timer_set(&timer->timer, 0); /* it has a look at once */
    }
    spin_unlock_irqrestore(&tasks_lock, flags);
}

void cpu_timers_cancel(struct thread_group *group)
{
    for (int i = 0; i < CPU_TIMERS; i++) {
        if (group->cpu_timers[i].group) { /* few processes have any */
            timer_cancel(&group->cpu_timers[i].timer);
        }
    }
}
