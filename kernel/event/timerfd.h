/* Timers as files (timerfd_create(2)). */
#ifndef EVENT_TIMERFD_H
#define EVENT_TIMERFD_H
#include "fs/file.h"

/* When it expires next, from now on (0: never), and how often after that (0: not again). */
struct timerfd_times {
    ktime_t value, interval;
};

/* `realtime`: absolute times are those of CLOCK_REALTIME. Or an error pointer. */
struct file *timerfd_open(bool realtime, int flags);
/*
 * Set a timer, counted from zero again; `absolute`: the value is a time of its clock.
 * -EINVAL: the file is none. What was set before goes to *old.
 */
long timerfd_set(struct file *file, const struct timerfd_times *times, bool absolute,
                 struct timerfd_times *old);
long timerfd_get(struct file *file, struct timerfd_times *times);
#endif
