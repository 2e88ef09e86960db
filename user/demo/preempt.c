/*
 * preempt: endless loops that never give the CPU away, on one CPU.
 *
 * As two processes both go on: the timer interrupts whichever runs, and the kernel hands the CPU
 * to the other. As two coroutines only the first ever runs. The timer interrupts it, too, and the
 * kernel hands the CPU to another process, here a rival on the same CPU; but when it comes back, it
 * comes back to the first coroutine: the scheduler of coroutines is a library that acts when it is
 * called.
 */
#include <co.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/lesson.h"

#define LOOPS 2
#define RIVAL 2               /* its lane's number */
#define TURNS 2               /* each is to get, whatever else the machine has to do */
#define PATIENCE 20000000000l /* ns more than asked: a kernel that never gives them has failed */

static long time_ms = 112; /* two in each cell of a lane */
static struct lanes *lanes;

/* What they did, in shared memory. */
static struct what {
    volatile int last;          /* whose loop went round last */
    volatile long turns[3];     /* how often the CPU came to each from another one */
    struct switches switches[3];
    unsigned long second_meanwhile; /* loops of the second coroutine until the first had ended */
    bool over;
} *what;

/* Loop until the time is over, if `enough` says so. The lane shows when this loop had the CPU. */
static void loop(int me, long long until, bool (*enough)(void))
{
    struct lane *lane = &lanes->lane[me];
    struct switches before = thread_switches(), now;
    long long limit = now_ns() + time_ms * 1000000 + PATIENCE;

    while (now_ns() < until || (!enough() && now_ns() < limit)) {
        for (volatile int i = 0; i < 1000; i++) {
        }
        what->turns[me] += what->last != me;
        what->last = me;
        lane_mark(lanes, lane, LANE_RUN);
        snprintf(lane->note, sizeof(lane->note), "%luk", lane->ticks);
        now = thread_switches();
        what->switches[me].voluntary = now.voluntary - before.voluntary;
        what->switches[me].forced = now.forced - before.forced;
    }
}

static void start_lanes(const char *const names[], int count)
{
    memset(what, 0, sizeof(*what));
    what->last = -1;
    lanes = lanes_create(time_ms * 1000000, time_ms * 1000000 / LANE_CELLS);
    for (int i = 0; i < count; i++) {
        struct lane *lane = lane_add(lanes, names[i]);

        snprintf(lane->note, sizeof(lane->note), "0");
    }
}

static bool both_had_turns(void)
{
    return what->turns[0] >= TURNS && what->turns[1] >= TURNS;
}

static bool rival_had_turns(void)
{
    return what->switches[0].forced >= TURNS && what->turns[RIVAL] >= TURNS;
}

static bool told_to_end(void)
{
    return what->over;
}

/* A process that loops until it is told to end; it never waits for that. */
static pid_t start_process(int me)
{
    pid_t child = lesson_fork();

    if (child == 0) {
        end_with_parent();
        loop(me, 0, told_to_end);
        _exit(0);
    }
    return child;
}

static void run_processes(void)
{
    static const char *const names[] = {"process 1", "process 2"};
    pid_t child[LOOPS];
    long long limit;

    say("Two processes, and the timer:\n");
    start_lanes(names, LOOPS);
    live_begin(lanes_draw);
    lanes->start = now_ns();
    limit = lanes->start + time_ms * 1000000 + PATIENCE;
    for (int i = 0; i < LOOPS; i++) {
        child[i] = start_process(i);
    }
    sleep_ns(time_ms * 1000000);
    while (!both_had_turns() && now_ns() < limit) {
        sleep_ns(10000000);
    }
    what->over = true;
    for (int i = 0; i < LOOPS; i++) {
        lesson_join(child[i]);
    }
    live_end();
}

static void *first_coroutine(void *unused)
{
    loop(0, lanes->start + time_ms * 1000000, rival_had_turns);
    what->second_meanwhile = lanes->lane[1].ticks;
    return unused;
}

static bool at_once(void)
{
    return true;
}

/* It is no worse than the first: when its turn comes, it loops as well. */
static void *second_coroutine(void *unused)
{
    loop(1, now_ns() + time_ms * 1000000 / 8, at_once);
    return unused;
}

static void run_coroutines(void)
{
    static const char *const names[] = {"coroutine 1", "coroutine 2", "a process"};
    pid_t rival;

    say("\nTwo coroutines, nobody who yields, and a process on the same CPU:\n");
    start_lanes(names, LOOPS + 1);
    live_begin(lanes_draw);
    lanes->start = now_ns();
    rival = start_process(RIVAL);
    if (!co_go(first_coroutine, NULL, names[0]) || !co_go(second_coroutine, NULL, names[1])) {
        lesson_failed("co_go");
    }
    co_run();
    what->over = true;
    lesson_join(rival);
    live_end();
}

static void report_loops(const char *key, unsigned long first, unsigned long second)
{
    json_array(key);
    json_number(NULL, (double)first);
    json_number(NULL, (double)second);
    json_end();
}

static void report_processes(void)
{
    long turns = what->turns[0] + what->turns[1];
    long taken = what->switches[0].forced + what->switches[1].forced;
    long given = what->switches[0].voluntary + what->switches[1].voluntary;

    report_loops("processes", lanes->lane[0].ticks, lanes->lane[1].ticks);
    json_number("turns", (double)turns);
    json_number("forced_switches", (double)taken);
    json_number("voluntary_switches", (double)given);
    verdict(both_had_turns() && given < turns && taken > 0,
            "Both processes went on (%luk and %luk loops): in %ld turns they gave the CPU away %ld "
            "times, and %ld times the timer's interrupt took it, and the kernel handed it to the "
            "other.", lanes->lane[0].ticks, lanes->lane[1].ticks, turns, given, taken);
}

static void report_coroutines(void)
{
    long forced = what->switches[0].forced;

    report_loops("coroutines", lanes->lane[0].ticks, what->second_meanwhile);
    json_number("second_afterwards", (double)lanes->lane[1].ticks);
    json_number("forced_switches_of_first", (double)forced);
    verdict(what->second_meanwhile == 0 && lanes->lane[1].ticks > 0 && rival_had_turns(),
            "The first coroutine made %luk loops; the second made %lu meanwhile, and %luk when the "
            "first had ended. The timer took the CPU from the first %ld times, and the kernel "
            "gave it to the process: it knows of no coroutines.",
            lanes->lane[0].ticks, what->second_meanwhile, lanes->lane[1].ticks, forced);
}

int main(int argc, char **argv)
{
    static const struct lesson_option options[] = {
        {.name = "time", .kind = OPTION_NUMBER, .value = &time_ms, .least = 20, .most = 60000,
         .help = "how long each pair runs at least, in ms"},
        {0},
    };
    static const struct lesson lesson = {
        "preempt", "two endless loops that never yield, as processes and as coroutines",
        {"Two loops on one CPU never give it away. The lanes show who has it: # runs.",
         "Look at the second of each pair: does it get its turn? (Right: its loops.)"},
        options,
        "  processes     array: how often each of the two processes went round its loop\n"
        "  turns, forced_switches, voluntary_switches    of the two processes: how often the CPU\n"
        "                came from the other; was taken; was given away\n"
        "  coroutines    array: the loops of the coroutines while the first one ran\n"
        "  second_afterwards           those of the second when the first had ended\n"
        "  forced_switches_of_first    how often the CPU was taken from the first\n",
    };

    lesson_start(&lesson, argc, argv);
    what = shared_memory(sizeof(*what));
    pin_to_cpu(0);
    run_processes();
    report_processes();
    run_coroutines();
    report_coroutines();
    return lesson_end();
}
