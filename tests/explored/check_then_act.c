/* Check, then act: both see that there is enough. Right: both under one mutex. */
#include "explored.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static volatile int balance = 100;

static void *withdraw(void *unused)
{
    TAKE(mutex);
    if (balance >= 100) {
        balance -= 100;
    }
    GIVE(mutex);
    return unused;
}

int main(void)
{
    two_threads(withdraw, withdraw);
    return balance != 0;
}
