/* What threads have of their own: keys, signals, CPUs. The host's C library is the judge. */
#include "pthread_test.h"

#define THREADS 6

static sem_t started, go_on;
static volatile int value, stop;

static pthread_key_t key, other_key;

static void add_value(void *number)
{
    __atomic_fetch_add(&value, (int)(long)number, __ATOMIC_SEQ_CST);
}

static void *set_values(void *index)
{
    CHECK(pthread_getspecific(key) == NULL);
    CHECK(pthread_setspecific(key, (void *)((long)index + 1)) == 0);
    CHECK(pthread_setspecific(other_key, (void *)1000) == 0);
    sched_yield();
    CHECK(pthread_getspecific(key) == (void *)((long)index + 1));
    if (index == (void *)0) {
        CHECK(pthread_setspecific(key, NULL) == 0); /* no value, no destructor */
    }
    return NULL;
}

static void destructors_get_the_values(void)
{
    CHECK(pthread_key_create(&key, add_value) == 0 && pthread_key_create(&other_key, NULL) == 0);
    CHECK(key != other_key);
    start_threads(THREADS, set_values);
    join_threads(THREADS);
    CHECK(value == 2 + 3 + 4 + 5 + 6);
    CHECK(pthread_getspecific(key) == NULL);
}

static void set_again(void *old)
{
    value++;
    pthread_setspecific(key, old);
}

static void *set_once(void *number)
{
    pthread_setspecific(key, number);
    return NULL;
}

static void destructors_run_a_few_times(void)
{
    CHECK(pthread_key_create(&key, set_again) == 0);
    CHECK(pthread_create(&threads[0], NULL, set_once, (void *)1) == 0);
    CHECK(pthread_join(threads[0], NULL) == 0);
    CHECK(value == PTHREAD_DESTRUCTOR_ITERATIONS);
}

static void *keep_a_value(void *number)
{
    pthread_setspecific(key, number);
    sem_post(&started);
    sem_wait(&go_on);
    CHECK(pthread_getspecific(key) == NULL); /* it is another key now, though of the same number */
    return NULL;
}

static void deleted_keys_lose_their_values(void)
{
    pthread_key_t old;

    CHECK(sem_init(&started, 0, 0) == 0 && sem_init(&go_on, 0, 0) == 0);
    CHECK(pthread_key_create(&key, add_value) == 0);
    CHECK(pthread_create(&threads[0], NULL, keep_a_value, (void *)5) == 0);
    sem_wait(&started);
    old = key;
    CHECK(pthread_key_delete(key) == 0 && pthread_key_delete(key) == EINVAL);
    CHECK(pthread_setspecific(old, "x") == EINVAL);
    do { /* until the number comes back */
        CHECK(pthread_key_create(&key, add_value) == 0);
    } while (key != old);
    sem_post(&go_on);
    CHECK(pthread_join(threads[0], NULL) == 0 && value == 0);
}

static void keys_run_out(void)
{
    int error, count = 0;

    while ((error = pthread_key_create(&key, NULL)) == 0) {
        count++;
    }
    CHECK(error == EAGAIN && count >= 100 && count <= PTHREAD_KEYS_MAX);
}

static volatile pthread_t handled_by;

static void handler(int signal)
{
    handled_by = pthread_self();
    value += signal;
}

static void *wait_for_signal(void *argument)
{
    sem_post(&started);
    while (value == 0) {
        usleep(1000);
    }
    sem_wait(&go_on);
    return argument;
}

static void kill_reaches_that_thread(void)
{
    struct sigaction action = {.sa_handler = handler};

    CHECK(sem_init(&started, 0, 0) == 0 && sem_init(&go_on, 0, 0) == 0);
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    CHECK(pthread_create(&threads[0], NULL, wait_for_signal, NULL) == 0);
    sem_wait(&started);
    CHECK(pthread_kill(threads[0], 0) == 0 && value == 0);
    CHECK(pthread_kill(threads[0], 1000) == EINVAL);
    CHECK(pthread_kill(threads[0], SIGUSR1) == 0);
    sem_post(&go_on);
    CHECK(pthread_join(threads[0], NULL) == 0);
    CHECK(value == SIGUSR1 && pthread_equal(handled_by, threads[0]));
    CHECK(pthread_kill(pthread_self(), SIGUSR1) == 0 && value == 2 * SIGUSR1);
    CHECK(pthread_equal(handled_by, pthread_self()));
}

static void *end_at_once(void *argument)
{
    return argument;
}

static void *rain(void *target)
{
    while (!stop) {
        pthread_kill((pthread_t)target, SIGUSR1);
        usleep(20);
    }
    return NULL;
}

static void create_and_fork_are_not_ended_by_signals(void)
{
    struct sigaction action = {.sa_handler = handler}; /* no SA_RESTART */
    pthread_t thread;

    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    CHECK(pthread_create(&threads[0], NULL, rain, (void *)pthread_self()) == 0);
    for (int i = 0; i < 1000; i++) {
        pid_t pid = i % 10 ? 0 : fork();

        if (i % 10 == 0 && pid == 0) {
            _exit(0);
        }
        CHECK(pthread_create(&thread, NULL, end_at_once, NULL) == 0);
        CHECK(pthread_join(thread, NULL) == 0 && pid >= 0);
        while (pid && waitpid(pid, NULL, 0) != pid) {
            CHECK(errno == EINTR);
        }
    }
    stop = 1;
    join_threads(1);
}

static void *look_at_mask(void *argument)
{
    sigset_t mask;

    CHECK(pthread_sigmask(SIG_SETMASK, NULL, &mask) == 0);
    CHECK(sigismember(&mask, SIGUSR1) == 1 && sigismember(&mask, SIGUSR2) == 0);
    sigaddset(&mask, SIGUSR2);
    CHECK(pthread_sigmask(SIG_SETMASK, &mask, NULL) == 0);
    raise(SIGUSR2);
    CHECK(value == 0);
    return argument;
}

static void masks_are_inherited_and_its_own(void)
{
    struct sigaction action = {.sa_handler = handler};
    sigset_t set, mask;

    CHECK(sigaction(SIGUSR1, &action, NULL) == 0 && sigaction(SIGUSR2, &action, NULL) == 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK(pthread_sigmask(77, &set, NULL) == EINVAL);
    CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
    start_threads(THREADS, look_at_mask);
    join_threads(THREADS);
    CHECK(pthread_sigmask(SIG_BLOCK, NULL, &mask) == 0 && sigismember(&mask, SIGUSR2) == 0);
}

static void kill_of_an_ended_thread_does_nothing(void)
{
    CHECK(pthread_create(&threads[0], NULL, end_at_once, NULL) == 0);
    usleep(50000); /* were it not gone by then, SIGTERM would end the test, too */
    CHECK(pthread_kill(threads[0], SIGTERM) == 0);
    CHECK(pthread_join(threads[0], NULL) == 0);
}

static void affinity_of_a_thread(void)
{
    cpu_set_t set;

    CHECK(pthread_getaffinity_np(pthread_self(), sizeof(set), &set) == 0);
    CHECK(CPU_COUNT(&set) >= 1 && CPU_COUNT(&set) <= sysconf(_SC_NPROCESSORS_ONLN));
    CHECK(pthread_setaffinity_np(pthread_self(), sizeof(set), &set) == 0);
    CPU_ZERO(&set);
    CHECK(pthread_setaffinity_np(pthread_self(), sizeof(set), &set) == EINVAL);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(destructors_get_the_values), TEST(destructors_run_a_few_times),
        TEST(deleted_keys_lose_their_values), TEST(keys_run_out), TEST(kill_reaches_that_thread),
        TEST(create_and_fork_are_not_ended_by_signals), TEST(masks_are_inherited_and_its_own),
        TEST(kill_of_an_ended_thread_does_nothing), TEST(affinity_of_a_thread),
    };

    return RUN_TESTS(tests);
}
