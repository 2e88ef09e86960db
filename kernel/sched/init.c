/* The start of scheduling: each CPU gets a run queue and a task for when it has nothing to do. */
#include "arch/smp.h"
#include "lib/log.h"
#include "sched/inject.h"
#include "sched/sched.h"
#include "sched/timer.h"

static void sched_init_cpu(uint32_t id)
{
    struct runqueue *rq = &runqueues[id];
    struct task *idle = task_create("idle");

    if (!idle) {
        panic("no memory for CPU %u", id);
    }
    spin_init(&rq->lock);
    timer_init_cpu(id);
    rq->cpu = rq->balance_seed = id;
    rq->idle = rq->running = idle;
    idle->state = TASK_RUNNING;
    idle->on_cpu = true;
    idle->cpu = id;
    cpus[id].rq = rq;
    cpus[id].idle = idle;
    LOCK_DEBUG(cpus[id].mutexes_held = &idle->mutexes);
    sched_class.init(rq);
    balance_mark_idle(rq, true);
}

void sched_init(void)
{
    sched_choose_policy();
    sched_init_cpu(0);
    this_cpu(current_task) = this_cpu(idle);
    inject_init();
}

void sched_idle(void)
{
    for (;;) {
        schedule();
        if (this_cpu(need_resched)) { /* it is to look again, and others may need this CPU for that */
            cpu_pause();
        } else {
            cpu_idle();
        }
    }
}

vaddr_t sched_prepare_cpu(uint32_t id)
{
    sched_init_cpu(id);
    cpus[id].current_task = cpus[id].idle;
    return cpus[id].idle->kernel_stack;
}
