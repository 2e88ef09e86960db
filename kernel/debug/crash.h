/* The kernel option `crash`: see crash.c. */
#ifndef DEBUG_CRASH_H
#define DEBUG_CRASH_H

/* crash=NAME on the command line: do it now. On a stack with a guard page, interrupts on. */
void crash_if_asked(void);
/* crash=device: register it, before device_fill. */
void crash_device_init(void);

#endif
