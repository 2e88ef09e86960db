/* Lost update: read, add and write are three steps. Right: under a mutex. */
#include "explored.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static volatile int counter;

static void *add(void *unused)
{
    TAKE(mutex);
    int value = counter;
    BETWEEN(value);
    counter = value + 1;
    GIVE(mutex);
    return unused;
}

int main(void)
{
    two_threads(add, add);
    return counter != 2;
}
