/* The system calls by number (Linux x86-64, arch/x86/entry/syscalls/syscall_64.tbl). */
#include "syscall/calls.h"

#include "arch/trap.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "sched/task.h"

#define CALLS_MAX 512

typedef long (*call_t)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);
call_t syscall_table[CALLS_MAX];
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

void syscall_init(void)
{
    for (int i = 0; i < CALLS_MAX; i++) {
        syscall_table[i] = (call_t)(void *)missing;
    }
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
        syscall_table[calls[i].number] = (call_t)calls[i].call;
    }
}
