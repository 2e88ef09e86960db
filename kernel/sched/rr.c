/* Round robin: a queue, each task for the same slice. */
#include "sched/sched.h"

#define SLICE 10000000

static void rr_enqueue(struct runqueue *rq, struct task *task, enum enqueue_kind kind)
{
    assert_held(&rq->lock);
    (void)kind;
    list_push_back(&rq->rr, &task->run_list);
}

static void rr_dequeue(struct runqueue *rq, struct task *task)
{
    assert_held(&rq->lock);
    (void)rq;
    list_remove(&task->run_list);
}

static struct task *rr_pick_next(struct runqueue *rq)
{
    struct task *task;

    assert_held(&rq->lock);
    if (list_empty(&rq->rr)) {
        return NULL;
    }
    task = list_first(&rq->rr, struct task, run_list);
    list_remove(&task->run_list);
    return task;
}

static void rr_charge(struct runqueue *rq, struct task *task, ktime_t time)
{
    (void)rq, (void)task, (void)time;
}

static ktime_t rr_slice(struct runqueue *rq, struct task *task)
{
    (void)rq, (void)task;
    return SLICE;
}

static bool rr_preempts(struct runqueue *rq, struct task *woken)
{
    (void)rq, (void)woken;
    return false;
}

static void rr_leave(struct runqueue *rq, struct task *task)
{
    (void)rq, (void)task;
}

static struct task *rr_candidate(struct runqueue *rq, uint32_t cpu)
{
    struct task *task, *oldest = NULL;

    list_for_each(task, &rq->rr, run_list) {
        if (task->affinity >> cpu & 1 && (!oldest || task->placed < oldest->placed)) {
            oldest = task;
        }
    }
    return oldest;
}

const struct sched_class rr_class = {
    "rr", rr_enqueue, rr_dequeue, rr_pick_next, rr_charge, rr_slice, rr_preempts, rr_leave,
    rr_candidate,
};
