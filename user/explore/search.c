/*
 * The search: see search.h.
 *
 * A run that follows a schedule shows what could have been done otherwise behind the schedule's last
 * place: that schedule and one place more. So all schedules are a tree, with the empty one at its
 * root, and each is met once. Two kinds of places: a choice, where the CPU was free anyway, and a
 * preemption. Choices cost nothing: for each number of preemptions all of them are tried. First all
 * schedules without a preemption; then those with one, in a shuffled order, so that what has been
 * tried is a fair sample whenever one stops; with more, some by chance (pairs.h, and PCT).
 */
#include "search.h"

#include "leak.h"
#include "pairs.h"

#include <stdio.h>
#include <stdlib.h>

#define ROOTS_MAX 512 /* schedules without a preemption: with more, these are a part of them */

#define ORDER_MAX 4000000 /* of those with one: they are put in an order */

struct root roots[ROOTS_MAX];
uint32_t root_count;
static uint32_t root_tasks; /* of the first run */

void search_count(struct search *search)
{
    search->tried++;
    if (search->tried % 1000 == 0) {
        printf("{\"tried\": %lu}\n", search->tried);
        fflush(stdout);
    }
}

void search_run(struct search *search, const struct schedule *schedule)
{
    struct run *run = &search->run;

    run->places = schedule->count;
    for (uint32_t i = 0; i < schedule->count; i++) {
        run->schedule[i] = schedule->places[i];
    }
    run->limit = search->limit;
    run->in_kernel = (uint32_t)search->in_kernel;
    device_run(run);
}

static int is_avoided(const struct search *search, const struct schedule *schedule)
{
    for (uint32_t i = 0; i < search->avoid_count; i++) {
        if (schedule_is(&search->avoid[i], schedule)) {
            return 1;
        }
    }
    return 0;
}

int search_try(struct search *search, const struct schedule *schedule)
{
    const struct run *run = &search->run;
    struct count before;

    if (is_avoided(search, schedule)) {
        search->run.events = 0; /* what could be done otherwise behind it is not known */
        return 0;
    }
    device_count(&before);
    search_run(search, schedule);
    search_count(search);
    search->lost[0] = '\0';
    if (run->verdict == DONE && run->status == search->passes << 8 && /* wait(2): exited with it */
        !leak_is_found(search, schedule, &before)) {
        search->lost[0] = '\0';
        return 0;
    }
    search->found = *schedule;
    return 1;
}

/* By the schedule by which the last run went in fact. True: it fails by that, too. */
static int try_as_it_went(struct search *search)
{
    struct schedule schedule;

    return schedule_of_run(&search->run, device_events(&search->run), &schedule) &&
           search_try(search, &schedule);
}

static int is_over(const struct search *search)
{
    return search->tried >= search->runs;
}

/* Try a schedule, and all that only choose otherwise behind it. True: one failed. `kept`: each
 * becomes a root. */
static int try_with_choices(struct search *search, const struct schedule *first, unsigned level,
                            int kept)
{
    static struct schedule stack[4096];
    uint32_t depth = 1;

    stack[0] = *first;
    while (depth > 0) {
        struct schedule now = stack[--depth];
        struct ways ways;
        int failed;

        if (is_over(search) || (kept && root_count == ROOTS_MAX)) {
            search->covered[level].all = 0;
            return 0;
        }
        search->covered[level].schedules++;
        failed = search_try(search, &now);
        if (search->run.diverged || search->run.dropped || search->run.tasks > TASKS_MAX) {
            search->covered[level].all = 0;
        }
        if (search->run.diverged) {
            search->covered[level].diverged++;
            if (failed && try_as_it_went(search)) {
                return 1;
            }
            continue;
        }
        if (failed) {
            return 1;
        }
        ways = ways_find(&now, &search->run, device_events(&search->run), search->in_user);
        for (uint32_t i = 0; i < ways.choice_count; i++) {
            for (uint64_t others = ways.choices[i].others; others; others &= others - 1) {
                struct schedule child = now;

                if (depth == sizeof(stack) / sizeof(*stack) ||
                    !ways_choose(&ways, i, (unsigned)__builtin_ctzl(others), &child)) {
                    search->covered[level].all = 0;
                    continue;
                }
                stack[depth++] = child;
            }
        }
        if (kept) {
            roots[root_count++] = (struct root){now, ways};
        } else {
            ways_free(&ways);
        }
    }
    return 0;
}

/* xorshift64* */
uint64_t search_draw(struct search *search, uint64_t limit)
{
    static uint64_t state;

    state = state ? state : search->seed * 0x9e3779b97f4a7c15ul + 1;
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (state * 0x2545f4914f6cdd1dul >> 11) % limit;
}

static int is_before(const struct place *a, const struct place *b)
{
    return a->at < b->at || (a->at == b->at && a->nth < b->nth);
}

/* Any place of a run without a preemption: each instruction, and each place in the kernel. */
static void place_draw(struct search *search, const struct ways *ways, struct place *place)
{
    uint64_t instructions = search->in_user ? search->until_end : 0;
    uint64_t number = search_draw(search, instructions + ways->place_count + 1);

    place->at = number;
    if (number >= instructions && number - instructions < ways->place_count) {
        place->at = ways->places[number - instructions].at;
        place->nth = ways->places[number - instructions].nth;
    }
}

static uint64_t all_preemptions(void)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < root_count; i++) {
        sum += roots[i].ways.preemptions;
    }
    return sum;
}

/* The `number`th schedule with one preemption. */
static int one_preemption(uint64_t number, struct schedule *schedule)
{
    for (uint32_t i = 0; i < root_count; i++) {
        if (number < roots[i].ways.preemptions) {
            *schedule = roots[i].schedule;
            return ways_preempt(&roots[i].ways, number, schedule);
        }
        number -= roots[i].ways.preemptions;
    }
    return 0;
}

/* Every preemption, in a shuffled order (Fisher and Yates); of more than can be tried some, by chance. */
static int try_every_preemption(struct search *search)
{
    struct coverage *covered = &search->covered[1];
    uint64_t of = all_preemptions(), count = of < ORDER_MAX ? of : ORDER_MAX;
    uint64_t *order = malloc((count + 1) * sizeof(*order));
    struct schedule schedule;
    int found = 0;

    if (!order) {
        give_up("memory for the order of the schedules");
    }
    for (uint64_t i = 0; i < count; i++) {
        uint64_t j = search_draw(search, i + 1);

        order[i] = order[j];
        order[j] = i;
    }
    covered->all = search->covered[0].all && count == of;
    covered->of = of;
    for (uint64_t i = 0; i < count && !found; i++) {
        if (is_over(search)) {
            covered->all = 0;
            break;
        }
        if (count < of) {
            order[i] = search_draw(search, of);
        }
        if (one_preemption(order[i], &schedule)) {
            found = try_with_choices(search, &schedule, 1, 0);
        } else {
            covered->all = 0;
        }
    }
    free(order);
    return found;
}

/* Priorities for all tasks, in any order; and places where that of the running task becomes less than all. */
static void draw_priorities(struct search *search, const struct ways *ways, unsigned changes,
                            struct schedule *schedule)
{
    int32_t *priorities = search->run.priorities;
    uint32_t tasks = root_tasks < PRIORITIES ? root_tasks : PRIORITIES - 1;

    for (uint32_t i = 0; i < PRIORITIES; i++) {
        uint32_t j = i > 0 && i <= tasks ? 1 + (uint32_t)search_draw(search, i) : i;

        priorities[i] = priorities[j];
        priorities[j] = (int32_t)(PREEMPTIONS_MAX + i);
    }
    schedule->count = 0;
    for (unsigned i = 0; i < changes; i++) {
        struct place place = {.task = 1 + i};
        uint32_t j = schedule->count++;

        place_draw(search, ways, &place);
        for (; j > 0 && is_before(&place, &schedule->places[j - 1]); j--) {
            schedule->places[j] = schedule->places[j - 1];
        }
        schedule->places[j] = place;
    }
}

/*
 * One run by PCT (Burckhardt and others, ASPLOS 2010): of those that are ready the task of the highest
 * priority runs, and at `changes` places the one that runs gets a lower one than all. What came of it
 * is a schedule as all others, if it fails by that, too.
 */
static int try_by_priorities(struct search *search, unsigned changes)
{
    struct schedule by;
    int failed;

    draw_priorities(search, &roots[0].ways, changes, &by);
    search->run.pct = 1;
    failed = search_try(search, &by);
    search->run.pct = 0;
    search->covered[changes].schedules++;
    return failed && try_as_it_went(search);
}

/* So many instructions are explored: behind explore_end() there is no place any more. */
static uint64_t explored_instructions(struct search *search)
{
    const struct event *events = device_events(&search->run);

    for (uint32_t i = 0; i < search->run.events; i++) {
        if (events[i].kind == CLOSED) {
            return events[i].at;
        }
    }
    return search->run.instructions;
}

int search_go(struct search *search)
{
    const struct schedule empty = {0};
    uint64_t limit = search->limit;

    search->covered[0].all = 1;
    search->found_with = 0;
    search->limit = limit ? limit : FIRST_LIMIT;
    if (search_try(search, &empty)) {
        search->covered[0].schedules = 1;
        return 1;
    }
    search->instructions = search->run.instructions;
    search->until_end = explored_instructions(search);
    root_tasks = search->run.tasks;
    if (root_tasks == 1 && !search->run.diverged) { /* nobody else: this is the only schedule */
        for (unsigned level = 0; level <= search->preemptions; level++) {
            search->covered[level].all = 1;
        }
        search->covered[0].schedules = 1;
        return 0;
    }
    /* What needs so much more than the first run will never end. */
    search->limit = limit ? limit : 20 * search->instructions + 5000000;
    if (try_with_choices(search, &empty, 0, 1)) {
        return 1;
    }
    search->found_with = 1;
    if (search->preemptions >= 1 && try_every_preemption(search)) {
        return 1;
    }
    if (search->preemptions >= 2 && search->in_user && pairs_try(search)) {
        return 1;
    }
    for (unsigned level = 2; level <= search->preemptions; level++) {
        for (uint64_t i = 0; i < search->samples && !is_over(search); i++) {
            if (try_by_priorities(search, level)) {
                return 1;
            }
        }
    }
    return 0;
}

/* How often the CPU was taken in the last run. What was a choice is one, too, where it comes earlier. */
static uint32_t preemptions_of_run(const struct search *search)
{
    const struct event *events = device_events(&search->run);
    uint32_t count = 0;

    for (uint32_t i = 0; i < search->run.events; i++) {
        count += events[i].kind == STOPS && events[i].why == TAKEN;
    }
    return count;
}

/* Without its place `skip`, or with that place moved to `at`; and with `most` preemptions. */
static int still_fails(struct search *search, uint32_t skip, uint64_t at, uint32_t most)
{
    struct schedule was = search->found, without = {0};

    for (uint32_t i = 0; i < was.count; i++) {
        uint64_t place = i == skip ? at : was.places[i].at;

        if (place && !schedule_extend(&without, place, place == was.places[i].at ? was.places[i].nth : 0,
                                      was.places[i].task)) {
            return 0;
        }
    }
    if (search_try(search, &without) && !search->run.diverged && preemptions_of_run(search) <= most) {
        return 1;
    }
    search->found = was;
    return 0;
}

/* The places of the program's own code around place `number`, the nearest first: try those. */
static void move_to_own(struct search *search, uint32_t number, uint32_t most)
{
    uint64_t at = search->found.places[number].at, own[2];
    const struct event *events;
    uint32_t count = 0;

    if (search->found.places[number].nth) {
        return; /* in the kernel */
    }
    search->run.steps = 1;
    search_try(search, &search->found);
    search->run.steps = 0;
    events = device_events(&search->run);
    for (uint32_t i = 0; i < search->run.events; i++) {
        if (events[i].kind == STEP && events[i].at == at) {
            return; /* it is there */
        }
        if (events[i].kind == STEP && events[i].at < at) {
            own[0] = events[i].at;
            count = 1;
        } else if (events[i].kind == STEP && count < 2) {
            own[count++] = events[i].at;
            break;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        if (still_fails(search, number, own[i], most)) {
            return;
        }
    }
}

void search_shrink(struct search *search)
{
    uint32_t most = preemptions_of_run(search);

    for (uint32_t i = 0; i < search->found.count;) {
        if (!still_fails(search, i, 0, most)) {
            i++;
        }
    }
    for (uint32_t i = 0; i < search->found.count; i++) {
        move_to_own(search, i, most);
    }
}
