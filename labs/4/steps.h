/*
 * Lab 4: the mutex and the condition variable, looked at between any two of
 * their instructions.
 *
 * The handler is the other thread: at the instruction `other_at` it does its
 * one thing, in another run one instruction later, and so on. (Exploring
 * schedules will do more: two things, several threads.)
 */
#ifndef LAB4_STEPS_H
#define LAB4_STEPS_H
#include <limits.h>

#include "step.h"
#include "threads.h"

enum { FREE, HELD, HELD_QUEUED }; /* the mutex's word: user/ulib/thread/lock.h */
#define STEPS_MAX 150             /* more than any of these functions needs */

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    int at;         /* the instruction before which the other thread comes; -1: never */
    unsigned found; /* what it found in the word */
    int calls, waits, wakes, count;
    int early;       /* a wake while the word still was what the other one sleeps on */
    int private;     /* of the calls */
    unsigned before; /* the condition's number */
    int plain;       /* it was changed by an instruction that is not atomic */
    int result;
    uint64_t last_rip;
    unsigned last_sequence;
} st;

static void note_calls(const uint64_t *r, const volatile void *at)
{
    if (!step_is_call(r)) {
        return;
    }
    st.calls++;
    st.waits += step_is_futex(r, WAIT_BITS, at) || step_is_futex(r, 0, at);
    if (step_is_futex(r, 1, at)) {
        st.wakes++;
        st.count = (int)r[STEP_RDX];
    }
    st.private = (int)r[STEP_RSI] & PRIVATE;
}

static void restart(int at, unsigned lock)
{
    memset(&st, 0, sizeof(st));
    st.at = at;
    st.mutex.__lock = lock;
}

/* Take the lock as one does who comes to a held one: mark it. */
static void other_takes(const uint64_t *r)
{
    note_calls(r, &st.mutex.__lock);
    if (step_is_futex(r, 1, &st.mutex.__lock)) {
        st.early |= st.mutex.__lock == HELD_QUEUED && st.found != FREE;
    }
    if (step_count == st.at) {
        st.found = __atomic_exchange_n(&st.mutex.__lock, HELD_QUEUED, __ATOMIC_ACQUIRE);
    }
}

/* Take it if it is free, in one instruction. */
static void other_tries(const uint64_t *r)
{
    note_calls(r, &st.mutex.__lock);
    if (step_count == st.at) {
        st.found = FREE;
        if (__atomic_compare_exchange_n(&st.mutex.__lock, &st.found, HELD, 0, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED)) {
            st.found = FREE;
        }
    }
}

/* The mutex that somebody wants is free by the time of the call. */
static void other_drops(const uint64_t *r)
{
    note_calls(r, &st.mutex.__lock);
    if (step_is_futex(r, WAIT_BITS, &st.mutex.__lock) || step_is_futex(r, 0, &st.mutex.__lock)) {
        EXPECT(st.mutex.__lock == HELD_QUEUED && r[STEP_RDX] == HELD_QUEUED,
               "who goes to sleep has marked the word HELD_QUEUED, and sleeps while it is that",
               "word %u, futex_wait while it is %u", st.mutex.__lock, (unsigned)r[STEP_RDX]);
        __atomic_store_n(&st.mutex.__lock, FREE, __ATOMIC_RELEASE);
    }
    EXPECT(st.waits < 10, "the word is looked at again after each wait", "it waits for ever");
}

static void each_try(void)
{
    for (int at = 0; at == 0 || (step_count > at - 1 && at < STEPS_MAX); at++) {
        restart(at, FREE);
        st.found = HELD;
        step_begin(other_tries);
        st.result = pthread_mutex_trylock(&st.mutex);
        step_end();
        EXPECT(st.found != FREE || st.result != 0, "only one of two threads gets the mutex",
               "both: one came in front of instruction %d of lock_try", at);
        EXPECT(st.found != FREE || st.mutex.__lock == HELD,
               "a try that fails leaves the word as it is", "%u", st.mutex.__lock);
    }
    restart(-1, HELD_QUEUED);
    st.result = pthread_mutex_trylock(&st.mutex);
    EXPECT(st.result != 0 && st.mutex.__lock == HELD_QUEUED,
           "a try that fails leaves HELD_QUEUED there", "%u", st.mutex.__lock);
}

static void each_drop(void)
{
    for (int at = 0; at == 0 || (step_count > at - 1 && at < STEPS_MAX); at++) {
        restart(at, HELD);
        step_begin(other_takes);
        st.result = pthread_mutex_unlock(&st.mutex);
        step_end();
        EXPECT(!st.early, "the word is FREE before somebody is woken",
               "it is still HELD_QUEUED then: the woken one sleeps again, for ever");
        if (step_count > at && st.found != FREE) {
            EXPECT(st.wakes > 0, "who began to wait just now is woken",
                   "nobody is: it came in front of instruction %d of lock_drop", at);
            EXPECT(st.mutex.__lock == FREE, "the word is FREE", "%u", st.mutex.__lock);
        } else if (step_count > at) {
            EXPECT(st.mutex.__lock == HELD_QUEUED, "a mutex that another one has taken stays taken",
                   "%u", st.mutex.__lock);
        }
    }
    restart(-1, HELD_QUEUED);
    step_begin(other_takes);
    pthread_mutex_unlock(&st.mutex);
    step_end();
    EXPECT(st.wakes == 1 && st.count == 1 && st.private, "one futex_wake of one, of this process",
           "%d calls, of %d", st.wakes, st.count);
    restart(-1, HELD_QUEUED);
    st.mutex.__shared = 1;
    step_begin(other_takes);
    pthread_mutex_unlock(&st.mutex);
    step_end();
    EXPECT(st.wakes == 1 && !st.private, "a mutex of several processes wakes those of others, too",
           "FUTEX_PRIVATE");
}

static void each_wait(void)
{
    for (int shared = 0; shared < 2; shared++) {
        restart(-1, HELD);
        st.mutex.__shared = shared;
        step_begin(other_drops);
        st.result = pthread_mutex_lock(&st.mutex);
        step_end();
        EXPECT(st.result == 0, "pthread_mutex_lock gives 0", "%d", st.result);
        EXPECT(st.waits > 0, "who finds the mutex held sleeps in futex_wait", "it does not");
        EXPECT(st.wakes == 0, "who waits for the mutex wakes nobody", "%d calls", st.wakes);
        EXPECT((st.private == 0) == shared,
               "FUTEX_PRIVATE unless the mutex is of several processes", "%s",
               shared ? "FUTEX_PRIVATE" : "no FUTEX_PRIVATE");
        EXPECT(st.mutex.__lock == HELD_QUEUED, "who has waited takes it as HELD_QUEUED", "%u",
               st.mutex.__lock);
    }
}

static void none_waits(const uint64_t *r)
{
    note_calls(r, &st.mutex.__lock);
}

/* What a question of the handout asks: how many system calls? */
static void no_calls_for_nothing(void)
{
    struct timespec soon = in_ms(1000);

    restart(-1, FREE);
    step_begin(none_waits);
    pthread_mutex_lock(&st.mutex);
    pthread_mutex_unlock(&st.mutex);
    pthread_mutex_trylock(&st.mutex);
    pthread_mutex_unlock(&st.mutex);
    pthread_mutex_timedlock(&st.mutex, &soon);
    pthread_mutex_unlock(&st.mutex);
    step_end();
    EXPECT(st.calls == 0, "no system call for a mutex that nobody else wants", "%d in three rounds",
           st.calls);
    step_begin(none_waits);
    pthread_mutex_trylock(&st.mutex);
    EXPECT(pthread_mutex_trylock(&st.mutex) == EBUSY, "a try does not wait", "otherwise");
    pthread_cond_signal(&st.cond);
    pthread_cond_broadcast(&st.cond);
    step_end();
    EXPECT(st.calls == 0, "no system call for a signal where nobody waits", "%d", st.calls);
}

static void mutex_steps(void)
{
    each_try();
    each_drop();
    each_wait();
    grade_hint(
        "steps 5 and 6: FREE becomes HELD; futex_wake only from HELD_QUEUED, or with waiters");
    no_calls_for_nothing();
    grade_value("steps", grade_number(11));
}

/* A signal comes between a waiter's giving the mutex back and its going to sleep. */
static void other_signals(const uint64_t *r)
{
    volatile unsigned *sequence = &st.cond.__sequence;

    if (step_count == st.at && st.mutex.__lock == FREE) {
        st.found = 1;
        *sequence += 1;
    }
    if (step_is_futex(r, WAIT_BITS, sequence) || step_is_futex(r, 0, sequence)) {
        st.waits++;
        EXPECT(r[STEP_RDX] == 0,
               "a waiter sleeps while the number is what it has seen before it gave the mutex back",
               "while it is %u more: then a signal in between is not noticed",
               (unsigned)r[STEP_RDX]);
        EXPECT(st.waits < 10,
               "who finds the number changed (EAGAIN) has been signalled, and returns",
               "it waits again and again");
        if (!st.found) { /* nobody has signalled so far: the one who does comes now
                          */
            *sequence += 1;
        }
    }
}

static void each_sleep(void)
{
    for (int at = 0; at == 0 || (step_count > at - 1 && at < STEPS_MAX); at++) {
        restart(at, HELD);
        step_begin(other_signals);
        st.result = pthread_cond_wait(&st.cond, &st.mutex);
        step_end();
        EXPECT(st.result == 0 && st.mutex.__lock != FREE, "0, and the mutex is held again",
               "%d, word %u", st.result, st.mutex.__lock);
        EXPECT(st.cond.__users == 0, "nobody is left inside", "%u are", st.cond.__users);
    }
}

static void look_at_wake(const uint64_t *r)
{
    note_calls(r, &st.cond.__sequence);
    if (st.cond.__sequence != st.last_sequence) {
        st.plain |= !step_is_atomic(st.last_rip);
    }
    st.early |= step_is_futex(r, 1, &st.cond.__sequence) && st.cond.__sequence == st.before;
    st.last_sequence = st.cond.__sequence;
    st.last_rip = r[STEP_RIP];
}

static void expect_signal(unsigned before, unsigned users, int shared, int all)
{
    restart(-1, HELD);
    st.cond = (pthread_cond_t){.__sequence = before, .__users = users, .__shared = shared};
    st.before = st.last_sequence = before;
    step_begin(look_at_wake);
    st.result = all ? pthread_cond_broadcast(&st.cond) : pthread_cond_signal(&st.cond);
    step_end();
    EXPECT(st.result == 0, "0", "%d", st.result);
    EXPECT(st.wakes == 1, "one futex_wake where somebody waits", "%d", st.wakes);
    EXPECT(!st.early, "the number is another one before somebody is woken",
           "it changes behind the wake: who goes to sleep between the two sleeps for ever");
    EXPECT(st.cond.__sequence == before + 1, "the number is one more", "%u, then %u", before,
           st.cond.__sequence);
    EXPECT(!st.plain, "an atomic addition: two may signal at once", "a plain one");
    EXPECT(all ? st.count >= 100000 : st.count == 1,
           all ? "a broadcast wakes all" : "a signal wakes one", "%d", st.count);
    EXPECT((st.private == 0) == shared,
           "FUTEX_PRIVATE unless the condition is of several processes", "%s",
           shared ? "FUTEX_PRIVATE" : "no FUTEX_PRIVATE");
}

static void condition_steps(void)
{
    grade_hint(
        "step 6: where somebody waits add 1 to the number, atomically, and wake `count` then");
    for (int i = 0; i < 8; i++) {
        expect_signal((unsigned)grade_number((uint64_t)i), i & 2 ? 1 : 5, i & 1, i & 4);
    }
    expect_signal(UINT_MAX, 1, 0, 0);
    grade_hint(
        "step 6: sleep while the number is what was `seen`; again after EINTR, and only then");
    each_sleep();
}
#endif
