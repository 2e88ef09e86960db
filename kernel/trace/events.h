/*
 * Every event of the trace: the one list from which the C enums here and in user/ulib/co are
 * made, and the tables of tools/ktrace.
 *
 * EVENT(number, NAME, what x is, what `a` is). A number never changes its meaning.
 */
#ifndef TRACE_EVENTS_H
#define TRACE_EVENTS_H

#define TRACE_EVENTS(EVENT) \
    /* meta; TASK and NAME are about `tid`, not by it */ \
    EVENT(1, START, "CPUs", "TSC at clock 0") \
    EVENT(2, NAME, "offset", "8 characters") \
    EVENT(3, TASK, "process", "state, reason << 8, parent << 32") \
    EVENT(4, LOST, "", "records") /* no ring has it: the reader tells by it what is missing */ \
    /* sched */ \
    EVENT(8, SWITCH, "next", "state of the previous one") \
    EVENT(9, WAKE, "woken", "reason it was blocked for") \
    EVENT(10, CLONE, "child", "clone flags") \
    EVENT(11, EXEC, "tid before", "") \
    EVENT(12, EXIT, "process", "status") \
    EVENT(13, BLOCK, "reason", "object") \
    EVENT(14, MIGRATE, "moved", "from, to << 8") \
    /* system calls */ \
    EVENT(16, SYSCALL, "number", "first argument") \
    EVENT(17, SYSRET, "number", "result") \
    /* traps */ \
    EVENT(24, IRQ_IN, "vector", "") \
    EVENT(25, IRQ_OUT, "vector", "") \
    EVENT(26, FAULT, "error code", "address") \
    EVENT(27, SIGNAL, "signal", "receiver") \
    EVENT(28, IPI, "vector", "to CPU") \
    EVENT(29, NOMEM, "", "which call for memory was made to fail") \
    /* futexes */ \
    EVENT(32, FUTEX_WAIT, "", "address") \
    EVENT(33, FUTEX_WAKE, "woken", "address") \
    /* user mode: coroutines are numbered from 1 in their thread, 0 is the thread itself */ \
    EVENT(48, CO_SPAWN, "coroutine", "by coroutine") \
    EVENT(49, CO_IN, "coroutine", "CPU time of the thread in ns, 0: not known") \
    EVENT(50, CO_OUT, "coroutine", "CPU time of the thread in ns, 0: not known") \
    EVENT(51, CO_PARK, "coroutine", "why: 8 characters, at offset `flags`") \
    EVENT(52, CO_READY, "coroutine", "by coroutine") \
    EVENT(53, CO_EXIT, "coroutine", "") \
    EVENT(54, MARK, "number", "8 characters") \
    EVENT(55, CO_NAME, "coroutine", "8 characters, at offset `flags`") \
    EVENT(56, CO_DUE, "coroutine", "until when it parks, CLOCK_MONOTONIC in ns") \
    EVENT(57, CO_ON, "coroutine", "the descriptor or coroutine it parks on")

/* flags of SWITCH: why, and whether CR3 was loaded */
#define TRACE_WHYS(WHY) WHY(0, PREEMPT) WHY(1, YIELD) WHY(2, BLOCK) WHY(3, EXIT)
#define TRACE_CR3_LOADED 0x80

/* flags of WAKE: the woken task had not given its CPU away yet */
#define TRACE_WAKE_EARLY 1

/* flags of CO_OUT; RESUME: it goes on when another one, which it resumed, gives way */
#define TRACE_CO_OUTS(OUT) OUT(0, YIELD) OUT(1, PARK) OUT(2, EXIT) OUT(3, RESUME)

#define TRACE_EVENT_VALUE(number, name, x, a) TRACE_##name = number,
#define TRACE_WHY_VALUE(number, name) TRACE_WHY_##name = number,
#define TRACE_OUT_VALUE(number, name) TRACE_OUT_##name = number,
enum trace_event { TRACE_EVENTS(TRACE_EVENT_VALUE) };
enum trace_why { TRACE_WHYS(TRACE_WHY_VALUE) };
enum trace_co_out { TRACE_CO_OUTS(TRACE_OUT_VALUE) };
#endif
