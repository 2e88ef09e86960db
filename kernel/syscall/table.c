/* The system calls by number (Linux x86-64, arch/x86/entry/syscalls/syscall_64.tbl). */
#include "syscall/calls.h"

#include "arch/trap.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "sched/task.h"
#include "trace/trace.h"

typedef long (*call_t)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);
call_t syscall_table[SYSCALLS_MAX];
static call_t real_calls[SYSCALLS_MAX];
const uint64_t syscall_count = SYSCALLS_MAX;
uint32_t syscall_unimplemented[SYSCALLS_MAX];

long syscall_unknown(uint64_t number)
{
    if (number < SYSCALLS_MAX) {
        __atomic_fetch_add(&syscall_unimplemented[number], 1, __ATOMIC_RELAXED);
    }
    return -ENOSYS;
}

static long syscall_missing(void)
{
    return syscall_unknown(task_frame(current)->orig_rax);
}

static const struct {
    int number;
    void *call;
} calls[] = {
#define SYSCALL(number, name, arguments) {number, (void *)sys_##name},
    SYSCALLS
#undef SYSCALL
};

/*
 * In place of every call while the trace is on, so that off it costs nothing at all. The
 * arguments are in the frame, too: there they survive the first trace_write() at no cost.
 */
static long traced_call(void)
{
    const struct trap_frame *frame = trap_user_frame(current->kernel_stack);
    uint32_t number = (uint32_t)frame->orig_rax;
    long result;

    trace_write(TRACE_SYSCALL, 0, number, frame->rdi);
    result = real_calls[number](frame->rdi, frame->rsi, frame->rdx, frame->r10, frame->r8,
                                frame->r9);
    trace_write(TRACE_SYSRET, 0, number, (uint64_t)result);
    return result;
}

void trace_syscalls(bool on)
{
    for (int i = 0; i < SYSCALLS_MAX; i++) {
        __atomic_store_n(&syscall_table[i], on ? (call_t)(void *)traced_call : real_calls[i],
                         __ATOMIC_RELAXED);
    }
}

void syscall_init(void)
{
    for (int i = 0; i < SYSCALLS_MAX; i++) {
        real_calls[i] = (call_t)(void *)syscall_missing;
    }
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
        real_calls[calls[i].number] = (call_t)calls[i].call;
    }
    trace_syscalls(false);
}
