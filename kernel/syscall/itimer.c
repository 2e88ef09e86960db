/* Calls on the interval timers of a process: alarm, setitimer, getitimer. */
#include "lib/errno.h"
#include "mm/uaccess.h"
#include "sched/sched.h"
#include "syscall/calls.h"


enum { ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF };

struct itimerval {
    struct timespec interval, value; /* of microseconds */
};

static void real_timer_expired(struct timer *timer)
{
    struct thread_group *group = container_of(timer, struct thread_group, real_timer);

    signal_send_process(group, SIGALRM, &(struct signal_info){.code = SI_KERNEL});
}

/* Returns what was left of the old one. */
static ktime_t real_timer_set(ktime_t value, ktime_t interval, ktime_t *old_interval)
{
    struct thread_group *group = current->group;
    ktime_t left = timer_cancel(&group->real_timer) ? group->real_timer.deadline - clock_now() : 0;

    *old_interval = group->real_interval;
    group->real_timer.expire = real_timer_expired;
    group->real_interval = interval;
    if (value) {
        timer_set(&group->real_timer, clock_now() + value);
    }
    return left < 0 ? 1 : left;
}

static ktime_t real_timer_get(ktime_t *interval)
{
    struct thread_group *group = current->group;
    ktime_t left = group->real_timer.deadline - clock_now();

    *interval = group->real_interval;
    if (!group->real_timer.armed) {
        return 0;
    }
    return left > 1000 ? left : 1000;
}

long sys_alarm(unsigned seconds)
{
    ktime_t interval;

    return (real_timer_set(seconds * SECOND, 0, &interval) + SECOND - 1) / SECOND;
}

static int cpu_timer_which(int which)
{
    return which == ITIMER_VIRTUAL ? CPU_TIMER_USER : CPU_TIMER_ALL;
}

static long put_itimer(struct itimerval __user *user, ktime_t left, ktime_t interval)
{
    struct itimerval value = {{interval / SECOND, interval % SECOND / 1000},
                              {left / SECOND, left % SECOND / 1000}};

    return copy_to_user(user, &value, sizeof(value));
}

static bool itimer_part_is_wrong(const struct timespec *part)
{
    return part->seconds < 0 || (uint64_t)part->nanoseconds >= 1000000;
}

long sys_setitimer(int which, const struct itimerval __user *user, struct itimerval __user *old)
{
    struct itimerval fresh = {{0, 0}, {0, 0}};
    ktime_t value, interval, left, old_interval;

    if (user && get_user(fresh, user)) {
        return -EFAULT;
    }
    if (which < ITIMER_REAL || which > ITIMER_PROF || itimer_part_is_wrong(&fresh.value) ||
        itimer_part_is_wrong(&fresh.interval)) {
        return -EINVAL;
    }
    value = time_duration(fresh.value.seconds, fresh.value.nanoseconds * 1000);
    interval = time_duration(fresh.interval.seconds, fresh.interval.nanoseconds * 1000);
    if (which == ITIMER_REAL) {
        left = real_timer_set(value, interval, &old_interval);
    } else {
        left = cpu_timer_set(cpu_timer_which(which), value, interval, &old_interval);
    }
    return old ? put_itimer(old, left, old_interval) : 0;
}

long sys_getitimer(int which, struct itimerval __user *user)
{
    ktime_t left, interval;

    if (which < ITIMER_REAL || which > ITIMER_PROF) {
        return -EINVAL;
    }
    if (which == ITIMER_REAL) {
        left = real_timer_get(&interval);
    } else {
        left = cpu_timer_get(cpu_timer_which(which), &interval);
    }
    return put_itimer(user, left, interval);
}
