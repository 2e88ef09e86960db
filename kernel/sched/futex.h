/* Futexes (futex(2)). */
#ifndef SCHED_FUTEX_H
#define SCHED_FUTEX_H
#include "lib/types.h"
/* For the first three: no spinlock is held. `shared`: other processes may wait for the word, too.
 * -EINVAL: `word` is not aligned; -EFAULT. */
/* Sleep if *word == value, until a wake whose bitset has a common bit. 0: woken; -EAGAIN: another
 * value; -ETIMEDOUT, -ERESTARTSYS. */
long futex_wait(int __user *word, uint32_t value, uint32_t bitset, bool shared, ktime_t deadline);
/* Wake at most `count`, but one if there is one; how many. */
long futex_wake(int __user *word, int count, uint32_t bitset, bool shared);
/* Wake `count`, move `move` others to `to`; how many of both. `compare`: -EAGAIN unless *word ==
 * value. */
long futex_requeue(int __user *word, int count, int move, int __user *to, bool compare,
                   uint32_t value, bool shared);
/* robust.c. The current task ends or executes, and has its memory still: the locks in its robust list
 * have no owner now. May sleep. A damaged list ends it. */
void futex_release_robust(void);
void futex_init(void); /* at boot, before the first task */
#endif
