/* A signal is not kept for who waits later. Right: a flag under the mutex says that it has come. */
#include "explored.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t done = PTHREAD_COND_INITIALIZER;
static bool is_done;

static void *wait_for_it(void *unused)
{
    pthread_mutex_lock(&mutex);
    IF_RIGHT(while (!is_done))
    {
        pthread_cond_wait(&done, &mutex);
    }
    pthread_mutex_unlock(&mutex);
    return unused;
}

static void *do_it(void *unused)
{
    pthread_mutex_lock(&mutex);
    is_done = true;
    pthread_cond_signal(&done);
    pthread_mutex_unlock(&mutex);
    return unused;
}

int main(void)
{
    two_threads(wait_for_it, do_it);
    return !is_done;
}
