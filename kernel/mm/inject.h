/*
 * Failures that are asked for: with the kernel option `inject` the Nth allocation of a process
 * fails, as if there were no memory (docs/testing.md). Without it each costs a branch.
 */
#ifndef MM_INJECT_H
#define MM_INJECT_H
#include "lib/types.h"

extern bool inject_on;

/* Upcall, defined in sched/inject.c: is this the one? It counts. `site`: who asks, for the trace. Any
 * context; takes no lock. */
bool inject_due(const void *site);

static inline bool inject_failure(const void *site)
{
    return unlikely(inject_on) && inject_due(site);
}
#endif
