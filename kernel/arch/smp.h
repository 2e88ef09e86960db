/* The other CPUs: starting them, and having them do something for this one. */
#ifndef ARCH_SMP_H
#define ARCH_SMP_H

#include "lib/types.h"

/*
 * Start every usable CPU of the MADT, one after another. `prepare` makes what CPU `id` needs and
 * returns the top of its first stack (0: leave the CPU out); `run` is called there, interrupts
 * off, and does not return. Called once, by the first CPU, interrupts on.
 */
void smp_start(vaddr_t (*prepare)(uint32_t id), void (*run)(void));

/*
 * Run function(argument) on the CPUs of `mask` (bit: id) that are not this one, in their interrupt
 * handler, and wait until all have. Preemption off, interrupts on, no spinlock held that an
 * interrupt handler or the function takes.
 */
void smp_call(uint64_t mask, void (*function)(void *), void *argument);

/* Make CPU `id` look at need_resched and at its task's `notify` soon. */
void smp_kick(uint32_t id);
extern void (*smp_kick_hook)(void); /* there, interrupts off */

#endif
