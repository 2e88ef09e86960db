/* Double-checked initialisation: the flag is set before what it stands for. Right: after it. */
#include "explored.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static _Atomic bool ready;
static volatile int table;
static int saw_nothing;

static void *use(void *unused)
{
    if (!atomic_load(&ready)) {
        pthread_mutex_lock(&mutex);
        if (!atomic_load(&ready)) {
            IF_WRONG(atomic_store(&ready, true);)
            table = 42;
            IF_RIGHT(atomic_store(&ready, true);)
        }
        pthread_mutex_unlock(&mutex);
    }
    saw_nothing |= table != 42;
    return unused;
}

int main(void)
{
    two_threads(use, use);
    return saw_nothing;
}
