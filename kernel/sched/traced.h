/* The trace points that know what a task is; each is one branch while the trace is off. */
#ifndef SCHED_TRACED_H
#define SCHED_TRACED_H
#include "sched/task.h"
#include "trace/trace.h"

/* The rare halves of what is below, called while the trace is on. */
void trace_record_switch(struct task *prev, struct task *next, bool preempted);
void trace_record_clone(struct task *task, uint64_t flags);
void trace_record_exec(struct task *task);

/* Before `next` is current. The run queue's lock is held, for the next three, too. */
static inline void trace_switch(struct task *prev, struct task *next, bool preempted)
{
    if (unlikely(trace_on)) {
        trace_record_switch(prev, next, preempted);
    }
}

/* Before its state changes; `early`: it has not given its CPU away yet. */
static inline void trace_wake(struct task *task, bool early)
{
    if (unlikely(trace_on)) {
        trace_write(TRACE_WAKE, early ? TRACE_WAKE_EARLY : 0, (uint32_t)task->tid, task->reason);
    }
}

static inline void trace_migrate(struct task *task, uint32_t from)
{
    if (unlikely(trace_on) && from != task->cpu) {
        trace_write(TRACE_MIGRATE, 0, (uint32_t)task->tid, from | (uint64_t)task->cpu << 8);
    }
}

/* A new task, not started yet. */
static inline void trace_clone(struct task *task, uint64_t flags)
{
    if (unlikely(trace_on)) {
        trace_record_clone(task, flags);
    }
}

/* The task has another name. */
static inline void trace_rename(struct task *task)
{
    if (unlikely(trace_on)) {
        trace_name((uint32_t)task->tid, task->name);
    }
}

/* The current task has become another program, and has its name. */
static inline void trace_exec(struct task *task)
{
    if (unlikely(trace_on)) {
        trace_record_exec(task);
    }
}
#endif
