/* After pthread_cond_wait what one waits for need not be so any more: another one was faster. Right: look
 * again, in a loop. */
#include "explored.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER;
static int items, below_zero;

static void *take(void *unused)
{
    pthread_mutex_lock(&mutex);
    IF_WRONG(if) IF_RIGHT(while) (items == 0) {
        pthread_cond_wait(&filled, &mutex);
    }
    items--;
    below_zero |= items < 0;
    pthread_mutex_unlock(&mutex);
    return unused;
}

static void *put(void *unused)
{
    pthread_mutex_lock(&mutex);
    items++;
    pthread_cond_signal(&filled);
    pthread_mutex_unlock(&mutex);
    return unused;
}

int main(void)
{
    static void *(*const work[])(void *) = {take, take, put, put};
    pthread_t threads[4];

    for (int i = 0; i < 4; i++) {
        pthread_create(&threads[i], NULL, work[i], NULL);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    return below_zero;
}
