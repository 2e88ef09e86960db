/* The end of tasks, and waiting for it. task_exit() and task_exit_group() are in sched/task.h. */
#ifndef PROCESS_EXIT_H
#define PROCESS_EXIT_H
#include "sched/task.h"

/* On exec and exit, by the task itself, before it leaves its mm: robust futexes, CLEARTID, and the
 * end of vfork. The caller gives the mm back. May sleep. */
void task_release_mm(struct task *task, bool ends);
/* exec's middle: end the other threads. 0: this is the only one now, and has the leader's id. -EINTR:
 * it is to end itself, or another one executes. Sleeps. */
long task_end_other_threads(void);

/* A process has been a subreaper since the boot: who ends looks for one. No lock: it is told before it has
 * descendants, or it is too late for those that end now. */
extern bool exit_subreapers;

struct wait_result {
    pid_t pid;
    int status, code; /* as wait4 gives it; CLD_* */
    struct cpu_usage usage;
};
enum { P_ALL, P_PID, P_PGID };
enum {
    WNOHANG = 1, WUNTRACED = 2, WEXITED = 4, WCONTINUED = 8, WNOWAIT = 0x1000000,
    WNOTHREAD = 0x20000000, WALL = 0x40000000, WCLONE = (int)0x80000000, /* __WALL ... */
};
/*
 * wait4 and waitid: a child's change of state goes to *result. 0 (result->pid 0: WNOHANG and nothing
 * yet), -ECHILD, -ERESTARTSYS. Sleeps; no lock is held.
 */
long task_wait(int type, pid_t id, int options, struct wait_result *result);

#endif
