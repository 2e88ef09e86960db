/*
 * Lab 8: what the explorer runs by every schedule. Each begins where the locks are free; what must
 * never be is looked for in the middle and at the end, and each is as short as can be.
 *
 * A thread that is inside of a lock gives the CPU away; main does not, when it comes for the first
 * time. So the others come while a lock is held without a preemption, and the one that is tried
 * everywhere falls into code that nobody waits for, and into code that somebody waits for.
 */
#ifndef LAB8_WAYS_H
#define LAB8_WAYS_H
#include "../../user/locks/locks.h"
#include "crew.h"

static int inside, most_inside;
static uint64_t sum;
static uint64_t numbers[3]; /* the seed's: drawn before, so that the explorer has less to do */

static void draw_numbers(uint64_t first)
{
    for (uint64_t i = 0; i < 3; i++) {
        numbers[i] = grade_number(first + i);
    }
}

/* Around what a lock protects. */
static void goes_in(int gives_way)
{
    inside++;
    most_inside = inside > most_inside ? inside : most_inside;
    if (gives_way) {
        others_may_come();
    }
}

static void goes_out(void)
{
    inside--;
}

/* ---- The ticket lock ---- */

static struct ticket_lock ticket;
static unsigned first_ticket; /* near the end of the numbers, before or behind it */

static void begin_tickets(void)
{
    draw_numbers(0);
    first_ticket = UINT_MAX - (unsigned)(grade_number(40) % 2);
    ticket = (struct ticket_lock){first_ticket, first_ticket};
}

static int adds(void *me)
{
    uint64_t seen;

    ticket_take(&ticket);
    seen = sum;
    goes_in(me != NULL);
    sum = seen + numbers[(long)me];
    goes_out();
    ticket_give(&ticket);
    return 0;
}

static void ticket_excludes(void)
{
    begin_tickets();
    ways_begin();
    go(1, adds);
    adds(NULL);
    adds((void *)2);
    all_back();
    explore_end();
    EXPECT(most_inside == 1, "one thread at a time between ticket_take and ticket_give",
           "%d at once", most_inside);
    EXPECT(ticket.next == first_ticket + 3 && ticket.serving == first_ticket + 3,
           "three numbers were drawn, and it is the turn of a fourth",
           "from %u on: next %u, serving %u", first_ticket, ticket.next, ticket.serving);
    grade_value("sum", sum);
}

static long came[4];
static int came_count;

static int comes(void *me)
{
    ticket_take(&ticket);
    came[came_count++] = (long)me;
    ticket_give(&ticket);
    return 0;
}

/* Give the CPU away until the word is `value`. Who is to change it needs it a few times. */
static void await_word(const unsigned *word, unsigned value, const char *expected)
{
    for (int i = 0; i < 100 && __atomic_load_n(word, __ATOMIC_SEQ_CST) != value; i++) {
        sched_yield();
    }
    EXPECT(*word == value, expected, "%u, not %u", *word, value);
}

static void ticket_in_order(void)
{
    begin_tickets();
    ways_begin();
    ticket_take(&ticket);
    go(0, comes);
    await_word(&ticket.next, first_ticket + 2,
               "who comes draws a number from `next`, also if somebody is inside");
    go(1, comes);
    await_word(&ticket.next, first_ticket + 3,
               "who comes draws a number from `next`, also if others wait");
    ticket_give(&ticket);
    comes((void *)2);
    all_back();
    explore_end();
    for (long i = 0; i < 3; i++) {
        EXPECT(came[i] == i,
               "first come, first served: threads 2 and 3, and then main, which comes again",
               "the %s was %s",
               i == 0   ? "first"
               : i == 1 ? "second"
                        : "third",
               came[i] == 2   ? "main"
               : came[i] == 0 ? "thread 2"
                              : "thread 3");
    }
    grade_value("order", grade_number(41));
}

/* ---- The semaphore ---- */

static struct semaphore semaphore;

static int comes_and_goes(void *me)
{
    semaphore_down(&semaphore);
    goes_in(me != NULL);
    goes_out();
    semaphore_up(&semaphore);
    return 0;
}

static void expect_semaphore(unsigned count)
{
    EXPECT(semaphore.count == count, "as many ups as downs: the count is what it was",
           "it was %u, and is %u", count, semaphore.count);
    EXPECT(semaphore.sleepers == 0, "nobody sleeps when all are back: `sleepers` is 0",
           "`sleepers` is %u", semaphore.sleepers);
}

static int comes_twice(void *me)
{
    comes_and_goes(me);
    return comes_and_goes(me);
}

/* Thread 2 comes twice: so it may be faster than one who was woken. main comes once: whoever its up
 * forgets is forgotten for ever. */
static void semaphore_counts(void)
{
    semaphore.count = 1;
    ways_begin();
    go(1, comes_twice);
    comes_and_goes(NULL);
    all_back();
    explore_end();
    EXPECT(most_inside == 1, "a count of 1 lets one in", "%d were inside", most_inside);
    expect_semaphore(1);
    grade_value("counted", grade_number(42));
}

/* Two sleep, or are about to, and two ups come one behind the other. */
static int ups, downs, too_early;

static int waits_for_up(void *me)
{
    semaphore_down(&semaphore);
    if (__atomic_add_fetch(&downs, 1, __ATOMIC_SEQ_CST) > ups) {
        too_early = 1;
    }
    return me != NULL;
}

static void semaphore_wakes(void)
{
    ways_begin();
    go(0, waits_for_up);
    go(1, waits_for_up);
    others_may_come();
    ups = 1;
    semaphore_up(&semaphore);
    ups = 2;
    semaphore_up(&semaphore);
    all_back();
    explore_end();
    EXPECT(!too_early, "a count of 0 lets nobody go on before an up", "one went on");
    expect_semaphore(0);
    grade_value("woken", grade_number(43));
}

/* ---- The buffer ---- */

#define SIZE 2

static struct buffer buffer;
static long places[SIZE + 1]; /* and one that nobody touches */
static long taken[3];

static void begin_buffer(void)
{
    draw_numbers(50);
    buffer_init(&buffer, places, SIZE);
    buffer.in = buffer.out = SIZE - 1;
}

static void end_buffer(void)
{
    EXPECT(buffer.in < SIZE && buffer.out < SIZE && places[SIZE] == 0,
           "`in` and `out` are places below `size`, and nothing is written behind them",
           "in %u, out %u", buffer.in, buffer.out);
    EXPECT(buffer.room.count == SIZE && buffer.items.count == 0,
           "at the end all places are free, and none is filled", "room %u, items %u",
           buffer.room.count, buffer.items.count);
}

/* An item says who puts it, and which of its own it is. */
static long item_of(long who, long which)
{
    return (long)(numbers[who] >> 8 << 4) | which;
}

static int puts_one(void *me)
{
    buffer_put(&buffer, item_of((long)me, 1));
    return 0;
}

static int place_of(long item, int count)
{
    for (int i = 0; i < count; i++) {
        if (taken[i] == item) {
            return i;
        }
    }
    return -1;
}

/* Two producers; the consumer is there before them, or finds what both have put. */
static void buffer_takes_in(void)
{
    begin_buffer();
    ways_begin();
    go(0, puts_one);
    go(1, puts_one);
    taken[0] = buffer_take(&buffer);
    taken[1] = buffer_take(&buffer);
    all_back();
    explore_end();
    EXPECT(place_of(item_of(0, 1), 2) >= 0 && place_of(item_of(1, 1), 2) >= 0,
           "each item that was put is taken once",
           "the item of thread %d is missing; another one, or an empty place, was taken twice",
           place_of(item_of(0, 1), 2) < 0 ? 2 : 3);
    end_buffer();
    grade_value("items", (uint64_t)(taken[0] + taken[1]));
}

static int takes_one(void *me)
{
    taken[(long)me] = buffer_take(&buffer);
    return 0;
}

/* Two consumers, and a producer that has to wait for one of them: it puts three, and there is room
 * for two. */
static void buffer_gives_out(void)
{
    begin_buffer();
    ways_begin();
    go(0, takes_one);
    go(1, takes_one);
    for (int i = 0; i < 3; i++) {
        buffer_put(&buffer, item_of(0, i));
    }
    all_back();
    explore_end();
    taken[2] = buffer_take(&buffer);
    for (int i = 0; i < 3; i++) {
        EXPECT(place_of(item_of(0, i), 3) >= 0, "each item that was put is taken once",
               "the %s of three is missing",
               i == 0   ? "first"
               : i == 1 ? "second"
                        : "third");
    }
    EXPECT(taken[2] == item_of(0, 2), "what was put first is taken first",
           "a later item was taken before the first");
    end_buffer();
    grade_value("items", (uint64_t)(taken[0] + taken[1] + taken[2]));
}

/* ---- The read-write lock ---- */

static struct rw_lock rw;
static uint64_t left, right; /* what it protects: always the same */
static int reading, writing, torn;

static void torn_if(int wrong)
{
    if (wrong) {
        torn = 1;
    }
}

static int reads(void *me)
{
    uint64_t seen;

    read_take(&rw);
    __atomic_fetch_add(&reading, 1, __ATOMIC_SEQ_CST);
    torn_if(writing);
    seen = left;
    if (me) {
        others_may_come();
    }
    torn_if(writing || right != seen);
    __atomic_fetch_sub(&reading, 1, __ATOMIC_SEQ_CST);
    read_give(&rw);
    return 0;
}

static int writes(void *me)
{
    write_take(&rw);
    torn_if(writing || reading);
    writing = 1;
    left = right + numbers[(long)me];
    if (me) {
        others_may_come();
    }
    torn_if(reading);
    right = left;
    writing = 0;
    write_give(&rw);
    return 0;
}

static void expect_rw(void)
{
    EXPECT(!torn, "a writer is alone inside; readers see nothing half written",
           "somebody else was inside together with a writer");
    EXPECT(rw.readers == 0 && rw.writer_waits == 0,
           "when all are out, `readers` and `writer_waits` are 0", "%u and %u", rw.readers,
           rw.writer_waits);
    EXPECT(rw.door.next == rw.door.serving && rw.door.next > 0,
           "each who comes draws a number at the door, and it is free at the end",
           "next %u, serving %u", rw.door.next, rw.door.serving);
}

static int writes_and_reads(void *me)
{
    writes(me);
    return reads(me);
}

static void rw_excludes(void)
{
    draw_numbers(0);
    ways_begin();
    go(1, writes_and_reads);
    writes(NULL);
    reads((void *)2);
    writes((void *)2);
    all_back();
    explore_end();
    expect_rw();
    grade_value("written", right);
}

/* Two readers are inside, and leave; a writer comes. */
static int leaving;

static int leaves(void *me)
{
    __atomic_fetch_add(&leaving, 1, __ATOMIC_SEQ_CST);
    read_give(&rw);
    return me != NULL;
}

static int comes_behind_them(void *me)
{
    write_take(&rw);
    torn_if(leaving < 2);
    write_give(&rw);
    return me != NULL;
}

static void rw_last_reader(void)
{
    ways_begin();
    read_take(&rw);
    read_take(&rw);
    go(0, comes_behind_them);
    go(1, leaves);
    others_may_come();
    leaves(NULL);
    all_back();
    explore_end();
    expect_rw();
    grade_value("left", grade_number(45));
}

/* Two who read stay inside until both are there. */
static unsigned both;

static int reads_together(void *me)
{
    read_take(&rw);
    if (__atomic_load_n(&both, __ATOMIC_SEQ_CST) == 1) { /* the other one waits inside */
        torn_if(rw.readers != 2);
    }
    if (__atomic_add_fetch(&both, 1, __ATOMIC_SEQ_CST) == 2) {
        word_wake(&both, 1);
    }
    while (__atomic_load_n(&both, __ATOMIC_SEQ_CST) != 2) {
        word_wait(&both, 1);
    }
    read_give(&rw);
    return me != NULL;
}

static void rw_shares(void)
{
    ways_begin();
    go(0, reads_together);
    reads_together(NULL);
    all_back();
    explore_end();
    EXPECT(!torn, "`readers` is 2 while two readers are inside", "another number");
    expect_rw();
    grade_value("shared", grade_number(46));
}

static int comes_to_write(void *me)
{
    write_take(&rw);
    came[came_count++] = (long)me;
    write_give(&rw);
    return 0;
}

static int comes_to_read(void *me)
{
    read_take(&rw);
    came[came_count++] = (long)me;
    others_may_come();
    read_give(&rw);
    return 0;
}

/* main reads; a writer comes, and waits; a reader comes behind it; and main once more, to write. So the
 * first writer may leave while the next one waits already. */
static void rw_in_turn(void)
{
    ways_begin();
    read_take(&rw);
    go(0, comes_to_write);
    await_word(&rw.writer_waits, 1, "a writer that finds a reader inside sets `writer_waits`");
    go(1, comes_to_read);
    await_word(&rw.door.next, 3,
               "a reader draws a number at the door, too, also if a writer waits");
    others_may_come();
    torn = came_count;
    read_give(&rw);
    comes_to_write((void *)2);
    all_back();
    explore_end();
    EXPECT(!torn, "while a reader is inside and a writer waits, nobody comes in",
           "thread %ld came in", came[0] + 2);
    EXPECT(came[0] == 0 && came[1] == 1,
           "who came first goes in first: the writer, thread 2, then the reader, thread 3, then main",
           "somebody went in before its turn");
    expect_rw();
    grade_value("turns", grade_number(47));
}
#endif
