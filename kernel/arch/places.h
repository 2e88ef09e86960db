/*
 * Places in the kernel where a task can lose the CPU: before each lock that it takes and behind each
 * one that it gives back, while it holds no other. That is, wherever it switches preemption off or on.
 *
 * These two are an instruction of eight bytes each (percpu.h). Who wants to know of them has them
 * patched into calls, so that nobody else pays for it.
 */
#ifndef ARCH_PLACES_H
#define ARCH_PLACES_H
#include "lib/types.h"

/* From now on kernel_place() is called. One CPU; interrupts in any state. */
void places_patch(void);
/*
 * Upcall, defined in sched/explore.c: the current task, an exact one, is at a place, with preemption
 * off by one, for this call alone, and interrupts on. `site`: behind the place.
 */
void kernel_place(vaddr_t site);

/* Labels of assembly, not to be called by C: preempt_disable and preempt_enable, and the place. */
void places_disable(void);
void places_enable(void);

#endif
