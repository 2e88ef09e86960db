/*
 * Layer 2 from within: what a run loop keeps of a coroutine, and what its files and those of layer 3
 * give each other.
 */
#ifndef CO_LOOP_H
#define CO_LOOP_H
#include "internal.h"

enum loop_state { LOOP_READY = 1, LOOP_PARKED, LOOP_ENDED };

/* A thread's run loop; nobody but that thread uses it. */
struct co_loop {
    struct co_list ready, ended;
    size_t count, ready_count; /* that have not ended; of them in the queue */
    int jobs;                  /* on helper threads */
    int running;               /* co_run is under way */
    uint64_t switches, polls;
    int64_t longest_stall, clock_base;
    uint64_t longest_cycles, cycles_base; /* how long the culprit ran; when the clock was read */
    uint64_t turn_start;       /* in cycles: the end of the turn before, or of a look outside */
    char culprit[CO_NAME_SIZE];
};
#define POLL_EVERY 64 /* switches at the most */

/* A coroutine of a run loop. */
struct loop_co {
    struct co co; /* first, so that a handle leads to both */
    enum loop_state loop_state;
    struct co_list link;    /* ready queue, or the loop's list of the ended */
    void *argument, *result;
    const char *why;        /* it is parked, for co_dump */
    long why_number;
    const char *why_owner;  /* whose name is where it points: it has what this one waits for */
    int wake_result;        /* of the park */
    int canceled, detached;
    int can_be_readied;     /* it is in co_park */
    int firm;               /* its park is not ended by co_cancel */
    int64_t deadline;
    size_t timer_index;     /* place in the heap, from 1; 0: none */
    struct co_list joiners; /* struct join_wait */
    int joining;            /* how many have still to look at the result */
};
_Static_assert(sizeof(struct loop_co) <= CO_ROOM, "it lies where stack.c has room for it");

/* Of a handle whose co->loop is not NULL. */
static inline struct loop_co *loop_co_of(struct co *co)
{
    return (struct loop_co *)co;
}

/* The running one, where a run loop's coroutine runs: loop_here() has said so. */
static inline struct loop_co *loop_current(void)
{
    return loop_co_of(co_current);
}

/* loop.c */
struct co_loop *loop_mine(void);
/* The run loop of the running coroutine, or NULL outside. */
struct co_loop *loop_here(void);
/* Put the running one at the end of the ready queue and leave. */
void loop_give_way(void);
/* Park the running one. What loop_wake gave, -ETIMEDOUT, or -ECANCELED. */
int loop_park(const char *why, long number, int64_t deadline);
/* The same, for what cannot be given up: neither co_cancel nor time ends it. */
void loop_park_firmly(const char *why);
/* Make a parked one ready; its loop_park returns `result`. */
void loop_wake(struct loop_co *co, int result);
/* Jobs on helper threads that have not come back: the loop waits for them. */
void loop_count_job(struct co_loop *loop, int change);

/* watch.c: the stall watchdog. In CPU cycles: cheap enough for every switch. */
static inline uint64_t watch_cycles(void)
{
    return __builtin_ia32_rdtsc();
}
void watch_begin(struct co_loop *l);
/* The loop may have slept; the next turn begins now. */
static inline void watch_turn(struct co_loop *l)
{
    l->turn_start = watch_cycles();
}
/* `co` has had its turn and gave the CPU back; the next turn begins now. */
void watch_ran(struct co_loop *l, const struct loop_co *co);

/* io.c: how many descriptors coroutines of this thread are parked for. */
int io_waiting(void);
/* Ask the kernel for all of them, at most until `deadline`, and wake whose turn it is. */
void io_poll(int64_t deadline);
/* blocking.c: helper threads have finished. */
void blocking_finished(void);
/* In a forked child: what was shared with the parent is made anew. */
void io_forked(void);
void blocking_forked(void);
void preempt_forked(void);
void order_forked(void);
/* The loop has ended: give back what only it needs. */
void io_release(void);
void blocking_release(void);
void timer_release(void);

/* timer.c: a heap of coroutines by deadline. Reserve before; then nothing fails. */
int timer_reserve(size_t count);
void timer_add(struct loop_co *co);
void timer_remove(struct loop_co *co);
struct loop_co *timer_first(void);
#endif
