/*
 * What the debug build (make DEBUG=1) knows of each lock; in the ordinary one there is nothing of
 * it. Upcalls, defined in debug/lock_debug.c.
 */
#ifndef LIB_LOCK_DEBUG_H
#define LIB_LOCK_DEBUG_H
#include "lib/types.h"

#ifdef DEBUG
struct lock_debug {
    const char *class;   /* where it was initialised; locks of one class have one place in the order */
    bool nested; /* two of its class may be held; what they belong to has an order of its own */
};
/* About to take a lock: one that sleeps (a mutex), or one that is only tried for. */
void lock_debug_acquire(struct lock_debug *lock, bool sleeps, bool tried);
void lock_debug_release(struct lock_debug *lock, bool sleeps);
/* Panics, unless this CPU holds the spinlock, or the current task the mutex. */
void lock_debug_check_held(const struct lock_debug *lock, const char *what);

/* An interrupt handler runs on this CPU, from here (true) to there. */
void lock_debug_interrupt(bool begins);
/* Before a panic about the spinlocks that this CPU holds: say where they were taken. */
void lock_debug_print_held(void);

/* The mutexes that a task holds. */
struct held_locks {
    int count;
    struct {
        struct lock_debug *lock;
        const void *site;
    } held[12];
};

#define LOCK_DEBUG(statement) statement
#else
#define LOCK_DEBUG(statement)
#endif

/* At the mouth of what needs a lock, of either kind: checked in the debug build, free otherwise. */
#define assert_held(lock) LOCK_DEBUG(lock_debug_check_held(&(lock)->debug, #lock))
#endif
