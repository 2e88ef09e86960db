/*
 * Coroutines: who waits in a raw system call stalls all others for the whole wait; who waits
 * through the library, or on a helper thread, does not.
 */
#include <co.h>
#include <time.h>

#include "ktap.h"

#define MS 1000000l
#define TICKS 5

static int ends[2], ticks, waiting;

/* Ticks while the other one waits. After some ticks it gives the answer that is waited for; only
 * where that is of no use, a child process does (raw_read). */
static void *tick(void *answers)
{
    while (!waiting) {
        CHECK(co_yield_now() == 0);
    }
    while (waiting) {
        ticks++;
        if (answers && ticks == TICKS) {
            CHECK(write(ends[1], "x", 1) == 1);
        }
        CHECK(co_yield_now() == 0);
    }
    return NULL;
}

static void *raw_read(void *in)
{
    char byte;

    CHECK(read(ends[0], &byte, 1) == 1);
    return in;
}

static void *raw_sleep(void *in)
{
    struct timespec time = {.tv_nsec = 30 * MS};

    CHECK(nanosleep(&time, NULL) == 0);
    return in;
}

static void *aware_read(void *in)
{
    char byte;

    CHECK(co_read(ends[0], &byte, 1) == 1);
    return in;
}

static void *aware_sleep(void *in)
{
    CHECK(co_sleep(30 * MS) == 0);
    return in;
}

static void *read_on_a_thread(void *in)
{
    CHECK(co_blocking(raw_read, NULL, NULL) == 0);
    return in;
}

static void *sleep_on_a_thread(void *in)
{
    CHECK(co_blocking(raw_sleep, NULL, NULL) == 0);
    return in;
}

static void *wait_so(void *how)
{
    waiting = 1;
    CHECK(co_yield_now() == 0); /* the ticker is at it */
    ticks = 0;
    (*(co_function *)how)(NULL);
    waiting = 0;
    return NULL;
}

/* How often the other coroutine ran while this one waited. */
static int ticks_during(co_function how, int answered_by_the_ticker)
{
    struct co_stats stats;

    ticks = 0;
    co_stats_reset();
    co_go(wait_so, &how, "waiter");
    co_go(tick, answered_by_the_ticker ? "" : NULL, "ticker");
    CHECK(co_run() == 0);
    co_stats(&stats);
    CHECK(stats.switches > 0 && stats.coroutines == 0 && stats.ready == 0 && stats.parked == 0);
    return ticks;
}

static void raw_read_stalls_for_the_whole_wait(void)
{
    CHECK(pipe(ends) == 0);
    if (fork() == 0) { /* only another process can answer */
        raw_sleep(NULL);
        CHECK(write(ends[1], "x", 1) == 1);
        _exit(0);
    }
    CHECK(ticks_during(raw_read, 0) == 0);
}

static void raw_sleep_stalls_for_the_whole_wait(void)
{
    CHECK(ticks_during(raw_sleep, 0) == 0);
}

static void aware_read_does_not_stall(void)
{
    CHECK(pipe(ends) == 0);
    CHECK(ticks_during(aware_read, 1) >= TICKS);
}

static void aware_sleep_does_not_stall(void)
{
    CHECK(ticks_during(aware_sleep, 0) > 0);
}

static void read_on_a_helper_thread_does_not_stall(void)
{
    CHECK(pipe(ends) == 0);
    CHECK(ticks_during(read_on_a_thread, 1) >= TICKS);
}

static void sleep_on_a_helper_thread_does_not_stall(void)
{
    CHECK(ticks_during(sleep_on_a_thread, 0) > 0);
}

static void stall_is_measured_and_its_culprit_named(void)
{
    struct co_stats stats;

    ticks_during(raw_sleep, 0);
    co_stats(&stats);
    CHECK(strcmp(stats.culprit, "waiter") == 0);
    CHECK(stats.longest_stall >= 25 * MS); /* of 30: the first stretch tells cycles from time */
    co_stats_reset();
    co_stats(&stats);
    CHECK(stats.longest_stall == 0 && !stats.culprit[0]);
}

static void *sleep_for_an_hour(void *in)
{
    CHECK(co_sleep(3600 * 1000 * MS) == -ECANCELED);
    return in;
}

static void *stop_nobody(void *sleeper)
{
    CHECK(co_yield_now() == 0);
    raw_sleep(NULL); /* the only other one would not have run anyway */
    CHECK(co_yield_now() == 0);
    CHECK(co_cancel(sleeper) == 0);
    return NULL;
}

static void keeping_the_cpu_while_nobody_waits_is_no_stall(void)
{
    struct co_stats stats;

    co_go(stop_nobody, co_go(sleep_for_an_hour, NULL, "sleeper"), "lonely");
    CHECK(co_run() == 0);
    co_stats(&stats);
    CHECK(stats.longest_stall < 30 * MS);
}

static void *add_on_thread(void *number)
{
    struct timespec time = {.tv_nsec = (100 - (long)number) * 100000};

    nanosleep(&time, NULL);
    return (void *)((long)number + 1000);
}

static void *block(void *number)
{
    void *result;

    CHECK(co_blocking(add_on_thread, number, &result) == 0);
    CHECK((long)result == (long)number + 1000);
    ticks++;
    return NULL;
}

static void many_helper_threads_give_each_its_result(void)
{
    CHECK(co_blocking(add_on_thread, NULL, NULL) == -EPERM); /* outside of coroutines */
    for (long i = 0; i < 50; i++) {
        CHECK(co_go(block, (void *)i, NULL));
    }
    CHECK(co_run() == 0);
    CHECK(ticks == 50);
}

static int finished;

static void *finish(void *in)
{
    raw_sleep(NULL);
    __atomic_store_n(&finished, 1, __ATOMIC_RELEASE);
    return in;
}

static void *block_until_finished(void *in)
{
    CHECK(co_blocking(finish, NULL, NULL) == 0);
    CHECK(__atomic_load_n(&finished, __ATOMIC_ACQUIRE));
    CHECK(co_blocking(finish, NULL, NULL) == -ECANCELED);
    return in;
}

static void *cancel_soon(void *co)
{
    CHECK(co_sleep(MS) == 0);
    CHECK(co_cancel(co) == 0);
    return NULL;
}

static void cancel_waits_for_the_helper_thread(void)
{
    co_go(cancel_soon, co_go(block_until_finished, NULL, NULL), NULL);
    CHECK(co_run() == 0);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(raw_read_stalls_for_the_whole_wait), TEST(raw_sleep_stalls_for_the_whole_wait),
        TEST(aware_read_does_not_stall), TEST(aware_sleep_does_not_stall),
        TEST(read_on_a_helper_thread_does_not_stall), TEST(sleep_on_a_helper_thread_does_not_stall),
        TEST(stall_is_measured_and_its_culprit_named),
        TEST(keeping_the_cpu_while_nobody_waits_is_no_stall),
        TEST(many_helper_threads_give_each_its_result), TEST(cancel_waits_for_the_helper_thread),
    };
    return RUN_TESTS(tests);
}
