/*
 * Lab 3's kernel test `places`: tasks come into the tree and leave it, in an order of the seed's
 * choice, while their clocks overflow; some clocks are equal. After each step
 * the ends of the tree are looked at, and the order in which the tasks are picked at the end.
 */
#include "policy.h"

#define START (UINT64_MAX - 30) /* the clocks pass 0 */

static bool places_ends(const struct runqueue *rq, const char *what)
{
    LAB_EXPECT(rq->fair_first == rb_first(&rq->fair),
               "step 3: leftmost stays true only if you never went right",
               "rq->fair_first is the left end of the tree after %s", "another node", what);
    LAB_EXPECT(rq->fair_last == rb_last(&rq->fair),
               "step 3: rightmost stays true only if you never went left",
               "rq->fair_last is the right end of the tree after %s", "another node", what);
    return true;
}

static bool places_insert(struct runqueue *rq, uint64_t seed, uint64_t index, uint64_t round)
{
    struct task *task = &policy_tasks[index];

    task->tid = (pid_t)index;
    task->vruntime = START + lab_number(seed, round * 1000 + index) % 60;
    fair_class.enqueue(rq, task, ENQUEUE_AGAIN);
    return places_ends(rq, "an insertion");
}

/* Fill it; take every third out and put it in anew, behind its equals now. */
static bool places_fill(struct runqueue *rq, uint64_t seed)
{
    for (uint64_t i = 0; i < POLICY_TASKS; i++) {
        if (!places_insert(rq, seed, i, 0)) {
            return false;
        }
    }
    for (uint64_t i = 0; i < POLICY_TASKS; i += 3) {
        fair_class.dequeue(rq, &policy_tasks[i]);
        if (!places_ends(rq, "a removal") || !places_insert(rq, seed, i, 1)) {
            return false;
        }
    }
    return true;
}

static bool places_empty(struct runqueue *rq, uint64_t *sum)
{
    struct task *before = NULL, *task;

    for (uint64_t i = 0; i < POLICY_TASKS; i++) {
        task = fair_class.pick_next(rq);
        LAB_EXPECT(task, "step 3: each task hangs where its search ended", "%d tasks in the tree",
                   "only %lu", POLICY_TASKS, i);
        LAB_EXPECT(!before || (int64_t)(task->vruntime - before->vruntime) >= 0,
                   "step 3: left if it is before the parent (use fair_before(): clocks overflow), else right",
                   "the clock that is furthest behind is next, also when clocks pass 0",
                   "0x%lx after 0x%lx", task->vruntime, before->vruntime);
        *sum += lab_mix((uint64_t)task->tid + i);
        before = task;
    }
    return true;
}

static bool places(uint64_t seed)
{
    struct runqueue *rq = policy_begin();
    uint64_t sum = 0;
    bool right = places_fill(rq, seed) && places_empty(rq, &sum);

    policy_end();
    printk("lab: value order 0x%lx\n", sum);
    return right;
}
LAB_TEST(places);
