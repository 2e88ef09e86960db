/*
 * schedule() and what goes with it: waking, slices, the timer interrupt.
 *
 * Each CPU has a run queue. The running task is on none. The run queue's lock is held from the
 * choice over the switch, so a task's registers are saved before any other CPU can pick it.
 * task->cpu says whose run queue it is, changed only under that queue's lock, or by the one who
 * holds a runnable task that is on no queue.
 */
#include "arch/clock.h"
#include "arch/smp.h"
#include "mm/kstack.h"
#include "mm/mm.h"
#include "mm/uaccess.h"
#include "sched/sched.h"
#include "sched/traced.h"

#define TICK 10000000 /* a task that is alone is looked at this often */

struct runqueue runqueues[CPU_MAX];

static struct runqueue *this_rq(void)
{
    return this_cpu(rq);
}

/* `rq` is locked, but the task has left it. */
static __attribute__((noinline)) struct runqueue *rq_follow_task(struct runqueue *rq, struct task *task)
{
    do {
        spin_unlock(&rq->lock);
        rq = &runqueues[__atomic_load_n(&task->cpu, __ATOMIC_ACQUIRE)];
        spin_lock(&rq->lock);
    } while (rq->cpu != task->cpu);
    return rq;
}

/* The run queue of a task, locked; the task may be on its way to another one. Interrupts off. */
static inline struct runqueue *rq_lock_task(struct task *task)
{
    uint32_t cpu = __atomic_load_n(&task->cpu, __ATOMIC_ACQUIRE);
    struct runqueue *rq = &runqueues[cpu];

    assert_irqs_off();
    spin_lock(&rq->lock);
    return cpu == task->cpu ? rq : rq_follow_task(rq, task);
}

/* need_resched is set: does its CPU find that by itself? One that is about to halt says so first, and looks
 * once more then. */
static bool rq_looks(const struct runqueue *rq)
{
    assert_held(&rq->lock);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return rq->running == rq->idle && __atomic_load_n(&rq->looking, __ATOMIC_RELAXED);
}

void rq_reschedule(struct runqueue *rq)
{
    assert_held(&rq->lock);
    sched_wanted(rq, rq->running->exec_start); /* now: rq_charge() came before */
    cpus[rq->cpu].need_resched = true;
    if (rq->cpu != this_cpu(id) && !rq_looks(rq)) {
        smp_kick(rq->cpu);
    }
}

/* Count the running task's time up to now. */
static inline ktime_t rq_charge(struct runqueue *rq)
{
    struct task *task = rq->running;
    ktime_t now = clock_now(), time = now - task->exec_start;

    assert_held(&rq->lock);
    task->exec_start = now;
    task->usage.time += time;
    if (task != rq->idle) {
        sched_class.charge(rq, task, time);
    }
    return now;
}

/* Have the timer's interrupt look at the slice of `next`: it computes when that ends, switches need not.
 * An idle CPU takes no ticks, but for a look now and then whether another one hangs. */
static inline void rq_watch_slice(struct runqueue *rq, const struct task *next, ktime_t now)
{
    assert_held(&rq->lock);
    if (next != rq->idle) {
        timer_arm(now + (rq->runnable ? SLICE_MIN : TICK));
    } else if (!balance_all_idle()) {
        timer_arm(now + HANG_LOOK);
    }
}

/* rq_charge() has just come before, and said `now`. */
static inline void rq_enqueue(struct runqueue *rq, struct task *task, enum enqueue_kind kind, ktime_t now)
{
    assert_held(&rq->lock);
    debug_assert(!task->queued && task->state == TASK_RUNNING && task->cpu == rq->cpu);
    sched_class.enqueue(rq, task, kind);
    rq->runnable++;
    task->exec_start = now;
    __atomic_store_n(&task->queued, true, __ATOMIC_RELEASE);
    if (rq->running == rq->idle) {
        if (rq->marked_idle) {
            balance_mark_idle(rq, false); /* the next one to be placed goes elsewhere */
        }
        rq_reschedule(rq);
    } else if (kind != ENQUEUE_FRESH && sched_class.preempts(rq, task)) {
        rq_reschedule(rq);
    } else if (rq->runnable == 1 && rq->cpu == this_cpu(id)) {
        timer_arm(now + SLICE_MIN); /* the one that runs is not alone any more */
    }
}

/*
 * Queue a runnable task that is on no queue and does not run, on the CPU that suits it best. Its
 * virtual time is relative, as leave() makes it. Interrupts off.
 */
static void task_place(struct task *task, enum enqueue_kind kind)
{
    uint32_t from = task->cpu;
    struct runqueue *rq;

    assert_irqs_off();
    debug_assert(!task->queued);
    for (;;) {
        __atomic_store_n(&task->cpu, balance_place(task, kind), __ATOMIC_RELEASE);
        rq = rq_lock_task(task);
        if (task->affinity >> rq->cpu & 1) {
            break;
        }
        spin_unlock(&rq->lock); /* its affinity has changed */
    }
    task->placed = rq_charge(rq);
    trace_migrate(task, from);
    rq_enqueue(rq, task, kind, task->placed);
    spin_unlock(&rq->lock);
}

/* A task that is on no queue goes to another CPU's. The lock is given back. */
static __attribute__((noinline)) void rq_hand_over(struct runqueue *rq, struct task *task)
{
    assert_held(&rq->lock);
    sched_class.leave(rq, task);
    spin_unlock(&rq->lock);
    task_place(task, ENQUEUE_MOVED);
}

/* The old task is dead. */
static __attribute__((noinline)) void prev_free(struct runqueue *rq, struct task *task)
{
    assert_held(&rq->lock);
    debug_assert(task->state == TASK_ZOMBIE && !task->queued);
    spin_unlock(&rq->lock);
    kstack_free(task->kernel_stack);
    task->kernel_stack = 0;
    task_put(task);
}

/* On the new task's stack: let the lock go. */
static inline void switch_finish(struct task *prev)
{
    struct runqueue *rq = this_rq();

    assert_irqs_off();
    assert_held(&rq->lock);
    prev->on_cpu = false;
    if (unlikely(prev->state == TASK_ZOMBIE)) {
        prev_free(rq, prev);
    } else if (prev->state == TASK_RUNNING && !prev->queued && prev != rq->idle) {
        rq_hand_over(rq, prev); /* it may not run on this CPU any more */
    } else {
        spin_unlock(&rq->lock);
    }
}

void sched_finish_switch(struct task *prev)
{
    struct task *task = current;

    switch_finish(prev);
    if (task->set_tid) { /* only the task itself can write to its memory as user mode may */
        irq_enable();
        put_user(task->tid, task->set_tid); /* clone has succeeded: a bad address is no error */
        task->set_tid = NULL;
    }
}

/* What belongs to a user task and is not on its stack. */
static void switch_user_state(struct task *prev, struct task *next)
{
    assert_irqs_off();
    if (prev->mm) {
        fxsave(prev->user.fpu);
    }
    if (next->mm) {
        if (next->mm != this_cpu(active_mm)) {
            mm_switch(next->mm);
        }
        fxrstor(next->user.fpu);
    }
    user_segments_switch(&prev->user, &next->user);
}

/* The next task, taken off its queue, from another CPU if this one has none; the lock is held. The running
 * one is on the queue, unless it `yields` (otherwise NULL): then it is put there. */
static struct task *rq_pick_next(struct runqueue *rq, struct task *yields)
{
    struct task *next = yields ? sched_class.yield(rq, yields) : sched_class.pick_next(rq);

    assert_held(&rq->lock);
    if (!next && cpu_count > 1 && balance_pull(rq, false)) {
        next = sched_class.pick_next(rq);
    }
    if (unlikely(rq->marked_idle == (next != NULL))) {
        balance_mark_idle(rq, !next);
    }
    if (!next) {
        return rq->idle;
    }
    rq->runnable--;
    next->queued = false;
    return next;
}

void schedule(void)
{
    uint64_t flags = irq_save();
    struct task *prev = current, *yields = NULL, *next;
    struct runqueue *rq = this_rq();
    bool preempted = this_cpu(need_resched);
    ktime_t now;

    if (unlikely(this_cpu(preempt_count) != 0)) {
        LOCK_DEBUG(lock_debug_print_held());
        panic("schedule() with preempt_count %d: a spinlock is held by %s", this_cpu(preempt_count),
              prev->name);
    }
    spin_lock(&rq->lock);
    this_cpu(need_resched) = false;
    now = rq_charge(rq);
    sched_switch_comes(rq, preempted, now);
    if (prev->state == TASK_RUNNING && prev != rq->idle && prev->affinity >> rq->cpu & 1) {
        /* otherwise switch_finish finds a CPU */
        rq->runnable++;
        prev->queued = true;
        if (prev->yields) {
            yields = prev;
        } else {
            sched_class.enqueue(rq, prev, ENQUEUE_AGAIN);
        }
    }
    prev->yields = false;
    next = rq_pick_next(rq, yields);
    rq->running = next;
    next->exec_start = now;
    rq->slice_start = now;
    rq_watch_slice(rq, next, now);
    if (next == prev) {
        spin_unlock(&rq->lock);
        irq_restore(flags);
        return;
    }
    rq->switches++;
    prev->usage.switches[prev->state == TASK_RUNNING]++;
    trace_switch(prev, next, preempted);
    next->on_cpu = true;
    this_cpu(current_task) = next;
    LOCK_DEBUG(this_cpu(mutexes_held) = &next->mutexes);
    this_cpu(user_work) = next->notify;
    cpu_set_kernel_stack(next->kernel_stack);
    switch_user_state(prev, next);
    prev = switch_to(prev, next);
    switch_finish(prev);
    irq_restore(flags);
}

/* From preempt_enable and the end of interrupts: the task stays runnable whatever its state. */
void sched_preempt(void)
{
    enum task_state state = current->state;

    /* Marked asleep, it has not looked at its condition yet: it must come back by itself. */
    if (state != TASK_RUNNING && state != TASK_ZOMBIE) {
        current->state = TASK_RUNNING;
        current->reason = WAIT_NONE;
    }
    schedule();
}

void sched_yield(void)
{
    this_cpu(need_resched) = false; /* by its own will, then */
    current->yields = true;
    schedule();
}

static bool task_make_runnable(struct task *task, bool stopped)
{
    struct runqueue *rq = rq_lock_task(task);
    bool asleep = task->state == TASK_SLEEPING || task->state == TASK_BLOCKED ||
                  (stopped && task->state == TASK_STOPPED);

    if (asleep) {
        trace_wake(task, task == rq->running);
        task->state = TASK_RUNNING;
        task->reason = WAIT_NONE;
    }
    if (asleep && task != rq->running) { /* on no queue */
        if (cpu_count > 1 && balance_place(task, ENQUEUE_WOKEN) != rq->cpu) {
            rq_hand_over(rq, task);
            return true;
        }
        rq_enqueue(rq, task, ENQUEUE_WOKEN, rq_charge(rq));
    }
    spin_unlock(&rq->lock);
    return asleep;
}

bool task_wake(struct task *task)
{
    return task_make_runnable(task, false);
}

void task_wake_stopped(struct task *task)
{
    task_make_runnable(task, true);
}

void sched_start(struct task *task)
{
    uint64_t flags = irq_save();

    task->vruntime = current->vruntime;
    spin_lock(&this_rq()->lock);
    sched_class.leave(this_rq(), task);
    spin_unlock(&this_rq()->lock);
    task->cpu = this_cpu(id);
    task_place(task, ENQUEUE_FRESH);
    irq_restore_preempt(flags);
}

/* What the running task ran since its last sample counts as where it was found now. */
static void rq_sample(struct runqueue *rq, bool user)
{
    struct cpu_usage *usage = &rq->running->usage;
    ktime_t time = usage->time - usage->sampled[0] - usage->sampled[1];

    assert_held(&rq->lock);
    usage->sampled[!user] += time;
    rq->sampled[!user] += time;
}

void sched_timer_interrupt(bool user)
{
    struct runqueue *rq = this_rq();
    ktime_t late = timer_came(), next, now;

    if (late < 0) {
        return;
    }
    next = timer_run();
    spin_lock(&rq->lock);
    sched_was_late(rq, SCHED_LATE_INTERRUPT, late);
    now = rq_charge(rq);
    sched_wanted(rq, now);
    if (rq->running != rq->idle) {
        ktime_t slice = rq->runnable ? sched_class.slice(rq, rq->running) : TICK;

        rq_sample(rq, user);
//@lab 3 preemption begin
        if (now - rq->slice_start >= slice) {
            this_cpu(need_resched) |= rq->runnable > 0;
            rq->slice_start = now;
        }
//@lab 3 preemption stub
//|         if (now - rq->slice_start >= slice) { /* lab 3, step 2: it may run on for ever */
//|             rq->slice_start = now;
//|         }
//@lab 3 preemption end
        next = rq->slice_start + slice < next ? rq->slice_start + slice : next;
    } else if (!balance_all_idle()) {
        next = now + HANG_LOOK < next ? now + HANG_LOOK : next;
    }
    balance_tick(rq, now);
    spin_unlock(&rq->lock);
    hang_tick(rq, now);
    timer_arm(next);
}

/* Another CPU wants this one to look: at need_resched, which it has set, or at a signal. */
void sched_kicked(void)
{
    assert_irqs_off();
    this_rq()->alive = clock_now();
    if (current->notify) {
        this_cpu(user_work) = true;
    }
}

void sched_notify(struct task *task)
{
    __atomic_store_n(&task->notify, true, __ATOMIC_SEQ_CST);
    if (task == current) {
        this_cpu(user_work) = true;
        return;
    }
    assert_held(&tasks_lock); /* so it does not go away */
    if (__atomic_load_n(&task->on_cpu, __ATOMIC_SEQ_CST)) {
        smp_kick(task->cpu);
    }
}

struct cpu_usage sched_usage(struct task *task)
{
    uint64_t flags = irq_save();
    struct runqueue *rq = rq_lock_task(task);
    struct cpu_usage usage;

    if (task == rq->running) {
        rq_charge(rq);
    }
    usage = task->usage;
    spin_unlock_irqrestore(&rq->lock, flags);
    return usage;
}

ktime_t sched_slice(struct task *task)
{
    uint64_t flags = irq_save();
    struct runqueue *rq = rq_lock_task(task);
    ktime_t slice = sched_class.slice(rq, task);

    spin_unlock_irqrestore(&rq->lock, flags);
    return slice;
}

ktime_t sched_idle_time(uint32_t id, struct cpu_times *busy)
{
    struct runqueue *rq = &runqueues[id];
    uint64_t flags = spin_lock_irqsave(&rq->lock);
    ktime_t now = rq_charge(rq), idle = rq->idle->usage.time;
    struct cpu_usage usage = {now - idle, {rq->sampled[0], rq->sampled[1]}, {0, 0}};

    usage_divide(&usage, &rq->shown);
    *busy = rq->shown;
    spin_unlock_irqrestore(&rq->lock, flags);
    return idle;
}

void sched_set_affinity(struct task *task, uint64_t cpus)
{
    uint64_t flags = irq_save();
    struct runqueue *rq = rq_lock_task(task);
    bool stays = cpus >> rq->cpu & 1;

    task->affinity = cpus;
    if (!stays && task->queued) {
        sched_class.dequeue(rq, task);
        rq->runnable--;
        task->queued = false;
        rq_hand_over(rq, task);
    } else {
        if (!stays && task == rq->running) {
            rq_charge(rq);
            rq_reschedule(rq); /* switch_finish moves it */
        }
        spin_unlock(&rq->lock);
    }
    irq_restore_preempt(flags);
}

struct runqueue *sched_lock_task(struct task *task)
{
    struct runqueue *rq = rq_lock_task(task);

    rq_charge(rq);
    return rq;
}
