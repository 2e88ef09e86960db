/* Coroutines: mutexes. */
#include <co.h>

#include "ktap.h"

#define MS 1000000l

static struct co_mutex *mutex, *other;
static char order[64];
static int inside;

static void note(char who)
{
    size_t at = strlen(order);

    CHECK(at + 1 < sizeof(order));
    order[at] = who;
}

static void *three_times(void *name)
{
    for (int i = 0; i < 3; i++) {
        CHECK(co_mutex_lock(mutex, CO_NEVER) == 0);
        CHECK(inside++ == 0);
        note(*(char *)name);
        CHECK(co_yield_now() == 0); /* the others try meanwhile */
        CHECK(--inside == 0);
        CHECK(co_mutex_unlock(mutex) == 0);
    }
    return NULL;
}

static void one_at_a_time_in_the_order_of_arrival(void)
{
    mutex = co_mutex_create("door");
    for (int i = 0; i < 3; i++) {
        co_go(three_times, &"a\0b\0c\0"[2 * i], NULL);
    }
    CHECK(co_run() == 0);
    CHECK(strcmp(order, "abcabcabc") == 0);
    CHECK(co_mutex_destroy(mutex) == 0);
}

static void *holds_for_a_while(void *in)
{
    CHECK(co_mutex_lock(mutex, CO_NEVER) == 0);
    CHECK(co_mutex_lock(mutex, CO_NEVER) == -EDEADLK && co_mutex_trylock(mutex) == -EDEADLK);
    CHECK(co_sleep(20 * MS) == 0);
    CHECK(co_mutex_destroy(mutex) == -EBUSY);
    CHECK(co_mutex_unlock(mutex) == 0 && co_mutex_unlock(mutex) == -EPERM);
    return in;
}

static void *gives_up(void *in)
{
    CHECK(co_mutex_trylock(mutex) == -EBUSY);
    CHECK(co_mutex_lock(mutex, 0) == -ETIMEDOUT);
    CHECK(co_mutex_lock(mutex, co_now() + MS) == -ETIMEDOUT);
    CHECK(co_mutex_unlock(mutex) == -EPERM);
    return in;
}

static void *is_canceled(void *in)
{
    CHECK(co_mutex_lock(mutex, CO_NEVER) == -ECANCELED);
    return in;
}

static void *cancels(void *whom)
{
    co_sleep(5 * MS);
    CHECK(co_cancel(whom) == 0);
    return NULL;
}

static void each_mistake_and_each_end_of_waiting_has_its_error(void)
{
    mutex = co_mutex_create(NULL);
    CHECK(co_mutex_lock(mutex, CO_NEVER) == -EPERM && co_mutex_unlock(mutex) == -EPERM);
    co_go(holds_for_a_while, NULL, NULL);
    co_go(gives_up, NULL, NULL);
    co_go(cancels, co_go(is_canceled, NULL, NULL), NULL);
    co_go(three_times, "x", NULL);
    CHECK(co_run() == 0 && strcmp(order, "xxx") == 0);
    CHECK(co_mutex_destroy(mutex) == 0);
}

static struct co *canceled;

/* While the two before it in the line give up, and before they run. */
static void *gives_back_late(void *in)
{
    CHECK(co_mutex_lock(mutex, CO_NEVER) == 0);
    CHECK(co_yield_now() == 0); /* all others wait for it now */
    while (co_now() < *(int64_t *)in) {
    }
    CHECK(co_yield_now() == 0 && co_cancel(canceled) == 0 && co_mutex_unlock(mutex) == 0);
    return in;
}

static void *waits_too_long(void *until)
{
    CHECK(co_mutex_lock(mutex, *(int64_t *)until) == -ETIMEDOUT);
    return NULL;
}

static void *gets_it(void *in)
{
    CHECK(co_mutex_lock(mutex, CO_NEVER) == 0 && co_mutex_unlock(mutex) == 0);
    return in;
}

static void who_has_given_up_is_not_given_it(void)
{
    int64_t until = co_now() + 5 * MS;

    mutex = co_mutex_create(NULL);
    co_go(gives_back_late, &until, NULL);
    canceled = co_go(is_canceled, NULL, NULL);
    co_go(waits_too_long, &until, NULL);
    co_go(gets_it, NULL, NULL);
    CHECK(co_run() == 0 && co_mutex_destroy(mutex) == 0);
}

static void *crosswise(void *first)
{
    struct co_mutex *mine = first, *theirs = mine == mutex ? other : mutex;

    CHECK(co_mutex_lock(mine, CO_NEVER) == 0 && co_yield_now() == 0);
    co_mutex_lock(theirs, CO_NEVER);
    return NULL;
}

static void a_deadlock_names_the_mutexes_and_who_has_them(void)
{
    char text[512] = "";
    int ends[2];

    CHECK(pipe(ends) == 0 && dup2(ends[1], 2) == 2);
    mutex = co_mutex_create("left fork");
    other = co_mutex_create("right fork");
    co_go(crosswise, mutex, "plato");
    co_go(crosswise, other, "kant");
    CHECK(co_run() == -EDEADLK);
    CHECK(read(ends[0], text, sizeof(text) - 1) > 0);
    CHECK(strstr(text, "deadlock: 2 coroutines"));
    CHECK(strstr(text, "parked: mutex right fork, held by kant"));
    CHECK(strstr(text, "parked: mutex left fork, held by plato"));
}

int main(void)
{
    static const struct test tests[] = {
        TEST(one_at_a_time_in_the_order_of_arrival),
        TEST(each_mistake_and_each_end_of_waiting_has_its_error),
        TEST(who_has_given_up_is_not_given_it),
        TEST(a_deadlock_names_the_mutexes_and_who_has_them),
    };

    return RUN_TESTS(tests);
}
