/* Lab 6, the stall and its cure: what siblings do while one coroutine waits for a descriptor. */
#include <co.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "grade.h"

#define MS 1000000l

static int ends[2], other[2];
static volatile int over;
static uint64_t ticks, sum;

static void note(uint64_t what)
{
    sum = grade_mix(sum ^ what);
}

static void make_pipe(int fds[2])
{
    EXPECT(pipe(fds) == 0, "a pipe", "errno %d", errno);
}

/* Another process, which does its part and ends. */
static void start(void (*part)(void))
{
    pid_t pid = fork();

    EXPECT(pid >= 0, "a child", "errno %d", errno);
    if (pid == 0) {
        part();
        _exit(0);
    }
}

static void run(void)
{
    EXPECT(co_run() == 0, "co_run gives 0 when all have ended", "an error");
    while (wait(NULL) > 0) {
    }
}

static void *ticker(void *period)
{
    while (!over) {
        ticks++;
        co_sleep((int64_t)period * MS);
    }
    return NULL;
}

/* Reads a number from the pipe; the ticks meanwhile are what counts. */
static void *reader(void *unused)
{
    uint64_t number = 0, before = ticks;
    ssize_t got = co_read(ends[0], &number, sizeof(number));

    EXPECT(got == sizeof(number), "co_read gives 8 bytes", "%ld", (long)got);
    ticks -= before;
    over = 1;
    note(number);
    return unused;
}

static void answer_after_200ms(void)
{
    uint64_t number = grade_number(0);

    usleep(200000);
    write(ends[1], &number, sizeof(number));
}

static void siblings_tick(void)
{
    make_pipe(ends);
    start(answer_after_200ms);
    for (int i = 0; i < 3; i++) {
        co_go(ticker, (void *)10, "ticker");
    }
    co_go(reader, NULL, "reader");
    run();
    EXPECT(ticks > 3, "three siblings tick every 10 ms while the reader waits for 200 ms",
           "%ld ticks", (long)ticks);
    grade_value("ticks", ticks);
    grade_value("read", sum);
}

static void *naps(void *unused)
{
    co_sleep(MS);
    return unused;
}

static void *adds(void *argument)
{
    *(uint64_t *)argument += 1;
    return argument;
}

static void *asks_a_helper(void *unused)
{
    void *result = NULL;

    EXPECT(co_blocking(adds, &sum, &result) == 0, "co_blocking gives 0", "an error");
    return unused;
}

static void *parks_for_ever(void *unused)
{
    co_park("for nobody");
    return unused;
}

/* First without any descriptor that somebody waits for: the loop polls all the same. At the end
 * nobody waits for one any more: then the loop must not sleep for ever. */
static void sleeps_when_idle(void)
{
    struct timespec spent;
    struct co_stats before, after;

    co_go(naps, NULL, "naps");
    run();
    co_go(asks_a_helper, NULL, "asks a helper");
    run();
    make_pipe(ends);
    start(answer_after_200ms);
    co_go(ticker, (void *)50, "ticker");
    co_go(reader, NULL, "reader");
    co_stats(&before);
    run();
    co_stats(&after);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
    co_go(parks_for_ever, NULL, "parks");
    EXPECT(co_run() == -EDEADLK, "co_run tells that nobody can wake the last one", "another result");
    grade_value("ticks", ticks);
    grade_value("rounds", after.polls - before.polls);
    grade_value("microseconds", (uint64_t)(spent.tv_sec * 1000000 + spent.tv_nsec / 1000));
}

static void second_then_first(void)
{
    uint64_t number = grade_number(2);

    usleep(20000);
    write(other[1], &number, sizeof(number));
    usleep(20000);
    number = grade_number(1);
    write(ends[1], &number, sizeof(number));
}

static void *read_one(void *fd)
{
    uint64_t number = 0;
    ssize_t got = co_read((int)(long)fd, &number, sizeof(number));

    EXPECT(got == sizeof(number), "co_read gives 8 bytes", "%ld", (long)got);
    note(number);
    return NULL;
}

static void *answers_both(void *unused)
{
    uint64_t numbers[] = {grade_number(3), grade_number(4)};

    co_yield_now();
    write(ends[1], &numbers[0], sizeof(numbers[0]));
    write(other[1], &numbers[1], sizeof(numbers[1]));
    return unused;
}

static void two_pipes(void)
{
    make_pipe(ends);
    make_pipe(other);
    start(second_then_first);
    co_go(read_one, (void *)(long)ends[0], "first");
    co_go(read_one, (void *)(long)other[0], "second");
    run();
    co_go(read_one, (void *)(long)ends[0], "first");
    co_go(read_one, (void *)(long)other[0], "second");
    co_go(answers_both, NULL, "both");
    run();
    grade_value("order", sum);
}

#define BLOCK 200000
#define PIPE_HOLDS 65536
static uint8_t block[BLOCK];

static uint64_t sum_of_block(void)
{
    uint64_t total = 0;

    for (size_t i = 0; i < BLOCK; i++) {
        total = total * 31 + block[i];
    }
    return total;
}

/* Takes the bytes slowly and answers with their sum. */
static void slow_reader(void)
{
    uint64_t total;

    for (size_t done = 0; done < BLOCK;) {
        ssize_t got = read(ends[0], block + done, 10000);

        if (got <= 0) {
            _exit(1);
        }
        done += (size_t)got;
        usleep(5000);
    }
    total = sum_of_block();
    write(other[1], &total, sizeof(total));
}

static void *writer(void *unused)
{
    uint64_t total = 0, before = ticks;
    ssize_t put = co_write(ends[1], block, BLOCK);

    EXPECT(put == BLOCK, "co_write writes all", "%ld", (long)put);
    ticks -= before;
    over = 1;
    EXPECT(co_read(other[0], &total, 8) == 8, "8 bytes", "less");
    note(total);
    return unused;
}

static void *writes_more_than_room(void *unused)
{
    ssize_t put = co_write(ends[1], block, 5000);

    EXPECT(put == 5000, "co_write writes all", "%ld", (long)put);
    return unused;
}

static void *makes_room(void *unused)
{
    ticks++;
    for (ssize_t left = PIPE_HOLDS - 4096 + 5000, got; left > 0; left -= got) {
        got = read(ends[0], block, 20000);
        co_yield_now();
    }
    return unused;
}

static void writes_too_much(int signal)
{
    (void)signal;
    grade_fail("a pipe that has room for 4096 bytes gets no more at once", "the thread blocks in write");
}

/* A pipe with room for WRITE_PART bytes and no more, which a sibling empties. */
static void writer_fills_up(void)
{
    make_pipe(ends);
    EXPECT(write(ends[1], block, PIPE_HOLDS - 4096) == PIPE_HOLDS - 4096, "room in a pipe", "less");
    signal(SIGALRM, writes_too_much);
    alarm(1);
    co_go(writes_more_than_room, NULL, "writer");
    co_go(makes_room, NULL, "makes room");
    run();
    alarm(0);
    ticks = 0;
}

static void writer_waits(void)
{
    writer_fills_up();
    make_pipe(ends);
    make_pipe(other);
    start(slow_reader);
    for (size_t i = 0; i < BLOCK; i++) {
        block[i] = (uint8_t)(i < 1000 ? grade_number(i) : i * 7);
    }
    co_go(ticker, (void *)5, "ticker");
    co_go(writer, NULL, "writer");
    run();
    EXPECT(ticks > 3, "a sibling ticks every 5 ms while the writer waits for a slow reader",
           "%ld ticks", (long)ticks);
    grade_value("ticks", ticks);
    grade_value("bytes", sum);
}

/* Six numbers one by one, and six at once. */
static void twelve_numbers(void)
{
    uint64_t numbers[12];

    for (uint64_t i = 0; i < 12; i++) {
        numbers[i] = grade_number(i);
    }
    for (int i = 0; i < 6; i++) {
        usleep(10000);
        write(ends[1], &numbers[i], sizeof(numbers[i]));
    }
    usleep(10000);
    write(ends[1], &numbers[6], 6 * sizeof(numbers[0]));
}

static void *read_six(void *total)
{
    for (int i = 0; i < 6; i++) {
        uint64_t number = 0;
        ssize_t got = co_read(ends[0], &number, sizeof(number));

        EXPECT(got == sizeof(number), "co_read gives 8 bytes", "%ld", (long)got);
        *(uint64_t *)total += number;
    }
    return NULL;
}

static void first_come_first_served(void)
{
    uint64_t first = 0, second = 0;

    make_pipe(ends);
    start(twelve_numbers);
    co_go(read_six, &first, "first");
    co_go(read_six, &second, "second");
    run();
    grade_value("first", first);
    grade_value("second", second);
}

static int64_t longest; /* without a turn of the ticker, in milliseconds */

static void *clock_ticker(void *unused)
{
    int64_t last = co_now();

    while (!over) {
        int64_t now = co_now();

        longest = (now - last) / MS > longest ? (now - last) / MS : longest;
        last = now;
        co_sleep(MS);
    }
    return unused;
}

/* Its byte wakes the reader, and is gone before the reader has its turn. */
static void *takes_it_back(void *unused)
{
    char byte = 0;

    write(ends[1], &byte, 1);
    co_yield_now();
    read(ends[0], &byte, 1);
    return unused;
}

static void somebody_was_faster(void)
{
    make_pipe(ends);
    start(answer_after_200ms);
    co_go(reader, NULL, "reader");
    co_go(clock_ticker, NULL, "ticker");
    co_go(takes_it_back, NULL, "faster");
    run();
    grade_value("longest_ms", (uint64_t)longest);
    grade_value("read", sum);
}

static void on_signal(int signal)
{
    (void)signal;
}

static void signals_then_a_number(void)
{
    for (int i = 0; i < 30; i++) {
        usleep(3000);
        kill(getppid(), SIGUSR1);
    }
    answer_after_200ms();
}

static void signals_do_not_matter(void)
{
    struct sigaction action = {.sa_handler = on_signal}; /* without SA_RESTART: calls give EINTR */

    make_pipe(ends);
    sigaction(SIGUSR1, &action, NULL);
    start(signals_then_a_number);
    co_go(ticker, (void *)10, "ticker");
    co_go(reader, NULL, "reader");
    run();
    grade_value("ticks", ticks);
    grade_value("read", sum);
}

#define EXPECT_RESULT(call, wanted, what)                 \
    do {                                                  \
        long result_ = (call);                            \
        EXPECT(result_ == (wanted), what, "%ld", result_); \
    } while (0)

static void *bad_ones(void *unused)
{
    char byte = 0;

    EXPECT_RESULT(co_read(99, &byte, 1), -EBADF, "reading what is not open: -EBADF (-9)");
    EXPECT_RESULT(co_write(99, &byte, 1), -EBADF, "writing to what is not open: -EBADF (-9)");
    EXPECT_RESULT(co_read(-1, &byte, 1), -EBADF, "a descriptor below 0: -EBADF (-9)");
    EXPECT_RESULT(co_write(-2, &byte, 1), -EBADF, "a descriptor below 0: -EBADF (-9)");
    close(ends[1]);
    EXPECT_RESULT(co_read(ends[0], &byte, 1), 0, "0 at the end");
    return unused;
}

/* A coroutine that somebody resumed, and no run loop has. */
static void *passive(void *unused)
{
    char byte;

    EXPECT_RESULT(co_read(ends[0], &byte, 1), -EPERM, "-EPERM (-1) in a coroutine of no run loop");
    return unused;
}

static void errors(void)
{
    char byte;

    make_pipe(ends);
    write(ends[1], "x", 1);
    EXPECT_RESULT(co_read(ends[0], &byte, 1), -EPERM,
                  "-EPERM (-1) outside of coroutines: nobody could run meanwhile");
    EXPECT(co_resume(co_create(passive, NULL), NULL, NULL) == 0, "0 from co_resume", "an error");
    read(ends[0], &byte, 1);
    co_go(bad_ones, NULL, "bad ones");
    run();
    grade_value("errors", grade_number(5));
}

#include "edges.h"
#include "lines.h"

static const struct grade_test tests[] = {
    GRADE(siblings_tick), GRADE(two_pipes), GRADE(writer_waits), GRADE(first_come_first_served),
    GRADE(somebody_was_faster), GRADE(signals_do_not_matter), GRADE(sleeps_when_idle), GRADE(errors),
    GRADE(always_ready), GRADE(hang_ups), GRADE(deadlines), GRADE(many), GRADE(both_ways), GRADE(gives_up),
    GRADE(two_loops),
};
GRADE_MAIN(tests)
