/*
 * Lab 3's kernel test `clocks`: what tasks of all nice values pay for short and long times, again
 * and again. The table is the one of sched(7) that fair.c has; the grader has its own.
 */
#include "policy.h"

#define ROUNDS 400

static const uint32_t weights[40] = {
    88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916, 9548, 7620, 6100, 4904,
    3906, 3121, 2501, 1991, 1586, 1277, 1024, 820, 655, 526, 423, 335, 272, 215, 172, 137, 110, 87,
    70, 56, 45, 36, 29, 23, 18, 15,
};

/* Up to 17 s: 34 bits, since a task may have been away from a timer that long under a debugger. */
static ktime_t clocks_time(uint64_t seed, uint64_t round)
{
    return (ktime_t)(lab_number(seed, round) >> (30 + round % 24));
}

/* One task, charged twice: the second time comes on top. */
static bool clocks_charge(struct runqueue *rq, uint64_t seed, uint64_t round, uint64_t *sum)
{
    struct task *task = &policy_tasks[round % POLICY_TASKS];
    uint64_t before = task->vruntime = lab_number(seed, 1000 + round), paid = 0;

    task->nice = (int)(lab_number(seed, 2000 + round) % 40) - 20;
    for (uint64_t time = 0; time < 2; time++) {
        ktime_t ran = clocks_time(seed, 2 * round + time);

        fair_class.charge(rq, task, ran);
        paid += (uint64_t)ran * 1024 / weights[task->nice + 20];
    }
    /* Of the two parts each may be rounded. */
    LAB_EXPECT(task->vruntime - before - paid + 2 <= 4,
               "step 3: add the time times WEIGHT_0, divided by the weight, in 64 bits",
               "a task of nice %d that ran for %ld and %ld ns has its clock %lu ns later",
               "%ld ns later",
               task->nice, clocks_time(seed, 2 * round), clocks_time(seed, 2 * round + 1), paid,
               (long)(task->vruntime - before));
    *sum += paid;
    return true;
}

static bool clocks(uint64_t seed)
{
    struct runqueue *rq = policy_begin();
    uint64_t sum = 0;
    bool right = true;

    for (uint64_t round = 0; round < ROUNDS && right; round++) {
        right = clocks_charge(rq, seed, round, &sum);
    }
    policy_end();
    printk("lab: value paid 0x%lx\n", sum);
    return right;
}
LAB_TEST(clocks);
