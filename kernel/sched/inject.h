/* Which processes are to have an allocation fail; see inject.c. */
#ifndef SCHED_INJECT_H
#define SCHED_INJECT_H
#include "sched/task.h"

/* Look at the kernel option `inject`. At boot; a wrong one is said in the log. */
void inject_init(void);
/* "N": the Nth allocation from now fails, "N+": each from the Nth, "0": none. 0 or -EINVAL. The
 * caller has a task of the group; no lock. */
long inject_arm(struct thread_group *group, const char *text);
/* Allocations up to the one that fails; 0: there is none to come, or all fail. */
uint32_t inject_left(const struct thread_group *group);
/* The task has become another program: is it the one that the kernel option names? */
void inject_exec(struct task *task);
#endif
