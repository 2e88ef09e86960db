/* See schedule.h. */
#include "schedule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int schedule_parse(const char *text, struct schedule *schedule)
{
    char *end;

    schedule->count = 0;
    if (strcmp(text, "-") == 0) {
        return 1;
    }
    for (;; text = end + 1) {
        uint64_t at = strtoul(text, &end, 10), nth = 0;
        unsigned long task;

        if (end != text && *end == 'k') {
            text = end + 1;
            nth = strtoul(text, &end, 10);
        }
        if (end == text || *end != '@') {
            return 0;
        }
        text = end + 1;
        task = strtoul(text, &end, 10);
        if (end == text || task == 0 || task > UINT16_MAX ||
            !schedule_extend(schedule, at, (uint32_t)nth, (unsigned)task)) {
            return 0;
        }
        if (*end == '\0') {
            return 1;
        }
        if (*end != ',') {
            return 0;
        }
    }
}

const char *schedule_text(const struct schedule *schedule)
{
    static char text[PLACES_MAX * 40 + 2];
    size_t used = 0;

    strcpy(text, "-");
    for (uint32_t i = 0; i < schedule->count; i++) {
        const struct place *place = &schedule->places[i];

        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%lu", i ? "," : "", place->at);
        if (place->nth) {
            used += (size_t)snprintf(text + used, sizeof(text) - used, "k%u", place->nth);
        }
        used += (size_t)snprintf(text + used, sizeof(text) - used, "@%u", place->task);
    }
    return text;
}

int schedule_extend(struct schedule *schedule, uint64_t at, uint32_t nth, unsigned task)
{
    if (schedule->count == PLACES_MAX ||
        (schedule->count && at < schedule->places[schedule->count - 1].at)) {
        return 0;
    }
    schedule->places[schedule->count++] = (struct place){at, task, nth};
    return 1;
}

int schedule_is(const struct schedule *a, const struct schedule *b)
{
    return a->count == b->count && memcmp(a->places, b->places, a->count * sizeof(*a->places)) == 0;
}

/* In sets of tasks, as the kernel has them: the last one for all above. */
static uint64_t bit(unsigned task)
{
    return 1ul << (task < TASKS_MAX ? task : TASKS_MAX);
}

static uint64_t bits(uint64_t set)
{
    uint64_t count = 0;

    for (; set; set &= set - 1) {
        count++;
    }
    return count;
}

/* One more behind an array of `count`, which grows in steps. */
static void *one_more(void *array, uint32_t count, size_t size)
{
    if (count % 64 == 0) {
        array = realloc(array, (count + 64) * size);
        if (!array) {
            give_up("memory");
        }
    }
    return array;
}

static void add_stretch(struct ways *ways, uint64_t from, uint64_t to, uint64_t ready)
{
    if (from >= to || !ready) {
        return;
    }
    ways->stretches = one_more(ways->stretches, ways->stretch_count, sizeof(struct stretch));
    ways->stretches[ways->stretch_count++] = (struct stretch){from, to, ready};
    ways->preemptions += (to - from) * bits(ready);
}

static void add_place(struct ways *ways, const struct event *event, uint64_t ready)
{
    if (!ready) {
        return;
    }
    ways->places = one_more(ways->places, ways->place_count, sizeof(struct kernel_place));
    ways->places[ways->place_count++] = (struct kernel_place){event->at, ready, event->nth};
    ways->preemptions += bits(ready);
}

static void add_choice(struct ways *ways, const struct event *event, unsigned gives_up)
{
    uint64_t others = event->ready & ~bit(event->task);

    if (event->why == YIELDS || event->why == TURN_OVER) {
        others &= ~bit(gives_up); /* if it got the CPU again, it would not have given it away */
    }
    ways->choices = one_more(ways->choices, ways->choice_count, sizeof(struct choice));
    ways->choices[ways->choice_count++] = (struct choice){event->at, others, event->task};
}

struct ways ways_find(const struct schedule *schedule, const struct run *run,
                      const struct event *events, int in_user)
{
    struct ways ways = {0};
    uint64_t from = 0, ready = 0, last = 0, sleepers = 0;
    uint32_t used = 0;
    unsigned stopped = 0;

    for (uint32_t i = 0; i < run->events && events[i].kind != CLOSED; i++) {
        const struct event *event = &events[i];
        int free = event->kind == RUNS && bits(event->ready) > 1;

        if (event->kind == PLACE && used == schedule->count) {
            add_place(&ways, event, ready);
        }
        if (event->kind == STEP || event->kind == PLACE) {
            continue;
        }
        if (used == schedule->count && in_user) {
            uint64_t first = from > last ? from : last + (last > 0);

            add_stretch(&ways, first, event->at, ready | sleepers);
        }
        from = event->at;
        if (event->kind == STOPS && event->why == BLOCKS && event->nth) {
            sleepers |= bit(event->task); /* when that is over is a matter of time: at any place */
        } else if (event->kind == READY) {
            sleepers &= ~bit(event->task);
        }
        if (event->kind == READY) {
            ready |= ready || i ? bit(event->task) : 0;
        } else if (event->kind == STOPS) {
            ready = 0;
            stopped = event->task;
        } else if (used < schedule->count && schedule->places[used].at <= event->at &&
                   (free || event->why == TAKEN)) { /* as the kernel has it: explore_choose() */
            last = schedule->places[used++].at;
        } else if (used == schedule->count && free && event->why != TAKEN) {
            add_choice(&ways, event, stopped);
        }
        if (event->kind == RUNS) {
            ready = event->ready & ~bit(event->task);
            from++; /* taken at once it would be as if another one had been chosen */
        }
    }
    return ways;
}

void ways_free(struct ways *ways)
{
    free(ways->stretches);
    free(ways->places);
    free(ways->choices);
}

/* The `number`th task of a set. */
static unsigned task_of(uint64_t set, uint64_t number)
{
    for (; number > 0; number--) {
        set &= set - 1;
    }
    return (unsigned)__builtin_ctzl(set);
}

int ways_preempt(const struct ways *ways, uint64_t number, struct schedule *schedule)
{
    for (uint32_t i = 0; i < ways->stretch_count; i++) {
        const struct stretch *stretch = &ways->stretches[i];
        uint64_t tasks = bits(stretch->ready);
        uint64_t size = (stretch->to - stretch->from) * tasks;

        if (number < size) {
            return schedule_extend(schedule, stretch->from + number / tasks, 0,
                                   task_of(stretch->ready, number % tasks));
        }
        number -= size;
    }
    for (uint32_t i = 0; i < ways->place_count; i++) {
        const struct kernel_place *place = &ways->places[i];

        if (number < bits(place->ready)) {
            return schedule_extend(schedule, place->at, place->nth, task_of(place->ready, number));
        }
        number -= bits(place->ready);
    }
    return 0;
}

int ways_choose(const struct ways *ways, uint32_t choice, unsigned task, struct schedule *schedule)
{
    uint64_t at = ways->choices[choice].at;

    for (uint32_t i = 0; i < choice; i++) {
        if (ways->choices[i].at == at && !schedule_extend(schedule, at, 0, ways->choices[i].task)) {
            return 0;
        }
    }
    return schedule_extend(schedule, at, 0, task);
}

int schedule_of_run(const struct run *run, const struct event *events, struct schedule *schedule)
{
    const struct event *stop = NULL;

    schedule->count = 0;
    for (uint32_t i = 0; i < run->events && events[i].kind != CLOSED; i++) {
        const struct event *event = &events[i];
        int taken = stop && stop->why == TAKEN;

        if (event->kind == STOPS) {
            stop = event;
        } else if (event->kind == RUNS && (taken || bits(event->ready) > 1) &&
                   !schedule_extend(schedule, event->at, taken ? stop->nth : 0, event->task)) {
            return 0;
        }
    }
    return 1;
}
