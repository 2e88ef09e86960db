/*
 * Robust futexes: a task tells the kernel which locks it holds, in a list in its own memory
 * (get_robust_list(2)). When it ends or calls execve without unlocking them, each word gets
 * FUTEX_OWNER_DIED, and one waiter is woken.
 *
 *   head:  first entry | offset from an entry to its word | entry being taken or given back
 *   entry: next entry, and at the end the head's address
 *
 * The list may be damaged in every way: a pointer that does not work ends the walk, and a length
 * beyond any sense, too.
 */
#include "mm/uaccess.h"
#include "sched/futex.h"
#include "sched/task.h"

#define ROBUST_LIST_LIMIT 2048
#define PI 1ul /* in the low bit of an entry's address: of those futex_pi.c wakes a waiter */

struct robust_head {
    uint64_t first;
    int64_t offset;
    uint64_t pending;
};

/* The owner of *word has died. -EFAULT, -EINVAL. */
static long robust_release_word(int __user *word, pid_t owner, bool is_pi, bool is_pending)
{
    long seen, before;

    if ((vaddr_t)word & 3) {
        return -EINVAL;
    }
    if (!user_range_ok(word, 4)) {
        return -EFAULT;
    }
    seen = uaccess_load(word);
    for (;; seen = before) {
        if (seen < 0) {
            return -EFAULT;
        }
        /* It died between giving the word back and waking somebody. */
        if (is_pending && !is_pi && seen == 0) {
            return futex_wake(word, 1, ~0u, true) < 0 ? -EFAULT : 0;
        }
        if ((seen & FUTEX_TID_MASK) != (uint32_t)owner) {
            return 0;
        }
        before = uaccess_exchange(word, (uint32_t)seen,
                                  ((uint32_t)seen & FUTEX_WAITERS) | FUTEX_OWNER_DIED);
        if (before == seen) {
            break;
        }
    }
    if (seen & FUTEX_WAITERS && !is_pi) {
        futex_wake(word, 1, ~0u, true);
    }
    return 0;
}

static long robust_release_entry(uint64_t entry, int64_t offset, pid_t owner, bool is_pending)
{
    return robust_release_word((int __user *)((entry & ~PI) + (uint64_t)offset), owner, entry & PI,
                     is_pending);
}

void futex_release_robust(void)
{
    struct task *task = current;
    const uint64_t list = task->robust_list;
    struct robust_head head;
    uint64_t entry, next;
    int left = ROBUST_LIST_LIMIT;

    task->robust_list = 0;
    if (!list || get_user(head, (const struct robust_head __user *)list)) {
        return;
    }
    for (entry = head.first; (entry & ~PI) != list && left > 0; entry = next, left--) {
        /* First the next one: with the word, the entry may be given to somebody else. */
        long error = get_user(next, (const uint64_t __user *)(entry & ~PI));

        if ((entry & ~PI) != (head.pending & ~PI) &&
            robust_release_entry(entry, head.offset, task->tid, false)) {
            return;
        }
        if (error) {
            return;
        }
    }
    if (head.pending & ~PI) {
        robust_release_entry(head.pending, head.offset, task->tid, true);
    }
}
