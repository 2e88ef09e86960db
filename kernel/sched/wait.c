/* Sleeping and waking; see wait.h. Mutexes sleep here, too. */
#include "sched/wait.h"

#include "lib/mutex.h"
#include "sched/sched.h"

#define MUTEX_SPINS 200 /* looks at a mutex, a pause each: some ten microseconds */
#define WAKE_TURN 32 /* entries that are woken before others may have the queue's lock */

const char *const wait_reason_names[WAIT_REASONS] = {
    "-", "pipe read", "pipe write", "tty read", "tty write", "wait4", "nanosleep", "poll", "futex",
    "mutex", "sigsuspend", "vfork", "exec threads", "stopped", "accept", "connect", "socket read",
    "socket write", "eventfd read", "eventfd write", "timerfd", "epoll", "fifo open",
    "file lock", "explore", "inotify",
};

void wait_queue_add(struct wait_queue *queue, struct wait_entry *entry)
{
    uint64_t flags = spin_lock_irqsave(&queue->lock);

    list_push_back(&queue->entries, &entry->list);
    spin_unlock_irqrestore(&queue->lock, flags);
}

void wait_queue_add_hook(struct wait_queue *queue, struct wait_entry *entry)
{
    uint64_t flags = spin_lock_irqsave(&queue->lock);

    list_push_back(queue->entries.next, &entry->list); /* before the first one */
    spin_unlock_irqrestore(&queue->lock, flags);
}

void wait_queue_remove(struct wait_queue *queue, struct wait_entry *entry)
{
    uint64_t flags = spin_lock_irqsave(&queue->lock);

    list_remove(&entry->list);
    spin_unlock_irqrestore(&queue->lock, flags);
}

static bool wake_nobody(struct wait_entry *entry, int events)
{
    (void)entry, (void)events;
    return false;
}

/* Wake a few entries, from *next on, which goes on to where they end: at `end`, or there are more. True:
 * `only_one`, and it was woken. The lock is held. */
static inline bool wake_few(struct list **next, const struct list *end, int events, bool only_one)
{
    for (int left = WAKE_TURN; *next != end && left > 0; left--) {
        struct wait_entry *entry = container_of(*next, struct wait_entry, list);

        *next = (*next)->next;
        if (entry->wake(entry, events) && only_one) {
            return true;
        }
    }
    return false;
}

/* The walk stops before `next`. The lock is held. */
static void walk_mark(struct wait_queue *queue, struct wake_walk *walk, struct list *next)
{
    walk->here.wake = walk->last.wake = wake_nobody;
    if (!walk->going) {
        list_push_back(&queue->entries, &walk->last.list);
        walk->going = true;
    }
    list_push_back(next, &walk->here.list);
}

/* The next few of those that were there when the walk began: it is `going` if there are more. True: `only_one`,
 * and it was woken. The lock is held. */
static bool walk_turn(struct wait_queue *queue, struct wake_walk *walk, bool only_one)
{
    struct list *next = queue->entries.next, *end = &queue->entries;
    bool taken;

    if (walk->going) {
        next = walk->here.list.next;
        end = &walk->last.list;
        list_remove(&walk->here.list);
    }
    taken = wake_few(&next, end, walk->events, only_one);
    if (!taken && next != end) {
        walk_mark(queue, walk, next);
    } else if (walk->going) {
        list_remove(&walk->last.list);
        walk->going = false;
    }
    return taken;
}

/* The queue is long: go on at `next`, in turns. The lock is held, and given back. */
static __attribute__((noinline)) bool walk_on(struct wait_queue *queue, struct list *next, int events,
                                              bool only_one, uint64_t flags)
{
    struct wake_walk walk;
    bool taken;

    walk.events = events;
    walk.going = false;
    walk_mark(queue, &walk, next);
    do {
        spin_unlock_irqrestore(&queue->lock, flags);
        flags = spin_lock_irqsave(&queue->lock);
        taken = walk_turn(queue, &walk, only_one);
    } while (walk.going);
    spin_unlock_irqrestore(&queue->lock, flags);
    return taken;
}

bool wake_entries(struct wait_queue *queue, int events, bool only_one)
{
    uint64_t flags = spin_lock_irqsave(&queue->lock);
    struct list *next = queue->entries.next;
    bool taken = wake_few(&next, &queue->entries, events, only_one);

    if (unlikely(!taken && next != &queue->entries)) {
        return walk_on(queue, next, events, only_one, flags);
    }
    spin_unlock_irqrestore(&queue->lock, flags);
    return taken;
}

/* Start waking for `events` (0: nothing new), or go on. */
static void wake_later_turn(struct wake_later *later, int events, bool go_on)
{
    uint64_t flags = spin_lock_irqsave(&later->queue->lock);
    bool going;

    later->again |= events;
    if (go_on || !later->walk.going) {
        if (!later->walk.going) {
            later->walk.events = later->again;
            later->again = 0;
        }
        walk_turn(later->queue, &later->walk, later->only_one);
    }
    going = later->walk.going || later->again;
    spin_unlock_irqrestore(&later->queue->lock, flags);
    if (going) {
        timer_set(&later->timer, 0);
    }
}

static void wake_more(struct timer *timer)
{
    wake_later_turn(container_of(timer, struct wake_later, timer), 0, true);
}

void wake_later_init(struct wake_later *later, struct wait_queue *queue, bool only_one)
{
    *later = (struct wake_later){.queue = queue, .only_one = only_one, .timer.expire = wake_more};
}

void wake_in_turns(struct wake_later *later, int events)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (!list_empty(&later->queue->entries)) {
        wake_later_turn(later, events, false);
    }
}

void wake_later_cancel(struct wake_later *later)
{
    timer_cancel(&later->timer);
    later->again = 0;
    if (later->walk.going) {
        list_remove(&later->walk.here.list);
        list_remove(&later->walk.last.list);
        later->walk.going = false;
    }
}

bool wake_task(struct wait_entry *entry, int events)
{
    (void)events;
    /* One that is not asleep looks at its condition before it sleeps: no lock for it. */
    if (__atomic_load_n(&entry->task->state, __ATOMIC_RELAXED) == TASK_RUNNING || !task_wake(entry->task)) {
        return false;
    }
    list_remove(&entry->list); /* from here on the task may be gone */
    return true;
}

void wait_mark(bool interruptible, enum wait_reason reason, uint64_t object)
{
    struct task *task = current;

    task->reason = reason;
    task->wait_object = object;
    __atomic_store_n(&task->state, interruptible ? TASK_SLEEPING : TASK_BLOCKED, __ATOMIC_SEQ_CST);
}

void wait_unmark(void)
{
    current->state = TASK_RUNNING;
    current->reason = WAIT_NONE;
}

void wait_start(struct wait_queue *queue, struct wait_entry *entry, bool interruptible,
                enum wait_reason reason, uint64_t object)
{
    uint64_t flags = spin_lock_irqsave(&queue->lock);

    if (list_empty(&entry->list)) {
        list_push_back(&queue->entries, &entry->list);
    }
    wait_mark(interruptible, reason, object);
    spin_unlock_irqrestore(&queue->lock, flags);
}

struct wake_timer {
    struct timer timer;
    struct task *task;
};

static void wake_by_timer(struct timer *timer)
{
    task_wake(container_of(timer, struct wake_timer, timer)->task);
}

static __attribute__((noinline)) long wait_until(ktime_t deadline)
{
    struct wake_timer wake = {.timer.expire = wake_by_timer, .task = current};

    if (clock_now() >= deadline) {
        wait_unmark();
        return -ETIMEDOUT;
    }
    timer_set(&wake.timer, deadline);
    schedule();
    timer_cancel(&wake.timer);
    return clock_now() >= deadline ? -ETIMEDOUT : 0;
}

long wait_sleep(bool interruptible, ktime_t deadline)
{
    if (interruptible && signal_interrupts()) {
        wait_unmark();
        return -ERESTARTSYS;
    }
    if (deadline != KTIME_NEVER) {
        return wait_until(deadline);
    }
    schedule();
    return 0;
}

/* Mutexes are many and seldom waited for: they share a few queues by address. */
static struct wait_queue mutex_queues[64];

static struct wait_queue *mutex_queue(struct mutex *mutex)
{
    return &mutex_queues[(uint64_t)mutex / 16 % ARRAY_SIZE(mutex_queues)];
}

void mutex_lock_held(struct mutex *mutex)
{
    for (int i = 0; cpu_count > 1 && i < MUTEX_SPINS; i++) {
        if (!__atomic_load_n(&mutex->state, __ATOMIC_RELAXED) && mutex_take(mutex)) {
            return;
        }
        cpu_pause();
    }
    while (__atomic_exchange_n(&mutex->state, 2, __ATOMIC_ACQUIRE) != 0) {
        wait_event(mutex_queue(mutex), WAIT_MUTEX, mutex,
                   __atomic_load_n(&mutex->state, __ATOMIC_ACQUIRE) != 2);
    }
}

/* The woken one leaves the state at 2, so the others are not forgotten: it wakes the next. */
void mutex_wake(struct mutex *mutex)
{
    struct wait_queue *queue = mutex_queue(mutex);
    struct wait_entry *entry;
    uint64_t flags = spin_lock_irqsave(&queue->lock);

    list_for_each(entry, &queue->entries, list) {
        if (entry->task->wait_object == (uint64_t)mutex && entry->wake(entry, 0)) {
            break;
        }
    }
    spin_unlock_irqrestore(&queue->lock, flags);
}

void wait_init(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(mutex_queues); i++) {
        wait_queue_init(&mutex_queues[i]);
    }
}
