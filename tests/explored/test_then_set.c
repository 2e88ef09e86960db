/* A spin lock that looks whether it is free and then takes it: two steps, between which another one does the
 * same. It takes two preemptions: a second one with both inside. Right: one exchange does both. */
#include "explored.h"

static atomic_int locked;
static int counter;

static inline bool is_held(void)
{
    return IF_WRONG(atomic_load(&locked)) IF_RIGHT(atomic_exchange(&locked, 1));
}

static void *add(void *unused)
{
    int value;

    while (is_held()) {
    }
    IF_WRONG(atomic_store(&locked, 1);)
    value = counter;
    atomic_signal_fence(memory_order_seq_cst); /* for the compiler: no single instruction */
    counter = value + 1;
    atomic_store(&locked, 0);
    return unused;
}

int main(void)
{
    two_threads(add, add);
    return counter != 2;
}
