/* What earlier calls gave: descriptors by kind, mappings, children; and the memory to play with. */
#include "fuzz.h"

#define SLOTS 24

static struct {
    int count;
    uint64_t values[SLOTS];
} pools[POOLS]; /* the threads race for them: any mixture will do */

void pool_add(struct thread *t, enum pool pool, uint64_t value)
{
    int count = pools[pool].count;

    if (count < SLOTS) {
        pools[pool].count = count + 1;
    } else {
        count = (int)below(t, SLOTS);
    }
    pools[pool].values[count] = value;
}

uint64_t pool_draw(struct thread *t, enum pool pool)
{
    uint64_t count = (uint64_t)pools[pool].count;

    return count ? pools[pool].values[below(t, count)] : 0;
}

void pools_feed(struct thread *t, const struct call *call, const uint64_t *arguments, long result)
{
    static const enum pool by_result[] = {
        [R_EPOLL] = POOL_EPOLL, [R_INOTIFY] = POOL_INOTIFY, [R_SOCKET] = POOL_SOCKET, [R_TIMER] = POOL_TIMER,
        [R_DIRECTORY] = POOL_DIRECTORY, [R_MAP] = POOL_MAP, [R_CHILD] = POOL_CHILD,
    };
    const int *pair;

    if (call->result == R_NONE || result < 0 || (call->result != R_MAP && result > 1 << 22)) {
        return;
    }
    if (call->result == R_PAIR) {
        pair = (const int *)arguments[call->number == 53 ? 3 : 0];
        for (int i = 0; i < 2; i++) {
            pool_add(t, call->number == 53 ? POOL_SOCKET : POOL_FD, (uint64_t)pair[i]);
            pool_add(t, POOL_FD, (uint64_t)pair[i]);
        }
        return;
    }
    if (by_result[call->result]) {
        pool_add(t, by_result[call->result], (uint64_t)result);
    }
    if (call->result != R_MAP && call->result != R_CHILD) {
        pool_add(t, POOL_FD, (uint64_t)result);
    }
}

/* At the start, after exec too: what is open already is known again, but not of what kind. */
void pools_init(void)
{
    pools[POOL_CHILD].values[0] = (uint64_t)RAW(39, 0, 0, 0);
    pools[POOL_CHILD].count = 1;
    for (int fd = 0; fd < 8; fd++) {
        pools[POOL_FD].values[fd] = (uint64_t)fd;
        pools[POOL_FD].count = fd + 1;
    }
}
