/*
 * Wait queues: sleep until a condition holds. Every sleep says for what (`reason`, `object`), for
 * ps, /proc/PID/wchan and the hang report.
 *
 * wait_event: the sleeper is queued and marked asleep before it looks at the condition, so a wake
 * that comes between looking and sleeping finds it.
 *
 * Besides tasks, a queue may hold hooks of poll and epoll. They want to know what happened, so
 * whoever wakes a queue that files show to them says so: events as in poll(2). Hooks are in front,
 * tasks behind, the one who waits longest first.
 *
 * Where each sleeper takes what there is and the next finds nothing (readers), one is woken, not all:
 * wake_first. Who took and left something calls wake_next.
 */
#ifndef SCHED_WAIT_H
#define SCHED_WAIT_H
#include "arch/clock.h"
#include "arch/spinlock.h"
#include "lib/errno.h"
#include "lib/list.h"
#include "sched/timer.h"

enum wait_reason {
    WAIT_NONE, WAIT_PIPE_READ, WAIT_PIPE_WRITE, WAIT_TTY_READ, WAIT_TTY_WRITE, WAIT_CHILD,
    WAIT_NANOSLEEP, WAIT_POLL, WAIT_FUTEX, WAIT_MUTEX, WAIT_SIGNAL, WAIT_VFORK, WAIT_THREADS,
    WAIT_STOPPED, WAIT_ACCEPT, WAIT_CONNECT, WAIT_SOCKET_READ, WAIT_SOCKET_WRITE,
    WAIT_EVENTFD_READ, WAIT_EVENTFD_WRITE, WAIT_TIMERFD, WAIT_EPOLL, WAIT_FIFO_OPEN, WAIT_FILE_LOCK,
    WAIT_EXPLORE, WAIT_INOTIFY, WAIT_REASONS,
};
extern const char *const wait_reason_names[WAIT_REASONS];

struct task;

struct wait_queue {
    struct spinlock lock; /* protects the list; from interrupts too. Before rq->lock */
    struct list entries;
};

struct wait_entry {
    struct list list;
    /* Interrupts off, queue's lock held. True: it was asleep, and takes what there is for one. */
    bool (*wake)(struct wait_entry *entry, int events);
    struct task *task;
};

/* A macro, so that each kind of queue has a class of its own in the debug build. */
#define wait_queue_init(queue) (spin_init(&(queue)->lock), list_init(&(queue)->entries))

/* The way of a wake-up through a long queue, in turns between which others may have its lock. */
struct wake_walk {
    struct wait_entry here, last; /* in the queue while it is `going`: where it goes on, and ends */
    int events;
    bool going;
};

/*
 * For a queue that is woken by interrupts, or under a spinlock, and that any number may be in: the
 * first few are woken at once, the others by a timer, a few at a time.
 */
struct wake_later {
    struct wait_queue *queue; /* its lock protects the rest */
    bool only_one;            /* all hooks, and one task: as wake_first. Never changed */
    struct wake_walk walk;
    int again; /* events that came meanwhile: once more for all */
    struct timer timer;
};

/* Once, before the queue is used; it is kept as long as `later`. */
void wake_later_init(struct wake_later *later, struct wait_queue *queue, bool only_one);
/* As wake_events, or as wake_first; the first few at once, also under a spinlock that is above the
 * queue's. Any context. */
void wake_in_turns(struct wake_later *later, int events);
/* Before the queue goes: nobody calls wake_in_turns any more. May wait for the timer's function. */
void wake_later_cancel(struct wake_later *later);

/* An entry whose `wake` is set, last in the queue; out of it. Any context; take the queue's lock. */
void wait_queue_add(struct wait_queue *queue, struct wait_entry *entry);
void wait_queue_remove(struct wait_queue *queue, struct wait_entry *entry);
/* The same, in front of the tasks: for hooks. */
void wait_queue_add_hook(struct wait_queue *queue, struct wait_entry *entry);
/* What the three below do where somebody waits. Takes the queue's lock, in turns. True: the one was found. */
bool wake_entries(struct wait_queue *queue, int events, bool only_one);

/*
 * Wake all tasks that sleep here, and the hooks that wait for any of `events` (0: none of them).
 * Any context. What made the condition true is visible to them.
 */
static inline void wake_events(struct wait_queue *queue, int events)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (!list_empty(&queue->entries)) {
        wake_entries(queue, events, false);
    }
}

static inline void wake_all(struct wait_queue *queue)
{
    wake_events(queue, ~0);
}

/* Wake the one who waits longest, of those who are still asleep, and those hooks. False: nobody was
 * asleep. */
static inline bool wake_first(struct wait_queue *queue, int events)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return !list_empty(&queue->entries) && wake_entries(queue, events, true);
}

/* There is more than the caller took: wake the next one, and no hook, which knows already. */
static inline void wake_next(struct wait_queue *queue)
{
    if (unlikely(!list_empty(&queue->entries))) {
        wake_first(queue, 0);
    }
}

void wait_init(void); /* the queues of mutexes: at boot, before the first one is waited for */

/* The `wake` of a task that sleeps: who is woken is out of the queue. */
bool wake_task(struct wait_entry *entry, int events);

/* The steps of the macros below. No spinlock is held. */
/* The current task counts as asleep from now until wait_unmark, so a wake-up finds it. */
void wait_mark(bool interruptible, enum wait_reason reason, uint64_t object);
/* The same, and before that it is put into the queue, if it is not there. */
void wait_start(struct wait_queue *queue, struct wait_entry *entry, bool interruptible,
                enum wait_reason reason, uint64_t object);
/* Give the CPU away, at most until `deadline`. 0: woken, look again; or why to stop: -ERESTARTSYS,
 * -ETIMEDOUT. It counts as running afterwards. */
long wait_sleep(bool interruptible, ktime_t deadline);
void wait_unmark(void); /* it counts as running, and has not slept */

/* `mark` is wait_mark() or wait_start(). */
#define wait_loop(mark, interruptible, condition, deadline)                                \
    ({                                                                                     \
        long wait_result = 0;                                                              \
                                                                                           \
        for (;;) {                                                                         \
            mark;                                                                          \
            if (condition) {                                                               \
                wait_unmark();                                                             \
                break;                                                                     \
            }                                                                              \
            wait_result = wait_sleep(interruptible, deadline);                             \
            if (condition) {                                                               \
                wait_result = 0;                                                           \
                break;                                                                     \
            }                                                                              \
            if (wait_result) {                                                             \
                break;                                                                     \
            }                                                                              \
        }                                                                                  \
        wait_result;                                                                       \
    })

#define wait_event_general(queue, interruptible, reason, object, condition, deadline)      \
    ({                                                                                     \
        struct wait_entry wait_self = {LIST_INIT(wait_self.list), wake_task, current};     \
        long wait_ended;                                                                   \
                                                                                           \
        wait_ended = wait_loop(wait_start((queue), &wait_self, interruptible, reason,      \
                                          (uint64_t)(object)),                             \
                               interruptible, condition, deadline);                        \
        if (!list_empty(&wait_self.list)) { /* else the waker is done with it */           \
            wait_queue_remove((queue), &wait_self);                                        \
        }                                                                                  \
        if ((interruptible) && unlikely(wait_ended) && (condition)) {                      \
            wait_ended = 0; /* chosen by wake_first while it gave up: nobody else is */    \
        }                                                                                  \
        wait_ended;                                                                        \
    })

/* Not to be interrupted: for what is sure to come soon. */
#define wait_event(queue, reason, object, condition) \
    ((void)wait_event_general(queue, false, reason, object, condition, KTIME_NEVER))
/* 0, or -ERESTARTSYS when a signal is pending. */
#define wait_event_interruptible(queue, reason, object, condition) \
    wait_event_general(queue, true, reason, object, condition, KTIME_NEVER)
/* The same, or -ETIMEDOUT. */
#define wait_event_timeout(queue, reason, object, condition, deadline) \
    wait_event_general(queue, true, reason, object, condition, deadline)
/* The same without a queue: whoever makes the condition true calls task_wake; or nobody does. */
#define wait_event_unqueued(reason, object, condition, deadline) \
    wait_loop(wait_mark(true, reason, (uint64_t)(object)), true, condition, deadline)
#endif
