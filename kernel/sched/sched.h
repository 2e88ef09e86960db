/*
 * Who runs next. schedule() is the one door: every change of the CPU's task goes through it.
 * A policy is a table of functions; `sched=` on the kernel's command line chooses it (policy.c).
 */
#ifndef SCHED_SCHED_H
#define SCHED_SCHED_H
#include "sched/task.h"

struct runqueue {
    /* Protects all below; interrupts off. Held over the switch. Below it, another CPU's, but only
     * by trying. */
    struct spinlock lock;
    uint32_t cpu;
    struct task *running, *idle;
    bool marked_idle;  /* tasks are placed here first: nothing runs and nothing is queued */
    bool looking;      /* `idle` does not halt, but looks at need_resched; its own, without the lock */
    int runnable;      /* queued, without the one that runs; others look without the lock */
    ktime_t slice_start;
    struct rb_root fair;
    struct rb_node *fair_first, *fair_last;
    uint64_t min_vruntime;
    struct list queue; /* of policies that need no order of their own */
    ktime_t balance_at; /* look at the other CPUs then */
    uint32_t balance_seed;
    int hang_checks;    /* others have found no sign of life so often; by who looks */
    ktime_t alive;      /* when its timer interrupt came last; others look without the lock */
    ktime_t sampled[2]; /* of all its tasks: struct cpu_usage */
    struct cpu_times shown;
    uint64_t switches;
    ktime_t wanted;     /* when need_resched was set */
    ktime_t late[2];    /* the most that each came too late, for /proc/latency */
} __attribute__((aligned(64))); /* no two in a line of the cache */
extern struct runqueue runqueues[CPU_MAX];

/* Somebody kept interrupts off for so long, or preemption. */
enum { SCHED_LATE_INTERRUPT, SCHED_LATE_SWITCH };

/* A switch is wanted, or will be, from now on; if it is not already. */
static inline void sched_wanted(struct runqueue *rq, ktime_t now)
{
    rq->wanted = cpus[rq->cpu].need_resched ? rq->wanted : now;
}

static inline void sched_was_late(struct runqueue *rq, int what, ktime_t late)
{
    if (unlikely(late > rq->late[what])) {
        rq->late[what] = late;
    }
}

/* Most switches are by a task's own will: those are not late. */
static inline void sched_switch_comes(struct runqueue *rq, bool wanted, ktime_t now)
{
    if (wanted) {
        sched_was_late(rq, SCHED_LATE_SWITCH, now - rq->wanted);
    }
}

/* Policies of sched(7). */
enum {
    SCHED_OTHER, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_IDLE = 5, SCHED_DEADLINE,
    SCHED_RESET_ON_FORK = 0x40000000,
};
#define PRIORITY_MAX 99           /* of real-time tasks, from 1 on */
#define SCHED_RR_SLICE 100000000 /* ns, as on Linux */
#define NICE_IDLE 20              /* what SCHED_IDLE counts as */

static inline int task_policy(const struct task *task)
{
    return task->policy & ~SCHED_RESET_ON_FORK;
}

static inline bool policy_is_realtime(int policy)
{
    return policy == SCHED_FIFO || policy == SCHED_RR;
}

enum enqueue_kind {
    ENQUEUE_AGAIN, /* it ran until now */
    ENQUEUE_WOKEN,
    ENQUEUE_MOVED, /* from another CPU, after leave() */
    ENQUEUE_FRESH, /* its first time */
};

#define SLICE_MIN 1000000

/*
 * The policies by name; without `sched=` the first one runs. A new one is its word here, and a file
 * with a `struct sched_class NAME_class`.
 */
#define SCHED_POLICIES(policy) policy(fair) policy(rr) policy(explore)

/*
 * A policy: what it leaves out is done by a plain queue (policy.c). rq->lock is held for all but
 * init, and interrupts are off.
 */
struct sched_class {
    const char *name;
    void (*init)(struct runqueue *rq); /* once for each CPU, at boot */
    void (*enqueue)(struct runqueue *rq, struct task *task, enum enqueue_kind kind);
    void (*dequeue)(struct runqueue *rq, struct task *task);
    /* The queued task that comes after `task` (NULL: the first one), or NULL. Left out: rq->queue. */
    struct task *(*next)(struct runqueue *rq, struct task *task);
    /* Takes it off the queue; NULL: none. Left out: the first one. */
    struct task *(*pick_next)(struct runqueue *rq);
    /* Both at once: `task`, which runs, lets others go first. Queue it, and take off the next one (it, if
     * there is no other). Left out: it is put at the end. */
    struct task *(*yield)(struct runqueue *rq, struct task *task);
    /* `task` has run for `time`. Left out: it costs nothing. */
    void (*charge)(struct runqueue *rq, struct task *task, ktime_t time);
    /* How long the running task may run when others are queued; SLICE_MIN at least. */
    ktime_t (*slice)(struct runqueue *rq, struct task *task);
    /* Shall `woken` run before the running task? Left out: never. */
    bool (*preempts)(struct runqueue *rq, struct task *woken);
    /* `task` migrates: what it has of this queue's time becomes relative. */
    void (*leave)(struct runqueue *rq, struct task *task);
};
#define SCHED_POLICY_DECLARE(name) extern const struct sched_class name##_class;
SCHED_POLICIES(SCHED_POLICY_DECLARE)
extern struct sched_class sched_base;  /* the chosen one, complete; not changed after boot */
extern struct sched_class sched_class; /* the same, once there are real-time tasks with them over it */
/* Choose it: at boot, before the first task is queued. An unknown name is said in the log. */
void sched_choose_policy(void);

/* Give the CPU to the best task; it comes back when the caller is that again. A caller that is not
 * TASK_RUNNING sleeps until it is woken. Interrupts in any state, and so afterwards; panics if a
 * spinlock is held or preemption is off. */
void schedule(void);
/* The same, but others that are queued run first. */
void sched_yield(void);
/* Make a sleeping or blocked task runnable, and queue it. False: it was, or it is stopped or dead. The
 * caller knows that it does not go away. Interrupts off; takes the run queue's lock, so none is held. */
bool task_wake(struct task *task);
/* The same, and also for a stopped one. */
void task_wake_stopped(struct task *task);
/* Queue a new task, which is complete: it may have run to its end before this returns. Takes run
 * queues' locks. */
void sched_start(struct task *task);
/* Have the task look at its signals before it returns to user mode. tasks_lock is held, unless it is
 * the current task. */
void sched_notify(struct task *task);
/* The policy, the first CPU's run queue and its idle task, which the caller is from now on. Once. */
void sched_init(void);
/* How long the task may run on where others are queued, as things are. Takes its run queue's lock, as
 * the next two do. */
ktime_t sched_slice(struct task *task);
/* What a task has used, up to now if it runs. */
struct cpu_usage sched_usage(struct task *task);
/* For how long the CPU has had nothing to do, up to now; the rest of its time goes to *busy. */
ktime_t sched_idle_time(uint32_t id, struct cpu_times *busy);
/* Let the task run on these CPUs alone (bits by id, one of them running), from now on. */
void sched_set_affinity(struct task *task, uint64_t cpus);

/* The run queue of a task, locked, its running task's time counted; the task may be on its way to another
 * one. Interrupts off. */
struct runqueue *sched_lock_task(struct task *task);
/* Have the CPU of `rq`, which is locked, call schedule() soon; rq_charge() came before. */
void rq_reschedule(struct runqueue *rq);

/* realtime.c. Its policy and its own priority (0: it is not real-time) from now on. May sleep. */
void sched_set_policy(struct task *task, int policy, int priority);
/* The priority that it has inherited: it counts if it is higher. Any context. */
void sched_inherit(struct task *task, int priority);

/* balance.c. Interrupts off for all. */
/* The CPU for a task that is about to be queued: one of its affinity, which may
 * change until the queue is locked. */
uint32_t balance_place(const struct task *task, enum enqueue_kind kind);
/* rq->marked_idle has to change: the CPU has nothing to do, or has again; rq->lock is held. */
void balance_mark_idle(struct runqueue *rq, bool idle);
/* Take a task from another CPU's queue, or, `in_turn`, none where the one that runs should go first;
 * rq->lock is held. False: nobody has one to spare. */
bool balance_pull(struct runqueue *rq, bool in_turn);
/* Move a task that is queued between two queues, both locked. */
void balance_move(struct runqueue *from, struct runqueue *to, struct task *task);
/* Has no CPU anything to do? Without a lock: the answer may be old. */
bool balance_all_idle(void);
/* From the timer interrupt: pull a task when it is time. rq->lock is held. */
void balance_tick(struct runqueue *rq, ktime_t now);
#define HANG_LOOK (5 * SECOND)
/* Upcall, defined in debug/hang.c: does anything hang? From the timer interrupt, no lock held; on an
 * idle CPU every HANG_LOOK. */
void hang_tick(struct runqueue *rq, ktime_t now);

/*
 * The switch, switch.asm: `prev` yields here, `next` goes on where it yielded, with who ran before it.
 * Interrupts off, the run queue's lock held, before and after.
 */
struct task *switch_to(struct task *prev, struct task *next);
/* Where the first switch to a task returns to; and what it calls there, the lock still held. */
void task_first_switch(void);
void sched_finish_switch(struct task *prev);
/* switch.c: a new task's kernel stack, below its trap frame. `kernel`: it starts in the kernel. */
void switch_first_frame(struct task *task, bool kernel);
#endif
