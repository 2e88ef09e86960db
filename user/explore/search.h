/* The search for a schedule that fails, from few preemptions to more. */
#ifndef EXPLORE_SEARCH_H
#define EXPLORE_SEARCH_H
#include "schedule.h"

#define PREEMPTIONS_MAX 8
#define AVOID_MAX 8
#define FIRST_LIMIT 50000000 /* instructions of a command of which nothing is known yet */

/* What was tried with so many preemptions. */
struct coverage {
    uint64_t schedules, of; /* of: so many there are; 0: they were drawn by chance */
    uint64_t diverged;      /* of these did not go as they say: then it is not known what was tried */
    int all;
};

struct search {
    unsigned preemptions; /* the most at a time */
    uint64_t runs;        /* the most of them */
    uint64_t limit;       /* of instructions, for one run */
    uint64_t samples;     /* with each number of preemptions above one */
    unsigned seed;
    int in_user, in_kernel; /* where preemptions are */
    struct schedule avoid[AVOID_MAX]; /* these end the machine: they are passed over */
    uint32_t avoid_count;
    int passes;           /* the exit status of a run in which nothing is wrong */
    int64_t mark;         /* the instruction at which a coroutine's turn begins; 0: none is known */
    /* What came out: */
    uint64_t tried, instructions; /* of the first run */
    uint64_t until_end; /* of these, before explore_end() */
    uint64_t rest;                /* orders of coroutines with more choices, as far as they are known */
    struct coverage covered[PREEMPTIONS_MAX + 1];
    unsigned found_with;
    struct schedule found;
    struct run run;  /* the last one */
    char lost[256];  /* what it did not give back, or "" */
};

/* A schedule without preemptions, and what can be done otherwise. */
struct root {
    struct schedule schedule;
    struct ways ways;
};
extern struct root roots[];
extern uint32_t root_count;

/* One more has been tried: say so now and then. */
void search_count(struct search *search);
/* A number below `limit`, by chance, from the seed. */
uint64_t search_draw(struct search *search, uint64_t limit);
/* Run the command by a schedule, no more. */
void search_run(struct search *search, const struct schedule *schedule);

/* Run the command by a schedule. True: it failed. */
int search_try(struct search *search, const struct schedule *schedule);
/* True: search->found fails. */
int search_go(struct search *search);
/* Leave out what it fails without, and move the rest to places of the program's own (STEP). */
void search_shrink(struct search *search);
#endif
