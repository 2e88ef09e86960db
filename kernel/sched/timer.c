/*
 * Deadline timers: for each CPU a red-black tree by deadline, emptied from the left by its timer
 * interrupt. A timer belongs to the CPU that set it last.
 *
 * However many timers programs set, the interrupt takes half of the time at most: the next one comes
 * no sooner than after as much time as this one took.
 */
#include "sched/timer.h"

#include "arch/spinlock.h"

#define TURN 20000 /* so long functions are called in one interrupt; what is left comes with the next */

static struct timer_base {
    struct spinlock lock; /* protects all, and its timers; interrupts off; a leaf, but that two
                             are taken by address */
    struct rb_root root;
    struct rb_node *first;
    struct timer *running; /* its function is being called */
    bool busy;             /* timer_run sets the device when it is done */
} bases[CPU_MAX];

static void timer_unlock_base(struct timer_base *base, struct timer_base *also)
{
    if (base != also) {
        spin_unlock(&also->lock);
    }
    spin_unlock(&base->lock);
}

/*
 * Lock a timer's base, and `also`. The timer may be moving to another CPU's base just now: then
 * again.
 */
static struct timer_base *timer_lock_base(struct timer *timer, struct timer_base *also)
{
    for (;;) {
        struct timer_base *base = &bases[__atomic_load_n(&timer->cpu, __ATOMIC_RELAXED)];

        spin_lock(base < also ? &base->lock : &also->lock);
        if (base != also) {
            spin_lock(base < also ? &also->lock : &base->lock);
        }
        if (base == &bases[timer->cpu]) {
            return base;
        }
        timer_unlock_base(base, also);
    }
}

static void timer_remove(struct timer_base *base, struct timer *timer)
{
    assert_held(&base->lock);
    if (base->first == &timer->node) {
        base->first = rb_next(base->first);
    }
    rb_remove(&base->root, &timer->node);
    timer->armed = false;
}

static void timer_insert(struct timer_base *base, struct timer *timer)
{
    struct rb_node **link = &base->root.node, *parent = NULL;
    bool leftmost = true;

    assert_held(&base->lock);
    while (*link) {
        parent = *link;
        if (timer->deadline < rb_entry(parent, struct timer, node)->deadline) {
            link = &parent->left;
        } else {
            link = &parent->right;
            leftmost = false;
        }
    }
    rb_insert(&base->root, &timer->node, parent, link);
    timer->armed = true;
    if (leftmost) {
        base->first = &timer->node;
        if (!base->busy) {
            timer_arm(timer->deadline);
        }
    }
}

void timer_set(struct timer *timer, ktime_t deadline)
{
    uint64_t flags = irq_save();
    struct timer_base *mine = &bases[this_cpu(id)], *base = timer_lock_base(timer, mine);

    if (timer->armed) {
        timer_remove(base, timer);
    }
    timer->deadline = deadline;
    __atomic_store_n(&timer->cpu, this_cpu(id), __ATOMIC_RELAXED);
    timer_insert(mine, timer);
    timer_unlock_base(base, mine);
    irq_restore(flags);
}

bool timer_cancel(struct timer *timer)
{
    for (;;) {
        uint64_t flags = irq_save();
        struct timer_base *mine = &bases[this_cpu(id)], *base = timer_lock_base(timer, mine);
        bool armed = timer->armed, running = base->running == timer;

        if (armed) {
            timer_remove(base, timer);
        }
        timer_unlock_base(base, mine);
        irq_restore(flags);
        if (!running) {
            return armed;
        }
        cpu_pause(); /* another CPU calls its function, which may even set it again */
    }
}

bool timer_is_running(void)
{
    return bases[this_cpu(id)].running;
}

ktime_t timer_next(ktime_t but)
{
    const struct rb_node *first = bases[this_cpu(id)].first;

    if (first && rb_entry(first, struct timer, node)->deadline == but) {
        first = rb_next(first);
    }
    return first ? rb_entry(first, struct timer, node)->deadline : KTIME_NEVER;
}

void timer_init_cpu(uint32_t id)
{
    spin_init(&bases[id].lock);
}

ktime_t timer_run(void)
{
    struct timer_base *base = &bases[this_cpu(id)];
    const ktime_t start = clock_now();

    for (ktime_t now = start;; now = clock_now()) {
        uint64_t flags = spin_lock_irqsave(&base->lock);
        struct timer *timer = base->first ? rb_entry(base->first, struct timer, node) : NULL;

        base->running = NULL;
        base->busy = timer && timer->deadline <= start && now - start <= TURN;
        if (!base->busy) {
            ktime_t next = timer ? timer->deadline : KTIME_NEVER, soonest = now + (now - start);

            spin_unlock_irqrestore(&base->lock, flags);
            return next > soonest ? next : soonest;
        }
        timer_remove(base, timer);
        base->running = timer;
        spin_unlock_irqrestore(&base->lock, flags);
        timer->expire(timer);
    }
}
