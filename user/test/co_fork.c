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

static int ends[2];

static void *read_a_byte(void *unused)
{
    char byte = 0;

    CHECK(co_read(ends[0], &byte, 1) == 1 && byte == 'x');
    turns++;
    return unused;
}

/* Both have somebody who waits; what the one is told must not be lost to the other. */
static void *fork_beside_who_waits(void *child)
{
    pid_t pid;

    co_sleep(1000000);
    pid = fork();
    if (pid != 0) {
        *(pid_t *)child = pid;
    }
    co_sleep(1000000);
    CHECK(co_write(ends[1], "x", 1) == 1);
    if (pid == 0) {
        while (turns == 0) {
            co_yield_now();
        }
        _exit(7);
    }
    return NULL;
}

static void who_waits_for_a_descriptor_waits_in_the_child_too(void)
{
    pid_t child = 0;
    int status;

    turns = 0;
    CHECK(pipe(ends) == 0);
    co_go(read_a_byte, NULL, "reader");
    co_go(fork_beside_who_waits, &child, "forker");
    CHECK(co_run() == 0 && turns == 1);
    CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 7);
}

static void *slow(void *milliseconds)
{
    usleep(1000 * (unsigned)(long)milliseconds);
    return milliseconds;
}

static int outcome;

static void *asks_a_helper(void *unused)
{
    void *result = NULL;

    outcome = co_blocking(slow, (void *)50l, &result);
    CHECK(outcome < 0 || result == (void *)50l);
    turns++;
    return unused;
}

/* The child has no helper: there the first job has failed, and a new one works. */
static void *fork_beside_a_helper(void *child)
{
    void *result = NULL;
    pid_t pid;

    co_sleep(5000000);
    pid = fork();
    if (pid == 0) {
        CHECK(co_blocking(slow, (void *)1l, &result) == 0 && result == (void *)1l);
        CHECK(turns == 1 && outcome == -EAGAIN);
        _exit(7);
    }
    *(pid_t *)child = pid;
    return NULL;
}

static void a_fork_beside_a_helper_leaves_each_its_own(void)
{
    pid_t child = 0;
    int status;

    turns = 0;
    co_go(asks_a_helper, NULL, "asks");
    co_go(fork_beside_a_helper, &child, "forker");
    CHECK(co_run() == 0 && turns == 1 && outcome == 0);
    CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 7);
}

static volatile int spinning = 1;

static void *spins(void *unused)
{
    co_preemptible(1);
    while (spinning) {
    }
    co_preemptible(0);
    return unused;
}

static void *fork_beside_a_spinner(void *child)
{
    pid_t pid = fork();

    co_yield_now(); /* it comes back when the timer interrupts the other one */
    spinning = 0;
    if (pid == 0) {
        co_yield_now();
        CHECK(co_preempt(0) == 0);
        _exit(7);
    }
    *(pid_t *)child = pid;
    return NULL;
}

static void a_child_is_preempted_as_its_parent_was(void)
{
    pid_t child = 0;
    int status;

    CHECK(co_preempt(1000000) == 0);
    co_go(fork_beside_a_spinner, &child, "forker");
    co_go(spins, NULL, "spins");
    CHECK(co_run() == 0 && co_preempt(0) == 0);
    CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 7);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(who_waits_for_a_descriptor_waits_in_the_child_too),
        TEST(a_fork_beside_a_helper_leaves_each_its_own),
        TEST(a_child_is_preempted_as_its_parent_was),
        TEST(a_fork_at_any_time_leaves_the_library_usable), TEST(many_threads_have_coroutines),
        TEST(a_child_goes_on_with_its_copies), /* last: its rings are still in the trace */
    };

    return RUN_TESTS(tests);
}
