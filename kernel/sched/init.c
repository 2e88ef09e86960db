/* The start of scheduling: each CPU gets a run queue and a task for when it has nothing to do. */
#include "arch/smp.h"
#include "lib/log.h"
#include "sched/inject.h"
#include "sched/sched.h"
#include "sched/timer.h"

#define IDLE_LOOKS 500 /* for work, a pause each: 6 us on a CPU of today, 80 under QEMU */

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

/* Look for work before this CPU halts: to halt and to be woken by an interrupt costs more than many a task. */
static void idle_look(struct runqueue *rq)
{
    __atomic_store_n(&rq->looking, true, __ATOMIC_SEQ_CST);
    for (int i = 0; cpu_count > 1 && i < IDLE_LOOKS && !this_cpu(need_resched); i++) {
        cpu_pause();
    }
    __atomic_store_n(&rq->looking, false, __ATOMIC_SEQ_CST); /* before the last look, which the caller does */
}

void sched_idle(void)
{
    for (;;) {
        schedule();
        idle_look(this_cpu(rq));
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
