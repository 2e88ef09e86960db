/* Lab 3's kernel test `slices`: how long a turn is when so many others wait. */
#include "policy.h"

static bool slices_one(struct runqueue *rq, int waiting, int nice, uint64_t *sum)
{
    ktime_t share = LATENCY / (waiting + 1), wanted = share > SLICE_MIN ? share : SLICE_MIN, seen;

    rq->runnable = waiting;
    rq->running->nice = nice;
    seen = fair_class.slice(rq, rq->running);
    LAB_EXPECT(seen - wanted + 1 <= 2 && wanted - seen + 1 <= 2,
               "step 5: those who wait and the one that runs share LATENCY; SLICE_MIN is the least",
               "a slice of %ld ns when %d others wait", "%ld ns", wanted, waiting, seen);
    *sum += lab_mix((uint64_t)wanted + (uint64_t)waiting);
    return true;
}

static bool slices(uint64_t seed)
{
    struct runqueue *rq = policy_begin();
    uint64_t sum = lab_number(seed, 4);
    bool right = true;

    for (int waiting = 1; waiting <= 40 && right; waiting++) {
        right = slices_one(rq, waiting, (int)(lab_number(seed, (uint64_t)waiting) % 40) - 20, &sum);
    }
    policy_end();
    printk("lab: value slices 0x%lx\n", sum);
    return right;
}
LAB_TEST(slices);
