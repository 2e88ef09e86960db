/* Timers of POSIX: any number a process, on any clock, each with its signal (timer_create(2)). */
#ifndef SCHED_POSIX_TIMER_H
#define SCHED_POSIX_TIMER_H
#include "sched/timer.h"

struct signal_info;
struct thread_group;

enum { SIGEV_SIGNAL, SIGEV_NONE, SIGEV_THREAD, SIGEV_THREAD_ID = 4 };

struct posix_timer_event {
    uint64_t value;
    int signal, notify;
    pid_t tid; /* for SIGEV_THREAD_ID */
};

/* All are about the current process's timers, and take tasks_lock. */
/* The new one's id, -EINVAL (the event), -EAGAIN (too many, or no memory). `clock` is CLOCK_REALTIME,
 * CLOCK_MONOTONIC, or cpu_clock_resolve's. NULL: SIGALRM with the id as value. */
long posix_timer_create(int clock, const struct posix_timer_event *event);
/* 0; posix_timer_overrun: the overruns of the signal that was taken last. -EINVAL: no such timer. */
long posix_timer_set(int id, bool absolute, const struct timer_times *times,
                     struct timer_times *old);
long posix_timer_get(int id, struct timer_times *times);
long posix_timer_overrun(int id);
long posix_timer_delete(int id);
/* All of them: on exec, and at the end of the last thread, the current one. Waits for functions of
 * timers, so tasks_lock is not held. */
void posix_timers_delete(void);
/* The signal of one is taken, and *info is to tell how many it stands for. tasks_lock is held. */
void posix_timer_taken_locked(struct thread_group *group, struct signal_info *info);
#endif
