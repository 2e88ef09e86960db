/* Timers as files (timerfd_create(2)). */
#ifndef EVENT_TIMERFD_H
#define EVENT_TIMERFD_H
#include "fs/file.h"
#include "sched/timer.h"

/* `realtime`: absolute times are those of CLOCK_REALTIME. Or an error pointer. */
struct file *timerfd_open(bool realtime, int flags);
/*
 * Set a timer, counted from zero again; `absolute`: the value is a time of its clock.
 * -EINVAL: the file is none. What was set before goes to *old.
 */
long timerfd_set(struct file *file, const struct timer_times *times, bool absolute,
                 struct timer_times *old);
long timerfd_get(struct file *file, struct timer_times *times);
#endif
