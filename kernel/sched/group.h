/* Process groups and sessions: who hears ^C, and whose terminal it is (credentials(7)). */
#ifndef SCHED_GROUP_H
#define SCHED_GROUP_H
#include "sched/task.h"

/* tasks_lock is held for these three. */
void group_enter(struct thread_group *group, pid_t pgid, pid_t session);
void group_leave(struct thread_group *group);
bool group_has_members(pid_t pgid);
/* The processes in the order of birth, so none escapes by being born of one that is still to come:
 * with tasks_lock held, which others may have in between. Not from interrupts. */
struct process_walk {
    uint64_t flags;
    int left;
    struct list *next;
};
void process_walk_start(struct process_walk *walk);
struct thread_group *process_walk_next(struct process_walk *walk); /* NULL at the end */
void process_walk_end(struct process_walk *walk);
bool group_in_session(pid_t pgid, pid_t session);
/* Could no parent continue the process group? In turns (it may sleep), or with tasks_lock held. */
bool group_orphaned(pid_t pgid);
bool group_orphaned_locked(pid_t pgid, const struct thread_group *without);
/* All groups of the session; the current group alone. */
void session_lose_tty(pid_t session);
void group_leave_tty(void);
/* The current group, which leads a session without a terminal, gets this one. False: it does not. */
bool session_take_tty(struct tty *tty);
long group_set_pgid(pid_t pid, pid_t pgid);
long group_new_session(void);

#endif
