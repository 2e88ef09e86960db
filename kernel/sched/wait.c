/* Sleeping and waking; see wait.h. Mutexes sleep here, too. */
#include "sched/wait.h"

#include "lib/mutex.h"
#include "sched/sched.h"

const char *const wait_reason_names[WAIT_REASONS] = {
    "-", "pipe read", "pipe write", "tty read", "tty write", "wait4", "nanosleep", "poll", "futex",
    "mutex", "sigsuspend", "vfork", "exec threads", "stopped", "accept", "connect", "socket read",
    "socket write", "eventfd read", "eventfd write", "timerfd", "epoll",
};

void (*mutex_wait_hook)(struct mutex *mutex);
void (*mutex_wake_hook)(struct mutex *mutex);

void wait_queue_add(struct wait_queue *queue, struct wait_entry *entry)
{
    uint64_t flags = spin_lock_irqsave(&queue->lock);

    list_push_back(&queue->entries, &entry->list);
    spin_unlock_irqrestore(&queue->lock, flags);
}

void wait_queue_remove(struct wait_queue *queue, struct wait_entry *entry)
{
    uint64_t flags = spin_lock_irqsave(&queue->lock);

    list_remove(&entry->list);
    spin_unlock_irqrestore(&queue->lock, flags);
}

void wake_slow(struct wait_queue *queue, int events, bool only_one)
{
    uint64_t flags = spin_lock_irqsave(&queue->lock);
    struct wait_entry *entry;

    list_for_each(entry, &queue->entries, list) {
        if (entry->wake(entry, events) && only_one) {
            break;
        }
    }
    spin_unlock_irqrestore(&queue->lock, flags);
}

static bool wake_task(struct wait_entry *entry, int events)
{
    (void)events;
    /* One that is not asleep looks at its condition before it sleeps: no lock for it. */
    return __atomic_load_n(&entry->task->state, __ATOMIC_RELAXED) != TASK_RUNNING &&
           task_wake(entry->task);
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
    if (!entry->task) {
        entry->task = current;
        entry->wake = wake_task;
        wait_queue_add(queue, entry);
    }
    wait_mark(interruptible, reason, object);
}

struct wake_timer {
    struct timer timer;
    struct task *task;
};

static void wake_by_timer(struct timer *timer)
{
    task_wake(container_of(timer, struct wake_timer, timer)->task);
}

static long sleep_until(ktime_t deadline)
{
    struct wake_timer wake = {.timer.expire = wake_by_timer, .task = current};

    if (clock_now() >= deadline) {
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
        return -ERESTARTSYS;
    }
    if (deadline != KTIME_NEVER) {
        return sleep_until(deadline);
    }
    schedule();
    return 0;
}

void wait_end(struct wait_queue *queue, struct wait_entry *entry)
{
    wait_unmark();
    wait_queue_remove(queue, entry);
}

/* Mutexes are many and seldom waited for: they share a few queues by address. */
static struct wait_queue mutex_queues[64];

static struct wait_queue *mutex_queue(struct mutex *mutex)
{
    return &mutex_queues[(uint64_t)mutex / 16 % ARRAY_SIZE(mutex_queues)];
}

static void mutex_wait(struct mutex *mutex)
{
    wait_event(mutex_queue(mutex), WAIT_MUTEX, mutex,
               __atomic_load_n(&mutex->state, __ATOMIC_ACQUIRE) != 2);
}

static void mutex_wake(struct mutex *mutex)
{
    wake_all(mutex_queue(mutex));
}

void wait_init(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(mutex_queues); i++) {
        wait_queue_init(&mutex_queues[i]);
    }
    mutex_wait_hook = mutex_wait;
    mutex_wake_hook = mutex_wake;
}
