/*
 * parallel: a job that only computes, cut in pieces. Threads are tasks, and the kernel runs tasks
 * on as many CPUs as there are. Coroutines are pieces of one task: they take turns on one CPU,
 * however many stand idle. To use N CPUs with coroutines, start a loop of them in N threads.
 */
#include <co.h>
#include <pthread.h>
#include <stdio.h>

#include "common/lesson.h"

#define MOST_CPUS 16
#define PIECES_PER_CPU 4
#define ROUNDS 3 /* the best counts, for others may use the CPUs, too */
#define SHORT_WORK 8000000
#define LONG_WORK 80000000 /* some 100 ms: against it the start of a thread is nothing */

static long work; /* steps in all */
static int cpus, pieces;
static bool in_turns; /* the CPUs share one clock, which counts the instructions of all */
static volatile unsigned long sink;

/* One piece of the job: each step needs the one before it. */
static void *compute(void *unused)
{
    unsigned long value = 1;

    for (long i = 0; i < work / pieces; i++) {
        value = value * 6364136223846793005ul + 1442695040888963407ul;
    }
    sink = value;
    return unused;
}

static void start_thread(pthread_t *thread, void *(*function)(void *))
{
    if (pthread_create(thread, NULL, function, NULL)) {
        lesson_failed("pthread_create");
    }
}

/* ---- The four ways ---- */

static void one_loop(void)
{
    for (int i = 0; i < pieces; i++) {
        compute(NULL);
    }
}

static void many_threads(void)
{
    pthread_t threads[MOST_CPUS * PIECES_PER_CPU];

    for (int i = 0; i < pieces; i++) {
        start_thread(&threads[i], compute);
    }
    for (int i = 0; i < pieces; i++) {
        pthread_join(threads[i], NULL);
    }
}

static void run_coroutines(int count)
{
    for (int i = 0; i < count; i++) {
        if (!co_go(compute, NULL, "piece")) {
            lesson_failed("co_go");
        }
    }
    co_run();
}

static void many_coroutines(void)
{
    run_coroutines(pieces);
}

static void *run_loop(void *unused)
{
    run_coroutines(pieces / cpus);
    return unused;
}

/* A run loop belongs to its thread: each thread starts its share of the coroutines. */
static void loops_in_threads(void)
{
    pthread_t threads[MOST_CPUS];

    for (int i = 0; i < cpus; i++) {
        start_thread(&threads[i], run_loop);
    }
    for (int i = 0; i < cpus; i++) {
        pthread_join(threads[i], NULL);
    }
}

static struct way {
    const char *name, *key;
    void (*run)(void);
    double ns;
} ways[] = {
    {"one after the other", "serial", one_loop, 0},
    {"a thread a piece", "threads", many_threads, 0},
    {"a coroutine a piece", "coroutines", many_coroutines, 0},
    {"a loop of them a CPU", "loops_in_threads", loops_in_threads, 0},
};
enum { SERIAL, THREADS, COROUTINES, LOOPS };

static void measure(struct way *way)
{
    long long start = now_ns();
    double ns;

    way->run();
    ns = (double)(now_ns() - start);
    way->ns = way->ns == 0 || ns < way->ns ? ns : way->ns;
}

static double speed_up(int way)
{
    return ways[SERIAL].ns / ways[way].ns;
}

static void report(int way)
{
    say("  %-20s %8s  |%s%s%s| %.2fx\n", ways[way].name, duration(ways[way].ns), paint(CYAN),
        bar(speed_up(way) / cpus, 32), paint(PLAIN), speed_up(way));
    json_object(ways[way].key);
    json_number("time_ms", ways[way].ns / 1e6);
    json_number("speed_up", speed_up(way));
    json_end();
}

static void judge(void)
{
    if (cpus == 1) {
        verdict(true, "There is one CPU, so threads made the job %.2fx as fast, and coroutines "
                      "%.2fx: to see threads win, give the machine CPUs (tools/run --smp 4).",
                speed_up(THREADS), speed_up(COROUTINES));
        return;
    }
    if (in_turns) {
        verdict(true, "These %d CPUs take turns on one clock, which counts the instructions of all: "
                      "nothing can be faster here (threads %.2fx). To see threads win, let them run "
                      "at the same time: without --icount.", cpus, speed_up(THREADS));
        return;
    }
    verdict(speed_up(THREADS) > 1.2 && speed_up(LOOPS) > 1.2,
            "On %d CPUs threads made the job %.2fx as fast, a loop of coroutines in each of %d "
            "threads %.2fx: the kernel gives each task a CPU, if nobody else has them all.",
            cpus, speed_up(THREADS), cpus, speed_up(LOOPS));
    verdict(speed_up(COROUTINES) < 1.2,
            "Coroutines alone made it %.2fx as fast: they are one task, and a task is on one CPU.",
            speed_up(COROUTINES));
}

int main(int argc, char **argv)
{
    static const struct lesson_option options[] = {
        {.name = "work", .kind = OPTION_NUMBER, .value = &work, .least = 0,
         .most = 100000000000, .help = "steps in all (0: as many as it takes)"},
        {0},
    };
    static const struct lesson lesson = {
        "parallel", "a job on several CPUs: threads are faster, coroutines are not",
        {"A job that only computes is cut in pieces, and done in four ways.",
         "Look at the bars: which ways use the other CPUs, if there are any?"},
        options,
        "  cpus      that this process may use\n"
        "  serial, threads, coroutines, loops_in_threads: objects, each with\n"
        "    time_ms\n"
        "    speed_up    how many times as fast as serial\n",
    };

    lesson_start(&lesson, argc, argv);
    cpus = cpus_allowed() < MOST_CPUS ? cpus_allowed() : MOST_CPUS;
    pieces = cpus * PIECES_PER_CPU;
    in_turns = time_counts_instructions();
    if (work == 0) {
        work = cpus == 1 || in_turns ? SHORT_WORK : LONG_WORK;
    }
    say("CPUs: %d. Pieces: %d. Rounds: %d, and the best of each way counts.\n\n", cpus, pieces,
        ROUNDS);
    for (int i = 0; i < ROUNDS * (int)COUNT(ways); i++) {
        measure(&ways[i % COUNT(ways)]);
    }
    json_number("cpus", cpus);
    for (int way = 0; way < (int)COUNT(ways); way++) {
        report(way);
    }
    judge();
    return lesson_end();
}
