/* The ways out of the machine. With `exit=debug` QEMU gets a private status (tools/run). */
#ifndef ARCH_EXIT_H
#define ARCH_EXIT_H

#include "lib/types.h"

enum machine_exit_code {
    MACHINE_EXIT_POWEROFF = 0x10,
    MACHINE_EXIT_PANIC = 0x11,
    MACHINE_EXIT_RESTART = 0x12,
    MACHINE_EXIT_TIMEOUT = 0x13,
    MACHINE_EXIT_INIT = 0x14, /* the first program has ended */
};

/*
 * From where the machine was left, for a debugger that has only its memory (ktracelib/core.py).
 * machine_exit() fills it, unless who leaves after a trap knows better and has done so.
 */
extern struct exit_registers {
    uint64_t rip, rsp, rbp;
} exit_registers;

/*
 * Leave by QEMU's debug device with `exit=debug`; otherwise power off or restart if the code says so,
 * and stop if not, or if the machine cannot. The other CPUs are stopped first. Any context.
 */
void machine_exit(enum machine_exit_code code) __attribute__((noreturn));
/* Upcall, defined in sched/explore_watch.c: say in the log what was tried when the machine failed. */
void machine_last_words(void);
/* The same with the code of their name. */
void machine_poweroff(void) __attribute__((noreturn));
void machine_restart(void) __attribute__((noreturn));
/* This CPU does nothing more: interrupts off, asleep. Any context. */
void machine_stop(void) __attribute__((noreturn));

#endif
