/*
 * Fair: each task gets CPU time in proportion to its weight. A task's virtual runtime is its CPU
 * time divided by its weight; the tree is ordered by it, and the leftmost runs next.
 *
 * A task that slept comes back at most LATENCY behind the others: enough to run soon, not
 * enough to make up for all the time it did not want.
 */
#include "sched/sched.h"

#define LATENCY 12000000
#define SLICE_MIN 1000000
#define WAKE_GRANULARITY 1000000
#define WEIGHT_0 1024

/* Weight by nice: a step changes the share by about a tenth (sched(7)); 1024 / 1.25^nice. */
static const uint32_t weights[40] = {
    88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916, 9548, 7620, 6100, 4904,
    3906, 3121, 2501, 1991, 1586, 1277, 1024, 820, 655, 526, 423, 335, 272, 215, 172, 137, 110, 87,
    70, 56, 45, 36, 29, 23, 18, 15,
};

static struct task *first(struct runqueue *rq)
{
    return rq->fair_first ? rb_entry(rq->fair_first, struct task, run_node) : NULL;
}

static void fair_enqueue(struct runqueue *rq, struct task *task, enum enqueue_kind kind)
{
    struct rb_node **link = &rq->fair.node, *parent = NULL;
    bool leftmost = true;

    if (kind == ENQUEUE_WOKEN && task->vruntime + LATENCY / 2 < rq->min_vruntime) {
        task->vruntime = rq->min_vruntime - LATENCY / 2;
    } else if (kind == ENQUEUE_MOVED || kind == ENQUEUE_FRESH) {
        task->vruntime += rq->min_vruntime;
    }
    while (*link) {
        parent = *link;
        if ((int64_t)(task->vruntime - rb_entry(parent, struct task, run_node)->vruntime) < 0) {
            link = &parent->left;
        } else {
            link = &parent->right;
            leftmost = false;
        }
    }
    rb_insert(&rq->fair, &task->run_node, parent, link);
    if (leftmost) {
        rq->fair_first = &task->run_node;
    }
}

static void fair_dequeue(struct runqueue *rq, struct task *task)
{
    if (rq->fair_first == &task->run_node) {
        rq->fair_first = rb_next(&task->run_node);
    }
    rb_remove(&rq->fair, &task->run_node);
}

static struct task *fair_pick_next(struct runqueue *rq)
{
    struct task *task = first(rq);

    if (task) {
        fair_dequeue(rq, task);
        if ((int64_t)(task->vruntime - rq->min_vruntime) > 0) {
            rq->min_vruntime = task->vruntime;
        }
    }
    return task;
}

static void fair_charge(struct runqueue *rq, struct task *task, ktime_t time)
{
    (void)rq;
    task->weight = weights[task->nice + 20];
    task->vruntime += task->weight == WEIGHT_0 ? (uint64_t)time
                                               : (uint64_t)time * WEIGHT_0 / task->weight;
}

static ktime_t fair_slice(struct runqueue *rq, struct task *task)
{
    ktime_t slice = LATENCY / (rq->runnable + 1);

    (void)task;
    return slice > SLICE_MIN ? slice : SLICE_MIN;
}

static bool fair_preempts(struct runqueue *rq, struct task *woken)
{
    return (int64_t)(rq->running->vruntime - woken->vruntime) > WAKE_GRANULARITY;
}

/* Behind the next one: yielding tasks take turns. */
static void fair_yield(struct runqueue *rq, struct task *task)
{
    struct task *other = first(rq);

    if (other && (int64_t)(other->vruntime - task->vruntime) >= 0) {
        task->vruntime = other->vruntime + 1;
    }
}

/* Relative to the queue's virtual time, since another CPU's runs at another speed. */
static void fair_leave(struct runqueue *rq, struct task *task)
{
    int64_t ahead = (int64_t)(task->vruntime - rq->min_vruntime);

    task->vruntime = (uint64_t)(ahead < -LATENCY / 2 ? -LATENCY / 2 : ahead);
}

static struct task *fair_candidate(struct runqueue *rq, uint32_t cpu)
{
    struct task *oldest = NULL;
    int looked = 0;

    for (struct rb_node *node = rq->fair_first; node && looked < 32; node = rb_next(node)) {
        struct task *task = rb_entry(node, struct task, run_node);

        looked++;
        if (task->affinity >> cpu & 1 && (!oldest || task->placed < oldest->placed)) {
            oldest = task;
        }
    }
    return oldest;
}

const struct sched_class fair_class = {
    "fair", fair_enqueue, fair_dequeue, fair_pick_next, fair_charge, fair_slice, fair_preempts,
    fair_yield, fair_leave, fair_candidate,
};
