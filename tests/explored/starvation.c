/* Readers come and go, and there is always one: the writer waits for ever. Right: while a writer waits, no new
 * reader comes in. */
#include "explored.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int readers, writers_waiting;
static volatile bool written;

static void read_lock(void)
{
    pthread_mutex_lock(&mutex);
    while (IF_RIGHT(writers_waiting) IF_WRONG(0)) {
        pthread_cond_wait(&changed, &mutex);
    }
    readers++;
    pthread_mutex_unlock(&mutex);
}

static void read_unlock(void)
{
    pthread_mutex_lock(&mutex);
    if (--readers == 0) {
        pthread_cond_broadcast(&changed);
    }
    pthread_mutex_unlock(&mutex);
}

static void *reads(void *unused)
{
    while (!written) {
        read_lock();
        for (volatile int i = 0; i < 1000; i++) {
        }
        read_unlock();
    }
    return unused;
}

int main(void)
{
    pthread_t a, b;

    pthread_create(&a, NULL, reads, NULL);
    pthread_create(&b, NULL, reads, NULL);
    pthread_mutex_lock(&mutex);
    writers_waiting++;
    while (readers > 0) {
        pthread_cond_wait(&changed, &mutex);
    }
    written = true;
    writers_waiting--;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    return 0;
}
