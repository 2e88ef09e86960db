/* A buffer with one condition for "there is room" and "there is something": a signal may wake one of the wrong
 * kind, who sleeps again, and it is lost. Right: wake all. */
#include "explored.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool full;

static void *put_or_take(void *puts)
{
    pthread_mutex_lock(&mutex);
    while (full == (puts != NULL)) {
        pthread_cond_wait(&changed, &mutex);
    }
    full = puts != NULL;
    IF_WRONG(pthread_cond_signal(&changed);)
    IF_RIGHT(pthread_cond_broadcast(&changed);)
    pthread_mutex_unlock(&mutex);
    return NULL;
}

int main(void)
{
    pthread_t threads[4];

    for (int i = 0; i < 4; i++) {
        pthread_create(&threads[i], NULL, put_or_take, i < 2 ? NULL : &full);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    return full;
}
