/* The other CPUs: starting them, and having them do something for this one. */
#ifndef ARCH_SMP_H
#define ARCH_SMP_H

#include "lib/types.h"

/*
 * Start every usable CPU of the MADT, one after another. Called once, by the first CPU, interrupts
 * on. One that does not start ends it, with a line in the log.
 */
void smp_start(void);
/* Upcall, defined in sched/init.c: make what CPU `id` needs; the top of its first stack (0: leave the
 * CPU out). */
vaddr_t sched_prepare_cpu(uint32_t id);
/* Upcall, defined in sched/init.c: this CPU is up, and idle from now on. Interrupts off. */
void sched_idle(void) __attribute__((noreturn));

/*
 * Run function(argument) on the CPUs of `mask` (bit: id) that are not this one, in their interrupt
 * handler, and wait until all have. Preemption off, interrupts on, no spinlock held that an
 * interrupt handler or the function takes.
 */
void smp_call(uint64_t mask, void (*function)(void *), void *argument);
/* VECTOR_CALL has come: do what the others have asked for. Interrupts off. */
void smp_answer_calls(void);

/* Make CPU `id` look at need_resched and at its task's `notify` soon. Any context; does not wait. */
void smp_kick(uint32_t id);
/* Upcall, defined in sched/core.c: what is done there, interrupts off. */
void sched_kicked(void);

#endif
