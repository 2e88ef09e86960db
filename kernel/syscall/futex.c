/* Calls on futexes and on what the end of a thread does to them. */
#include "sched/futex.h"

#include "lib/errno.h"
#include "mm/uaccess.h"
#include "sched/task.h"
#include "syscall/calls.h"

enum {
    FUTEX_WAIT, FUTEX_WAKE, FUTEX_REQUEUE = 3, FUTEX_CMP_REQUEUE, FUTEX_WAIT_BITSET = 9,
    FUTEX_WAKE_BITSET, FUTEX_COMMAND = 127, FUTEX_PRIVATE = 128, FUTEX_CLOCK_REALTIME = 256,
};

static long futex_wait_user(int __user *word, uint32_t value, uint32_t bitset, int operation,
                            const struct timespec __user *timeout)
{
    bool relative = (operation & FUTEX_COMMAND) == FUTEX_WAIT;
    ktime_t deadline = KTIME_NEVER;
    long result;

    if (timeout) {
        deadline = time_from_user(timeout);
        if (deadline < 0) {
            return deadline;
        }
        if (relative) {
            deadline = wait_deadline(deadline);
        } else if (operation & FUTEX_CLOCK_REALTIME) {
            deadline -= clock_realtime_offset;
        }
    }
    if (bitset == 0) {
        return -EINVAL;
    }
    result = futex_wait(word, value, bitset, !(operation & FUTEX_PRIVATE), deadline);
    if (result != -ERESTARTSYS || !timeout) {
        return result;
    }
    return relative ? wait_interrupted(deadline) : -ERESTARTNOHAND;
}

long sys_futex(int __user *word, int operation, uint32_t value, uint64_t timeout,
               int __user *word2, uint32_t value3)
{
    int command = operation & FUTEX_COMMAND;
    bool shared = !(operation & FUTEX_PRIVATE);

    if (operation & FUTEX_CLOCK_REALTIME && command != FUTEX_WAIT_BITSET) {
        return -ENOSYS;
    }
    switch (command) {
    case FUTEX_WAIT:
        value3 = ~0u;
        __attribute__((fallthrough));
    case FUTEX_WAIT_BITSET:
        return futex_wait_user(word, value, value3, operation,
                               (const struct timespec __user *)timeout);
    case FUTEX_WAKE:
        value3 = ~0u;
        __attribute__((fallthrough));
    case FUTEX_WAKE_BITSET:
        return value3 ? futex_wake(word, (int)value, value3, shared) : -EINVAL;
    case FUTEX_REQUEUE:
    case FUTEX_CMP_REQUEUE:
        return futex_requeue(word, (int)value, (int)timeout, word2, command == FUTEX_CMP_REQUEUE,
                             value3, shared);
    default:
        return -ENOSYS;
    }
}

long sys_set_tid_address(int __user *word)
{
    current->clear_tid = word;
    return current->tid;
}

long sys_set_robust_list(uint64_t head, size_t size)
{
    if (size != 24) {
        return -EINVAL;
    }
    current->robust_list = head;
    return 0;
}

long sys_get_robust_list(pid_t tid, uint64_t __user *head, size_t __user *size)
{
    struct task *task = tid ? task_find(tid) : task_get(current);
    uint64_t list;

    if (!task) {
        return -ESRCH;
    }
    list = task->robust_list;
    task_put(task);
    return put_user(24, size) || put_user(list, head) ? -EFAULT : 0;
}
