/*
 * Who runs next. schedule() is the one door: every change of the CPU's task goes through it.
 * A policy is a table of functions; `sched=` on the kernel's command line chooses it.
 */
#ifndef SCHED_SCHED_H
#define SCHED_SCHED_H
#include "sched/task.h"

struct runqueue {
    struct spinlock lock; /* protects all below; interrupts off. A leaf. Held over the switch */
    struct task *running, *idle;
    int runnable; /* queued, without the one that runs */
    ktime_t slice_end;
    struct rb_root fair;
    struct rb_node *fair_first;
    uint64_t min_vruntime;
    struct list rr;
    uint64_t switches;
};

/* rq->lock is held for all. */
struct sched_class {
    const char *name;
    void (*enqueue)(struct runqueue *rq, struct task *task, bool woken);
    struct task *(*pick_next)(struct runqueue *rq); /* takes it off the queue; NULL: none */
    void (*charge)(struct runqueue *rq, struct task *task, ktime_t time);
    ktime_t (*slice)(struct runqueue *rq, struct task *task);
    bool (*preempts)(struct runqueue *rq, struct task *woken);
    void (*yield)(struct runqueue *rq, struct task *task);
};
extern const struct sched_class fair_class, rr_class, *sched_class;

/* Give the CPU to the best task. Interrupts in any state; no spinlock held. */
void schedule(void);
void sched_yield(void);
/* Make a sleeping or blocked task runnable. False: it was, or it is stopped or dead. */
bool task_wake(struct task *task);
/* The same for one that was stopped, too. */
void task_wake_stopped(struct task *task);
/* The first time on a queue. */
void sched_start(struct task *task);
void sched_init(void);
void sched_finish_switch(void);
struct task *switch_to(struct task *prev, struct task *next);
#endif
