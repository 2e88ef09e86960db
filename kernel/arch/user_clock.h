/*
 * The clock of user mode: how many instructions the tasks of interest (`exact`, percpu.h) have
 * executed there, and a timer that comes after so many more of them. Under QEMU's icount an
 * instruction takes a nanosecond of both the TSC and the APIC's timer, so both are exact to one.
 *
 * What it takes is done at the ways in and out of the kernel (user_clock.asm). They replace the
 * usual ones when the clock is switched on, so that nobody else pays for it.
 */
#ifndef ARCH_USER_CLOCK_H
#define ARCH_USER_CLOCK_H

#include "arch/frame.h"

/* As it was at the last way into the kernel from an exact task. */
extern uint64_t user_clock;

/* Replace the ways into the kernel on this CPU, for good. At boot, after idt_init and lapic_init. */
void user_clock_init(void);
/* Does an instruction take a nanosecond here? Interrupts in any state. */
bool user_clock_is_exact(void);

/*
 * Upcall, defined in sched/explore.c: the current task, an exact one, is about to go to user mode;
 * interrupts off. Returns after how many instructions the timer is to come, 0: it is set. If
 * need_resched or user_work is set, that goes first, and it is asked again.
 */
uint32_t user_clock_leave(struct trap_frame *frame);
/* Upcall, defined in debug/explore.c: a debug exception of user mode. True: it was ours. */
bool user_clock_debug(struct trap_frame *frame);

/* Labels of assembly, not to be called: where MSR_LSTAR points, and the gates of the IDT. */
void user_clock_syscall(void);
extern const uint64_t user_clock_table[256];
extern volatile uint32_t *user_clock_timer; /* the register that starts the APIC's timer */

#endif
