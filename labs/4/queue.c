/*
 * Lab 4, queues_first: your kernel/sched/futex.c with doubles of the kernel
 * around it (doubles.h), in an ordinary program. The doubles are the other
 * thread, too: at each place where a waiter takes or gives a lock, looks at the
 * word or sleeps, in turn, the other one writes a new number and wakes. Of a
 * lock it does not wait for, as futex_wake does: it looks first whether the
 * queue is empty. What a CPU has written and no fence has pushed out, the other
 * one does not see.
 *
 * (Exploring schedules will do the same to the whole kernel.)
 */
#include "doubles.h"

#include "../../kernel/sched/futex.c"

enum page { THERE, NOT_YET, NEVER };

static int the_word;
static struct {
    int at, points; /* where the other one comes; places so far */
    enum page page;
    bool other;   /* it is at work */
    bool changed; /* it has been there */
    bool waits;   /* for the lock, to wake then */
    bool locked, fenced, woken;
    int looks;
} q;

static bool nobody_queued(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(buckets); i++) {
        if (!list_empty(&buckets[i].waiters)) {
            return false;
        }
    }
    return true;
}

static void wake_as_other(void)
{
    q.waits = false;
    q.other = true;
    futex_wake(&the_word, 1, ~0u, false);
    q.other = false;
}

static void other_may_come(void)
{
    if (q.other || q.points++ != q.at) {
        return;
    }
    q.changed = true;
    the_word ^= 1;
    if (q.locked) {
        q.waits = q.fenced && !nobody_queued();
    } else {
        wake_as_other();
    }
}

void double_lock(struct spinlock *lock)
{
    other_may_come();
    EXPECT(!lock->held, "a lock is given back before it is taken again", "it is taken twice");
    lock->held = q.locked = true;
    q.fenced = false;
}

void double_unlock(struct spinlock *lock)
{
    EXPECT(lock->held, "a lock that is given back was taken", "it was not");
    lock->held = q.locked = false;
    if (q.waits) {
        wake_as_other();
    }
    other_may_come();
}

/* Weaker ones let the CPU look before the others see what it has written: it is no instruction. */
void double_fence(int order)
{
    q.fenced = order == __ATOMIC_SEQ_CST && !nobody_queued();
}

void double_change(void)
{
    EXPECT(q.locked, "the queue changes only under its lock", "nobody has the lock");
}

long uaccess_load(const void *word)
{
    long seen = *(const uint32_t *)word;

    EXPECT(q.looks++ < 20, "at most a few looks at the word", "it looks again and again");
    if (q.page == NEVER || (q.page == NOT_YET && q.locked)) {
        seen = -EFAULT;
    } else {
        q.page = THERE;
    }
    other_may_come();
    return seen;
}

long wait_sleep(bool interruptible, ktime_t deadline)
{
    (void)interruptible, (void)deadline;
    EXPECT(!q.locked, "nobody sleeps with a lock", "it does");
    other_may_come();
    EXPECT(
        q.woken || !q.changed, "who goes to sleep is woken when the word changes",
        "never: the change came at place %d of futex_wait, and its wake found nobody in the queue",
        q.at);
    return q.woken ? 0 : -ETIMEDOUT;
}

void task_wake(struct task *task)
{
    (void)task;
    q.woken = true;
}

/* One futex_wait; the other thread comes at place `at` of it. False: there is no such place. */
static bool wait_once(unsigned value, enum page page, int at)
{
    long result;

    memset(&q, 0, sizeof(q));
    q.page = page;
    q.at = at;
    the_word = (int)value;
    result = futex_wait(&the_word, value, ~0u, false, 1);
    EXPECT(!q.locked && nobody_queued(),
           "no lock is held and nobody queued when futex_wait is over", "%s",
           q.locked ? "the lock is held" : "a waiter that is gone is queued");
    if (page == NEVER) {
        EXPECT(result == -EFAULT, "-EFAULT for a word that is not there", "%ld", result);
    } else if (q.changed) {
        EXPECT(result == 0 || result == -EAGAIN || (result == -ETIMEDOUT && !q.woken),
               "0 if it was woken, -EAGAIN if the word had changed", "%ld", result);
    } else {
        EXPECT(result == -ETIMEDOUT,
               "it sleeps until its time is over: the word is what it expects", "%ld", result);
    }
    return q.changed;
}

void queues_first(void)
{
    static const unsigned values[] = {0, 7, 0x80000000, 0xffffffff, -EFAULT};

    futex_init();
    for (int i = 0; i < 5; i++) {
        for (int page = THERE; page <= NEVER; page++) {
            wait_once(values[i], page, -1);
            for (int at = 0; wait_once(values[i], page, at); at++) {
            }
        }
    }
    grade_value("queued", grade_number(32));
}
