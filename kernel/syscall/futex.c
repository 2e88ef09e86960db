/* Calls on futexes and on what the end of a thread does to them. */
#include "sched/futex.h"

#include "lib/errno.h"
#include "mm/kmalloc.h"
#include "mm/uaccess.h"
#include "sched/task.h"
#include "syscall/calls.h"

enum {
    FUTEX_WAIT, FUTEX_WAKE, FUTEX_REQUEUE = 3, FUTEX_CMP_REQUEUE, FUTEX_WAKE_OP, FUTEX_LOCK_PI,
    FUTEX_UNLOCK_PI, FUTEX_TRYLOCK_PI, FUTEX_WAIT_BITSET, FUTEX_WAKE_BITSET, FUTEX_LOCK_PI2 = 13,
    FUTEX_COMMAND = 127, FUTEX_PRIVATE = 128, FUTEX_CLOCK_REALTIME = 256,
};

static __attribute__((noinline)) long futex_wait_timed(int __user *word, uint32_t value, uint32_t bitset,
                                                       int operation, const struct timespec __user *timeout)
{
    bool relative = (operation & FUTEX_COMMAND) == FUTEX_WAIT;
    ktime_t deadline = time_from_user(timeout);
    long result;

    if (deadline < 0) {
        return deadline;
    }
    if (bitset == 0) {
        return -EINVAL;
    }
    if (relative) {
        deadline = wait_deadline(deadline);
    } else if (operation & FUTEX_CLOCK_REALTIME) {
        deadline -= clock_realtime_offset;
    }
    result = futex_wait(word, value, bitset, !(operation & FUTEX_PRIVATE), deadline);
    if (result != -ERESTARTSYS) {
        return result;
    }
    return relative ? wait_interrupted(deadline) : -ERESTARTNOHAND;
}

static long futex_wait_user(int __user *word, uint32_t value, uint32_t bitset, int operation,
                            const struct timespec __user *timeout)
{
    if (timeout) {
        return futex_wait_timed(word, value, bitset, operation, timeout);
    }
    return bitset ? futex_wait(word, value, bitset, !(operation & FUTEX_PRIVATE), KTIME_NEVER) : -EINVAL;
}

/* Until a point in time, of CLOCK_REALTIME for FUTEX_LOCK_PI. */
static __attribute__((noinline)) long futex_lock_user(int __user *word, int operation,
                                                      const struct timespec __user *timeout)
{
    bool real = (operation & FUTEX_COMMAND) == FUTEX_LOCK_PI || operation & FUTEX_CLOCK_REALTIME;
    ktime_t deadline = KTIME_NEVER;

    if (timeout) {
        deadline = time_from_user(timeout);
        if (deadline < 0) {
            return deadline;
        }
        deadline -= real ? clock_realtime_offset : 0;
    }
    return futex_lock_pi(word, !(operation & FUTEX_PRIVATE), false, deadline);
}

/* What `code` makes of the word: its op in the top 4 bits, its argument in bits 12 to 23 (futex(2)). */
static long wake_op_apply(uint32_t code, uint32_t old, uint32_t *fresh)
{
    uint32_t argument = (uint32_t)((int32_t)(code << 8) >> 20);

    if (code >> 28 & 8) { /* FUTEX_OP_ARG_SHIFT */
        argument = 1u << (argument & 31);
    }
    switch (code >> 28 & 7) {
    case 0: *fresh = argument; return 0;
    case 1: *fresh = old + argument; return 0;
    case 2: *fresh = old | argument; return 0;
    case 3: *fresh = old & ~argument; return 0;
    case 4: *fresh = old ^ argument; return 0;
    default: return -ENOSYS;
    }
}

/* Does the old value pass the comparison in bits 24 to 27? */
static long wake_op_compare(uint32_t code, int32_t old)
{
    int32_t argument = (int32_t)(code << 20) >> 20;

    switch (code >> 24 & 15) {
    case 0: return old == argument;
    case 1: return old != argument;
    case 2: return old < argument;
    case 3: return old <= argument;
    case 4: return old > argument;
    case 5: return old >= argument;
    default: return -ENOSYS;
    }
}

/* Change *word2, wake `count` at `word`, and if *word2 was as `code` asks, `count2` there, too. A waiter
 * looks at its word after it is queued, so the change needs no lock. */
static __attribute__((noinline)) long futex_wake_op(int __user *word, int count, int count2,
                                                    int __user *word2, uint32_t code, bool shared)
{
    long seen, before, passes, woken, more;
    uint32_t fresh;

    if (((vaddr_t)word | (vaddr_t)word2) & 3) {
        return -EINVAL;
    }
    if (!user_range_ok(word, 4) || !user_range_ok(word2, 4)) {
        return -EFAULT;
    }
    for (seen = uaccess_load(word2); seen >= 0; seen = before) {
        long error = wake_op_apply(code, (uint32_t)seen, &fresh);

        if (error) {
            return error;
        }
        before = uaccess_exchange(word2, (uint32_t)seen, fresh);
        if (before == seen) {
            break;
        }
    }
    if (seen < 0) {
        return -EFAULT;
    }
    passes = wake_op_compare(code, (int32_t)seen);
    if (passes < 0) {
        return passes;
    }
    woken = futex_wake(word, count, ~0u, shared);
    more = passes && woken >= 0 ? futex_wake(word2, count2, ~0u, shared) : 0;
    return woken < 0 || more < 0 ? -EFAULT : woken + more;
}

long sys_futex(int __user *word, int operation, uint32_t value, uint64_t timeout,
               int __user *word2, uint32_t value3)
{
    int command = operation & ~(FUTEX_PRIVATE | FUTEX_CLOCK_REALTIME);
    bool shared = !(operation & FUTEX_PRIVATE);

    if (operation & FUTEX_CLOCK_REALTIME && command != FUTEX_WAIT_BITSET && command != FUTEX_LOCK_PI2) {
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
    case FUTEX_WAKE_OP:
        return futex_wake_op(word, (int)value, (int)timeout, word2, value3, shared);
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2:
        return futex_lock_user(word, operation, (const struct timespec __user *)timeout);
    case FUTEX_TRYLOCK_PI:
        return futex_lock_pi(word, shared, true, KTIME_NEVER);
    case FUTEX_UNLOCK_PI:
        return futex_unlock_pi(word, shared);
    default:
        return -ENOSYS;
    }
}

/* A struct futex_waitv of the user's, as ours. 0, -EFAULT, -EINVAL. */
static long futex_word_from_user(struct futex_word *word, const struct futex_waitv __user *user)
{
    enum { FUTEX_32 = 2 };
    struct futex_waitv wish;

    if (get_user(wish, user)) {
        return -EFAULT;
    }
    if ((wish.flags & ~(unsigned)FUTEX_PRIVATE) != FUTEX_32 || wish.reserved) {
        return -EINVAL;
    }
    *word = (struct futex_word){
        (int __user *)wish.address, (uint32_t)wish.value, !(wish.flags & FUTEX_PRIVATE),
    };
    return 0;
}

long sys_futex_waitv(const struct futex_waitv __user *user, unsigned count, unsigned flags,
                     const struct timespec __user *timeout, int clock)
{
    enum { FUTEX_WAITV_MAX = 128 };
    ktime_t deadline = KTIME_NEVER;
    struct futex_word *words;
    long result = 0;

    if (flags || !count || count > FUTEX_WAITV_MAX || !user ||
        (timeout && clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)) {
        return -EINVAL;
    }
    if (timeout) {
        deadline = time_from_user(timeout);
        if (deadline < 0) {
            return deadline;
        }
        deadline -= clock == CLOCK_REALTIME ? clock_realtime_offset : 0;
    }
    words = kmalloc(count * sizeof(*words));
    if (!words) {
        return -ENOMEM;
    }
    for (unsigned i = 0; i < count && !result; i++) {
        result = futex_word_from_user(&words[i], user + i);
    }
    if (!result) {
        result = futex_wait_any(words, count, deadline);
    }
    kfree(words);
    return result;
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
