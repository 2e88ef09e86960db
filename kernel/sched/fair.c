/*
 * Fair: each task gets CPU time in proportion to its weight. A task's virtual runtime is its CPU
 * time divided by its weight; the tree is ordered by it, and the leftmost runs next. Both ends of
 * the tree are at hand: a task that has run mostly goes to the right one.
 *
 * A task that slept comes back at most LATENCY behind the others: enough to run soon, not
 * enough to make up for all the time it did not want.
 */
#include "sched/sched.h"

#define LATENCY 12000000
#define WAKE_GRANULARITY 1000000
#define WEIGHT_0 1024

/* Weight by nice: a step changes the share by about a tenth (sched(7)); 1024 / 1.25^nice; and, the last,
 * NICE_IDLE's. */
static const uint32_t weights[41] = {
    88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916, 9548, 7620, 6100, 4904,
    3906, 3121, 2501, 1991, 1586, 1277, 1024, 820, 655, 526, 423, 335, 272, 215, 172, 137, 110, 87,
    70, 56, 45, 36, 29, 23, 18, 15, 3,
};

static struct task *fair_entry(struct rb_node *node)
{
    return rb_entry(node, struct task, run_node);
}

static bool fair_before(const struct task *a, const struct task *b)
{
    return (int64_t)(a->vruntime - b->vruntime) < 0;
}

/* The queue's time never goes back. `task` is the one that runs from now on, or that is alone. */
static void fair_move_time(struct runqueue *rq, const struct task *task)
{
    if ((int64_t)(task->vruntime - rq->min_vruntime) > 0) {
        rq->min_vruntime = task->vruntime;
    }
}

/* From now on the tree holds `task` alone; NULL: nobody. So it mostly is on a CPU with little to do: no search
 * then, and no balance. */
static void fair_hold_only(struct runqueue *rq, struct task *task)
{
    struct rb_node *node = task ? &task->run_node : NULL;

    if (task) {
        *node = (struct rb_node){.red = false};
    }
    rq->fair.node = rq->fair_first = rq->fair_last = node;
}

/* Adjust the virtual time of a task that does not simply go on. */
static void fair_set_start(struct runqueue *rq, struct task *task, enum enqueue_kind kind)
{
    if (kind == ENQUEUE_WOKEN) {
//@lab 3 sleeper begin
        if ((int64_t)(rq->min_vruntime - task->vruntime) > LATENCY / 2) {
            task->vruntime = rq->min_vruntime - LATENCY / 2;
        }
//@lab 3 sleeper stub
//|         /* Lab 3, step 4: it comes back with all the time that it did not use. */
//@lab 3 sleeper end
    } else if (kind == ENQUEUE_FRESH) { /* not before its parent: nobody gets more time by forking */
        task->vruntime = rq->min_vruntime + ((int64_t)task->vruntime > 0 ? task->vruntime : 0);
    } else if (kind == ENQUEUE_MOVED) {
        task->vruntime += rq->min_vruntime;
    }
}

static void fair_insert(struct runqueue *rq, struct task *task)
{
    struct rb_node **link = &rq->fair.node, *parent = NULL;
    bool leftmost = true, rightmost = true;

    assert_held(&rq->lock);
//@lab 3 order begin
    if (!fair_before(task, fair_entry(rq->fair_last))) {
        parent = rq->fair_last;
        link = &parent->right;
        leftmost = false;
    }
    while (*link) {
        parent = *link;
        if (fair_before(task, fair_entry(parent))) {
            link = &parent->left;
            rightmost = false;
        } else {
            link = &parent->right;
            leftmost = false;
        }
    }
//@lab 3 order stub
//|     if (rq->fair_last) { /* lab 3, step 3: a plain queue, first come first served */
//|         parent = rq->fair_last;
//|         link = &parent->right;
//|         leftmost = false;
//|     }
//@lab 3 order end
    if (leftmost) {
        rq->fair_first = &task->run_node;
    }
    if (rightmost) {
        rq->fair_last = &task->run_node;
    }
    rb_insert(&rq->fair, &task->run_node, parent, link);
}

static void fair_enqueue(struct runqueue *rq, struct task *task, enum enqueue_kind kind)
{
    assert_held(&rq->lock);
    fair_set_start(rq, task, kind);
    if (rq->fair_first) {
        fair_insert(rq, task);
    } else {
        fair_hold_only(rq, task);
    }
}

static void fair_dequeue(struct runqueue *rq, struct task *task)
{
    assert_held(&rq->lock);
    if (rq->fair_first == &task->run_node) {
        rq->fair_first = rb_next(&task->run_node);
    }
    if (rq->fair_last == &task->run_node) {
        rq->fair_last = rb_prev(&task->run_node);
    }
    rb_remove(&rq->fair, &task->run_node);
}

static struct task *fair_next(struct runqueue *rq, struct task *task)
{
    struct rb_node *node = task ? rb_next(&task->run_node) : rq->fair_first;

    assert_held(&rq->lock);
    return node ? fair_entry(node) : NULL;
}

static struct task *fair_pick_next(struct runqueue *rq)
{
    struct rb_node *first = rq->fair_first;
    struct task *task = fair_entry(first);

    assert_held(&rq->lock);
    if (!first) {
        return NULL;
    }
    fair_move_time(rq, task);
    if (first == rq->fair_last) {
        fair_hold_only(rq, NULL);
    } else {
        rq->fair_first = rb_remove_first(&rq->fair, first);
    }
    return task;
}

/* Tasks that yield take turns: behind the next one. Two of them change places in the tree. */
static struct task *fair_yield(struct runqueue *rq, struct task *task)
{
    struct rb_node *first = rq->fair_first;

    assert_held(&rq->lock);
    if (!first) {
        return task;
    }
    if (fair_before(task, fair_entry(first))) {
        task->vruntime = fair_entry(first)->vruntime;
    }
    if (first != rq->fair_last) {
        fair_insert(rq, task);
        return fair_pick_next(rq);
    }
    fair_hold_only(rq, task);
    fair_move_time(rq, fair_entry(first));
    return fair_entry(first);
}

static void fair_charge(struct runqueue *rq, struct task *task, ktime_t time)
{
    assert_held(&rq->lock);
//@lab 3 charge begin
    task->vruntime += task->nice == 0 ? (uint64_t)time
                                      : (uint64_t)time * WEIGHT_0 / weights[task->nice + 20];
//@lab 3 charge stub
//|     (void)time, (void)weights; /* lab 3, step 3: time costs nothing */
//@lab 3 charge end
    /* While it is alone nobody is picked, but the queue's time must go on: who wakes up next is
     * measured by it. */
    if (!rq->fair_first) {
        fair_move_time(rq, task);
    }
}

static ktime_t fair_slice(struct runqueue *rq, struct task *task)
{
//@lab 3 slice begin
    ktime_t slice = LATENCY / (rq->runnable + 1);

    (void)task;
    return slice > SLICE_MIN ? slice : SLICE_MIN;
//@lab 3 slice stub
//|     (void)rq, (void)task;
//|     return LATENCY; /* lab 3, step 5: with many tasks a turn comes late */
//@lab 3 slice end
}

static bool fair_preempts(struct runqueue *rq, struct task *woken)
{
//@lab 3 wakeup begin
    return (int64_t)(rq->running->vruntime - woken->vruntime) > WAKE_GRANULARITY;
//@lab 3 wakeup stub
//|     (void)rq, (void)woken;
//|     return false; /* lab 3, step 4: who wakes up waits for its turn */
//@lab 3 wakeup end
}

/* Relative to the queue's virtual time, since another CPU's runs at another speed. */
static void fair_leave(struct runqueue *rq, struct task *task)
{
    int64_t ahead = (int64_t)(task->vruntime - rq->min_vruntime);

    assert_held(&rq->lock);
    task->vruntime = (uint64_t)(ahead < -LATENCY / 2 ? -LATENCY / 2 : ahead);
}

const struct sched_class fair_class = {
    .name = "fair",
    .enqueue = fair_enqueue,
    .dequeue = fair_dequeue,
    .next = fair_next,
    .pick_next = fair_pick_next,
    .yield = fair_yield,
    .charge = fair_charge,
    .slice = fair_slice,
    .preempts = fair_preempts,
    .leave = fair_leave,
};
