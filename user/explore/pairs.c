/*
 * See pairs.h. Most instructions of a small program are its library's: of two places that are drawn from
 * all, both are seldom where the program touches its data. So half of what is tried with two preemptions is drawn
 * from the program's own instructions: a run step by step shows where these are, one without a
 * preemption for the first place, and one with the first preemption for the second.
 */
#include "pairs.h"

#include <stdlib.h>

#define SECONDS_MIN 8     /* tried behind each first preemption */
#define STEPS_MAX 500000  /* so many instructions are run step by step: that is slow */

/* Own instructions before which the CPU could be taken. */
struct own {
    struct place *places; /* each with one of the tasks that are ready there */
    uint32_t count, room;
};

static void own_add(struct own *own, uint64_t at, unsigned task)
{
    if (own->count == own->room) {
        own->room = own->room ? 2 * own->room : 256;
        own->places = realloc(own->places, own->room * sizeof(*own->places));
        if (!own->places) {
            give_up("memory");
        }
    }
    own->places[own->count++] = (struct place){.at = at, .task = task};
}

/* Run the schedule step by step; the own places behind its last one. True: it fails. */
static int own_find(struct search *search, const struct schedule *schedule, struct own *own)
{
    const struct event *events;
    struct ways ways;
    uint64_t tried = search->tried;
    uint32_t stretch = 0;
    int failed;

    own->count = 0;
    search->run.steps = 1;
    failed = search_try(search, schedule);
    search->run.steps = 0;
    search->tried = tried; /* it was before */
    events = device_events(&search->run);
    ways = ways_find(schedule, &search->run, events, 1);
    for (uint32_t i = 0; i < search->run.events && events[i].kind != CLOSED; i++) {
        uint64_t at = events[i].at;

        if (events[i].kind != STEP) {
            continue;
        }
        while (stretch < ways.stretch_count && ways.stretches[stretch].to <= at) {
            stretch++;
        }
        if (stretch == ways.stretch_count || ways.stretches[stretch].from > at) {
            continue;
        }
        for (uint64_t ready = ways.stretches[stretch].ready; ready; ready &= ready - 1) {
            own_add(own, at, (unsigned)__builtin_ctzl(ready));
        }
    }
    ways_free(&ways);
    return failed;
}

/* Any of the places, which is not there any more; its schedule is that, behind `first`. */
static int own_draw(struct search *search, struct own *own, const struct schedule *first,
                    struct schedule *schedule)
{
    uint64_t i = search_draw(search, own->count);
    struct place place = own->places[i];

    own->places[i] = own->places[--own->count];
    *schedule = *first;
    return schedule_extend(schedule, place.at, 0, place.task);
}

/* Some schedules with a second preemption behind the first. */
static int seconds_try(struct search *search, const struct schedule *first, uint64_t most)
{
    struct coverage *covered = &search->covered[2];
    struct own own = {0};
    int found = own_find(search, first, &own);

    for (uint64_t i = 0; !found && i < most && own.count > 0 && search->tried < search->runs; i++) {
        struct schedule schedule;

        if (own_draw(search, &own, first, &schedule)) {
            covered->schedules++;
            found = search_try(search, &schedule) && !search->run.diverged;
            covered->diverged += search->run.diverged;
        }
    }
    free(own.places);
    return found;
}

int pairs_try(struct search *search)
{
    struct own own = {0};
    uint64_t firsts = STEPS_MAX / (search->instructions + 1), most = search->samples / SECONDS_MIN;
    int found = 0;

    firsts = firsts < most ? firsts : most;
    if (firsts > 0) {
        found = own_find(search, &roots[0].schedule, &own);
        firsts = firsts < own.count ? firsts : own.count;
    }
    most = firsts ? search->samples / firsts : 0;
    for (uint64_t i = 0; !found && i < firsts && search->tried < search->runs; i++) {
        struct schedule first;

        if (own_draw(search, &own, &roots[0].schedule, &first)) {
            found = seconds_try(search, &first, most);
        }
    }
    free(own.places);
    return found;
}
