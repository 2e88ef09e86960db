/* Coroutines that a timer signal preempts. What depends on time is only that it passes. */
#include <co.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>

#include "ktap.h"

#define SLICE 200000l

static volatile int stop;
static volatile uint64_t counts[3];

/* An endless loop that calls nothing. */
static void *counts_up(void *number)
{
    CHECK(co_preemptible(1) == 0);
    while (!stop) {
        counts[(long)number]++;
    }
    CHECK(co_preemptible(0) == 1);
    return NULL;
}

static void *stops_them(void *unused)
{
    while (!counts[0] || !counts[1] || !counts[2]) {
        co_yield_now();
    }
    co_sleep(5 * SLICE);
    stop = 1;
    return unused;
}

static void endless_loops_take_turns(void)
{
    CHECK(co_preempt(SLICE) == 0);
    for (long i = 0; i < 3; i++) {
        co_go(counts_up, (void *)i, "loop");
    }
    co_go(stops_them, NULL, "stopper");
    CHECK(co_run() == 0);
    CHECK(co_preempt(0) == 0);
}

static int turns;

/* In whatever order: registers, SSE and errno are this one's own. */
static void *computes(void *first)
{
    uint64_t x = (uint64_t)first, check = x;
    double sum = 0;
    volatile int *error = &errno; /* or the compiler would not look again */
    struct co_stats stats;

    do {
        co_preemptible(1);
        *error = (int)(long)first;
        for (int i = 0; i < 100000; i++) {
            x = x * 6364136223846793005u + 1442695040888963407u;
            sum += 0.5;
        }
        CHECK(*error == (int)(long)first && sum == 50000);
        for (int i = 0; i < 100000; i++) { /* backwards, by the inverse of the factor */
            x = (x - 1442695040888963407u) * 13877824140714322085u;
            sum -= 0.5;
        }
        co_preemptible(0);
        CHECK(x == check && sum == 0);
        co_stats(&stats);
    } while (stats.switches < 50);
    turns++;
    return NULL;
}

static void registers_and_errno_are_kept(void)
{
    CHECK(co_preempt(SLICE) == 0);
    for (long i = 1; i <= 4; i++) {
        co_go(computes, (void *)i, "computer");
    }
    CHECK(co_run() == 0 && turns == 4);
    CHECK(co_preempt(0) == 0);
}

static volatile int signals;

static void on_alarm(int signal)
{
    signals += signal == SIGALRM;
}

static void *is_left_alone(void *unused)
{
    int64_t end = co_now() + 10 * SLICE;
    struct co_stats before, after;

    co_stats(&before);
    while (co_now() < end) {
    }
    co_stats(&after);
    CHECK(before.switches == after.switches);
    return unused;
}

static void nobody_is_preempted_unasked(void)
{
    CHECK(co_preempt(SLICE) == 0);
    co_go(is_left_alone, NULL, "one");
    co_go(is_left_alone, NULL, "two");
    CHECK(co_run() == 0 && co_preempt(0) == 0);
}

static void *loops_to_its_end(void *unused)
{
    CHECK(co_preemptible(1) == 0);
    for (volatile int i = 0; i < 100000; i++) {
    }
    return unused; /* and never says that it may no longer */
}

static void one_that_ends_is_no_longer_preempted(void)
{
    CHECK(co_preempt(SLICE / 2) == 0);
    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < 5; i++) {
            co_go(loops_to_its_end, NULL, "short");
        }
        CHECK(co_run() == 0);
    }
    CHECK(co_preempt(0) == 0);
}

static void *asks_for_the_timer(void *unused)
{
    CHECK(co_preempt(SLICE) == -EBUSY);
    return unused;
}

static void the_signal_is_given_back(void)
{
    struct sigaction mine = {.sa_handler = on_alarm}, now;
    pthread_t thread;

    CHECK(co_preemptible(1) == -EPERM);
    CHECK(co_preempt(-1) == -EINVAL && co_preempt(99999) == -EINVAL && co_preempt(0) == 0);
    sigaction(SIGALRM, &mine, NULL);
    CHECK(co_preempt(SLICE) == 0 && co_preempt(2 * SLICE) == 0);
    CHECK(pthread_create(&thread, NULL, asks_for_the_timer, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(co_preempt(0) == 0);
    sigaction(SIGALRM, NULL, &now);
    CHECK(now.sa_handler == on_alarm && signals == 0);
    raise(SIGALRM);
    CHECK(signals == 1);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(endless_loops_take_turns), TEST(registers_and_errno_are_kept),
        TEST(nobody_is_preempted_unasked), TEST(one_that_ends_is_no_longer_preempted),
        TEST(the_signal_is_given_back),
    };

    return RUN_TESTS(tests);
}
