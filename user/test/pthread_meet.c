/*
 * Readers and writers, barriers, things done once, spin locks; and that what is free of contention
 * is free of system calls. Also compiled with the host's C library.
 */
#include <sys/syscall.h>

#include "pthread_test.h"

#define THREADS 5
#define ROUNDS 400

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t barrier;
static volatile int value, readers, writers, stop;

static int add(volatile int *number, int change)
{
    return __atomic_add_fetch(number, change, __ATOMIC_SEQ_CST);
}

static void *read_together(void *argument)
{
    CHECK(pthread_rwlock_rdlock(&lock) == 0);
    pthread_barrier_wait(&barrier); /* would wait for ever, if not all were let in */
    CHECK(pthread_rwlock_trywrlock(&lock) == EBUSY);
    pthread_barrier_wait(&barrier);
    CHECK(pthread_rwlock_unlock(&lock) == 0);
    return argument;
}

static void readers_are_inside_together(void)
{
    CHECK(pthread_barrier_init(&barrier, NULL, THREADS) == 0);
    start_threads(THREADS, read_together);
    join_threads(THREADS);
    CHECK(pthread_rwlock_trywrlock(&lock) == 0 && pthread_rwlock_unlock(&lock) == 0);
}

static void *read_and_write(void *index)
{
    unsigned seed = (unsigned)(long)index;

    for (int i = 0; i < ROUNDS; i++) {
        struct timespec time = in_microseconds(rand_r(&seed) % 2000, CLOCK_REALTIME);
        int kind = rand_r(&seed) % 8;
        int error = kind == 0   ? pthread_rwlock_wrlock(&lock)
                    : kind == 1 ? pthread_rwlock_timedwrlock(&lock, &time)
                    : kind == 2 ? pthread_rwlock_trywrlock(&lock)
                    : kind == 3 ? pthread_rwlock_timedrdlock(&lock, &time)
                    : kind == 4 ? pthread_rwlock_tryrdlock(&lock)
                                : pthread_rwlock_rdlock(&lock);
        volatile int *mine = kind <= 2 ? &writers : &readers;

        CHECK(error == 0 || error == EBUSY || error == ETIMEDOUT);
        if (error) {
            continue;
        }
        CHECK(add(mine, 1) == 1 || kind > 2);
        CHECK(kind <= 2 ? readers == 0 : writers == 0);
        if (i % 8 == 0) {
            usleep(50);
        } else if (i % 8 == 1) {
            sched_yield();
        }
        CHECK(kind <= 2 ? readers == 0 : writers == 0);
        add(mine, -1);
        CHECK(pthread_rwlock_unlock(&lock) == 0);
    }
    return NULL;
}

static void writers_exclude_all(void)
{
    start_threads(THREADS, read_and_write);
    join_threads(THREADS);
    CHECK(pthread_rwlock_trywrlock(&lock) == 0); /* nobody is left inside or in line */
    CHECK(pthread_rwlock_unlock(&lock) == 0 && pthread_rwlock_destroy(&lock) == 0);
}

static void *try_in_vain(void *argument)
{
    struct timespec time = in_microseconds(20000, CLOCK_REALTIME), bad = {0, -1};

    CHECK(pthread_rwlock_tryrdlock(&lock) == EBUSY && pthread_rwlock_trywrlock(&lock) == EBUSY);
    CHECK(pthread_rwlock_timedrdlock(&lock, &time) == ETIMEDOUT);
    CHECK(pthread_rwlock_timedwrlock(&lock, &time) == ETIMEDOUT);
    CHECK(pthread_rwlock_timedrdlock(&lock, &bad) == EINVAL);
    CHECK(pthread_rwlock_timedwrlock(&lock, &bad) == EINVAL);
    return argument;
}

static void rwlock_errors(void)
{
    CHECK(pthread_rwlock_wrlock(&lock) == 0);
    CHECK(pthread_rwlock_rdlock(&lock) == EDEADLK && pthread_rwlock_wrlock(&lock) == EDEADLK);
    start_threads(2, try_in_vain);
    join_threads(2);
    CHECK(pthread_rwlock_unlock(&lock) == 0);
    CHECK(pthread_rwlock_rdlock(&lock) == 0 && pthread_rwlock_rdlock(&lock) == 0);
    CHECK(pthread_rwlock_unlock(&lock) == 0 && pthread_rwlock_trywrlock(&lock) == EBUSY);
    CHECK(pthread_rwlock_unlock(&lock) == 0 && pthread_rwlock_trywrlock(&lock) == 0);
}

static sem_t given_up;

static void *write_impatiently(void *argument)
{
    struct timespec time = in_microseconds(20000, CLOCK_REALTIME);

    CHECK(pthread_rwlock_timedwrlock(&lock, &time) == ETIMEDOUT);
    sem_post(&given_up);
    return argument;
}

static void *read_once(void *argument)
{
    usleep(5000); /* most likely the writer is in line by now */
    CHECK(pthread_rwlock_rdlock(&lock) == 0 && pthread_rwlock_unlock(&lock) == 0);
    return argument;
}

static void readers_go_on_when_the_writer_gives_up(void)
{
    CHECK(sem_init(&given_up, 0, 0) == 0 && pthread_rwlock_rdlock(&lock) == 0);
    CHECK(pthread_create(&threads[0], NULL, write_impatiently, NULL) == 0);
    CHECK(pthread_create(&threads[1], NULL, read_once, NULL) == 0);
    join_threads(2); /* while we read all the time */
    CHECK(pthread_rwlock_unlock(&lock) == 0);
}

static void *read_in_turns(void *argument)
{
    while (!stop) { /* two of these overlap: without a rule there is always a reader inside */
        pthread_rwlock_rdlock(&lock);
        usleep(300);
        add(&readers, 1);
        pthread_rwlock_unlock(&lock);
    }
    return argument;
}

static void *write_in_turns(void *argument)
{
    while (!stop) {
        pthread_rwlock_wrlock(&lock);
        add(&writers, 1);
        usleep(300);
        pthread_rwlock_unlock(&lock);
    }
    return argument;
}

static void nobody_starves(void)
{
    int times = 20;

#ifdef __GLIBC__ /* it prefers readers unless told, and then writers */
    pthread_rwlockattr_t attr;

    pthread_rwlockattr_init(&attr);
    pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&lock, &attr);
    times = 0;
#endif
    start_threads(2, read_in_turns);
    for (int i = 0; i < 20; i++) {
        CHECK(pthread_rwlock_wrlock(&lock) == 0 && pthread_rwlock_unlock(&lock) == 0);
    }
    CHECK(pthread_create(&threads[2], NULL, write_in_turns, NULL) == 0);
    CHECK(pthread_create(&threads[3], NULL, write_in_turns, NULL) == 0);
    readers = writers = 0;
    while (readers < times || writers < times) {
        usleep(1000);
    }
    stop = 1;
    join_threads(4);
}

static volatile int arrived[ROUNDS], served[ROUNDS];

static void *meet(void *argument)
{
    for (int i = 0; i < ROUNDS; i++) {
        int result;

        add(&arrived[i], 1);
        result = pthread_barrier_wait(&barrier);
        CHECK(result == 0 || result == PTHREAD_BARRIER_SERIAL_THREAD);
        CHECK(arrived[i] == THREADS);
        if (result) {
            add(&served[i], 1);
        }
    }
    return argument;
}

static void barrier_lets_all_pass_at_once(void)
{
    CHECK(pthread_barrier_init(&barrier, NULL, 0) == EINVAL);
    CHECK(pthread_barrier_init(&barrier, NULL, THREADS) == 0);
    start_threads(THREADS, meet);
    join_threads(THREADS);
    for (int i = 0; i < ROUNDS; i++) {
        CHECK(served[i] == 1);
    }
    CHECK(pthread_barrier_destroy(&barrier) == 0);
}

static pthread_barrier_t *shared_barrier;

static void *meet_and_destroy(void *argument)
{
    pthread_barrier_t *mine = shared_barrier;

    if (pthread_barrier_wait(mine) == PTHREAD_BARRIER_SERIAL_THREAD) {
        CHECK(pthread_barrier_destroy(mine) == 0);
        memset(mine, 0xff, sizeof(*mine));
        free(mine);
    }
    return argument;
}

static void barrier_may_be_destroyed_by_the_serial_thread(void)
{
    for (int i = 0; i < 200; i++) {
        shared_barrier = malloc(sizeof(*shared_barrier));
        CHECK(shared_barrier && pthread_barrier_init(shared_barrier, NULL, 3) == 0);
        start_threads(3, meet_and_destroy);
        join_threads(3);
    }
}

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void set_up(void)
{
    usleep(5000);
    value++;
}

static void *need_it(void *argument)
{
    CHECK(pthread_once(&once, set_up) == 0 && value == 1);
    return argument;
}

static void once_is_once_and_done_for_all(void)
{
    start_threads(THREADS, need_it);
    join_threads(THREADS);
    need_it(NULL);
}

static pthread_spinlock_t spin;

static void *count_with_spin(void *argument)
{
    for (int i = 0; i < ROUNDS * 10; i++) {
        CHECK(pthread_spin_lock(&spin) == 0);
        value++;
        CHECK(pthread_spin_unlock(&spin) == 0);
    }
    return argument;
}

static void spin_lock_excludes(void)
{
    CHECK(pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE) == 0);
    CHECK(pthread_spin_lock(&spin) == 0 && pthread_spin_trylock(&spin) == EBUSY);
    CHECK(pthread_spin_unlock(&spin) == 0 && pthread_spin_trylock(&spin) == 0);
    CHECK(pthread_spin_unlock(&spin) == 0);
    start_threads(3, count_with_spin);
    join_threads(3);
    CHECK(value == 3 * ROUNDS * 10 && pthread_spin_destroy(&spin) == 0);
}

/* In strict mode the kernel kills a thread for any call but read, write and exit (seccomp(2)). */
static void without_contention_there_is_no_system_call(void)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_t again = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
    pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
    sem_t semaphore;

    CHECK(sem_init(&semaphore, 0, 0) == 0 && pthread_once(&once, set_up) == 0);
    syscall(SYS_prctl, 22, 1, 0, 0, 0); /* prctl(PR_SET_SECCOMP, STRICT), where the kernel has it */
    for (int i = 0; i < 1000; i++) {
        CHECK(pthread_mutex_lock(&mutex) == 0 && pthread_mutex_lock(&again) == 0);
        CHECK(pthread_mutex_lock(&again) == 0 && pthread_mutex_unlock(&again) == 0);
        CHECK(pthread_cond_signal(&cond) == 0 && pthread_cond_broadcast(&cond) == 0);
        CHECK(pthread_mutex_unlock(&mutex) == 0 && pthread_mutex_unlock(&again) == 0);
        CHECK(pthread_rwlock_rdlock(&lock) == 0 && pthread_rwlock_unlock(&lock) == 0);
        CHECK(pthread_rwlock_wrlock(&lock) == 0 && pthread_rwlock_unlock(&lock) == 0);
        CHECK(sem_post(&semaphore) == 0 && sem_wait(&semaphore) == 0);
        CHECK(pthread_once(&once, set_up) == 0);
    }
    syscall(SYS_exit, 0, 0, 0, 0, 0);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(readers_are_inside_together), TEST(writers_exclude_all), TEST(rwlock_errors),
        TEST(readers_go_on_when_the_writer_gives_up), TEST(nobody_starves),
        TEST(barrier_lets_all_pass_at_once), TEST(barrier_may_be_destroyed_by_the_serial_thread),
        TEST(once_is_once_and_done_for_all), TEST(spin_lock_excludes),
        TEST(without_contention_there_is_no_system_call),
    };

    return RUN_TESTS(tests);
}
