/* Mutexes: what they do, and what they refuse. The host's C library is the judge of the meaning. */
#include "pthread_test.h"

#define THREADS 4
#define ROUNDS 5000

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static volatile int value;

/* Reading, giving the CPU away and writing: wrong at once where two get in. */
static void add_slowly(int i)
{
    int old = value;

    if (i % 64 == 0) {
        sched_yield();
    }
    value = old + 1;
}

static void *count_with_mutex(void *argument)
{
    for (int i = 0; i < ROUNDS; i++) {
        CHECK(pthread_mutex_lock(&mutex) == 0);
        add_slowly(i);
        CHECK(pthread_mutex_unlock(&mutex) == 0);
    }
    return argument;
}

static void mutex_excludes(void)
{
    run_threads(THREADS, count_with_mutex);
    CHECK(value == THREADS * ROUNDS);
}

static void set_kind(int kind)
{
    pthread_mutexattr_t attr;
    int got;

    CHECK(pthread_mutexattr_init(&attr) == 0);
    CHECK(pthread_mutexattr_gettype(&attr, &got) == 0 && got == PTHREAD_MUTEX_DEFAULT);
    CHECK(pthread_mutexattr_settype(&attr, 99) == EINVAL);
    CHECK(pthread_mutexattr_settype(&attr, kind) == 0);
    CHECK(pthread_mutexattr_gettype(&attr, &got) == 0 && got == kind);
    CHECK(pthread_mutex_init(&mutex, &attr) == 0 && pthread_mutexattr_destroy(&attr) == 0);
}

/* What another thread gets from the calls, while we hold the mutex. */
static void *try_in_vain(void *error_of_unlock)
{
    struct timespec time = in_microseconds(20000, CLOCK_REALTIME), bad = {0, 1000000000};

    CHECK(pthread_mutex_trylock(&mutex) == EBUSY);
    CHECK(pthread_mutex_timedlock(&mutex, &time) == ETIMEDOUT && is_past(CLOCK_REALTIME, time));
    CHECK(pthread_mutex_timedlock(&mutex, &bad) == EINVAL);
    if (error_of_unlock) {
        CHECK(pthread_mutex_unlock(&mutex) == (int)(long)error_of_unlock);
    }
    return NULL;
}

static void let_other_try(int error_of_unlock)
{
    CHECK(pthread_create(&threads[0], NULL, try_in_vain, (void *)(long)error_of_unlock) == 0);
    join_threads(1);
}

static void normal_mutex(void)
{
    struct timespec bad = {0, -1};

    CHECK(pthread_mutex_lock(&mutex) == 0);
    CHECK(pthread_mutex_trylock(&mutex) == EBUSY && pthread_mutex_destroy(&mutex) == EBUSY);
    let_other_try(0);
    CHECK(pthread_mutex_unlock(&mutex) == 0);
    CHECK(pthread_mutex_timedlock(&mutex, &bad) == 0); /* nobody looks at the time */
    CHECK(pthread_mutex_unlock(&mutex) == 0 && pthread_mutex_destroy(&mutex) == 0);
}

static void recursive_mutex(void)
{
    static pthread_mutex_t constant = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

    set_kind(PTHREAD_MUTEX_RECURSIVE);
    CHECK(pthread_mutex_unlock(&mutex) == EPERM);
    CHECK(pthread_mutex_lock(&mutex) == 0 && pthread_mutex_trylock(&mutex) == 0);
    CHECK(pthread_mutex_lock(&mutex) == 0 && pthread_mutex_unlock(&mutex) == 0);
    let_other_try(EPERM);
    CHECK(pthread_mutex_unlock(&mutex) == 0);
    let_other_try(EPERM);
    CHECK(pthread_mutex_unlock(&mutex) == 0);
    CHECK(pthread_mutex_unlock(&mutex) == EPERM);
    CHECK(pthread_mutex_lock(&constant) == 0 && pthread_mutex_lock(&constant) == 0);
}

static void errorcheck_mutex(void)
{
    static pthread_mutex_t constant = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;

    set_kind(PTHREAD_MUTEX_ERRORCHECK);
    CHECK(pthread_mutex_unlock(&mutex) == EPERM);
    CHECK(pthread_mutex_lock(&mutex) == 0 && pthread_mutex_lock(&mutex) == EDEADLK);
    CHECK(pthread_mutex_trylock(&mutex) == EBUSY);
    let_other_try(EPERM);
    CHECK(pthread_mutex_unlock(&mutex) == 0 && pthread_mutex_unlock(&mutex) == EPERM);
    CHECK(pthread_mutex_lock(&constant) == 0 && pthread_mutex_lock(&constant) == EDEADLK);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(mutex_excludes), TEST(normal_mutex), TEST(recursive_mutex), TEST(errorcheck_mutex),
    };

    return RUN_TESTS(tests);
}
