/* Semaphores, and what processes share. The host's C library is the judge of the meaning. */
#include <sys/mman.h>

#include "pthread_test.h"

#define THREADS 4
#define ROUNDS 5000

static sem_t semaphore;
static volatile int value;

static void on_signal(int signal)
{
    value = signal;
}

static void on_signal_post(int signal)
{
    CHECK(signal == SIGUSR2 && sem_post(&semaphore) == 0);
}

static void semaphore_values_and_errors(void)
{
    struct timespec time, bad = {0, 1000000000};
    int now;

    CHECK_ERROR(sem_init(&semaphore, 0, (unsigned)SEM_VALUE_MAX + 1), EINVAL);
    CHECK(sem_init(&semaphore, 0, 2) == 0);
    CHECK(sem_wait(&semaphore) == 0 && sem_trywait(&semaphore) == 0);
    CHECK(sem_getvalue(&semaphore, &now) == 0 && now == 0);
    CHECK_ERROR(sem_trywait(&semaphore), EAGAIN);
    time = in_microseconds(20000, CLOCK_REALTIME);
    CHECK_ERROR(sem_timedwait(&semaphore, &time), ETIMEDOUT);
    CHECK(is_past(CLOCK_REALTIME, time));
    CHECK_ERROR(sem_timedwait(&semaphore, &bad), EINVAL);
    CHECK(sem_post(&semaphore) == 0 && sem_timedwait(&semaphore, &time) == 0);
    CHECK(sem_init(&semaphore, 0, SEM_VALUE_MAX) == 0);
    CHECK_ERROR(sem_post(&semaphore), EOVERFLOW);
    CHECK(sem_destroy(&semaphore) == 0);
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

static void signals_and_semaphores(void)
{
    struct sigaction action = {.sa_handler = on_signal};

    CHECK(sigaction(SIGUSR1, &action, NULL) == 0 && sem_init(&semaphore, 0, 0) == 0);
    CHECK(pthread_create(&threads[0], NULL, interrupt_main, (void *)pthread_self()) == 0);
    CHECK_ERROR(sem_wait(&semaphore), EINTR);
    join_threads(1);
    action.sa_handler = on_signal_post;
    action.sa_flags = SA_RESTART;
    CHECK(sigaction(SIGUSR2, &action, NULL) == 0 && raise(SIGUSR2) == 0);
    CHECK(sem_wait(&semaphore) == 0);
}

/* Reading, giving the CPU away and writing: wrong at once where two get in. */
static void add_slowly(int i)
{
    int old = value;

    if (i % 64 == 0) {
        sched_yield();
    }
    value = old + 1;
}

static void *count_with_semaphore(void *argument)
{
    for (int i = 0; i < ROUNDS; i++) {
        CHECK(sem_wait(&semaphore) == 0);
        add_slowly(i);
        CHECK(sem_post(&semaphore) == 0);
    }
    return argument;
}

static void semaphore_excludes(void)
{
    int now;

    CHECK(sem_init(&semaphore, 0, 1) == 0);
    run_threads(THREADS, count_with_semaphore);
    CHECK(value == THREADS * ROUNDS && sem_getvalue(&semaphore, &now) == 0 && now == 1);
}

struct between {
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    pthread_barrier_t barrier;
    sem_t semaphore;
    int turn, count;
};

static void play_between(struct between *b, int mine)
{
    int result = pthread_barrier_wait(&b->barrier);

    CHECK(result == 0 || result == PTHREAD_BARRIER_SERIAL_THREAD);
    for (int i = 0; i < 500; i++) {
        pthread_mutex_lock(&b->mutex);
        while (b->turn != mine) {
            pthread_cond_wait(&b->cond, &b->mutex);
        }
        b->turn = 1 - mine;
        b->count++;
        pthread_cond_broadcast(&b->cond);
        pthread_mutex_unlock(&b->mutex);
    }
    CHECK(mine ? sem_post(&b->semaphore) == 0 : sem_wait(&b->semaphore) == 0);
}

static void processes_share_them(void)
{
    struct between *b = mmap(NULL, sizeof(*b), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                             -1, 0);
    pthread_mutexattr_t mutex_attr;
    pthread_condattr_t cond_attr;
    pthread_barrierattr_t barrier_attr;
    int status, shared;
    pid_t pid;

    CHECK(pthread_mutexattr_init(&mutex_attr) == 0 && pthread_condattr_init(&cond_attr) == 0);
    CHECK(pthread_barrierattr_init(&barrier_attr) == 0);
    CHECK(pthread_mutexattr_setpshared(&mutex_attr, 5) == EINVAL);
    CHECK(pthread_mutexattr_setpshared(&mutex_attr, PTHREAD_PROCESS_SHARED) == 0);
    CHECK(pthread_mutexattr_getpshared(&mutex_attr, &shared) == 0);
    CHECK(shared == PTHREAD_PROCESS_SHARED);
    CHECK(pthread_condattr_setpshared(&cond_attr, PTHREAD_PROCESS_SHARED) == 0);
    CHECK(pthread_barrierattr_setpshared(&barrier_attr, PTHREAD_PROCESS_SHARED) == 0);
    CHECK(pthread_mutex_init(&b->mutex, &mutex_attr) == 0);
    CHECK(pthread_cond_init(&b->cond, &cond_attr) == 0);
    CHECK(pthread_barrier_init(&b->barrier, &barrier_attr, 2) == 0);
    CHECK(sem_init(&b->semaphore, 1, 0) == 0);
    pid = fork();
    if (pid == 0) {
        play_between(b, 1);
        _exit(0);
    }
    play_between(b, 0);
    CHECK(waitpid(pid, &status, 0) == pid && status == 0 && b->count == 1000);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(semaphore_values_and_errors), TEST(signals_and_semaphores), TEST(semaphore_excludes),
        TEST(processes_share_them),
    };

    return RUN_TESTS(tests);
}
