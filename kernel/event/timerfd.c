/*
 * Timers as files; see timerfd.h.
 *
 * The kernel's timer runs once, at the next expiration, to wake who waits. How many expirations
 * there were is computed from the time when somebody reads, and only then is the timer set again:
 * however short the interval, an unread timer costs one interrupt.
 */
#include "event/timerfd.h"

#include "arch/clock.h"
#include "event/poll.h"
#include "lib/errno.h"
#include "mm/uaccess.h"
#include "sched/timer.h"

struct timerfd {
    struct inode inode; /* first: anonymous_create */
    bool realtime;
    struct spinlock lock; /* protects the next three; before the lock of timers */
    bool armed;
    ktime_t next; /* the first expiration that nobody has read; clock_now's time */
    ktime_t interval;
    struct timer timer;
    struct wait_queue readers;
    struct wake_later wake; /* them */
};

static const struct file_ops timerfd_ops;

static void timerfd_expired(struct timer *timer)
{
    wake_in_turns(&container_of(timer, struct timerfd, timer)->wake, POLLIN | POLLRDNORM);
}

/* How often it has expired unread. The lock is held. */
static uint64_t timerfd_expirations(const struct timerfd *timer, ktime_t now)
{
    assert_held(&timer->lock);
    if (!timer->armed || now < timer->next) {
        return 0;
    }
    return timer->interval ? (uint64_t)((now - timer->next) / timer->interval) + 1 : 1;
}

static uint64_t timerfd_take(struct timerfd *timer)
{
    uint64_t count;

    spin_lock(&timer->lock);
    count = timerfd_expirations(timer, clock_now());
    if (count) {
        timer->armed = timer->interval != 0;
        timer->next += (ktime_t)count * timer->interval;
        if (timer->armed) {
            timer_set(&timer->timer, timer->next);
        }
    }
    spin_unlock(&timer->lock);
    return count;
}

static bool has_expired(struct timerfd *timer)
{
    bool result;

    spin_lock(&timer->lock);
    result = timerfd_expirations(timer, clock_now()) > 0;
    spin_unlock(&timer->lock);
    return result;
}

static ssize_t timerfd_read(struct file *file, char __user *buffer, size_t size, off_t *position)
{
    struct timerfd *timer = file->data;
    uint64_t count;

    (void)position;
    if (size < sizeof(count)) {
        return -EINVAL;
    }
    while ((count = timerfd_take(timer)) == 0) {
        long error = file_wait(file->flags, &timer->readers, WAIT_TIMERFD, timer->inode.number,
                               has_expired(timer));

        if (error) {
            return error;
        }
    }
    return copy_to_user(buffer, &count, sizeof(count)) ? -EFAULT : (ssize_t)sizeof(count);
}

static int timerfd_poll(struct file *file, struct poll_table *table)
{
    struct timerfd *timer = file->data;

    poll_wait(table, &timer->readers);
    return has_expired(timer) ? POLLIN | POLLRDNORM : 0;
}

/* The lock is held. */
static struct timer_times times_left(const struct timerfd *timer)
{
    ktime_t now = clock_now(), missed = (ktime_t)timerfd_expirations(timer, now);

    assert_held(&timer->lock);
    if (!timer->armed || (missed && !timer->interval)) {
        return (struct timer_times){0, timer->interval};
    }
    return (struct timer_times){timer->next + missed * timer->interval - now, timer->interval};
}

long timerfd_get(struct file *file, struct timer_times *times)
{
    struct timerfd *timer = file->data;

    if (file->ops != &timerfd_ops) {
        return -EINVAL;
    }
    spin_lock(&timer->lock);
    *times = times_left(timer);
    spin_unlock(&timer->lock);
    return 0;
}

long timerfd_set(struct file *file, const struct timer_times *times, bool absolute,
                 struct timer_times *old)
{
    struct timerfd *timer = file->data;

    if (file->ops != &timerfd_ops) {
        return -EINVAL;
    }
    spin_lock(&timer->lock);
    *old = times_left(timer);
    timer_cancel(&timer->timer);
    timer->armed = times->value != 0;
    timer->interval = times->interval;
    timer->next = times->value;
    if (!absolute) {
        timer->next += clock_now();
    } else if (timer->realtime) {
        timer->next -= clock_realtime_offset;
    }
    if (timer->armed) {
        timer_set(&timer->timer, timer->next);
    }
    spin_unlock(&timer->lock);
    return 0;
}

static void timerfd_release(struct file *file)
{
    struct timerfd *timer = file->data;

    timer_cancel(&timer->timer);
    wake_later_cancel(&timer->wake);
}

static const struct file_ops timerfd_ops = {
    .read = timerfd_read, .poll = timerfd_poll, .release = timerfd_release,
};

struct file *timerfd_open(bool realtime, int flags)
{
    struct timerfd *timer = anonymous_create(sizeof(*timer), 0600, NULL, &timerfd_ops);

    if (!timer) {
        return error_pointer(-ENOMEM);
    }
    timer->realtime = realtime;
    timer->timer.expire = timerfd_expired;
    wait_queue_init(&timer->readers);
    wake_later_init(&timer->wake, &timer->readers, true);
    return file_open_anonymous(&timer->inode, O_RDWR | flags);
}
