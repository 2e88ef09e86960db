/*
 * What threads cost: figures on standard error (under icount a nanosecond is an instruction), and
 * bounds so wide that they fail only when something is done in another way than it should be.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <time.h>

#define TRIES 15

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static sem_t semaphore;
static pthread_key_t key;

static long now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000 + time.tv_nsec;
}

static void mutex_pair(void)
{
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
}

static void signal_nobody(void)
{
    pthread_cond_signal(&cond);
}

static void read_lock_pair(void)
{
    pthread_rwlock_rdlock(&rwlock);
    pthread_rwlock_unlock(&rwlock);
}

static void semaphore_pair(void)
{
    sem_post(&semaphore);
    sem_wait(&semaphore);
}

static void get_specific(void)
{
    pthread_getspecific(key);
}

static void *nothing(void *argument)
{
    return argument;
}

static void create_and_join(void)
{
    pthread_t thread;

    pthread_create(&thread, NULL, nothing, NULL);
    pthread_join(thread, NULL);
}

/* The best of some tries: what disturbs makes it longer only. */
static long cost(void (*function)(void), int times)
{
    long best = 0;

    for (int i = 0; i < TRIES; i++) {
        long start = now(), taken;

        for (int j = 0; j < times; j++) {
            function();
        }
        taken = (now() - start) / times;
        best = i == 0 || taken < best ? taken : best;
    }
    return best;
}

int main(void)
{
    static const struct {
        const char *name;
        void (*function)(void);
        int times;
        long bound; /* nanoseconds: a system call more, or a walk over memory, is beyond it */
    } rows[] = {
        {"mutex lock and unlock", mutex_pair, 1000, 100},
        {"cond signal to nobody", signal_nobody, 1000, 60},
        {"rwlock read and unlock", read_lock_pair, 1000, 200},
        {"semaphore post and wait", semaphore_pair, 1000, 100},
        {"getspecific", get_specific, 1000, 60},
        {"create and join", create_and_join, 100, 10000000},
    };
    int count = sizeof(rows) / sizeof(*rows), failed = 0;

    sem_init(&semaphore, 0, 0);
    pthread_key_create(&key, NULL);
    printf("KTAP version 1\n1..%d\n", count);
    for (int i = 0; i < count; i++) {
        long taken = cost(rows[i].function, rows[i].times);

        fprintf(stderr, "# %-24s %6ld ns\n", rows[i].name, taken);
        failed += taken > rows[i].bound;
        printf("%sok %d - %s\n", taken > rows[i].bound ? "not " : "", i + 1, rows[i].name);
    }
    return failed != 0;
}
