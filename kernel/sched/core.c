/*
 * schedule() and what goes with it: waking, slices, the timer interrupt.
 *
 * The running task is on no queue. The run queue's lock is held from the choice over the switch,
 * so a task's registers are saved before any other CPU can pick it.
 *
 * One CPU runs so far: tasks are woken onto the first CPU's run queue, and switch_prev is one
 * word. Both become per-CPU when the others are started.
 */
#include "arch/boot.h"
#include "arch/clock.h"
#include "lib/string.h"
#include "mm/kstack.h"
#include "mm/mm.h"
#include "sched/sched.h"

_Static_assert(offsetof(struct task, rsp) == 0, "switch.asm: TASK_RSP");

#define TICK 10000000 /* a task that is alone is looked at this often */

static struct runqueue boot_rq;
static struct task *idle;
const struct sched_class *sched_class = &fair_class;

static struct runqueue *this_rq(void)
{
    return this_cpu(rq);
}

/* Count the running task's time up to now. */
static ktime_t charge(struct runqueue *rq)
{
    struct task *task = rq->running;
    ktime_t now = clock_now(), time = now - task->exec_start;

    task->exec_start = now;
    task->exec_time += time;
    if (task != rq->idle) {
        sched_class->charge(rq, task, time);
    }
    return now;
}

static void start_slice(struct runqueue *rq, ktime_t now)
{
    if (rq->running == rq->idle) {
        rq->slice_end = KTIME_NEVER;
        timer_arm(timer_next());
        return;
    }
    rq->slice_end = now + (rq->runnable ? sched_class->slice(rq, rq->running) : TICK);
    timer_arm(rq->slice_end);
}

/* On the new task's stack: let the lock go and bury the old task if it is dead. */
static void finish_switch(struct task *prev)
{
    bool dead = prev->state == TASK_ZOMBIE;

    prev->on_cpu = false;
    spin_unlock(&this_rq()->lock);
    if (dead) {
        kstack_free(prev->kernel_stack);
        prev->kernel_stack = 0;
        task_put(prev);
    }
}

static struct task *switch_prev; /* for the first run of a new task: one CPU's, lock held */

void sched_finish_switch(void)
{
    finish_switch(switch_prev);
}

/* What belongs to a user task and is not on its stack. */
static void switch_user_state(struct task *prev, struct task *next)
{
    if (prev->mm) {
        fxsave(prev->fpu);
        prev->fs_base = fs_base_read();
    }
    if (next->mm) {
        if (next->mm != this_cpu(active_mm)) {
            mm_switch(next->mm);
        }
        fxrstor(next->fpu);
        fs_base_write(next->fs_base);
        if (prev->gs_base != next->gs_base) {
            wrmsr(MSR_KERNEL_GS_BASE, next->gs_base);
        }
    }
}

void schedule(void)
{
    uint64_t flags = irq_save();
    struct task *prev = current, *next;
    struct runqueue *rq = this_rq();
    ktime_t now;

    if (unlikely(this_cpu(preempt_count) != 0)) {
        panic("schedule() with preempt_count %d: a spinlock is held by %s", this_cpu(preempt_count),
              prev->name);
    }
    spin_lock(&rq->lock);
    this_cpu(need_resched) = false;
    now = charge(rq);
    if (prev->state == TASK_RUNNING && prev != rq->idle) {
        sched_class->enqueue(rq, prev, false);
        rq->runnable++;
        prev->queued = true;
    }
    next = sched_class->pick_next(rq);
    if (next) {
        rq->runnable--;
        next->queued = false;
    } else {
        next = rq->idle;
    }
    rq->running = next;
    next->exec_start = now;
    start_slice(rq, now);
    if (next == prev) {
        spin_unlock(&rq->lock);
        irq_restore(flags);
        return;
    }
    rq->switches++;
    prev->switches[prev->state == TASK_RUNNING]++;
    next->on_cpu = true;
    this_cpu(current_task) = next;
    this_cpu(return_work) = next->notify;
    cpu_set_kernel_stack(next->kernel_stack);
    switch_user_state(prev, next);
    switch_prev = prev;
    prev = switch_to(prev, next);
    finish_switch(prev);
    irq_restore(flags);
}

/* From preempt_enable and the end of interrupts: the task stays runnable whatever its state. */
static void preempt(void)
{
    enum task_state state = current->state;

    /* Between wait_start and schedule() a task is marked asleep but has not checked its
     * condition: it must come back by itself. */
    current->state = TASK_RUNNING;
    if (state != TASK_RUNNING && state != TASK_ZOMBIE) {
        current->reason = WAIT_NONE;
    }
    if (state == TASK_ZOMBIE) {
        current->state = state;
    }
    schedule();
}

void sched_yield(void)
{
    uint64_t flags = irq_save();
    struct runqueue *rq = this_rq();

    spin_lock(&rq->lock);
    if (rq->runnable) {
        sched_class->yield(rq, current);
    }
    spin_unlock(&rq->lock);
    irq_restore(flags);
    schedule();
}

static void enqueue(struct runqueue *rq, struct task *task, bool woken)
{
    sched_class->enqueue(rq, task, woken);
    rq->runnable++;
    task->queued = true;
    if (rq->running == rq->idle || (woken && sched_class->preempts(rq, task))) {
        this_cpu(need_resched) = true;
    } else if (rq->runnable == 1) {
        start_slice(rq, clock_now()); /* the one that runs is not alone any more */
    }
}

static bool wake(struct task *task, bool stopped)
{
    struct runqueue *rq = cpus[0].rq;
    uint64_t flags = spin_lock_irqsave(&rq->lock);
    bool asleep = task->state == TASK_SLEEPING || task->state == TASK_BLOCKED ||
                  (stopped && task->state == TASK_STOPPED);

    if (asleep) {
        task->state = TASK_RUNNING;
        task->reason = WAIT_NONE;
        if (task != rq->running && !task->queued) {
            charge(rq);
            enqueue(rq, task, true);
        }
    }
    spin_unlock_irqrestore(&rq->lock, flags);
    return asleep;
}

bool task_wake(struct task *task)
{
    return wake(task, false);
}

void task_wake_stopped(struct task *task)
{
    wake(task, true);
}

void sched_start(struct task *task)
{
    struct runqueue *rq = cpus[0].rq;
    uint64_t flags = spin_lock_irqsave(&rq->lock);

    charge(rq);
    task->vruntime = rq->min_vruntime > current->vruntime ? rq->min_vruntime : current->vruntime;
    enqueue(rq, task, false);
    spin_unlock_irqrestore(&rq->lock, flags);
}

static void timer_interrupt(void)
{
    struct runqueue *rq = this_rq();
    ktime_t next = timer_run(), now = clock_now();

    spin_lock(&rq->lock);
    if (now >= rq->slice_end) {
        if (rq->runnable) {
            this_cpu(need_resched) = true;
        }
        rq->slice_end = now + TICK;
    }
    next = rq->slice_end < next ? rq->slice_end : next;
    spin_unlock(&rq->lock);
    timer_arm(next);
}

void sched_init(void)
{
    const char *name = boot_option("sched");

    if (name && strcmp(name, "rr") == 0) {
        sched_class = &rr_class;
    } else if (name && strcmp(name, "fair") != 0) {
        printk("sched: no policy \"%s\"; there are fair and rr\n", name);
    }
    list_init(&boot_rq.rr);
    boot_rq.slice_end = KTIME_NEVER;
    this_cpu(rq) = &boot_rq;
    idle = task_create("idle");
    idle->state = TASK_RUNNING;
    idle->on_cpu = true;
    boot_rq.idle = boot_rq.running = idle;
    this_cpu(idle) = this_cpu(current_task) = idle;
    preempt_hook = preempt;
    timer_interrupt_hook = timer_interrupt;
}
