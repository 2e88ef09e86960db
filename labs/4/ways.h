/*
 * Lab 4: what the explorer runs by every schedule with one preemption: the mutex and the condition
 * variable among three threads. Who gives the CPU away with the mutex held lets the others queue.
 */
#ifndef LAB4_WAYS_H
#define LAB4_WAYS_H
#include <pthread.h>

#include "crew.h"

static pthread_mutex_t way_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t way_cond = PTHREAD_COND_INITIALIZER;
static int way_inside, way_most, way_items;
static uint64_t way_sum, way_numbers[3];

static int adds_once(void *me)
{
    uint64_t seen;

    pthread_mutex_lock(&way_mutex);
    seen = way_sum;
    way_inside++;
    way_most = way_inside > way_most ? way_inside : way_most;
    if (me) {
        others_may_come();
    }
    way_sum = seen + way_numbers[(long)me];
    way_inside--;
    pthread_mutex_unlock(&way_mutex);
    return 0;
}

static void mutex_every_way(void)
{
    for (uint64_t i = 0; i < 3; i++) {
        way_numbers[i] = grade_number(60 + i);
    }
    ways_begin();
    go(1, adds_once);
    go(2, adds_once);
    adds_once(NULL);
    all_back();
    explore_end();
    EXPECT(way_most == 1, "one thread at a time in the middle", "%d at once", way_most);
    grade_value("sum", way_sum);
}

static int takes_item(void *me)
{
    pthread_mutex_lock(&way_mutex);
    while (way_items == 0) {
        pthread_cond_wait(&way_cond, &way_mutex);
    }
    way_items--;
    pthread_mutex_unlock(&way_mutex);
    return me == NULL;
}

/* One waits for an item, or is about to, and main puts one and signals. */
static void condition_every_way(void)
{
    ways_begin();
    go(1, takes_item);
    others_may_come();
    pthread_mutex_lock(&way_mutex);
    way_items++;
    pthread_mutex_unlock(&way_mutex);
    pthread_cond_signal(&way_cond);
    all_back();
    explore_end();
    EXPECT(way_items == 0, "one item, for one thread", "%d are left", way_items);
    grade_value("items", grade_number(63));
}
#endif
