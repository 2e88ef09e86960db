/*
 * The policies: which there are, which one was chosen, and what a policy gets that leaves an
 * operation out. The operations given here make a plain queue: first come, first served.
 */
#include "arch/boot.h"
#include "lib/string.h"
#include "sched/sched.h"

#define QUEUE_SLICE 10000000 /* ns */

#define POLICY_ADDRESS(name) &name##_class,
static const struct sched_class *const policies[] = {SCHED_POLICIES(POLICY_ADDRESS)};
#define POLICY_COUNT (sizeof(policies) / sizeof(*policies))

struct sched_class sched_base, sched_class;

static void queue_init(struct runqueue *rq)
{
    list_init(&rq->queue);
}

static void queue_enqueue(struct runqueue *rq, struct task *task, enum enqueue_kind kind)
{
    (void)kind;
    assert_held(&rq->lock);
    list_push_back(&rq->queue, &task->run_list);
}

static void queue_dequeue(struct runqueue *rq, struct task *task)
{
    (void)rq;
    assert_held(&rq->lock);
    list_remove(&task->run_list);
}

static struct task *queue_next(struct runqueue *rq, struct task *task)
{
    struct list *next = task ? task->run_list.next : rq->queue.next;

    assert_held(&rq->lock);
    return next == &rq->queue ? NULL : container_of(next, struct task, run_list);
}

static struct task *queue_pick_next(struct runqueue *rq)
{
    struct task *task = sched_base.next(rq, NULL);

    if (task) {
        sched_base.dequeue(rq, task);
    }
    return task;
}

static struct task *queue_yield(struct runqueue *rq, struct task *task)
{
    sched_base.enqueue(rq, task, ENQUEUE_AGAIN);
    return sched_base.pick_next(rq);
}

static void queue_charge(struct runqueue *rq, struct task *task, ktime_t time)
{
    (void)rq, (void)task, (void)time;
}

static ktime_t queue_slice(struct runqueue *rq, struct task *task)
{
    (void)rq, (void)task;
    return QUEUE_SLICE;
}

static bool queue_preempts(struct runqueue *rq, struct task *woken)
{
    (void)rq, (void)woken;
    return false;
}

static void queue_leave(struct runqueue *rq, struct task *task)
{
    (void)rq, (void)task;
}

/* What `name` calls; NULL chooses the first. */
static const struct sched_class *policy_find(const char *name)
{
    for (size_t i = 0; i < POLICY_COUNT; i++) {
        if (!name || strcmp(name, policies[i]->name) == 0) {
            return policies[i];
        }
    }
    printk("sched: no policy \"%s\"; there are:", name);
    for (size_t i = 0; i < POLICY_COUNT; i++) {
        printk(" %s", policies[i]->name);
    }
    printk("\n");
    return policies[0];
}

void sched_choose_policy(void)
{
    const struct sched_class *chosen = policy_find(boot_option("sched"));

    /* A copy without gaps: each call is one through a pointer and asks nothing. */
    sched_base = (struct sched_class){
        .name = chosen->name,
        .init = chosen->init ?: queue_init,
        .enqueue = chosen->enqueue ?: queue_enqueue,
        .dequeue = chosen->dequeue ?: queue_dequeue,
        .next = chosen->next ?: queue_next,
        .pick_next = chosen->pick_next ?: queue_pick_next,
        .yield = chosen->yield ?: queue_yield,
        .charge = chosen->charge ?: queue_charge,
        .slice = chosen->slice ?: queue_slice,
        .preempts = chosen->preempts ?: queue_preempts,
        .leave = chosen->leave ?: queue_leave,
    };
    sched_class = sched_base;
}
