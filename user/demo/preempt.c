/*
 * preempt: endless loops that never give the CPU away, on one CPU.
 *
 * As two processes both go on: the timer interrupts whichever runs, and the kernel hands the CPU
 * to the other. As two coroutines only the first ever runs: no interrupt reaches their scheduler,
 * a library that acts when it is called.
 */
#include <co.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/lesson.h"

#define LOOPS 2

static long time_ms = 112; /* two in each cell of a lane */
static struct lanes *lanes;
static long long end; /* of the coroutines' loops, which nobody could stop */

/* Count until the time is over; the lane shows when this loop had the CPU. */
static void count_until(struct lane *lane, long long until)
{
    while (now_ns() < until) {
        for (volatile int i = 0; i < 1000; i++) {
        }
        lane_mark(lanes, lane, LANE_RUN);
        snprintf(lane->note, sizeof(lane->note), "%luk", lane->ticks);
    }
}

static struct lane *add_lane(const char *what, int number)
{
    char name[16];

    snprintf(name, sizeof(name), "%s %d", what, number + 1);
    return lane_add(lanes, name);
}

static void start_lanes(const char *what)
{
    lanes = lanes_create(time_ms * 1000000, time_ms * 1000000 / LANE_CELLS);
    for (int i = 0; i < LOOPS; i++) {
        snprintf(add_lane(what, i)->note, sizeof(lanes->lane->note), "0");
    }
}

/* Two processes, each in a loop that only a signal ends. */
static void run_processes(void)
{
    pid_t child[LOOPS];

    say("Two processes, and the timer:\n");
    start_lanes("process");
    live_begin(lanes_draw);
    lanes->start = now_ns();
    for (int i = 0; i < LOOPS; i++) {
        child[i] = fork();
        if (child[i] == 0) {
            pin_to_one_cpu();
            count_until(&lanes->lane[i], LONG_MAX);
        }
    }
    sleep_ns(time_ms * 1000000);
    while (!lanes->lane[0].ticks || !lanes->lane[1].ticks) {
        sleep_ns(10000000); /* a busy host: neither may have had its turn */
    }
    for (int i = 0; i < LOOPS; i++) {
        kill(child[i], SIGKILL);
        waitpid(child[i], NULL, 0);
    }
    live_end();
}

static void *coroutine(void *lane)
{
    count_until(lane, end);
    return NULL;
}

static void run_coroutines(void)
{
    say("\nTwo coroutines, and nobody who yields:\n");
    start_lanes("coroutine");
    live_begin(lanes_draw);
    lanes->start = now_ns();
    end = lanes->start + time_ms * 1000000;
    for (int i = 0; i < LOOPS; i++) {
        co_go(coroutine, &lanes->lane[i], lanes->lane[i].name);
    }
    co_run();
    live_end();
}

static void report(const char *key)
{
    json_array(key);
    for (int i = 0; i < LOOPS; i++) {
        json_number(NULL, (double)lanes->lane[i].ticks);
    }
    json_end();
}

int main(int argc, char **argv)
{
    static const struct lesson_option options[] = {
        {.name = "time", .kind = OPTION_NUMBER, .value = &time_ms, .least = 20, .most = 60000,
         .help = "how long each pair runs, in ms"},
        {0},
    };
    static const struct lesson lesson = {
        "preempt", "two endless loops that never yield, as processes and as coroutines",
        {"Two loops on one CPU never give it away. The lanes show who has it: # runs.",
         "Look at the second of each pair: does it get its turn? (Right: its loops.)"},
        options,
        "  processes     array: how often each of the two processes went round its loop\n"
        "  coroutines    array: the same of the coroutines while the first one ran\n",
    };
    unsigned long first, second;

    lesson_start(&lesson, argc, argv);
    run_processes();
    report("processes");
    first = lanes->lane[0].ticks;
    second = lanes->lane[1].ticks;
    verdict(first > 0 && second > 0,
            "Both processes went on (%luk and %luk loops) though neither yielded: the timer's "
            "interrupt takes the CPU from one, and the kernel hands it to the other.",
            first, second);
    run_coroutines();
    report("coroutines");
    first = lanes->lane[0].ticks;
    second = lanes->lane[1].ticks;
    verdict(first > 0 && second == 0,
            "The first coroutine made %luk loops, the second %lu: the timer interrupts them, too, "
            "but it tells the kernel, and the kernel knows of no coroutines.",
            first, second);
    return lesson_end();
}
