/* fork inside of a coroutine: the child has all coroutines, and a ring of its own in a trace. */
#include <co.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ktap.h"

#define TURNS 5
#define THREADS 70 /* more than there are rings for their coroutines */

static int turns;

static void *ticker(void *unused)
{
    for (int i = 0; i < TURNS; i++) {
        turns++;
        co_yield_now();
    }
    return unused;
}

static void *forker(void *unused)
{
    pid_t child;

    co_yield_now();
    child = fork();
    if (child == 0) {
        while (turns < TURNS) {
            co_yield_now();
        }
        co_mark(7, "child");
        _exit(turns);
    }
    *(pid_t *)unused = child;
    co_mark(8, "parent");
    return NULL;
}

static void a_child_goes_on_with_its_copies(void)
{
    pid_t child = 0;
    int status;

    co_go(ticker, NULL, "ticker");
    co_go(forker, &child, "forker");
    CHECK(co_run() == 0 && turns == TURNS);
    CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == TURNS);
}

static volatile int making = 1;

static void *nothing(void *unused)
{
    return unused;
}

static void *makes_and_ends(void *unused)
{
    while (making) {
        co_go(nothing, NULL, "short");
        co_run();
    }
    return unused;
}

/* Another thread is inside the library at whatever place; the child must not wait for it. */
static void a_fork_at_any_time_leaves_the_library_usable(void)
{
    pthread_t thread;

    CHECK(pthread_create(&thread, NULL, makes_and_ends, NULL) == 0);
    for (int i = 0; i < 100; i++) {
        pid_t child = fork();
        int status;

        if (child == 0) {
            alarm(20); /* a thread that is not here may have what we wait for */
            co_go(nothing, NULL, "child's");
            _exit(co_run() == 0 ? 0 : 1);
        }
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
    making = 0;
    CHECK(pthread_join(thread, NULL) == 0);
}

static pthread_barrier_t all_there;

static void *meets(void *unused)
{
    pthread_barrier_wait(&all_there);
    return unused;
}

static void *one_of_many(void *unused)
{
    co_go(meets, NULL, "meets");
    co_run();
    return unused;
}

static void many_threads_have_coroutines(void)
{
    pthread_t threads[THREADS];

    CHECK(pthread_barrier_init(&all_there, NULL, THREADS) == 0);
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&threads[i], NULL, one_of_many, NULL) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
    }
}

int main(void)
{
    static const struct test tests[] = {
        TEST(a_fork_at_any_time_leaves_the_library_usable), TEST(many_threads_have_coroutines),
        TEST(a_child_goes_on_with_its_copies), /* last: its rings are still in the trace */
    };

    return RUN_TESTS(tests);
}
