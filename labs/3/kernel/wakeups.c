/*
 * Lab 3's kernel tests `starts` and `takes_over`: where the clock of a woken task stands, and
 * whether it preempts: at the limits, by a nanosecond, and where clocks overflow.
 */
#include "policy.h"

static const uint64_t queue_times[] = {3 * LATENCY, 1ul << 40, UINT64_MAX - LATENCY, 5};

/* Woken `behind` ns behind the queue's time. */
static bool starts_at(struct runqueue *rq, uint64_t now, long behind)
{
    long at = behind > LATENCY / 2 ? LATENCY / 2 : behind;
    struct task *task = &policy_tasks[0];

    rq->min_vruntime = now;
    task->vruntime = now - (uint64_t)behind;
    fair_class.enqueue(rq, task, ENQUEUE_WOKEN);
    fair_class.dequeue(rq, task);
    LAB_EXPECT(task->vruntime == now - (uint64_t)at,
               "step 4: who is more than LATENCY / 2 behind is moved to that; others stay",
               "a task woken %ld ns behind the queue's clock 0x%lx goes on %ld ns behind it",
               "%ld ns behind", behind, now, at, (long)(now - task->vruntime));
    return true;
}

static bool starts(uint64_t seed)
{
    struct runqueue *rq = policy_begin();
    long near = (long)(lab_number(seed, 0) % (LATENCY / 2));
    long far = LATENCY / 2 + 1 + (long)(lab_number(seed, 1) >> 32);
    const long limit = LATENCY / 2;
    const long behind[] = {0, near, limit - 1, limit, limit + 1, LATENCY, far, -1, -near, -far};
    bool right = true;

    for (size_t i = 0; i < sizeof(queue_times) / sizeof(*queue_times); i++) {
        for (size_t k = 0; k < sizeof(behind) / sizeof(*behind) && right; k++) {
            right = starts_at(rq, queue_times[i], behind[k]);
        }
    }
    policy_end();
    printk("lab: value starts 0x%lx\n", lab_number(seed, 2));
    return right;
}
LAB_TEST(starts);

/* The running task is `ahead` ns ahead of the one that is woken. */
static bool takes_over_at(struct runqueue *rq, uint64_t now, long ahead)
{
    bool wanted = ahead > WAKE_GRANULARITY, seen;

    rq->running->vruntime = now;
    rq->running->nice = (int)((now + (uint64_t)ahead) % 40) - 20; /* which does not matter */
    policy_tasks[0].vruntime = now - (uint64_t)ahead;
    seen = fair_class.preempts(rq, &policy_tasks[0]);
    LAB_EXPECT(seen == wanted, "step 4: if the running task is ahead by more than WAKE_GRANULARITY",
               "a running task %ld ns ahead of the woken one is %s", "%s", ahead,
               wanted ? "preempted" : "left alone", wanted ? "left alone" : "preempted");
    return true;
}

static bool takes_over(uint64_t seed)
{
    struct runqueue *rq = policy_begin();
    long near = (long)(lab_number(seed, 0) % WAKE_GRANULARITY);
    long far = WAKE_GRANULARITY + 1 + (long)(lab_number(seed, 1) >> 24);
    const long limit = WAKE_GRANULARITY;
    const long ahead[] = {0, 1, near, limit - 1, limit, limit + 1, far, -1, -near, -far};
    bool right = true;

    for (size_t i = 0; i < sizeof(queue_times) / sizeof(*queue_times); i++) {
        for (size_t k = 0; k < sizeof(ahead) / sizeof(*ahead) && right; k++) {
            right = takes_over_at(rq, queue_times[i], ahead[k]);
        }
    }
    policy_end();
    printk("lab: value takes_over 0x%lx\n", lab_number(seed, 3));
    return right;
}
LAB_TEST(takes_over);
