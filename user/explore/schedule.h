/* Schedules as text, "1234@2,5678k7@1" (k7: the 7th place in the kernel), and what one may do
 * otherwise in a run that followed one. */
#ifndef EXPLORE_SCHEDULE_H
#define EXPLORE_SCHEDULE_H
#include "device.h"

struct schedule {
    uint32_t count;
    struct place places[PLACES_MAX];
};

/* False: it is no schedule. "-" is the empty one. */
int schedule_parse(const char *text, struct schedule *schedule);
/* The text, valid until the next call. */
const char *schedule_text(const struct schedule *schedule);
int schedule_is(const struct schedule *a, const struct schedule *b);
/* One with a place more, behind all others. False: there is no room. */
int schedule_extend(struct schedule *schedule, uint64_t at, uint32_t nth, unsigned task);

/* Instructions in a row before each of which the CPU could be taken, for one of the tasks that are
 * ready then (a bit for each). */
struct stretch {
    uint64_t from, to; /* to: the first one behind */
    uint64_t ready;
};

/* A place in the kernel, in the same way. */
struct kernel_place {
    uint64_t at, ready;
    uint32_t nth;
};

/* The CPU was free, and `others` could have had it, besides `task`. */
struct choice {
    uint64_t at, others;
    unsigned task;
};

/* What could have been done otherwise in a run, behind the last place of its schedule. */
struct ways {
    struct stretch *stretches;
    struct kernel_place *places;
    struct choice *choices;
    uint32_t stretch_count, place_count, choice_count;
    uint64_t preemptions; /* in all: each instruction of a stretch, each place, with each task */
};

/* The arrays are from malloc. `in_user`: preemptions there, too. */
struct ways ways_find(const struct schedule *schedule, const struct run *run,
                      const struct event *events, int in_user);
void ways_free(struct ways *ways);
/* The schedule by which a run went, as the events tell it: each place where it could have been another
 * one. False: there is no room. */
int schedule_of_run(const struct run *run, const struct event *events, struct schedule *schedule);
/* Extend the schedule by the `number`th preemption; by a choice, with the choices before it at the same
 * place. False: there is no room. */
int ways_preempt(const struct ways *ways, uint64_t number, struct schedule *schedule);
int ways_choose(const struct ways *ways, uint32_t choice, unsigned task,
                struct schedule *schedule);
#endif
