/* The ways out of the machine. With `exit=debug` QEMU gets a private status (tools/run). */
#ifndef ARCH_EXIT_H
#define ARCH_EXIT_H

enum machine_exit_code {
    MACHINE_EXIT_POWEROFF = 0x10,
    MACHINE_EXIT_PANIC = 0x11,
    MACHINE_EXIT_RESTART = 0x12,
    MACHINE_EXIT_TIMEOUT = 0x13,
    MACHINE_EXIT_INIT = 0x14, /* the first program has ended */
};

void machine_poweroff(void) __attribute__((noreturn));
void machine_restart(void) __attribute__((noreturn));
/* Leave by the debug device if there is one; otherwise stop, or power off as the code says. */
void machine_exit(enum machine_exit_code code) __attribute__((noreturn));

/* The first program is no more: say how, "exited with status" 1, and leave. Any context. */
void machine_init_ended(const char *how, long number) __attribute__((noreturn));
/* The guest's time is over: show where each CPU is, and leave. From the timer's interrupt. */
void machine_timeout(void) __attribute__((noreturn));

/* Set panic_hook: registers, stack, exit. */
void panic_init(void);
struct trap_frame;
/* Panic about a trap in the kernel: its registers and its stack are shown. */
void panic_trap(struct trap_frame *frame, const char *what) __attribute__((noreturn));
/* The name of the function around `address` and the distance into it, or NULL. */
const char *symbol_find(unsigned long address, unsigned long *offset);
/* Print "  WHAT: function+offset [address]". */
void symbol_print(const char *what, const void *address);
/* crash=panic|overflow|hang|deadlock|shift|triple (main.c: starve) on the command line: do it now. */
void crash_if_asked(void);

#endif
