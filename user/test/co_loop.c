/* Coroutines, layer 2: the run loop. */
#include <co.h>
#include <stdint.h>

#include "ktap.h"

#define MS 1000000l

static char trace[256];

static void note(const char *text)
{
    CHECK(strlen(trace) + strlen(text) < sizeof(trace));
    strcat(trace, text);
}

static void *three_turns(void *name)
{
    for (int i = 0; i < 3; i++) {
        note(name);
        CHECK(co_yield_now() == 0);
    }
    return NULL;
}

static void ready_ones_take_turns(void)
{
    CHECK(co_go(three_turns, "a", "a") && co_go(three_turns, "b", "b") && co_go(three_turns, "c", "c"));
    CHECK(co_run() == 0);
    CHECK(strcmp(trace, "abcabcabc") == 0);
}

static int64_t start;

static void *sleep_as_long_as(void *name)
{
    CHECK(co_sleep_until(start + (*(char *)name - 'a') * 5 * MS) == 0);
    note(name);
    return NULL;
}

static void sleepers_wake_in_order_of_time(void)
{
    static const char *const names[] = {"d", "b", "e", "a", "c"};

    start = co_now();
    for (int i = 0; i < 5; i++) {
        co_go(sleep_as_long_as, (void *)names[i], names[i]);
    }
    CHECK(co_run() == 0);
    CHECK(strcmp(trace, "abcde") == 0);
}

static void *sleep_once(void *nanoseconds)
{
    int64_t before = co_now(), deadline = before + (long)nanoseconds;

    CHECK(co_sleep((long)nanoseconds) == 0);
    CHECK(co_now() >= before + (long)nanoseconds);
    CHECK(co_sleep_until(deadline) == 0); /* passed: only a turn */
    return NULL;
}

static void nobody_wakes_early(void)
{
    for (long i = 0; i < 100; i++) {
        CHECK(co_go(sleep_once, (void *)(i * i * 1000 + i), NULL));
    }
    CHECK(co_run() == 0);
}

static int slept;

static void *sleep_50_ms(void *in)
{
    CHECK(co_sleep(50 * MS) == 0);
    slept = 1;
    return in;
}

/* A round is what the sleeper may be late by; not more than 64 switches are. */
static void *yield_until_slept(void *in)
{
    int64_t due = co_now() + 50 * MS;
    int turns_too_many = 0;

    while (!slept) {
        CHECK(co_yield_now() == 0);
        turns_too_many += co_now() > due;
        CHECK(turns_too_many <= 64);
    }
    return in;
}

static void busy_yielder_does_not_starve_a_sleeper(void)
{
    co_go(sleep_50_ms, NULL, "sleeper");
    co_go(yield_until_slept, NULL, "yielder");
    CHECK(co_run() == 0);
    CHECK(slept);
}

static void *end_with(void *result)
{
    return result;
}

static struct co *target;

static void *join_target(void *expected)
{
    void *result = NULL;

    CHECK(co_join(target, &result, CO_NEVER) == 0);
    CHECK(result == expected);
    note("j");
    return NULL;
}

static void *join_early_and_late(void *in)
{
    struct co *co = co_go(end_with, "early", NULL);
    void *result;

    CHECK(co_join(co, &result, CO_NEVER) == 0 && strcmp(result, "early") == 0);
    co = co_go(end_with, "late", NULL);
    CHECK(co_yield_now() == 0); /* it ends now */
    CHECK(co_join(co, &result, 0) == 0 && strcmp(result, "late") == 0);
    CHECK(co_join(co, &result, 0) == -ESRCH);
    CHECK(co_join(co_self(), &result, CO_NEVER) == -EDEADLK);
    return in;
}

static void join_works_before_and_after_the_end_and_not_of_self(void)
{
    co_go(join_early_and_late, NULL, NULL);
    CHECK(co_run() == 0);
}

static void *sleep_then_end(void *result)
{
    CHECK(co_sleep(20 * MS) == 0);
    note("e");
    return result;
}

static void two_join_the_same(void)
{
    target = co_go(sleep_then_end, "x", "target");
    co_go(join_target, "x", NULL);
    co_go(join_target, "x", NULL);
    CHECK(co_run() == 0);
    CHECK(strcmp(trace, "ejj") == 0);
}

static void *join_with_deadlines(void *in)
{
    struct co *co = co_go(sleep_then_end, "x", NULL);
    void *result;

    CHECK(co_join(co, &result, 0) == -ETIMEDOUT);
    CHECK(co_join(co, &result, co_now() + 5 * MS) == -ETIMEDOUT);
    CHECK(strcmp(trace, "") == 0);
    CHECK(co_join(co, &result, co_now() + 60000 * MS) == 0 && strcmp(result, "x") == 0);
    return in;
}

static void join_has_a_deadline(void)
{
    co_go(join_with_deadlines, NULL, NULL);
    CHECK(co_run() == 0);
}

static void *detached(void *in)
{
    CHECK(co_yield_now() == 0);
    note("d");
    return in;
}

static void *detach_many(void *in)
{
    struct co *first = NULL;

    for (int i = 0; i < 1000; i++) {
        struct co *co = co_go(end_with, NULL, NULL);

        first = first ? first : co;
        CHECK(co == first); /* the one before is freed */
        CHECK(co_detach(co) == 0);
        CHECK(co_yield_now() == 0);
    }
    return in;
}

static void detached_ones_are_freed_at_their_end(void)
{
    CHECK(co_detach(co_go(detached, NULL, NULL)) == 0);
    co_go(detach_many, NULL, NULL);
    CHECK(co_run() == 0);
    CHECK(strcmp(trace, "d") == 0);
}

static int ends[2];
static struct co_chan *chan;

static void *wait_somehow(void *how)
{
    char byte;

    switch (*(char *)how) {
    case 's': CHECK(co_sleep(3600000 * MS) == -ECANCELED); break;
    case 'c': CHECK(co_chan_recv(chan, &byte, CO_NEVER) == -ECANCELED); break;
    case 'f': CHECK(co_read(ends[0], &byte, 1) == -ECANCELED); break;
    case 'p': CHECK(co_park("nothing") == -ECANCELED); break;
    case 'j': CHECK(co_join(target, NULL, CO_NEVER) == -ECANCELED); break;
    }
    CHECK(co_canceled());
    CHECK(co_sleep(MS) == -ECANCELED); /* and every wait from then on */
    CHECK(co_yield_now() == -ECANCELED);
    note(how);
    return how;
}

static void *cancel_all(void *in)
{
    static const char *const hows[] = {"s", "c", "f", "p", "j"};
    struct co *all[5], *queued;
    void *result;

    target = co_self();
    for (int i = 0; i < 5; i++) {
        all[i] = co_go(wait_somehow, (void *)hows[i], hows[i]);
    }
    CHECK(co_yield_now() == 0); /* now each waits */
    for (int i = 0; i < 5; i++) {
        CHECK(co_cancel(all[i]) == 0);
        CHECK(co_join(all[i], &result, CO_NEVER) == 0 && strcmp(result, hows[i]) == 0);
    }
    queued = co_go(wait_somehow, "s", "queued"); /* in the ready queue when it is canceled */
    CHECK(co_cancel(queued) == 0);
    CHECK(co_join(queued, NULL, CO_NEVER) == 0);
    CHECK(co_cancel(queued) == -ESRCH);
    return in;
}

static void cancel_ends_every_kind_of_wait(void)
{
    CHECK(pipe(ends) == 0);
    chan = co_chan_create(1, 0);
    co_go(cancel_all, NULL, NULL);
    CHECK(co_run() == 0);
    CHECK(strcmp(trace, "scfpjs") == 0);
    CHECK(co_chan_destroy(chan) == 0); /* nobody is left in it */
}

static void *park_twice(void *in)
{
    CHECK(co_park("a friend") == 0);
    note("1");
    CHECK(co_park_until("a friend", co_now() + MS) == -ETIMEDOUT);
    note("2");
    return in;
}

static void *make_ready(void *parked)
{
    note("r");
    CHECK(co_ready(parked) == 0);
    CHECK(co_ready(parked) == -EINVAL); /* it is ready */
    note("-");
    CHECK(co_yield_now() == 0);
    return NULL;
}

static void parked_one_runs_when_it_is_made_ready(void)
{
    co_go(make_ready, co_go(park_twice, NULL, NULL), NULL);
    CHECK(co_run() == 0);
    CHECK(strcmp(trace, "r-12") == 0);
}

static void *join_other(void *other)
{
    return (void *)(long)co_join(*(struct co **)other, NULL, CO_NEVER);
}

/* Standard error goes to a pipe; who waits for what must be in the report. */
static void deadlock_is_reported_with_names_and_reasons(void)
{
    static struct co *first, *second;
    char text[1024] = "";
    ssize_t got;

    CHECK(pipe(ends) == 0);
    dup2(ends[1], 2);
    chan = co_chan_create(1, 0);
    first = co_go(join_other, &second, "Tristan");
    second = co_go(join_other, &first, "Isolde");
    co_go(park_twice, NULL, "Godot's");
    CHECK(co_run() == -EDEADLK);
    got = read(ends[0], text, sizeof(text) - 1);
    CHECK(got > 0);
    CHECK(strstr(text, "deadlock") && strstr(text, "Tristan") && strstr(text, "Isolde"));
    CHECK(strstr(text, "join") && strstr(text, "Godot's") && strstr(text, "a friend"));
}

static void *run_in_loop(void *in)
{
    CHECK(co_run() == -EBUSY);
    return in;
}

static void misuse_of_the_loop_has_its_error(void)
{
    struct co *plain = co_create(end_with, NULL);

    CHECK(co_run() == 0); /* there is nobody */
    CHECK(co_yield_now() == -EPERM && co_park("x") == -EPERM && co_sleep(1) == -EPERM);
    CHECK(co_join(plain, NULL, 0) == -EPERM && co_cancel(plain) == -EPERM);
    CHECK(co_detach(plain) == -EPERM && co_ready(plain) == -EINVAL);
    target = co_go(run_in_loop, NULL, NULL);
    CHECK(co_join(target, NULL, CO_NEVER) == -EAGAIN);
    CHECK(co_run() == 0);
    CHECK(co_cancel(target) == -ESRCH);
}

static void *yield_within(void *in)
{
    CHECK(co_sleep(1) == -EPERM); /* it is not the loop's: its resumer is */
    for (long i = 0; i < 3; i++) {
        co_yield((void *)i);
    }
    return in;
}

static void *use_generator(void *name)
{
    struct co *co = co_create(yield_within, NULL);
    void *out;

    for (long i = 0; i < 3; i++) {
        CHECK(co_resume(co, NULL, &out) == 0 && (long)out == i);
        note(name);
        CHECK(co_yield_now() == 0);
    }
    CHECK(co_destroy(co) == 0);
    return NULL;
}

static void coroutines_of_the_loop_may_resume_others(void)
{
    co_go(use_generator, "a", NULL);
    co_go(use_generator, "b", NULL);
    CHECK(co_run() == 0);
    CHECK(strcmp(trace, "ababab") == 0);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(ready_ones_take_turns), TEST(sleepers_wake_in_order_of_time),
        TEST(nobody_wakes_early), TEST(busy_yielder_does_not_starve_a_sleeper),
        TEST(join_works_before_and_after_the_end_and_not_of_self), TEST(two_join_the_same),
        TEST(join_has_a_deadline), TEST(detached_ones_are_freed_at_their_end),
        TEST(cancel_ends_every_kind_of_wait), TEST(parked_one_runs_when_it_is_made_ready),
        TEST(deadlock_is_reported_with_names_and_reasons), TEST(misuse_of_the_loop_has_its_error),
        TEST(coroutines_of_the_loop_may_resume_others),
    };
    return RUN_TESTS(tests);
}
