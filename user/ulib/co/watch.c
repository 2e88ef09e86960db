/*
 * Looking at a run loop: its figures, a list of its coroutines, and the stall watchdog.
 *
 * A stall is the time for which one coroutine kept the CPU while another was ready, or due, or
 * had its descriptor ready. System calls are not hooked to find it: a read of the time stamp
 * counter after each turn tells how long it was; only a new record is looked at closer.
 */
#include <string.h>

#include "loop.h"

void watch_begin(struct co_loop *l)
{
    watch_turn(l);
    if (!l->cycles_base) {
        l->cycles_base = watch_cycles();
        l->clock_base = co_now();
    }
}

static int64_t to_nanoseconds(const struct co_loop *l, uint64_t cycles, int64_t now)
{
    uint64_t passed = watch_cycles() - l->cycles_base;

    return (int64_t)((double)cycles * (double)(now - l->clock_base) / (double)passed);
}

/* `co` ran for longer than the longest stall; was there anybody who could have run meanwhile? It is
 * rare, and its registers are not to be saved in each turn. */
static __attribute__((noinline)) void look_closer(struct co_loop *l, const struct loop_co *co, uint64_t cycles)
{
    int64_t now = co_now(), stall = to_nanoseconds(l, cycles, now), late;
    struct loop_co *sleeper = timer_first();
    size_t others;

    if (l->ready_count == 0 && (io_waiting() || l->jobs > 0)) {
        io_poll(0); /* makes ready whose descriptors have become so */
    }
    others = l->ready_count - (co->co.state != CO_DEAD && co->loop_state == LOOP_READY);
    if (others == 0) {
        late = sleeper && sleeper != co ? now - sleeper->deadline : 0;
        if (late <= 0) {
            return;
        }
        stall = late < stall ? late : stall;
    }
    if (stall > l->longest_stall) {
        l->longest_stall = stall;
        l->longest_cycles = cycles;
        memcpy(l->culprit, co->co.name, sizeof(l->culprit));
    }
}

void watch_ran(struct co_loop *l, const struct loop_co *co)
{
    uint64_t now = watch_cycles(), cycles = now - l->turn_start;

    l->turn_start = now;
    if (cycles > l->longest_cycles) {
        look_closer(l, co, cycles);
        watch_turn(l);
    }
}

void co_stats(struct co_stats *stats)
{
    struct co_loop *l = loop_mine();

    memset(stats, 0, sizeof(*stats));
    stats->switches = l->switches;
    stats->polls = l->polls;
    stats->coroutines = l->count;
    stats->ready = l->ready_count;
    stats->parked = l->count - l->ready_count - (loop_here() ? 1 : 0);
    stats->longest_stall = l->longest_stall;
    memcpy(stats->culprit, l->culprit, sizeof(stats->culprit));
}

void co_stats_reset(void)
{
    struct co_loop *l = loop_mine();

    l->longest_stall = 0;
    l->longest_cycles = 0;
    l->culprit[0] = '\0';
}

void co_dump(int fd)
{
    static const char *const states[] = {"-", "ready", "parked", "ended"};
    struct co_list *node;

    registry_lock();
    for (node = co_registry.all.next; node != &co_registry.all; node = node->next) {
        struct loop_co *co = loop_co_of(CO_ENTRY(node, struct co, all));

        if (co->co.loop != loop_mine()) {
            continue;
        }
        co_print(fd, "  %-24s %s", co->co.name, co == loop_current() ? "running" : states[co->loop_state]);
        if (co->loop_state == LOOP_PARKED && co->why_number >= 0) {
            co_print(fd, ": %s %ld", co->why, co->why_number);
        } else if (co->loop_state == LOOP_PARKED) {
            co_print(fd, ": %s", co->why);
        }
        if (co->loop_state == LOOP_PARKED && co->why_owner) {
            co_print(fd, ", held by %s", co->why_owner);
        }
        co_print(fd, "%s\n", co->canceled ? " (canceled)" : "");
    }
    registry_unlock();
}
