/* A stack without locks: the compare-and-swap of pop sees the same top again, but what lies below it has
 * changed meanwhile (ABA). Right: a count of changes beside the top is compared, too. */
#include "explored.h"

struct node {
    unsigned next; /* its number; 0: none */
};
static struct node nodes[4];
static volatile int owners[4]; /* who has popped the node and not pushed it again */
static _Atomic unsigned long head; /* the top's number, and above it the changes */
static int two_owners;

static unsigned long changed(unsigned long old, unsigned top)
{
    return IF_RIGHT(((old >> 8) + 1) << 8 |) IF_WRONG((old & 0) |) top;
}

static unsigned pop(void)
{
    unsigned long old = atomic_load(&head);
    unsigned top;

    do {
        top = old & 255;
        if (top == 0) {
            return 0;
        }
    } while (!atomic_compare_exchange_strong(&head, &old, changed(old, nodes[top].next)));
    two_owners |= owners[top];
    owners[top] = 1;
    return top;
}

static void push(unsigned node)
{
    unsigned long old = atomic_load(&head);

    owners[node] = 0;
    do {
        nodes[node].next = old & 255;
    } while (!atomic_compare_exchange_strong(&head, &old, changed(old, node)));
}

static void *pop_one(void *unused)
{
    pop();
    pop();
    return unused;
}

static void *pop_two_push_one(void *unused)
{
    unsigned first = pop();

    pop();
    if (first) {
        push(first);
    }
    return unused;
}

int main(void)
{
    push(3);
    push(2);
    push(1);
    two_threads(pop_one, pop_two_push_one);
    return two_owners;
}
