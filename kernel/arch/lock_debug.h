/* The debug build's checks of locking: what arch and sched tell them. See lock_debug.c. */
#ifndef ARCH_LOCK_DEBUG_H
#define ARCH_LOCK_DEBUG_H
#include "lib/lock_debug.h"

#ifdef DEBUG
/* An interrupt handler runs on this CPU, from here to there. */
void lock_debug_interrupt(bool begins);
/* Before a panic about them. */
void lock_debug_print_held(void);
#endif
#endif
