/*
 * Who sleeps until when: a binary heap of coroutines, the earliest deadline at its root; each
 * knows its place. There is room for every coroutine of the thread before it starts, so that
 * going to sleep never fails.
 */
#include <stdlib.h>

#include "loop.h"

static _Thread_local struct loop_co **heap; /* from 1 */
static _Thread_local size_t used, capacity;

int timer_reserve(size_t count)
{
    size_t wanted = capacity ? capacity : 64;
    struct loop_co **grown;

    if (count < capacity) {
        return 0;
    }
    while (wanted <= count) {
        wanted *= 2;
    }
    grown = realloc(heap, wanted * sizeof(*heap));
    if (!grown) {
        return -1;
    }
    heap = grown;
    capacity = wanted;
    return 0;
}

void timer_release(void)
{
    free(heap);
    heap = NULL;
    capacity = 0;
}

static void put(size_t at, struct loop_co *co)
{
    heap[at] = co;
    co->timer_index = at;
}

/* Let `co`, which belongs at `at` or above, rise to its place. */
static void rise(size_t at, struct loop_co *co)
{
    while (at > 1 && heap[at / 2]->deadline > co->deadline) {
        put(at, heap[at / 2]);
        at /= 2;
    }
    put(at, co);
}

static void sink(size_t at, struct loop_co *co)
{
    for (;;) {
        size_t child = at * 2;

        if (child < used && heap[child + 1]->deadline < heap[child]->deadline) {
            child++;
        }
        if (child > used || heap[child]->deadline >= co->deadline) {
            break;
        }
        put(at, heap[child]);
        at = child;
    }
    put(at, co);
}

void timer_add(struct loop_co *co)
{
    used++;
    rise(used, co);
}

void timer_remove(struct loop_co *co)
{
    size_t at = co->timer_index;
    struct loop_co *last;

    if (!at) {
        return;
    }
    co->timer_index = 0;
    last = heap[used--];
    if (last == co) {
        return;
    }
    if (last->deadline < co->deadline) {
        rise(at, last);
    } else {
        sink(at, last);
    }
}

struct loop_co *timer_first(void)
{
    return used ? heap[1] : NULL;
}
