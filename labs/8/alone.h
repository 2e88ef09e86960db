/*
 * Lab 8: what a lock costs. No system call where nobody waits, exactly one where somebody does,
 * seen one instruction at a time; and no CPU time for those who wait.
 */
#ifndef LAB8_ALONE_H
#define LAB8_ALONE_H
#include <time.h>

#include "../../user/locks/locks.h"
#include "crew.h"
#include "step.h"

static struct {
    const void *word;        /* on which somebody would sleep */
    unsigned value;          /* what it is before the word is changed */
    int calls, wakes, early; /* early: a wake while the word still has that value */
    int count;               /* of the last wake */
} seen;

static void note_call(const uint64_t *r)
{
    if (step_is_call(r)) {
        seen.calls++;
    }
    if (step_is_futex(r, 1, seen.word)) {
        seen.wakes++;
        seen.early |= *(const volatile unsigned *)seen.word == seen.value;
        seen.count = (int)r[STEP_RDX];
    }
}

/* Look at all calls of the code that follows, and at the wakes of this word. */
static void watch(const unsigned *word)
{
    memset(&seen, 0, sizeof(seen));
    seen.word = word;
    seen.value = *word;
    step_begin(note_call);
}

static void expect_calls(const char *function, int wakes)
{
    step_end();
    if (wakes == 0) {
        EXPECT(seen.calls == 0, "no system call where nobody waits", "%s makes %d", function,
               seen.calls);
        return;
    }
    EXPECT(seen.wakes == 1 && seen.calls == 1,
           "one call where somebody waits: a wake on the word on which they sleep",
           "%s makes %d calls, %d of them such a wake", function, seen.calls, seen.wakes);
    EXPECT(!seen.early, "first the word is changed, then who sleeps on it is woken",
           "%s wakes first", function);
}

static void ticket_calls(void)
{
    struct ticket_lock lock = {UINT_MAX, UINT_MAX};

    grade_hint("step 2: look whether somebody has drawn a number, and wake only then");
    watch(&lock.serving);
    ticket_take(&lock);
    expect_calls("ticket_take", 0);
    EXPECT(lock.next == 0 && lock.serving == UINT_MAX, "behind number 4294967295 comes 0", "%u",
           lock.next);
    watch(&lock.serving);
    ticket_give(&lock);
    expect_calls("ticket_give", 0);
    EXPECT(lock.next == 0 && lock.serving == 0, "the next number is served", "%u", lock.serving);
    lock.next += 3; /* one inside, two wait */
    watch(&lock.serving);
    ticket_give(&lock);
    expect_calls("ticket_give", 1);
    EXPECT(seen.count >= 2,
           "all who wait are woken, for the kernel does not know whose number it is", "%d",
           seen.count);
}

static void semaphore_calls(void)
{
    struct semaphore two = {2, 0};

    grade_hint(
        "step 3: up wakes one, and only if `sleepers` is not 0; down counts itself there only if "
        "it has to wait");
    watch(&two.count);
    semaphore_down(&two);
    expect_calls("semaphore_down", 0);
    EXPECT(two.count == 1 && two.sleepers == 0, "a down takes 1 from the count",
           "it is %u, sleepers %u", two.count, two.sleepers);
    watch(&two.count);
    semaphore_up(&two);
    expect_calls("semaphore_up", 0);
    two.sleepers = 2;
    watch(&two.count);
    semaphore_up(&two);
    expect_calls("semaphore_up", 1);
    EXPECT(seen.count == 1, "an up is for one: it wakes one", "%d", seen.count);
    EXPECT(two.count == 3 && two.sleepers == 2,
           "an up adds 1; `sleepers` is changed by those who sleep", "count %u, sleepers %u of 2",
           two.count, two.sleepers);
}

static void buffer_calls(void)
{
    long places[3], took = 0;
    struct buffer three;

    grade_hint("step 4: two semaphores and the lock make no other calls; behind the last place comes 0");
    buffer_init(&three, places, 3);
    for (long i = 0; i < 7; i++) {
        watch(&three.items.count);
        buffer_put(&three, i + 1);
        expect_calls("buffer_put", 0);
        watch(&three.room.count);
        took += buffer_take(&three);
        expect_calls("buffer_take", 0);
        EXPECT(three.in == (unsigned)(i + 1) % 3 && three.out == three.in,
               "of three places 0, 1, 2 come one behind the other, and then 0 again",
               "behind %ld came %u for `in`, and %u for `out`", i % 3, three.in, three.out);
    }
    EXPECT(took == 28, "what was put", "other items");
}

static void rw_calls(void)
{
    struct rw_lock lock = {0};

    grade_hint("step 5: the last reader wakes, and only if `writer_waits`");
    for (unsigned i = 1; i <= 2; i++) {
        watch(&lock.readers);
        read_take(&lock);
        expect_calls("read_take", 0);
        EXPECT(lock.readers == i, "`readers` says how many are inside", "%u, not %u", lock.readers,
               i);
    }
    lock.writer_waits = 1;
    watch(&lock.readers);
    read_give(&lock);
    expect_calls("read_give, with another reader inside,", 0);
    watch(&lock.readers);
    read_give(&lock);
    expect_calls("read_give", 1);
    lock.writer_waits = 0;
    read_take(&lock);
    watch(&lock.readers);
    read_give(&lock);
    expect_calls("read_give", 0);
    watch(&lock.readers);
    write_take(&lock);
    expect_calls("write_take", 0);
    watch(&lock.readers);
    write_give(&lock);
    expect_calls("write_give", 0);
}

static void alone_without_calls(void)
{
    ticket_calls();
    semaphore_calls();
    buffer_calls();
    rw_calls();
    grade_value("alone", grade_number(49));
}

/* ---- Those who wait ---- */

static struct ticket_lock held_ticket;
static struct semaphore empty;
static struct rw_lock held_rw;
static struct buffer full_buffer, empty_buffer;
static long full_places[1], empty_places[1];
static int gone_on;

static void went_on(void)
{
    __atomic_fetch_add(&gone_on, 1, __ATOMIC_SEQ_CST);
}

static int waits_ticket(void *unused)
{
    (void)unused;
    ticket_take(&held_ticket);
    went_on();
    ticket_give(&held_ticket);
    return 0;
}

static int waits_semaphore(void *unused)
{
    (void)unused;
    semaphore_down(&empty);
    went_on();
    return 0;
}

static int waits_buffer(void *me)
{
    if (me) {
        buffer_put(&full_buffer, 2);
    } else {
        buffer_take(&empty_buffer);
    }
    went_on();
    return 0;
}

static int waits_rw(void *me)
{
    if (me) {
        write_take(&held_rw);
        went_on();
        write_give(&held_rw);
    } else {
        read_take(&held_rw);
        went_on();
        read_give(&held_rw);
    }
    return 0;
}

static void hold_ticket(void)
{
    ticket_take(&held_ticket);
}

static void let_ticket_go(void)
{
    ticket_give(&held_ticket);
}

static void let_semaphore_go(void)
{
    semaphore_up(&empty);
    semaphore_up(&empty);
}

static void hold_buffer(void)
{
    buffer_init(&full_buffer, full_places, 1);
    buffer_init(&empty_buffer, empty_places, 1);
    buffer_put(&full_buffer, 1);
}

static void let_buffer_go(void)
{
    buffer_take(&full_buffer);
    buffer_put(&empty_buffer, 1);
}

static void hold_rw_reading(void)
{
    read_take(&held_rw);
}

static void let_rw_reading_go(void)
{
    read_give(&held_rw);
}

static void hold_rw_writing(void)
{
    write_take(&held_rw);
}

static void let_rw_writing_go(void)
{
    write_give(&held_rw);
}

static void hold_nothing(void)
{
}

static const struct waited {
    const char *what;
    void (*hold)(void);
    int (*waits)(void *);
    void (*let_go)(void);
    const char *next;
} waited[] = {
    {"a ticket lock", hold_ticket, waits_ticket, let_ticket_go,
     "step 2: sleep on `serving` while it is what you have just seen in it"},
    {"a semaphore", hold_nothing, waits_semaphore, let_semaphore_go,
     "step 3: sleep on `count` while it is 0"},
    {"a buffer, full or empty,", hold_buffer, waits_buffer, let_buffer_go,
     "step 4: down before all else"},
    {"a writer, to read and to write,", hold_rw_writing, waits_rw, let_rw_writing_go,
     "step 5: the door is held"},
    {"a reader, to write,", hold_rw_reading, waits_rw, let_rw_reading_go,
     "step 5: sleep on `readers` while it is what you have just seen in it"},
};

static long cpu_us(void)
{
    struct timespec time;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static void waiters_sleep(void)
{
    for (size_t i = 0; i < sizeof(waited) / sizeof(*waited); i++) {
        const struct waited *now = &waited[i];
        long begin;

        gone_on = 0;
        grade_hint(now->next);
        now->hold();
        go(1, now->waits);
        usleep(5000); /* so the one who writes comes first */
        go(0, now->waits);
        begin = cpu_us();
        usleep(50000);
        EXPECT(gone_on == 0, "who cannot go on waits", "%d of two who come for %s do not", gone_on,
               now->what);
        EXPECT(cpu_us() - begin < 5000, "who waits sleeps: no CPU time",
               "%ld us in 50 ms, of two who wait for %s", cpu_us() - begin, now->what);
        now->let_go();
        all_back();
        EXPECT(gone_on == 2, "both go on", "%d", gone_on);
    }
    grade_value("slept", grade_number(44));
}
#endif
