/* The system calls by number (Linux x86-64, arch/x86/entry/syscalls/syscall_64.tbl). */
#include "syscall/calls.h"

#include "arch/trap.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "sched/task.h"
#include "trace/trace.h"

#define CALLS_MAX 512

typedef long (*call_t)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);
call_t syscall_table[CALLS_MAX];
static call_t real_calls[CALLS_MAX];
const uint64_t syscall_count = CALLS_MAX;
uint32_t syscall_unimplemented[CALLS_MAX];

long syscall_unknown(uint64_t number)
{
    if (number < CALLS_MAX) {
        __atomic_fetch_add(&syscall_unimplemented[number], 1, __ATOMIC_RELAXED);
    }
    return -ENOSYS;
}

static long missing(void)
{
    return syscall_unknown(task_frame(current)->orig_rax);
}

static const struct {
    int number;
    void *call;
} calls[] = {
#define SYSCALL(number, name) {number, (void *)sys_##name},
    SYSCALLS
#undef SYSCALL
};

static call_t find_call(uint64_t number)
{
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
        if ((uint64_t)calls[i].number == number) {
            return (call_t)calls[i].call;
        }
    }
    return (call_t)(void *)missing;
}

/* In place of every call while the trace is on, so that off it costs nothing at all. */
static long traced_call(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    uint64_t number = task_frame(current)->orig_rax;
    long result;

    trace(TRACE_SYSCALL, 0, (uint32_t)number, a);
    result = real_calls[number](a, b, c, d, e, f);
    trace(TRACE_SYSRET, 0, (uint32_t)number, (uint64_t)result);
    return result;
}

static void trace_calls(bool on)
{
    for (int i = 0; i < CALLS_MAX; i++) {
        __atomic_store_n(&syscall_table[i], on ? traced_call : real_calls[i], __ATOMIC_RELAXED);
    }
}

void syscall_init(void)
{
    for (uint64_t i = 0; i < CALLS_MAX; i++) {
        syscall_table[i] = real_calls[i] = find_call(i);
    }
    trace_syscalls_hook = trace_calls;
}
