/* Coroutines: very many, one after the other, at once, and on several threads. */
#include <co.h>
#include <pthread.h>

#include "ktap.h"

static void *suspend(void *in)
{
    return co_yield(in);
}

static void a_million_coroutines_one_after_the_other_take_the_memory_of_one(void)
{
    struct co *first = co_create(suspend, NULL);

    CHECK(co_resume(first, NULL, NULL) == 0 && co_destroy(first) == 0);
    for (int i = 1; i < 1000000; i++) {
        struct co *co = co_create(suspend, NULL);

        CHECK(co == first);
        CHECK(co_resume(co, NULL, NULL) == 0);
        if (i & 1) { /* half end, half are given up */
            CHECK(co_resume(co, NULL, NULL) == 0 && co_status(co) == CO_DEAD);
        }
        CHECK(co_destroy(co) == 0);
    }
}

#define MANY 100000

static void a_hundred_thousand_live_at_once(void)
{
    static struct co *all[MANY];
    void *out;

    for (int round = 0; round < 2; round++) {
        for (long i = 0; i < MANY; i++) {
            all[i] = co_create(suspend, NULL);
            CHECK(all[i]);
            CHECK(co_resume(all[i], (void *)i, &out) == 0 && (long)out == i);
        }
        for (long i = 0; i < MANY; i++) {
            CHECK(co_resume(all[i], (void *)~i, &out) == 0 && (long)out == ~i);
            CHECK(co_status(all[i]) == CO_DEAD && co_destroy(all[i]) == 0);
        }
    }
}

static long sum;

static void *sleeper(void *in)
{
    CHECK(co_sleep((long)in % 7) == 0);
    sum += (long)in;
    return NULL;
}

static void a_run_loop_of_ten_thousand_sleepers_ends(void)
{
    for (long i = 0; i < 10000; i++) {
        CHECK(co_go(sleeper, (void *)i, NULL));
    }
    CHECK(co_run() == 0);
    CHECK(sum == 9999l * 10000 / 2);
}

#define THREADS 4

static void *count_turns(void *in)
{
    for (int i = 0; i < 1000; i++) {
        ++*(long *)in; /* no other thread's coroutine does */
        CHECK(co_yield_now() == 0);
        if (i % 100 == 0) {
            CHECK(co_sleep(1000) == 0);
        }
    }
    return NULL;
}

static void *run_loop(void *in)
{
    for (int i = 0; i < 10; i++) {
        CHECK(co_go(count_turns, in, NULL));
    }
    return (void *)(long)co_run();
}

static void each_thread_has_a_run_loop_of_its_own(void)
{
    static long counts[THREADS];
    pthread_t threads[THREADS];
    void *result;

    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&threads[i], NULL, run_loop, &counts[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i], &result) == 0 && !result);
        CHECK(counts[i] == 10000);
    }
}

int main(void)
{
    static const struct test tests[] = {
        TEST(a_million_coroutines_one_after_the_other_take_the_memory_of_one),
        TEST(a_run_loop_of_ten_thousand_sleepers_ends),
        TEST(each_thread_has_a_run_loop_of_its_own),
        TEST(a_hundred_thousand_live_at_once),
    };
    return RUN_TESTS(tests);
}
