/*
 * Real-time tasks (sched(7)): SCHED_FIFO and SCHED_RR run before all others, the highest priority
 * first, of one priority in turn. They lie over the policy chosen at boot: with the first such task
 * the functions here come before the policy's own, and hand on to it all tasks that are not real-time.
 * Until then they cost nothing.
 *
 * task->realtime is the priority that counts: the task's own, or one that it has inherited
 * (futex_pi.c). A real-time task has no virtual time: what it had is kept as leave() makes it.
 *
 * Of each second, real-time tasks get 950 ms on a CPU where others wait, so that one in an endless
 * loop can still be killed.
 */
#include "arch/smp.h"
#include "lib/mutex.h"
#include "sched/sched.h"

#define PERIOD SECOND
#define RUNTIME (PERIOD / 20 * 19) /* as Linux's sched_rt_runtime_us */

/* Protected by the run queue's lock. */
static struct realtime {
    struct list queues[PRIORITY_MAX + 1];
    uint64_t used_queues[2];  /* one bit each */
    int best;                 /* priority that waits; others look without the lock, as at the next */
    int running;              /* priority that was picked last */
    ktime_t used, period_end; /* in this period */
    bool again;               /* to look at another CPU's tasks: its lock was not to be had */
} realtimes[CPU_MAX];

static struct mutex install_lock = MUTEX_INIT(install_lock); /* protects: */
static bool installed;

/* The highest priority below `limit` that waits; 0: none. */
static int realtime_below(const struct realtime *realtime, int limit)
{
    for (int priority = limit - 1; priority > 0; priority--) {
        uint64_t rest = realtime->used_queues[priority / 64] << (63 - priority % 64);

        if (rest) {
            return priority - __builtin_clzl(rest);
        }
        priority &= ~63;
    }
    return 0;
}

static void realtime_mark(struct realtime *realtime, int priority)
{
    uint64_t bit = 1ul << priority % 64;

    if (list_empty(&realtime->queues[priority])) {
        realtime->used_queues[priority / 64] &= ~bit;
    } else {
        realtime->used_queues[priority / 64] |= bit;
    }
    __atomic_store_n(&realtime->best, realtime_below(realtime, PRIORITY_MAX + 1), __ATOMIC_RELAXED);
}

/* A task that has to wait here: is there a CPU with something less important? It comes and pulls. What
 * the others run may change, and who cannot have a lock leaves it to their next choice. */
static void realtime_push(struct runqueue *rq, const struct task *task)
{
    uint64_t allowed = task->affinity & cpu_mask();
    int least = task->realtime;
    uint32_t best = rq->cpu;

    for (uint32_t id = 0; id < cpu_count; id++) {
        int running = __atomic_load_n(&realtimes[id].running, __ATOMIC_RELAXED);

        if (allowed >> id & 1 && id != rq->cpu && running < least) {
            least = running;
            best = id;
        }
    }
    if (best != rq->cpu && spin_trylock(&runqueues[best].lock)) {
        sched_wanted(&runqueues[best], clock_now());
        cpus[best].need_resched = true;
        smp_kick(best);
        spin_unlock(&runqueues[best].lock);
    }
}

static void realtime_insert(struct runqueue *rq, struct task *task, bool first)
{
    struct realtime *realtime = &realtimes[rq->cpu];
    struct list *queue = &realtime->queues[task->realtime];

    list_push_back(first ? queue->next : queue, &task->run_list);
    realtime_mark(realtime, task->realtime);
    if (realtime->best > task->realtime ||
        (task != rq->running && rq->running->realtime >= task->realtime)) {
        realtime_push(rq, task);
    }
}

/* Who was preempted goes on before the others of its priority; who has used its slice does not. */
static void realtime_enqueue(struct runqueue *rq, struct task *task, enum enqueue_kind kind)
{
    bool goes_on = task_policy(task) != SCHED_RR || realtimes[rq->cpu].best > task->realtime;

    assert_held(&rq->lock);
    if (task->realtime) {
        realtime_insert(rq, task, kind == ENQUEUE_AGAIN && goes_on);
    } else {
        sched_base.enqueue(rq, task, kind);
    }
}

static void realtime_dequeue(struct runqueue *rq, struct task *task)
{
    assert_held(&rq->lock);
    if (!task->realtime) {
        sched_base.dequeue(rq, task);
        return;
    }
    list_remove(&task->run_list);
    realtime_mark(&realtimes[rq->cpu], task->realtime);
}

static struct task *realtime_next(struct runqueue *rq, struct task *task)
{
    struct realtime *realtime = &realtimes[rq->cpu];
    int limit = task ? task->realtime : PRIORITY_MAX + 1, priority;

    assert_held(&rq->lock);
    if (task && limit && task->run_list.next != &realtime->queues[limit]) {
        return container_of(task->run_list.next, struct task, run_list);
    }
    priority = realtime_below(realtime, limit);
    if (priority) {
        return list_first(&realtime->queues[priority], struct task, run_list);
    }
    return sched_base.next(rq, limit ? NULL : task);
}

/* Have the real-time tasks used their part of the period? rq_charge() came before. */
static bool realtime_is_over(const struct runqueue *rq)
{
    const struct realtime *realtime = &realtimes[rq->cpu];

    return realtime->used >= RUNTIME && rq->running->exec_start < realtime->period_end;
}

/* At once would be too soon: whoever has the lock needs a CPU to give it back, and under icount CPUs take
 * turns. So at the next tick, or, idle, after a pause. */
static void realtime_look_again(struct runqueue *rq)
{
    realtimes[rq->cpu].again = false;
    sched_wanted(rq, rq->running->exec_start); /* now: rq_charge() came before */
    cpus[rq->cpu].need_resched = true;
}

/* A better one than ours may wait elsewhere behind one that is better still. */
static void realtime_pull(struct runqueue *rq)
{
    const struct realtime *mine = &realtimes[rq->cpu];

    for (uint32_t i = 0; i < cpu_count; i++) {
        struct runqueue *other = &runqueues[i];
        struct task *task;

        if (other == rq || __atomic_load_n(&realtimes[i].best, __ATOMIC_RELAXED) <= mine->best) {
            continue;
        }
        if (!spin_trylock(&other->lock)) {
            realtimes[rq->cpu].again = true;
            continue;
        }
        task = realtime_next(other, NULL);
        if (task && task->realtime > mine->best && task->affinity >> rq->cpu & 1) {
            balance_move(other, rq, task);
        }
        spin_unlock(&other->lock);
    }
}

/* The next one, off its queue; a task without real time that `yields` (NULL: none does) is put there. */
static struct task *realtime_take(struct runqueue *rq, struct task *yields)
{
    struct realtime *realtime = &realtimes[rq->cpu];
    struct task *task = NULL;

    assert_held(&rq->lock);
    realtime->again = false;
    realtime_pull(rq);
    if (!realtime->best || realtime_is_over(rq)) {
        task = yields ? sched_base.yield(rq, yields) : sched_base.pick_next(rq);
    } else if (yields) {
        sched_base.enqueue(rq, yields, ENQUEUE_AGAIN);
    }
    if (!task && realtime->best) {
        task = realtime_next(rq, NULL);
        realtime_dequeue(rq, task);
    }
    __atomic_store_n(&realtime->running, task ? task->realtime : 0, __ATOMIC_RELAXED);
    if (!task && realtime->again) {
        realtime_look_again(rq); /* idle, it would get no tick */
    }
    return task;
}

static struct task *realtime_pick_next(struct runqueue *rq)
{
    return realtime_take(rq, NULL);
}

static struct task *realtime_yield(struct runqueue *rq, struct task *task)
{
    if (!task->realtime) {
        return realtime_take(rq, task);
    }
    realtime_insert(rq, task, false);
    return realtime_take(rq, NULL);
}

static void realtime_charge(struct runqueue *rq, struct task *task, ktime_t time)
{
    struct realtime *realtime = &realtimes[rq->cpu];

    assert_held(&rq->lock);
    if (realtime->again) {
        realtime_look_again(rq);
    }
    if (!task->realtime) {
        sched_base.charge(rq, task, time);
        return;
    }
    if (task->exec_start >= realtime->period_end) { /* now */
        realtime->period_end = task->exec_start + PERIOD;
        realtime->used = 0;
    }
    realtime->used += time;
}

static ktime_t realtime_slice(struct runqueue *rq, struct task *task)
{
    ktime_t left = RUNTIME - realtimes[rq->cpu].used + rq->running->exec_start - rq->slice_start;

    if (!task->realtime) {
        return sched_base.slice(rq, task);
    }
    if (task_policy(task) == SCHED_RR && left > SCHED_RR_SLICE) {
        left = SCHED_RR_SLICE;
    }
    return left > SLICE_MIN ? left : SLICE_MIN;
}

static bool realtime_preempts(struct runqueue *rq, struct task *woken)
{
    if (woken->realtime) {
        return woken->realtime > rq->running->realtime && !realtime_is_over(rq);
    }
    return !rq->running->realtime && sched_base.preempts(rq, woken);
}

static void realtime_leave(struct runqueue *rq, struct task *task)
{
    if (!task->realtime) {
        sched_base.leave(rq, task);
    }
}

/* Other CPUs may call through the table meanwhile. Until there is a real-time task, both ways do the
 * same, so it does not matter which functions they find. */
static void realtime_install(void)
{
    for (int cpu = 0; cpu < CPU_MAX; cpu++) {
        for (int priority = 0; priority <= PRIORITY_MAX; priority++) {
            list_init(&realtimes[cpu].queues[priority]);
        }
    }
    sched_class.enqueue = realtime_enqueue;
    sched_class.dequeue = realtime_dequeue;
    sched_class.next = realtime_next;
    sched_class.pick_next = realtime_pick_next;
    sched_class.yield = realtime_yield;
    sched_class.charge = realtime_charge;
    sched_class.slice = realtime_slice;
    sched_class.preempts = realtime_preempts;
    sched_class.leave = realtime_leave;
}

static void realtime_begin(void)
{
    mutex_lock(&install_lock);
    if (!installed) {
        realtime_install();
        installed = true;
    }
    mutex_unlock(&install_lock);
}

/* Another priority that counts. rq_charge() came before. */
static void realtime_change(struct runqueue *rq, struct task *task, int realtime)
{
    bool has_place = task->state != TASK_RUNNING || task == rq->running; /* not on its way to a CPU */
    bool queued = task->queued, lowered = realtime < task->realtime;

    assert_held(&rq->lock);
    if (queued) {
        sched_class.dequeue(rq, task);
    }
    if (!task->realtime && realtime && (queued || has_place)) {
        sched_base.leave(rq, task);
    } else if (task->realtime && !realtime && !queued && has_place) {
        sched_base.enqueue(rq, task, ENQUEUE_MOVED); /* its virtual time is this queue's again */
        sched_base.dequeue(rq, task);
    }
    if (task == rq->running) {
        __atomic_store_n(&realtimes[rq->cpu].running, realtime, __ATOMIC_RELAXED);
    }
    task->realtime = realtime;
    if (queued && realtime) {
        realtime_insert(rq, task, lowered); /* as sched(7) has it */
    } else if (queued) {
        sched_base.enqueue(rq, task, ENQUEUE_MOVED);
    }
}

/* Which priority counts may have changed. */
static void realtime_update(struct runqueue *rq, struct task *task)
{
    int own = policy_is_realtime(task_policy(task)) ? task->priority : 0;
    int realtime = own > task->inherited ? own : task->inherited;

    assert_held(&rq->lock);
    if (realtime == task->realtime) {
        return;
    }
    realtime_change(rq, task, realtime);
    if (task == rq->running ? rq->runnable > 0 : task->queued && sched_class.preempts(rq, task)) {
        rq_reschedule(rq);
    }
}

void sched_set_policy(struct task *task, int policy, int priority)
{
    struct runqueue *rq;
    uint64_t flags;

    if (priority) {
        realtime_begin();
    }
    flags = irq_save();
    rq = sched_lock_task(task);
    task->policy = policy;
    task->priority = priority;
    task->nice = task_policy(task) == SCHED_IDLE ? NICE_IDLE : task->own_nice;
    realtime_update(rq, task);
    spin_unlock(&rq->lock);
    irq_restore_preempt(flags);
}

void sched_inherit(struct task *task, int priority)
{
    uint64_t flags = irq_save();
    struct runqueue *rq = sched_lock_task(task);

    task->inherited = priority;
    realtime_update(rq, task);
    spin_unlock(&rq->lock);
    irq_restore_preempt(flags);
}
