/* Futexes (futex(2)). */
#ifndef SCHED_FUTEX_H
#define SCHED_FUTEX_H
#include "lib/types.h"

/* What a word holds that robust.c and futex_pi.c know of: the owner's tid, and */
#define FUTEX_WAITERS 0x80000000u
#define FUTEX_OWNER_DIED 0x40000000u
#define FUTEX_TID_MASK 0x3fffffffu

struct futex_key {
    uint64_t space, address; /* space 0: a marker */
};
struct task;

/* Which futex the word is, see futex.c. May sleep. -EINVAL, -EFAULT. */
long futex_find_key(int __user *word, bool shared, struct futex_key *key);
/* For the first three: no spinlock is held. `shared`: other processes may wait for the word, too.
 * -EINVAL: `word` is not aligned; -EFAULT. */
/* Sleep if *word == value, until a wake whose bitset has a common bit. 0: woken; -EAGAIN: another
 * value; -ETIMEDOUT, -ERESTARTSYS. */
long futex_wait(int __user *word, uint32_t value, uint32_t bitset, bool shared, ktime_t deadline);
struct futex_word {
    int __user *word;
    uint32_t value;
    bool shared;
};
/* The same for the first of several words that is woken: its index. If one is woken while others are
 * still looked at, that counts. No spinlock is held. Also -ENOMEM. */
long futex_wait_any(const struct futex_word *words, unsigned count, ktime_t deadline);
/* Wake at most `count`, but one if there is one; how many. */
long futex_wake(int __user *word, int count, uint32_t bitset, bool shared);
/* Wake `count`, move `move` others to `to`; how many of both. `compare`: -EAGAIN unless *word ==
 * value. */
long futex_requeue(int __user *word, int count, int move, int __user *to, bool compare,
                   uint32_t value, bool shared);
/* robust.c. The current task ends or executes, and has its memory still: the locks in its robust list
 * have no owner now. May sleep. A damaged list ends it. */
void futex_release_robust(void);
/*
 * futex_pi.c. Locks whose owner inherits the priorities of those who wait; no spinlock is held.
 * To lock: 0; -EDEADLK: it would wait for itself; -ESRCH: the word names nobody; -EAGAIN: `only_try`, and
 * somebody has it; -ETIMEDOUT, -ERESTARTNOINTR, -ENOMEM. To unlock: -EPERM: another one has it.
 */
long futex_lock_pi(int __user *word, bool shared, bool only_try, ktime_t deadline);
long futex_unlock_pi(int __user *word, bool shared);
/* The task has another priority: so have those for whom it waits. */
void futex_pi_adjust(struct task *task);
/* The current task ends (`ends`) or executes, after the list was looked at: the locks that others wait for are
 * theirs. */
void futex_release_pi(bool ends);
void futex_init(void); /* at boot, before the first task */
#endif
