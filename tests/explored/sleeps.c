/* A sleep that is long enough, one hopes. Right: wait for the thread. */
#include "explored.h"
#include <unistd.h>

static volatile int answer;

static void *compute(void *unused)
{
    answer = 42;
    return unused;
}

int main(void)
{
    pthread_t thread;
    int seen;

    pthread_create(&thread, NULL, compute, NULL);
    IF_WRONG(usleep(1000);)
    IF_RIGHT(pthread_join(thread, NULL);)
    seen = answer;
    IF_WRONG(pthread_join(thread, NULL);)
    return seen != 42;
}
