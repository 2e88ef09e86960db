/* Calls on time: clocks and sleeping. */
#include "arch/clock.h"
#include "lib/errno.h"
#include "mm/uaccess.h"
#include "sched/sched.h"
#include "syscall/calls.h"

#define TICK 10000000 /* times(2) counts in them: USER_HZ is 100 */

ktime_t time_duration(int64_t seconds, int64_t nanoseconds)
{
    return seconds > KTIME_FAR / SECOND ? KTIME_FAR : seconds * SECOND + nanoseconds;
}

ktime_t time_from_user(const struct timespec __user *user)
{
    struct timespec time;

    if (get_user(time, user)) {
        return -EFAULT;
    }
    if (time.seconds < 0 || time.nanoseconds < 0 || time.nanoseconds >= SECOND) {
        return -EINVAL;
    }
    return time_duration(time.seconds, time.nanoseconds);
}

long timer_times_from_user(struct timer_times *times, const struct itimerspec __user *user)
{
    times->interval = time_from_user(&user->interval);
    times->value = times->interval < 0 ? times->interval : time_from_user(&user->value);
    return times->value < 0 ? times->value : 0;
}

long timer_times_to_user(struct itimerspec __user *user, const struct timer_times *times)
{
    struct itimerspec spec = {
        {times->interval / SECOND, times->interval % SECOND},
        {times->value / SECOND, times->value % SECOND},
    };

    return copy_to_user(user, &spec, sizeof(spec));
}

ktime_t wait_deadline(ktime_t duration)
{
    ktime_t kept = current->restart_deadline;

    current->restart_deadline = 0;
    return kept ? kept : clock_now() + duration;
}

long wait_interrupted(ktime_t deadline)
{
    current->restart_deadline = deadline;
    return -ERESTARTNOHAND;
}

/* -EINVAL: there is no such clock. */
static ktime_t cpu_clock_time(int clock)
{
    uint64_t flags = spin_lock_irqsave(&tasks_lock);
    int resolved = cpu_clock_resolve(clock);
    ktime_t time = resolved ? cpu_clock_by_id(resolved) : -EINVAL;

    spin_unlock_irqrestore(&tasks_lock, flags);
    return time;
}

long sys_clock_gettime(int clock, struct timespec __user *result)
{
    struct timespec time;
    ktime_t now;

    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
        now = clock_now() + clock_realtime_offset;
        break;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW: /* there is no suspend and no adjustment */
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
        now = clock_now();
        break;
    default:
        now = cpu_clock_time(clock);
        if (now < 0) {
            return now;
        }
    }
    time = (struct timespec){now / SECOND, now % SECOND};
    return copy_to_user(result, &time, sizeof(time));
}

long sys_clock_getres(int clock, struct timespec __user *result)
{
    struct timespec resolution = {0, 1};

    if (clock > CLOCK_BOOTTIME || (clock < 0 && cpu_clock_time(clock) < 0)) {
        return -EINVAL;
    }
    return result ? copy_to_user(result, &resolution, sizeof(resolution)) : 0;
}

/* The time is the machine's: nobody may set it, as on a Linux without CAP_SYS_TIME. */
static long time_refuse(ktime_t time)
{
    return time < 0 ? time : -EPERM;
}

long sys_clock_settime(int clock, const struct timespec __user *time)
{
    return clock == CLOCK_REALTIME ? time_refuse(time_from_user(time)) : -EINVAL;
}

long sys_settimeofday(const struct timespec __user *time, const void __user *zone)
{
    (void)zone;
    return time_refuse(time ? time_from_user(time) : 0);
}

long sys_time(int64_t __user *result)
{
    int64_t now = (clock_now() + clock_realtime_offset) / SECOND;

    return result && put_user(now, result) ? -EFAULT : now;
}

long sys_gettimeofday(struct timespec __user *result, void __user *zone)
{
    ktime_t now = clock_now() + clock_realtime_offset;
    struct timespec time = {now / SECOND, now % SECOND / 1000};
    int zero[2] = {0, 0};

    if ((result && copy_to_user(result, &time, sizeof(time))) ||
        (zone && copy_to_user(zone, zero, sizeof(zero)))) {
        return -EFAULT;
    }
    return 0;
}

static long time_sleep_until(ktime_t deadline, struct timespec __user *left)
{
    long error = wait_event_unqueued(WAIT_NANOSLEEP, deadline, false, deadline);
    ktime_t rest;

    if (error != -ERESTARTSYS) {
        return 0;
    }
    rest = deadline - clock_now();
    if (left && rest > 0) {
        struct timespec time = {rest / SECOND, rest % SECOND};

        if (copy_to_user(left, &time, sizeof(time))) {
            return -EFAULT;
        }
    }
    return rest > 0 ? -ERESTARTNOHAND : 0;
}

static bool cpu_clock_is_own(int clock)
{
    pid_t pid = ~(clock >> 3);

    return clock < 0 && clock & CPU_CLOCK_OF_THREAD && (!pid || pid == current->tid);
}

/* Sleep until a CPU clock has come so far, by others' work. */
static long cpu_sleep(int clock, bool absolute, ktime_t target, struct timespec __user *left)
{
    ktime_t used = cpu_clock_time(clock), kept = current->restart_deadline;
    struct timespec rest;
    long error = 0;

    current->restart_deadline = 0;
    if (used < 0 || cpu_clock_is_own(clock)) { /* this does not go on while it sleeps */
        return -EINVAL;
    }
    if (!absolute) {
        target = kept ? kept : used + target;
    }
    for (; used >= 0 && used < target && !error; used = cpu_clock_time(clock)) {
        error = time_sleep_until(cpu_clock_when(target - used), NULL);
    }
    if (!error || absolute || target <= used) {
        return error;
    }
    rest = (struct timespec){(target - used) / SECOND, (target - used) % SECOND};
    return left && copy_to_user(left, &rest, sizeof(rest)) ? -EFAULT : wait_interrupted(target);
}

static long sleep_for(ktime_t duration, struct timespec __user *left)
{
    ktime_t deadline = wait_deadline(duration);
    long error = time_sleep_until(deadline, left);

    return error == -ERESTARTNOHAND ? wait_interrupted(deadline) : error;
}

long sys_nanosleep(const struct timespec __user *time, struct timespec __user *left)
{
    ktime_t duration = time_from_user(time);

    return duration < 0 ? duration : sleep_for(duration, left);
}

long sys_clock_nanosleep(int clock, int flags, const struct timespec __user *time,
                         struct timespec __user *left)
{
    ktime_t duration;

    if (clock >= CLOCK_THREAD_CPUTIME_ID && clock <= CLOCK_MONOTONIC_COARSE) {
        return -EOPNOTSUPP;
    }
    if (clock > CLOCK_BOOTTIME) {
        return -EINVAL;
    }
    duration = time_from_user(time);
    if (duration < 0) {
        return duration;
    }
    if (clock < 0 || clock == CLOCK_PROCESS_CPUTIME_ID) {
        return cpu_sleep(clock, flags & 1, duration, left);
    }
    if (flags & 1) { /* TIMER_ABSTIME */
        return time_sleep_until(duration - (clock == CLOCK_REALTIME ? clock_realtime_offset : 0),
                                NULL);
    }
    return sleep_for(duration, left);
}

long sys_times(void __user *user)
{
    struct thread_group *group = current->group;
    uint64_t flags = spin_lock_irqsave(&tasks_lock);
    struct cpu_usage usage = group_usage(group);
    int64_t ticks[4];

    usage_divide(&usage, &group->shown);
    usage_divide(&group->children_usage, &group->children_shown);
    ticks[0] = group->shown.user / TICK;
    ticks[1] = group->shown.system / TICK;
    ticks[2] = group->children_shown.user / TICK;
    ticks[3] = group->children_shown.system / TICK;
    spin_unlock_irqrestore(&tasks_lock, flags);
    return user && copy_to_user(user, ticks, sizeof(ticks)) ? -EFAULT : clock_now() / TICK;
}
