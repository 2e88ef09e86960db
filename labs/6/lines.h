/*
 * Lab 6, included by tests.c: many in one line, many lines at once, both directions of one
 * descriptor, those who leave a line before it was their turn, and a run loop in another thread.
 */
#include <pthread.h>

#include "trap.h"

/* many: 60 in one line, 80 in 80 lines, and a helper thread that ends at the same time */

#define IN_LINE 60
#define LINES 80
static int lines[LINES][2];
static uint64_t in_order, at_once;

static void *reads_its_number(void *place)
{
    uint64_t number = 0;

    EXPECT(co_read(ends[0], &number, 8) == 8, "co_read gives 8 bytes", "less");
    EXPECT(number == grade_number((uint64_t)place), "the first one in line gets the first number, "
           "the second one the second", "place %ld has another one", (long)place);
    in_order += number * (uint64_t)place;
    return NULL;
}

static void *writes_one_by_one(void *unused)
{
    for (uint64_t i = 1; i <= IN_LINE; i++) {
        uint64_t number = grade_number(i);

        write(ends[1], &number, 8);
        co_sleep(MS / 2);
    }
    return unused;
}

static void *reads_line(void *line)
{
    uint64_t number = 0;

    EXPECT(co_read(lines[(long)line][0], &number, 8) == 8, "co_read gives 8 bytes", "less");
    at_once += number;
    return NULL;
}

static void *writes_all_lines(void *unused)
{
    co_sleep(MS);
    for (uint64_t i = 0; i < LINES; i++) {
        uint64_t number = grade_number(i);

        write(lines[i][1], &number, 8);
    }
    return unused;
}

/* Blocks the thread, and so both have happened when the run loop asks: first the helper's end. */
static void *stops_the_thread(void *unused)
{
    uint64_t number = grade_number(0);

    co_yield_now();
    usleep(20000);
    write(lines[0][1], &number, 8);
    return unused;
}

static void many(void)
{
    uint64_t switches, polls;

    wait_for("a number for each of 60 who read from one pipe",
             "step 4: of those who take, only the first one for the same events is woken; the others would look in vain");
    make_pipe(ends);
    for (long i = 1; i <= IN_LINE; i++) {
        co_go(reads_its_number, (void *)i, "in line");
    }
    co_go(writes_one_by_one, NULL, "writes");
    switches = stats().switches;
    run();
    grade_value("switches", stats().switches - switches);
    wait_for("a number for each of 80 who read from 80 pipes",
             "step 4: all events that set_wait gives in one go, and room for EVENTS of them");
    for (long i = 0; i < LINES; i++) {
        make_pipe(lines[i]);
        co_go(reads_line, (void *)i, "at once");
    }
    co_go(writes_all_lines, NULL, "writes");
    polls = stats().polls;
    run();
    grade_value("rounds", stats().polls - polls);
    wait_for("a number that comes at the same time as a helper thread ends",
             "step 4: after HELPERS go on with the next event: it is told only once");
    co_go(asks_a_helper, NULL, "asks a helper");
    co_go(reads_line, (void *)0, "reads");
    co_go(stops_the_thread, NULL, "stops");
    run();
    grade_value("in_order", in_order);
    grade_value("at_once", at_once);
}

/* both_ways: readers, writers and lookers of one descriptor, whose flags are not ours */

static int sides[2];
static volatile int flags_seen;
static uint64_t rounds_of[4]; /* in which the looker, the reader, the writer, another looker ended */

/* As often as can be: what somebody else who has the same file would see of it. */
static void *watches(void *fd)
{
    while (!over) {
        turns++;
        flags_seen |= fcntl((int)(long)fd, F_GETFL);
        co_yield_now();
    }
    return NULL;
}

static void *looks_at_side(void *place)
{
    int seen = co_wait_fd(sides[0], POLLIN, CO_NEVER);

    EXPECT(seen == POLLIN, "POLLIN for one that only looks", "%d", seen);
    rounds_of[(long)place] = turns;
    return NULL;
}

static void *reads_side(void *unused)
{
    uint64_t number = 0;

    EXPECT(co_read(sides[0], &number, 8) == 8, "co_read gives 8 bytes", "less");
    rounds_of[1] = turns;
    note(number);
    return unused;
}

static void *writes_side(void *unused)
{
    EXPECT(co_write(sides[0], block, 1000) == 1000, "co_write writes all", "less");
    rounds_of[2] = turns;
    return unused;
}

static void fill_side(void)
{
    while (send(sides[0], block, 1000, MSG_DONTWAIT) > 0) {
    }
}

/* Room for the writer, and a number for the reader and for whoever looks after it. */
static void *other_side(void *together)
{
    uint64_t numbers[] = {grade_number(9), 0};

    co_sleep(5 * MS);
    write(sides[1], numbers, together ? 16 : 8);
    if (!together) {
        co_sleep(5 * MS);
        EXPECT(rounds_of[1] && !rounds_of[2], "the reader has its number while the writer waits",
               "otherwise");
    }
    while (recv(sides[1], block, BLOCK, MSG_DONTWAIT) > 0) {
    }
    co_sleep(5 * MS);
    over = 1;
    return NULL;
}

/* In this order all stand in line for the socket. */
static void both_directions(void *together)
{
    over = 0;
    memset(rounds_of, 0, sizeof(rounds_of));
    fill_side();
    co_go(watches, (void *)(long)sides[0], "watches");
    if (together) {
        co_go(looks_at_side, (void *)0, "looker");
    }
    co_go(reads_side, NULL, "reader");
    co_go(writes_side, NULL, "writer");
    if (together) {
        co_go(looks_at_side, (void *)3, "another looker");
    }
    co_go(other_side, together, "other side");
    run();
}

static void *reads_half_a_million(void *unused)
{
    for (long left = 500000, got; left > 0; left -= got) {
        got = co_read(other[0], block, 5000);
        EXPECT(got > 0, "bytes from a pipe", "%ld", got);
    }
    over = 1;
    return unused;
}

static void *writes_half_a_million(void *unused)
{
    static char zeros[500000];

    EXPECT(co_write(other[1], zeros, sizeof(zeros)) == sizeof(zeros), "co_write writes all", "less");
    return unused;
}

static void look_at_flags(const struct step_context *now)
{
    (void)now;
    flags_seen |= fcntl(other[1], F_GETFL);
}

/* Also not between two instructions. */
static void *uses_it_in_steps(void *unused)
{
    char bytes[100] = "";

    watch_steps(look_at_flags);
    steps_begin();
    EXPECT(co_write(other[1], bytes, 100) == 100 && co_read(other[0], bytes, 100) == 100, "100 bytes", "less");
    steps_end();
    EXPECT(steps > 100, "many steps", "%ld", steps);
    return unused;
}

static void both_ways(void)
{
    wait_for("that reader and writer of one socket are served",
             "step 4: all who wait for what has happened in one go; passed over is only who takes what one before it "
             "takes; step 5: O_NONBLOCK is left alone");
    EXPECT(socketpair(AF_UNIX, SOCK_STREAM, 0, sides) == 0, "a socket", "errno %d", errno);
    both_directions(NULL);
    both_directions(sides);
    EXPECT(rounds_of[0] == rounds_of[1] && rounds_of[1] == rounds_of[2] && rounds_of[2] == rounds_of[3],
           "reader, writer and two lookers are woken in one round", "in others");
    over = 0;
    make_pipe(other);
    wait_for("500,000 bytes through a pipe whose reader is another coroutine",
             "step 5: a pipe gets no more than WRITE_PART at once; O_NONBLOCK is left alone");
    co_go(reads_half_a_million, NULL, "reader");
    co_go(writes_half_a_million, NULL, "writer");
    co_go(watches, (void *)(long)other[1], "watches");
    run();
    co_go(uses_it_in_steps, NULL, "in steps");
    run();
    flags_seen |= fcntl(sides[0], F_GETFL) | fcntl(other[0], F_GETFL) | fcntl(other[1], F_GETFL);
    EXPECT(!(flags_seen & O_NONBLOCK), "O_NONBLOCK is never set: others may have the same file", "it is");
    grade_value("both", sum);
}

/* gives_up: canceled in line, closed under those in line, and the number given to another file */

static void *expects(void *result)
{
    uint64_t number = 0;
    long got = co_read(ends[0], &number, 8);

    EXPECT(got == (long)result, "8 bytes, -ECANCELED (-125) once canceled, -EBADF (-9) once closed",
           "%ld instead of %ld", got, (long)result);
    if (got == 8) {
        note(number);
    }
    return NULL;
}

static void *cancels_at_once(void *unused)
{
    struct co *first = co_go(expects, (void *)-ECANCELED, "canceled before it begins");

    co_cancel(first);
    co_yield_now();
    return unused;
}

static void *upsets(void *unused)
{
    struct co *first = co_go(expects, (void *)-ECANCELED, "canceled, the first");
    struct co *second = co_go(expects, (void *)8l, "the second");
    struct co *third = co_go(expects, (void *)-ECANCELED, "canceled, the third");
    uint64_t number = grade_number(10);
    int old = ends[0];

    co_go(expects, (void *)-EBADF, "closed, the fourth");
    co_go(expects, (void *)-EBADF, "closed, the fifth");
    co_sleep(MS);
    co_cancel(first);
    co_cancel(third);
    co_sleep(MS);
    write(ends[1], &number, 8);
    co_join(second, NULL, CO_NEVER);
    co_sleep(MS);
    EXPECT(co_close(ends[0]) == 0, "0 from co_close", "an error");
    co_sleep(MS);
    close(ends[1]);
    make_pipe(ends);
    EXPECT(ends[0] == old, "the same number for the next file", "%d", ends[0]);
    co_go(expects, (void *)8l, "of the next file");
    co_sleep(MS);
    number = grade_number(11);
    write(ends[1], &number, 8);
    return unused;
}

/* poll(2) would wait for ever, read(2) and write(2) would not. */
static void *uses_wrong_ends(void *unused)
{
    struct pollfd both[2] = {{.fd = ends[0], .events = POLLIN}, {.fd = ends[1], .events = POLLIN}};
    char byte = 0;

    EXPECT_RESULT(co_read(ends[1], &byte, 1), -EBADF, "reading a pipe's end for writing: -EBADF (-9)");
    EXPECT_RESULT(co_write(ends[0], &byte, 1), -EBADF, "writing to a pipe's end for reading: -EBADF (-9)");
    EXPECT_RESULT(co_poll(both, 2, co_now() + MS), 0, "0 when the time is over");
    return unused;
}

static void *polls_for_ever(void *unused)
{
    return (void *)(long)co_poll(NULL, 0, CO_NEVER) + (long)unused;
}

static void gives_up(void)
{
    wait_for("that each in a line comes back: canceled, closed, or with its number",
             "step 2: an error of park ends the wait, and wait_end always comes; step 3: an error of wait_arm, too");
    make_pipe(ends);
    co_go(upsets, NULL, "upsets");
    run();
    co_go(cancels_at_once, NULL, "cancels");
    run();
    co_go(uses_wrong_ends, NULL, "wrong ends");
    run();
    co_go(polls_for_ever, NULL, "polls nothing");
    nobody_is_counted();
    grade_value("given_up", sum);
}

/* two_loops: another thread's run loop asks the kernel between any two instructions of our io_poll */

void io_poll(int64_t deadline);

static volatile int end;
static int theirs[2];
static long step_met, met_at;

static void *reads_theirs(void *sum_of_them)
{
    uint64_t number = 0;

    EXPECT(co_read(theirs[0], &number, 8) == 8, "co_read gives 8 bytes", "less");
    *(uint64_t *)sum_of_them += number;
    return NULL;
}

static void *writes_theirs(void *unused)
{
    uint64_t number = 1;

    write(theirs[1], &number, 8);
    return unused;
}

static void *second_thread(void *sum_of_them)
{
    for (turn_wait(turn_theirs); !end; turn_wait(turn_theirs)) {
        co_go(reads_theirs, sum_of_them, "their reader");
        co_go(writes_theirs, NULL, "their writer");
        EXPECT(co_run() == 0, "0 from co_run in a second thread", "an error");
        turn_give(turn_ours);
    }
    return NULL;
}

static void let_them_meet(const struct step_context *now)
{
    if (now->registers[R_RIP] - (unsigned long)io_poll >= 512 || step_met++ != met_at) {
        return;
    }
    turn_give(turn_theirs);
    turn_wait(turn_ours);
    stepping = 0;
}

static void *writes_and_steps(void *unused)
{
    uint64_t number = grade_number(12);

    write(ends[1], &number, 8);
    steps_begin(); /* to the end of this turn, and through io_poll */
    return unused;
}

static void two_loops(void)
{
    uint64_t of_theirs = 0;
    pthread_t thread;

    wait_for("that two run loops in two threads do not disturb each other",
             "step 4: what io_poll and usable keep is the thread's: on the stack, or _Thread_local");
    make_pipe(ends);
    make_pipe(theirs);
    watch_steps(let_them_meet);
    turns_begin();
    EXPECT(pthread_create(&thread, NULL, second_thread, &of_theirs) == 0, "a thread", "an error");
    for (met_at = 0; met_at == 0 || !stepping; met_at++) {
        step_met = 0;
        sum = 0;
        co_go(read_one, (void *)(long)ends[0], "our reader");
        co_go(writes_and_steps, NULL, "our writer");
        run();
    }
    steps_end();
    end = 1;
    turn_give(turn_theirs);
    pthread_join(thread, NULL);
    EXPECT(met_at > 10 && of_theirs == (uint64_t)met_at - 1, "a number for their reader each time",
           "%ld of %ld", (long)of_theirs, met_at - 1);
    grade_value("ours", sum);
}
