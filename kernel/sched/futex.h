/* Futexes (futex(2)). */
#ifndef SCHED_FUTEX_H
#define SCHED_FUTEX_H
#include "lib/types.h"
/* Sleep while *word == value. 0, -EAGAIN, -EFAULT, -ETIMEDOUT, -ERESTARTSYS. */
long futex_wait(int __user *word, uint32_t value, uint32_t bitset, bool shared, ktime_t deadline);
/* Wake at most `count`, but one if there is one; how many were. */
long futex_wake(int __user *word, int count, uint32_t bitset, bool shared);
/* Wake `count`, move `move` others to `to`. compare: -EAGAIN unless *word == value. */
long futex_requeue(int __user *word, int count, int move, int __user *to, bool compare,
                   uint32_t value, bool shared);
/* robust.c. The current task ends or executes: the locks in its robust list have no owner now. */
void futex_release_robust(void);
void futex_init(void);
#endif
