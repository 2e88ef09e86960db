/* What the trace says about tasks, while it is on: see trace/events.h for the meaning. */
#include "sched/traced.h"


const size_t trace_tid_offset = offsetof(struct task, tid);

static void trace_record_task(struct task *task)
{
    uint64_t parent = (uint64_t)(uint32_t)task->group->parent_pid;

    trace_task((uint32_t)task->tid, (uint32_t)task->group->pid,
               task->state | (uint64_t)task->reason << 8 | parent << 32);
    trace_name((uint32_t)task->tid, task->name);
}

void trace_record_switch(struct task *prev, struct task *next, bool preempted)
{
    bool loads_cr3 = next->mm && next->mm != this_cpu(active_mm);
    enum trace_why why = prev->state == TASK_ZOMBIE    ? TRACE_WHY_EXIT
                         : prev->state != TASK_RUNNING ? TRACE_WHY_BLOCK
                         : preempted                   ? TRACE_WHY_PREEMPT
                                                       : TRACE_WHY_YIELD;

    if (why == TRACE_WHY_BLOCK && prev->reason == WAIT_FUTEX) {
        trace_write(TRACE_FUTEX_WAIT, 0, 0, prev->wait_object);
    }
    if (why == TRACE_WHY_BLOCK) {
        trace_write(TRACE_BLOCK, 0, prev->reason, prev->wait_object);
    }
    trace_write(TRACE_SWITCH, (uint8_t)(why | (loads_cr3 ? TRACE_CR3_LOADED : 0)),
                (uint32_t)next->tid, prev->state);
}

void trace_record_clone(struct task *task, uint64_t flags)
{
    trace_write(TRACE_CLONE, 0, (uint32_t)task->tid, flags);
    trace_record_task(task);
    if (trace_snapshot_due()) {
        trace_snapshot();
    }
}

void trace_record_exec(struct task *task)
{
    trace_write(TRACE_EXEC, 0, 0, 0);
    trace_name((uint32_t)task->tid, task->name);
}

void trace_all_tasks(void)
{
    for (pid_t tid = 0; (tid = task_next(tid)) != 0;) {
        struct task *task = task_find(tid);

        if (task) {
            trace_record_task(task);
        }
        task_put(task);
    }
}
