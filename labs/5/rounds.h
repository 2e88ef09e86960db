/* Lab 5: the run loop's rounds, what is counted in them, and a loop that cannot go on. */
#ifndef LAB5_ROUNDS_H
#define LAB5_ROUNDS_H
#include <poll.h>
#include <sys/wait.h>

#include "coroutines.h"

#define POLL_MOST 64 /* POLL_EVERY */

static int woken, left;

static struct co_stats stats(void)
{
    struct co_stats now;

    co_stats(&now);
    return now;
}

static void *yields(void *times)
{
    for (uint64_t i = 0; i < (uint64_t)times; i++) {
        co_yield_now();
    }
    return times;
}

/* `count` that yield `times` times each: so many switches, and a look after each round. */
static void expect_rounds(uint64_t count, uint64_t times)
{
    struct co_stats before = stats(), after;
    uint64_t switches = count * (times + 1), turns = count < POLL_MOST ? count : POLL_MOST;
    uint64_t rounds = (switches + turns - 1) / turns;

    for (uint64_t i = 0; i < count; i++) {
        co_go(yields, (void *)times, "yields");
    }
    EXPECT(co_run() == 0, "co_run gives 0 when all have ended", "an error");
    after = stats();
    EXPECT(after.polls - before.polls + 1 >= rounds,
           "a round is as many as are ready at its start, at most POLL_EVERY; then look()",
           "%lu looks in %lu turns of %lu coroutines", (unsigned long)(after.polls - before.polls),
           (unsigned long)switches, (unsigned long)count);
    EXPECT(after.polls - before.polls <= rounds + (count >= POLL_MOST ? count / 8 : 0),
           "one look() after a round, not more", "%lu looks in %lu turns of %lu coroutines",
           (unsigned long)(after.polls - before.polls), (unsigned long)switches,
           (unsigned long)count);
}

/* One round is enough for them, and nobody is left behind it. */
static void expect_one_round(void)
{
    struct co_stats before = stats();

    for (int i = 0; i < 50; i++) {
        co_go(yields, NULL, "ends");
    }
    EXPECT(co_run() == 0, "co_run gives 0 when all have ended", "an error");
    EXPECT(stats().polls == before.polls,
           "fifty that end at once are one round, and no look() behind it: none are left",
           "%lu looks", (unsigned long)(stats().polls - before.polls));
}

static void *counts_itself(void *argument)
{
    uint64_t me = (uint64_t)argument;
    struct co_stats now = stats();

    EXPECT(now.switches == me + 1, "a turn is counted before it begins", "%lu in turn %lu",
           (unsigned long)now.switches, (unsigned long)me + 1);
    EXPECT(now.coroutines == 3 - me && now.ready == 2 - me,
           "one whose turn it is is not in the queue", "%lu are ready in turn %lu of three",
           (unsigned long)now.ready, (unsigned long)me + 1);
    return NULL;
}

static void *wakes_up(void *unused)
{
    EXPECT(co_sleep(5000000) == 0, "co_sleep gives 0", "an error");
    woken = 1;
    return unused;
}

static void *yields_until_woken(void *unused)
{
    int64_t end = co_now() + 200000000;

    while (!woken) {
        EXPECT(co_now() < end, "who sleeps 5 ms beside others that always yield wakes up soon",
               "not within 200 ms: they starve it");
        co_yield_now();
    }
    return unused;
}

static void beside_a_sleeper(int yielders)
{
    struct co_stats before = stats(), after;

    woken = 0;
    co_go(wakes_up, NULL, "sleeper");
    for (int i = 0; i < yielders; i++) {
        co_go(yields_until_woken, NULL, "yielder");
    }
    EXPECT(co_run() == 0, "co_run gives 0 when all have ended", "an error");
    after = stats();
    EXPECT(yielders > 1 || after.polls - before.polls + 3 >= after.switches - before.switches,
           "who sleeps is no part of a round: one that yields beside it is a round of one",
           "%lu looks in %lu turns", (unsigned long)(after.polls - before.polls),
           (unsigned long)(after.switches - before.switches));
}

/* It keeps the CPU for 5 ms; others are ready meanwhile. It may end with that, and be freed. */
static void *hogs(void *then)
{
    int64_t end = co_now() + 5000000;

    while (co_now() < end) {
    }
    if (then) {
        co_yield_now();
    }
    return NULL;
}

static void expect_culprit(void *then)
{
    struct co_stats now;

    co_stats_reset();
    co_detach(co_go_attr(hogs, then, &(struct co_attr){.name = "hog", .stack_size = 1 << 20}));
    co_go(yields, (void *)3, "other");
    EXPECT(co_run() == 0, "co_run gives 0 when all have ended", "an error");
    now = stats();
    EXPECT(now.longest_stall >= 4000000 && strcmp(now.culprit, "hog") == 0,
           "the watchdog is told of each turn: the longest stall was 5 ms, by hog",
           "%ld us, by '%s'", (long)now.longest_stall / 1000, now.culprit);
}

/* Ten thousand, and the order in which they end. */
static void *ends_in_turn(void *argument)
{
    uint64_t me = (uint64_t)argument;

    EXPECT(co_status(co_self()) == CO_RUNNING, "the running one is CO_RUNNING", "%d",
           (int)co_status(co_self()));
    for (uint64_t i = 0; i < me % 3; i++) {
        co_yield_now();
    }
    sum = grade_mix(sum + me);
    left--;
    return NULL;
}

static struct co *one_of_many;

static void *looks_at_another(void *unused)
{
    co_yield_now();
    EXPECT(co_status(one_of_many) == CO_SUSPENDED,
           "one that has yielded is CO_SUSPENDED, in a run loop, too", "%d",
           (int)co_status(one_of_many));
    return unused;
}

static void crowd(void)
{
    one_of_many = co_go(yields, (void *)3, "yields");
    co_go(looks_at_another, NULL, "looks");
    EXPECT(co_run() == 0, "co_run gives 0 when all have ended", "an error");
    left = 10000;
    for (uint64_t i = 0; i < 10000; i++) {
        EXPECT(co_go(ends_in_turn, (void *)i, NULL) != NULL, "ten thousand coroutines",
               "no memory for number %lu", (unsigned long)i);
    }
    EXPECT(co_run() == 0, "co_run gives 0 when all have ended", "an error");
    EXPECT(left == 0, "each has run", "%d have not", left);
}

static void counts(void)
{
    for (uint64_t i = 0; i < 3; i++) {
        co_go(counts_itself, (void *)i, "counts");
    }
    EXPECT(co_run() == 0, "co_run gives 0 when all have ended", "an error");
    EXPECT(stats().switches == 3, "each turn is counted in `switches`, once", "%lu of 3",
           (unsigned long)stats().switches);
    grade_hint("step 5, run(): watch_ran() after each turn, before end()");
    expect_culprit(NULL);
    expect_culprit(&woken);
    grade_value("counts", grade_number(53));
}

static void rounds(void)
{
    EXPECT(co_run() == 0, "co_run gives 0 at once where there is no coroutine", "an error");
    expect_one_round();
    expect_rounds(2, 100);
    expect_rounds(1, 200);
    expect_rounds(64, 10);
    expect_rounds(1000, 3);
    beside_a_sleeper(1);
    beside_a_sleeper(300);
    grade_hint("steps 4 and 5: the states, and first in, first out");
    crowd();
    grade_value("crowd", sum);
}

/* Two that wait for each other: what standard error says of them. */
static struct co *stuck_one;

static void *sticks(void *unused)
{
    co_park("the moon");
    return unused;
}

static void *joins_it(void *unused)
{
    co_join(stuck_one, NULL, CO_NEVER);
    return unused;
}

/* Run the loop; what it writes to standard output and standard error goes into `text`. */
static int run_and_read(char text[2][4096])
{
    int fds[2][2], saved[2], result;

    fflush(stdout);
    memset(text, 0, 2 * 4096);
    for (int i = 0; i < 2; i++) {
        EXPECT(pipe(fds[i]) == 0, "a pipe", "errno %d", errno);
        saved[i] = dup(1 + i);
        dup2(fds[i][1], 1 + i);
    }
    result = co_run();
    for (int i = 0; i < 2; i++) {
        dup2(saved[i], 1 + i);
        close(saved[i]);
        close(fds[i][1]);
        read(fds[i][0], text[i], 4095);
        close(fds[i][0]);
    }
    return result;
}

/* Nobody is ready, and nobody sleeps, until another process writes. */
static void *reads_a_byte(void *fds)
{
    char byte = 0;

    EXPECT(co_wait_fd(((int *)fds)[0], POLLIN, CO_NEVER) >= 0 &&
               read(((int *)fds)[0], &byte, 1) == 1 && byte == 'x',
           "co_wait_fd comes back when there is something to read", "an error");
    return NULL;
}

static void waits_for_a_pipe(void)
{
    int fds[2];
    pid_t child;

    EXPECT(pipe(fds) == 0, "a pipe", "errno %d", errno);
    child = fork();
    if (child == 0) {
        usleep(5000);
        write(fds[1], "x", 1);
        _exit(0);
    }
    co_go(reads_a_byte, fds, "reads");
    EXPECT(co_run() == 0, "who waits for a descriptor is no deadlock: look() waits, too",
           "an error");
    waitpid(child, NULL, 0);
    close(fds[0]);
    close(fds[1]);
}

/* One that nobody will make ready; then two more beside it. */
static void stuck_ones(struct co *first)
{
    static char text[2][4096];
    int result = run_and_read(text);

    EXPECT(result == -EDEADLK, "one that nobody will make ready: -EDEADLK", "%d", result);
    EXPECT(strstr(text[1], "for ever"), "standard error has it, and what it waits for: co_dump(2)",
           "%s", text[1][0] ? "another text" : "nothing");
    stuck_one = co_go(sticks, NULL, "sticks");
    co_go(joins_it, NULL, "joins");
    result = run_and_read(text);
    EXPECT(result == -EDEADLK, "those that are left wait for each other: -EDEADLK", "%d", result);
    EXPECT(text[0][0] == '\0', "nothing of it on standard output", "%s", text[0]);
    EXPECT(strstr(text[1], "sticks") && strstr(text[1], "the moon") && strstr(text[1], "joins"),
           "standard error has a list of them, and what each waits for: co_dump(2)", "%s",
           text[1][0] ? "another text" : "nothing");
    EXPECT(co_ready(first) == 0 && co_ready(stuck_one) == 0 && co_run() == 0,
           "a loop that was stuck can run again", "it cannot");
}
#endif
