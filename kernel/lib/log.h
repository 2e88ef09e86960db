/* The kernel log, panic and assertions. Sinks (serial, VGA) register themselves. */
#ifndef LIB_LOG_H
#define LIB_LOG_H
#include "lib/types.h"

typedef void (*log_sink_t)(const char *text, size_t size);

/* Add a sink (at most 4). Called with interrupts off and the log's lock held. */
void log_add_sink(log_sink_t sink);
/*
 * This CPU alone goes on, to tell why the machine ends. Whoever holds a lock has been stopped and
 * will not give it back, so the log and its sinks take none.
 */
extern bool log_alone;
/* One line or part of it; any context. */
void printk(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Copy at most size bytes of the newest log text. Returns the count; *lost: bytes before them. */
#define LOG_SIZE 65536u /* what is kept */
size_t log_read(char *buffer, size_t size, uint64_t *lost);
/* Stop the machine with a message and a backtrace. */
void panic(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
/*
 * How panics begin: interrupts off, other CPUs stopped, log_alone set. False: this is a panic within
 * a panic.
 */
bool panic_begin(void);
/*
 * Upcalls, defined in arch/panic.c: stop the other CPUs, or this one if another one panics; and what
 * follows the message: the stacks of all CPUs, then the machine is left.
 */
void panic_alone(void);
void panic_finish(void) __attribute__((noreturn));

#define assert(condition)                                                              \
    do {                                                                               \
        if (unlikely(!(condition))) {                                                  \
            panic("%s:%d: assertion failed: %s", __FILE__, __LINE__, #condition);      \
        }                                                                              \
    } while (0)

/* The same for preconditions of what is called all the time: in the debug build; free otherwise. */
#ifdef DEBUG
#define debug_assert(condition) assert(condition)
#else
#define debug_assert(condition)
#endif

#endif
