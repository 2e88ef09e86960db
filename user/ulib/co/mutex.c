/*
 * Layer 3: mutexes, for what must stay whole while its holder waits for something.
 *
 * Coroutines of a thread need none for what they do between two waits: nobody else runs then. One
 * that parks in the middle may keep the others out by a mutex. It is handed on to whoever has
 * waited longest; the holder is known by its id, since its memory may be another's after its end.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop.h"

struct co_mutex {
    uint32_t owner; /* an id; 0: free */
    char owner_name[CO_NAME_SIZE];
    char why[CO_NAME_SIZE + 8]; /* "mutex " and its name, for who lists the waiters */
    struct co_list waiters;     /* struct mutex_wait, first come, first served */
};

struct mutex_wait {
    struct co_list link;
    struct loop_co *co;
};

struct co_mutex *co_mutex_create(const char *name)
{
    struct co_mutex *mutex = calloc(1, sizeof(*mutex));

    if (mutex) {
        snprintf(mutex->why, sizeof(mutex->why), "mutex%s%.*s", name ? " " : "", CO_NAME_SIZE - 1,
                 name ? name : "");
        list_init(&mutex->waiters);
    }
    return mutex;
}

int co_mutex_destroy(struct co_mutex *mutex)
{
    if (mutex->owner) {
        return -EBUSY;
    }
    free(mutex);
    return 0;
}

static void mutex_give(struct co_mutex *mutex, const struct co *co)
{
    mutex->owner = co->id;
    memcpy(mutex->owner_name, co->name, sizeof(mutex->owner_name));
}

int co_mutex_trylock(struct co_mutex *mutex)
{
    if (!loop_here()) {
        return -EPERM;
    }
    if (mutex->owner) {
        return mutex->owner == co_current->id ? -EDEADLK : -EBUSY;
    }
    mutex_give(mutex, co_current);
    return 0;
}

int co_mutex_lock(struct co_mutex *mutex, int64_t deadline)
{
    struct mutex_wait wait = {.co = loop_current()};
    int error = co_mutex_trylock(mutex);

    if (error != -EBUSY) {
        return error;
    }
    list_add_last(&mutex->waiters, &wait.link);
    wait.co->why_owner = mutex->owner_name;
    error = loop_park(mutex->why, -1, deadline);
    wait.co->why_owner = NULL;
    list_take(&wait.link); /* if it was the deadline or a cancel */
    return error;
}

int co_mutex_unlock(struct co_mutex *mutex)
{
    struct mutex_wait *next;

    if (!co_current || mutex->owner != co_current->id) {
        return -EPERM;
    }
    mutex->owner = 0;
    while (!mutex->owner && !list_empty(&mutex->waiters)) {
        next = CO_ENTRY(mutex->waiters.next, struct mutex_wait, link);
        list_take(&next->link);
        if (next->co->loop_state == LOOP_PARKED) { /* else it has given up, and has not run since */
            mutex_give(mutex, &next->co->co);
            loop_wake(next->co, 0);
        }
    }
    return 0;
}
