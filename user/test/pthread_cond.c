/* Condition variables: who goes on, and when. The host's C library is the judge of the meaning. */
#include "pthread_test.h"

#define THREADS 4
#define ROUNDS 5000

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static volatile int value, waiting;

static void *await_value(void *argument)
{
    CHECK(pthread_mutex_lock(&mutex) == 0);
    waiting++;
    while (value == 0) {
        CHECK(pthread_cond_wait(&cond, &mutex) == 0);
    }
    value--;
    waiting--;
    CHECK(pthread_mutex_unlock(&mutex) == 0);
    return argument;
}

static void until_all_wait(void)
{
    for (;;) {
        int now;

        pthread_mutex_lock(&mutex);
        now = waiting;
        pthread_mutex_unlock(&mutex);
        if (now == THREADS) {
            return;
        }
        usleep(1000);
    }
}

static void each_signal_lets_one_go_on(void)
{
    start_threads(THREADS, await_value);
    until_all_wait();
    for (int i = 0; i < THREADS; i++) {
        pthread_mutex_lock(&mutex);
        value++;
        pthread_mutex_unlock(&mutex);
        CHECK(pthread_cond_signal(&cond) == 0);
    }
    join_threads(THREADS);
    CHECK(value == 0);
}

static void broadcast_lets_all_go_on(void)
{
    start_threads(THREADS, await_value);
    until_all_wait();
    pthread_mutex_lock(&mutex);
    value = THREADS;
    CHECK(pthread_cond_broadcast(&cond) == 0);
    pthread_mutex_unlock(&mutex);
    join_threads(THREADS);
    CHECK(pthread_cond_signal(&cond) == 0 && pthread_cond_destroy(&cond) == 0);
}

static void cond_times_out_by_its_clock(void)
{
    clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC}, got;
    struct timespec time, bad = {0, 1000000000};
    pthread_condattr_t attr;

    CHECK(pthread_condattr_init(&attr) == 0);
    CHECK(pthread_condattr_setclock(&attr, CLOCK_PROCESS_CPUTIME_ID) == EINVAL);
    CHECK(pthread_condattr_getclock(&attr, &got) == 0 && got == CLOCK_REALTIME);
    for (int i = 0; i < 2; i++) {
        CHECK(pthread_condattr_setclock(&attr, clocks[i]) == 0);
        CHECK(pthread_cond_init(&cond, &attr) == 0);
        mutex = (pthread_mutex_t)PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
        CHECK(pthread_mutex_lock(&mutex) == 0);
        time = in_microseconds(20000, clocks[i]);
        while (pthread_cond_timedwait(&cond, &mutex, &time) == 0) {
        }
        CHECK(is_past(clocks[i], time));
        CHECK(pthread_cond_timedwait(&cond, &mutex, &time) == ETIMEDOUT);
        CHECK(pthread_cond_timedwait(&cond, &mutex, &bad) == EINVAL);
        CHECK(pthread_mutex_unlock(&mutex) == 0); /* it was taken again each time */
        CHECK(pthread_cond_wait(&cond, &mutex) == EPERM);
        CHECK(pthread_cond_destroy(&cond) == 0);
    }
}

static pthread_cond_t turn[2] = {PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER};

static void *play(void *side)
{
    int mine = (int)(long)side;

    pthread_mutex_lock(&mutex);
    for (int i = 0; i < ROUNDS; i++) {
        while (value % 2 != mine) {
            pthread_cond_wait(&turn[mine], &mutex);
        }
        value++;
        pthread_cond_signal(&turn[1 - mine]);
    }
    pthread_mutex_unlock(&mutex);
    return NULL;
}

static void ping_pong_loses_no_signal(void)
{
    run_threads(2, play);
    CHECK(value == 2 * ROUNDS);
}

/* Times so short that they run out just when a signal comes: it must reach somebody else then. */
static void *take_impatiently(void *index)
{
    for (int i = 0; i < ROUNDS / 10; i++) {
        pthread_mutex_lock(&mutex);
        while (value == 0) {
            long microseconds = (index == (void *)0 ? 1 : 30) * (i % 7);
            struct timespec time = in_microseconds(microseconds, CLOCK_REALTIME);

            if (index == (void *)3) {
                CHECK(pthread_cond_wait(&cond, &mutex) == 0);
            } else {
                int error = pthread_cond_timedwait(&cond, &mutex, &time);

                CHECK(error == 0 || error == ETIMEDOUT);
            }
        }
        value--;
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

static void timeouts_swallow_no_signal(void)
{
    start_threads(THREADS, take_impatiently);
    for (int i = 0; i < THREADS * (ROUNDS / 10); i++) {
        pthread_mutex_lock(&mutex);
        value++;
        pthread_cond_signal(&cond);
        pthread_mutex_unlock(&mutex);
        if (i % 16 == 0) {
            usleep(20);
        }
    }
    join_threads(THREADS);
    CHECK(value == 0);
}

struct job {
    pthread_mutex_t mutex;
    pthread_cond_t done;
    int finished;
};

static void *finish(void *argument)
{
    struct job *job = argument;

    pthread_mutex_lock(&job->mutex);
    job->finished = 1;
    pthread_cond_broadcast(&job->done);
    pthread_mutex_unlock(&job->mutex);
    return NULL;
}

static struct job *shared_job;

static void *see_finished(void *argument)
{
    struct job *job = shared_job;

    pthread_mutex_lock(&job->mutex);
    __atomic_fetch_add(&waiting, 1, __ATOMIC_SEQ_CST);
    while (!job->finished) {
        pthread_cond_wait(&job->done, &job->mutex);
    }
    pthread_mutex_unlock(&job->mutex);
    return argument;
}

/* POSIX: when all have been woken, the condition variable may be destroyed at once. */
static void cond_may_be_destroyed_after_broadcast(void)
{
    for (int i = 0; i < 200; i++) {
        shared_job = malloc(sizeof(*shared_job));
        CHECK(shared_job && pthread_mutex_init(&shared_job->mutex, NULL) == 0);
        CHECK(pthread_cond_init(&shared_job->done, NULL) == 0);
        shared_job->finished = waiting = 0;
        start_threads(3, see_finished);
        while (__atomic_load_n(&waiting, __ATOMIC_SEQ_CST) < 3) {
            sched_yield();
        }
        finish(shared_job);
        CHECK(pthread_cond_destroy(&shared_job->done) == 0);
        memset(&shared_job->done, 0xff, sizeof(shared_job->done));
        join_threads(3);
        CHECK(pthread_mutex_destroy(&shared_job->mutex) == 0);
        free(shared_job);
    }
}

static void on_signal(int signal)
{
    value = signal;
}

static void *interrupt_main(void *main_thread)
{
    for (int i = 0; i < 3; i++) {
        usleep(10000);
        CHECK(pthread_kill((pthread_t)main_thread, SIGUSR1) == 0);
    }
    usleep(10000);
    return NULL;
}

static void cond_wait_is_not_ended_by_a_signal(void)
{
    struct sigaction action = {.sa_handler = on_signal}; /* no SA_RESTART */
    struct timespec time;
    int error;

    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    CHECK(pthread_create(&threads[0], NULL, interrupt_main, (void *)pthread_self()) == 0);
    pthread_mutex_lock(&mutex);
    time = in_microseconds(20000, CLOCK_REALTIME);
    do {
        error = pthread_cond_timedwait(&cond, &mutex, &time);
        CHECK(error == 0 || error == ETIMEDOUT);
    } while (!error);
    CHECK(is_past(CLOCK_REALTIME, time));
    pthread_mutex_unlock(&mutex);
    join_threads(1);
    CHECK(value == SIGUSR1);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(each_signal_lets_one_go_on), TEST(broadcast_lets_all_go_on),
        TEST(cond_times_out_by_its_clock), TEST(ping_pong_loses_no_signal),
        TEST(timeouts_swallow_no_signal), TEST(cond_may_be_destroyed_after_broadcast),
        TEST(cond_wait_is_not_ended_by_a_signal),
    };

    return RUN_TESTS(tests);
}
