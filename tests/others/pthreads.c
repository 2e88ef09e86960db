/* The threads of a C library: mutex, condition, barrier, once, a key, cancelling, a semaphore. */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <unistd.h>

#define THREADS 8

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_barrier_t barrier;
static pthread_key_t key;
static sem_t arrived;
static int sum, turn, freed, cleaned;

static void free_key(void *value)
{
    (void)value;
    __atomic_add_fetch(&freed, 1, __ATOMIC_SEQ_CST);
}

static void say_once(void)
{
    puts("once");
}

static void *add(void *argument)
{
    int number = *(int *)argument;

    pthread_once(&once, say_once);
    pthread_setspecific(key, argument);
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < 1000; i++) {
        pthread_mutex_lock(&mutex);
        sum++;
        pthread_mutex_unlock(&mutex);
    }
    pthread_mutex_lock(&mutex);
    while (turn != number) {
        pthread_cond_wait(&changed, &mutex);
    }
    printf("thread %d\n", number);
    turn++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
    return argument;
}

static void clean_up(void *argument)
{
    (void)argument;
    cleaned++;
}

static void *wait_for_ever(void *argument)
{
    pthread_cleanup_push(clean_up, NULL);
    sem_post(&arrived);
    for (;;) {
        pause();
    }
    pthread_cleanup_pop(0);
    return argument;
}

int main(void)
{
    pthread_t threads[THREADS], victim;
    int numbers[THREADS];
    void *result;

    pthread_barrier_init(&barrier, NULL, THREADS);
    pthread_key_create(&key, free_key);
    sem_init(&arrived, 0, 0);
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        pthread_create(&threads[i], NULL, add, &numbers[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &result);
    }
    pthread_create(&victim, NULL, wait_for_ever, NULL);
    sem_wait(&arrived);
    pthread_cancel(victim);
    pthread_join(victim, &result);
    printf("%d %d %d %d\n", sum, freed, result == PTHREAD_CANCELED, cleaned);
}
