/* Process groups and sessions: who hears ^C, and whose terminal it is (credentials(7)). */
#ifndef SCHED_GROUP_H
#define SCHED_GROUP_H
#include "sched/task.h"

/* The process is in the group `pgid` of `session` now, and in none before; in none any more. Is there
 * such a group? tasks_lock is held. */
void group_enter(struct thread_group *group, pid_t pgid, pid_t session);
void group_leave(struct thread_group *group);
bool group_has_members(pid_t pgid);
/* The process is being stopped by `signal`, or (0) not any more. tasks_lock is held. */
void group_set_stop(struct thread_group *group, int signal);
/* To all of the process group. tasks_lock is held. */
void group_signal_locked(pid_t pgid, int signal);
/* Is there something to wait for? */
bool group_has_news(const struct thread_group *group);
/* Put the process where it belongs among its parent's children, now that what there is to wait for has
 * changed, or its parent has. tasks_lock is held. */
void group_place(struct thread_group *group);
struct process_walk {
    uint64_t flags;
    int left;
    struct list *next;
};
/*
 * The processes in the order of birth, so none escapes by being born of one that is still to come.
 * tasks_lock is held from start to end, but given to others between two calls now and then: what next
 * returned is valid until it is called again. start may sleep.
 */
void process_walk_start(struct process_walk *walk);
struct thread_group *process_walk_next(struct process_walk *walk); /* NULL at the end */
void process_walk_end(struct process_walk *walk);

/* 0: there is a group `pgid` in the session; -ESRCH: there is none; -EPERM: not in this one. Takes
 * tasks_lock. */
long group_check_session(pid_t pgid, pid_t session);
/* Is there nobody outside of the process group to continue it? In turns: it may sleep. */
bool group_orphaned(pid_t pgid);
/* Is one of the group stopped, and so for good as soon as `without` has ended? tasks_lock is held; a walk
 * through all processes if one is stopped. */
bool group_left_stopped(pid_t pgid, const struct thread_group *without);
/* They have no terminal any more: all processes of the session (may sleep); the current one alone. */
void session_lose_tty(pid_t session);
void group_leave_tty(void);
/* The current process gets this terminal. False: it leads no session, or has one. Takes tasks_lock. */
bool session_take_tty(struct tty *tty);
/* setpgid(2): 0, -EINVAL, -ESRCH, -EACCES, -EPERM; setsid(2): the new id, -EPERM. Both take
 * tasks_lock. */
long group_set_pgid(pid_t pid, pid_t pgid);
long group_new_session(void);

#endif
