/* The way out after an error keeps the mutex. Right: it gives it back, too. */
#include "explored.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static volatile bool busy;
static int refused;

static void *use(void *unused)
{
    pthread_mutex_lock(&mutex);
    if (busy) {
        refused++;
        GIVE(mutex);
        return unused;
    }
    busy = true;
    pthread_mutex_unlock(&mutex);
    pthread_mutex_lock(&mutex);
    busy = false;
    pthread_mutex_unlock(&mutex);
    return unused;
}

int main(void)
{
    two_threads(use, use);
    return refused > 1;
}
