/* swapcontext of the host's C library; ours has none. */
#include <ucontext.h>

#include "bench.h"

static ucontext_t own, other;
static char stack[64 * 1024];

static void peer(void)
{
    for (;;) {
        swapcontext(&other, &own);
    }
}

static double swapcontext_row(long count)
{
    double start;

    getcontext(&other);
    other.uc_stack.ss_sp = stack;
    other.uc_stack.ss_size = sizeof(stack);
    makecontext(&other, peer, 0);
    swapcontext(&own, &other);
    start = now();
    for (long i = 0; i < count; i++) {
        swapcontext(&own, &other);
    }
    return (now() - start) / (double)(2 * count);
}

const struct row library_rows[] = {
    {"swapcontext", swapcontext_row, 10},
    {NULL, NULL, 1},
};
