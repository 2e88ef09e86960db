/*
 * Lab 8: is each word that two threads may touch changed in one step, for other CPUs, too?
 *
 * `count++` may well be a single instruction. Then no preemption falls into it, and on one CPU it
 * is as good as an atomic one; on two CPUs it is not. So the instructions themselves are looked at
 * here.
 */
#ifndef LAB8_ATOMIC_H
#define LAB8_ATOMIC_H
#include "../../user/locks/locks.h"
#include "crew.h"
#include "step.h"

static struct {
    unsigned *word, last; /* what is watched, and what it was before this instruction */
    unsigned *sleeps_on;  /* another thread makes something else of this one, when the caller is */
    unsigned becomes;     /* about to sleep */
    uint64_t last_rip;
    int changes, plain;
} one;

/* A full fence behind a plain store does it as well: mfence. */
static int is_fence(uint64_t rip)
{
    return memcmp((const void *)rip, "\x0f\xae\xf0", 3) == 0 || step_is_atomic(rip);
}

static void look_at_word(const uint64_t *r)
{
    unsigned now = __atomic_load_n(one.word, __ATOMIC_SEQ_CST);

    if (now != one.last) {
        one.changes++;
        one.plain |= !step_is_atomic(one.last_rip) && !is_fence(r[STEP_RIP]);
    }
    if (one.sleeps_on && step_is_futex(r, 0, one.sleeps_on)) {
        *one.sleeps_on = one.becomes;
        now = *one.word;
    }
    one.last = now;
    one.last_rip = r[STEP_RIP];
}

/* From here to changed(). */
static void watch_changes(unsigned *word, unsigned *sleeps_on, unsigned becomes)
{
    memset(&one, 0, sizeof(one));
    one.word = word;
    one.last = *word;
    one.sleeps_on = sleeps_on;
    one.becomes = becomes;
    step_begin(look_at_word);
}

static void changed(const char *what, const char *function)
{
    step_end();
    EXPECT(one.changes > 0, "each word says what locks.h promises of it", "%s does not change `%s`",
           function, what);
    EXPECT(!one.plain, "a word that two threads may touch is changed by an atomic instruction",
           "%s changes `%s` by an ordinary one: another CPU may be at it at the same time",
           function, what);
}

static void ticket_steps(void)
{
    struct ticket_lock lock = {7, 7};

    grade_hint("step 2: to draw a number is one __atomic_fetch_add; `serving` is read by those who "
               "wait, so it is changed by an atomic step, too");
    watch_changes(&lock.next, NULL, 0);
    ticket_take(&lock);
    changed("next", "ticket_take");
    watch_changes(&lock.serving, NULL, 0);
    ticket_give(&lock);
    changed("serving", "ticket_give");
}

static void semaphore_steps(void)
{
    struct semaphore two = {2, 0};

    grade_hint("step 3: `count` and `sleepers` are changed by __atomic functions alone");
    watch_changes(&two.count, NULL, 0);
    semaphore_down(&two);
    changed("count", "semaphore_down");
    watch_changes(&two.count, NULL, 0);
    semaphore_up(&two);
    changed("count", "semaphore_up");
    two.count = 0;
    watch_changes(&two.sleepers, &two.count, 1);
    semaphore_down(&two);
    changed("sleepers", "semaphore_down, which has to wait,");
    EXPECT(two.sleepers == 0, "who goes on is no sleeper any more", "sleepers %u", two.sleepers);
}

static void rw_steps(void)
{
    struct rw_lock lock = {0};

    grade_hint("step 5: `readers` and `writer_waits` are changed by __atomic functions alone: "
               "readers leave without the door");
    watch_changes(&lock.readers, NULL, 0);
    read_take(&lock);
    changed("readers", "read_take");
    watch_changes(&lock.readers, NULL, 0);
    read_give(&lock);
    changed("readers", "read_give");
    lock.readers = 1;
    watch_changes(&lock.writer_waits, &lock.readers, 0);
    write_take(&lock);
    changed("writer_waits", "write_take, while a reader is inside,");
}

static void atomic_steps(void)
{
    ticket_steps();
    semaphore_steps();
    rw_steps();
    grade_value("atomic", grade_number(39));
}
#endif
