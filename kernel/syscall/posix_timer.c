/* Calls on the timers of POSIX, timer_create and its kind. */
#include "sched/posix_timer.h"

#include "lib/errno.h"
#include "mm/uaccess.h"
#include "sched/sched.h"
#include "syscall/calls.h"


/* The kernel's struct sigevent (sigevent(3type)); the rest of its 64 bytes is not for it. */
struct sigevent {
    uint64_t value;
    int signal, notify;
    pid_t tid;
    uint8_t rest[44];
};

/* Which clock a timer may run by: 0, or -errno; *clock is made absolute. */
static long timer_clock(int *clock)
{
    uint64_t flags;

    if (*clock == CLOCK_REALTIME || *clock == CLOCK_MONOTONIC) {
        return 0;
    }
    if (*clock == CLOCK_BOOTTIME) { /* there is no suspend */
        *clock = CLOCK_MONOTONIC;
        return 0;
    }
    if (*clock >= CLOCK_MONOTONIC_RAW && *clock <= CLOCK_MONOTONIC_COARSE) {
        return -EOPNOTSUPP;
    }
    flags = spin_lock_irqsave(&tasks_lock);
    *clock = cpu_clock_resolve(*clock);
    spin_unlock_irqrestore(&tasks_lock, flags);
    return *clock ? 0 : -EINVAL;
}

long sys_timer_create(int clock, const void __user *user, int __user *result)
{
    struct posix_timer_event event;
    struct sigevent given;
    long id, error;

    if (user && copy_from_user(&given, user, sizeof(given))) {
        return -EFAULT;
    }
    error = timer_clock(&clock);
    if (error) {
        return error;
    }
    if (user) {
        event = (struct posix_timer_event){given.value, given.signal, given.notify, given.tid};
    }
    id = posix_timer_create(clock, user ? &event : NULL);
    if (id >= 0 && put_user((int)id, result)) {
        posix_timer_delete((int)id);
        return -EFAULT;
    }
    return id < 0 ? id : 0;
}

long sys_timer_settime(int id, int flags, const struct itimerspec __user *user,
                       struct itimerspec __user *user_old)
{
    struct timer_times times, old;
    long error;

    if (!user) {
        return -EINVAL;
    }
    error = timer_times_from_user(&times, user);
    if (error) {
        return error;
    }
    error = posix_timer_set(id, flags & 1, &times, &old); /* TIMER_ABSTIME */
    return error || !user_old ? error : timer_times_to_user(user_old, &old);
}

long sys_timer_gettime(int id, struct itimerspec __user *user)
{
    struct timer_times times;
    long error = posix_timer_get(id, &times);

    return error ? error : timer_times_to_user(user, &times);
}

long sys_timer_getoverrun(int id)
{
    return posix_timer_overrun(id);
}

long sys_timer_delete(int id)
{
    return posix_timer_delete(id);
}
