/* A barrier that is used again before all have left it: who is slow finds it closed for the next round.
 * Right: rounds are numbered, and one waits for the end of one's own. */
#include "explored.h"

#define THREADS 2

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t all_here = PTHREAD_COND_INITIALIZER;
static int here;
IF_RIGHT(static int round_now;)

static void meet(void)
{
    pthread_mutex_lock(&mutex);
    IF_RIGHT(int round = round_now;)
    if (++here == THREADS) {
        IF_RIGHT(round_now++; here = 0;)
        pthread_cond_broadcast(&all_here);
    }
    while (IF_RIGHT(round == round_now) IF_WRONG(here < THREADS)) {
        pthread_cond_wait(&all_here, &mutex);
    }
    IF_WRONG(here = 0;) /* ready for the next round: but another one may not have seen that all are here */
    pthread_mutex_unlock(&mutex);
}

static void *two_rounds(void *unused)
{
    meet();
    meet();
    return unused;
}

int main(void)
{
    two_threads(two_rounds, two_rounds);
    return 0;
}
