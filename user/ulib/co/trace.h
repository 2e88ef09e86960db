/*
 * The library's records for the trace: kernel/trace/events.h says what they mean.
 *
 * Each thread with coroutines has a ring of its own, in which it writes without system calls, so
 * that what is shown is not disturbed. The ring comes from /dev/ktrace, if the kernel traces; on
 * other systems from the file that CO_TRACE names. Without either each hook is one branch.
 */
#ifndef CO_TRACE_H
#define CO_TRACE_H
#include "internal.h"

struct trace_record;
extern _Thread_local struct trace_record *co_trace_ring; /* NULL: off */
extern int co_trace_possible; /* or nobody has tried yet */

void co_traced_spawn(struct co *co);
/* NULL: the thread's own stack. Before co_current changes, when the states are the new ones. */
void co_traced_switch(struct co *from, struct co *to);
void co_traced_ready(struct co *co);
/* In a forked child: it must not write into its parent's ring. */
void co_traced_fork(void);
/* This thread's run loop ends. */
void co_traced_end(void);

static inline void co_trace_spawn(struct co *co)
{
    if (co_trace_possible) {
        co_traced_spawn(co);
    }
}

static inline int co_trace_on(void)
{
    return __builtin_expect(co_trace_ring != NULL, 0);
}

static inline void co_trace_ready(struct co *co)
{
    if (co_trace_on()) {
        co_traced_ready(co);
    }
}

static inline void co_trace_fork(void)
{
    if (co_trace_on()) {
        co_traced_fork();
    }
}

static inline void co_trace_end(void)
{
    if (co_trace_on()) {
        co_traced_end();
    }
}
#endif
