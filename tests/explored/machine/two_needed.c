/* What takes two preemptions: one sees the other's work half done, and had seen it not begun. */
#include "../explored.h"

static volatile int stage;
static int begun, half;

static void think(void)
{
    for (volatile int i = 0; i < 150; i++) {
    }
}

static void *work(void *unused)
{
    stage = 1;
    think();
    stage = 2;
    return unused;
}

static void *look(void *unused)
{
    begun = stage;
    think();
    half = stage;
    return unused;
}

int main(void)
{
    two_threads(look, work);
    return begun == 0 && half == 1;
}
