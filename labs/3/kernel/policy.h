/* What lab 3's kernel tests share: a run queue that no CPU looks at, and tasks for it. */
#ifndef LAB3_POLICY_H
#define LAB3_POLICY_H
#include "debug/lab.h"
#include "sched/sched.h"

/* As the handout has them. */
#define LATENCY 12000000l
#define WAKE_GRANULARITY 1000000l
#define POLICY_TASKS 64

extern struct task policy_tasks[POLICY_TASKS];
/* An empty queue, its lock held, with a task that runs. */
struct runqueue *policy_begin(void);
void policy_end(void);
#endif
