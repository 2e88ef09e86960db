/*
 * The trace: a ring of records for each CPU, a flight recorder that tools/ktrace reads from the
 * guest's memory.
 *
 * A trace point is one line, `trace(TRACE_WAKE, ...)`, and while the trace is off one branch that
 * is never taken. This module is below sched and knows no tasks: sched tells where in a task its
 * tid is, and lists the tasks when a trace starts.
 */
#ifndef TRACE_TRACE_H
#define TRACE_TRACE_H
#include "lib/types.h"
#include "trace/events.h"
#include "trace/format.h"

extern bool trace_on;
extern struct trace_header ktrace_header;

/* Upcall, defined in sched/traced.c: where a task keeps its tid, from its start. */
extern const size_t trace_tid_offset;
/* Upcall, defined in sched/traced.c: say trace_task() and trace_name() of every task. */
void trace_all_tasks(void);
/* Upcall, defined in syscall/table.c: have each system call traced, or not. */
void trace_syscalls(bool on);
/*
 * Upcall, defined in mm/page.c: memory for good, zeroed, contiguous, in the direct map. NULL: there
 * is no such piece.
 */
void *trace_memory(size_t size);

/* A record by the current task on this CPU. Any context but an NMI. */
void trace_write(enum trace_event event, uint8_t flags, uint32_t x, uint64_t a);

static inline void trace(enum trace_event event, uint8_t flags, uint32_t x, uint64_t a)
{
    if (unlikely(trace_on)) {
        trace_write(event, flags, x, a);
    }
}

/* That a task exists, and what it is called: for the ring that outlives the events. */
void trace_task(uint32_t tid, uint32_t process, uint64_t a);
void trace_name(uint32_t tid, const char *name);

/* Say all tasks again: before what was said of old ones is overwritten. No spinlock is held. */
bool trace_snapshot_due(void);
void trace_snapshot(void);

/* As the command line says: trace=on, stop-when-full, or off, which is also the default. */
void trace_init(uint32_t cpus);
/* Start with a snapshot of all tasks. -ENOMEM. May sleep; one caller at a time. */
long trace_start(void);
void trace_stop(void);
#endif
