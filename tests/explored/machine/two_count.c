/* Two threads that count, LOOPS times each: for what exploring costs (tests/explored/speed). */
#include "../explored.h"

static _Atomic int counter;

static void *count(void *unused)
{
    for (volatile int i = 0; i < LOOPS; i++) {
    }
    counter++;
    return unused;
}

int main(void)
{
    two_threads(count, count);
    return counter != 2;
}
