/* Panics, and the other ends that show where each CPU was. panic() itself is in lib/log.h. */
#ifndef ARCH_PANIC_H
#define ARCH_PANIC_H

#include "arch/frame.h"

/* Panic about a trap in the kernel: its registers and its stack are shown. Any context. */
void panic_trap(struct trap_frame *frame, const char *what) __attribute__((noreturn));
/* The first program is no more: say how, "exited with status" 1, and leave. Any context. */
void machine_init_ended(const char *how, long number) __attribute__((noreturn));
/* The guest's time is over: show where each CPU is, and leave. From the timer's interrupt. */
void machine_timeout(void) __attribute__((noreturn));
/*
 * From trap.asm: an NMI. While a CPU panics it stops this one; otherwise tools/run asks where the
 * machine hangs. GS may be the user's.
 */
void nmi_dispatch(struct trap_frame *frame);

#endif
