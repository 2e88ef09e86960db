/* Deadline timers: a red-black tree by deadline, emptied from the left by the timer interrupt. */
#include "sched/timer.h"

#include "arch/spinlock.h"

static struct spinlock lock = SPINLOCK_INIT; /* protects the tree; interrupts off; a leaf */
static struct rb_root root;
static struct rb_node *first;

void timer_set(struct timer *timer, ktime_t deadline)
{
    uint64_t flags = spin_lock_irqsave(&lock);
    struct rb_node **link = &root.node, *parent = NULL;
    bool leftmost = true;

    if (timer->armed) {
        if (first == &timer->node) {
            first = rb_next(first);
        }
        rb_remove(&root, &timer->node);
    }
    timer->deadline = deadline;
    timer->armed = true;
    while (*link) {
        parent = *link;
        if (deadline < rb_entry(parent, struct timer, node)->deadline) {
            link = &parent->left;
        } else {
            link = &parent->right;
            leftmost = false;
        }
    }
    rb_insert(&root, &timer->node, parent, link);
    if (leftmost) {
        first = &timer->node;
        timer_arm(deadline);
    }
    spin_unlock_irqrestore(&lock, flags);
}

bool timer_cancel(struct timer *timer)
{
    uint64_t flags = spin_lock_irqsave(&lock);
    bool armed = timer->armed;

    if (armed) {
        if (first == &timer->node) {
            first = rb_next(first);
        }
        rb_remove(&root, &timer->node);
        timer->armed = false;
    }
    spin_unlock_irqrestore(&lock, flags);
    return armed;
}

ktime_t timer_next(void)
{
    struct rb_node *node = __atomic_load_n(&first, __ATOMIC_RELAXED);

    return node ? rb_entry(node, struct timer, node)->deadline : KTIME_NEVER;
}

ktime_t timer_run(void)
{
    ktime_t now = clock_now();

    for (;;) {
        uint64_t flags = spin_lock_irqsave(&lock);
        struct timer *timer = first ? rb_entry(first, struct timer, node) : NULL;

        if (!timer || timer->deadline > now) {
            spin_unlock_irqrestore(&lock, flags);
            return timer ? timer->deadline : KTIME_NEVER;
        }
        first = rb_next(first);
        rb_remove(&root, &timer->node);
        timer->armed = false;
        spin_unlock_irqrestore(&lock, flags);
        timer->expire(timer);
    }
}
