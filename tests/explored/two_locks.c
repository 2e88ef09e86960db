/* Two locks in two orders. Right: in one order. */
#include "explored.h"

static pthread_mutex_t fork_a = PTHREAD_MUTEX_INITIALIZER, fork_b = PTHREAD_MUTEX_INITIALIZER;
static int meals;

static void *eat_ab(void *unused)
{
    pthread_mutex_lock(&fork_a);
    pthread_mutex_lock(&fork_b);
    meals++;
    pthread_mutex_unlock(&fork_b);
    pthread_mutex_unlock(&fork_a);
    return unused;
}

static void *eat_ba(void *unused)
{
    pthread_mutex_lock(IF_WRONG(&fork_b) IF_RIGHT(&fork_a));
    pthread_mutex_lock(IF_WRONG(&fork_a) IF_RIGHT(&fork_b));
    meals++;
    pthread_mutex_unlock(&fork_a);
    pthread_mutex_unlock(&fork_b);
    return unused;
}

int main(void)
{
    two_threads(eat_ab, eat_ba);
    return meals != 2;
}
