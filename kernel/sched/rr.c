/* Round robin: a queue, each task for the same slice. */
#include "sched/sched.h"

#define SLICE 10000000

static void rr_enqueue(struct runqueue *rq, struct task *task, bool woken)
{
    (void)woken;
    list_push_back(&rq->rr, &task->run_list);
}

static struct task *rr_pick_next(struct runqueue *rq)
{
    struct task *task;

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

static void rr_yield(struct runqueue *rq, struct task *task)
{
    (void)rq, (void)task;
}

const struct sched_class rr_class = {
    "rr", rr_enqueue, rr_pick_next, rr_charge, rr_slice, rr_preempts, rr_yield,
};
