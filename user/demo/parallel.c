/*
 * parallel: a job that only computes, cut in pieces. Threads are tasks, and the kernel runs tasks
 * on as many CPUs as there are. Coroutines are pieces of one task: they take turns on one CPU,
 * however many stand idle. To use N CPUs with coroutines, start a loop of them in N threads.
 *
 * Time shows it, but proves nothing on a busy machine. What proves it is order: two tasks answer
 * each other's moves by looking at a word of memory, and neither is switched out meanwhile.
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

static void start_thread(pthread_t *thread, void *(*function)(void *), void *argument)
{
    if (pthread_create(thread, NULL, function, argument)) {
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
        start_thread(&threads[i], compute, NULL);
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
        start_thread(&threads[i], run_loop, NULL);
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

/* ---- Who sees the other move? ---- */

/*
 * Two meet: each answers the other's moves, looking at a word until it has changed. On two CPUs that
 * takes some hundred looks. On one, each move is seen only after a switch, and the kernel counts
 * those. And where QEMU's CPUs take turns there is no switch, but a whole turn of looks for a move.
 */
#define MOVES 10            /* of each, in a meeting */
#define FEW_LOOKS 10000l    /* for a move; no turn is so short */
#define MEETINGS 500        /* until they give up: on a busy machine they may seldom have two CPUs */
#define SLOW_MEETINGS 200   /* so many, and the CPUs take turns */
#define SLOW_BY_ICOUNT 2    /* the same, where time counts instructions: they do take turns */
#define COROUTINE_LOOKS 100000l

static struct side {
    _Alignas(64) volatile long moves;
    struct side *other;
    long switches, looks; /* of its task and by it, in the last meeting */
} sides[2] = {{.other = &sides[1]}, {.other = &sides[0]}};
static volatile bool over; /* no meeting follows */
static long slow_meetings; /* how many of them it takes */

static struct meetings {
    const char *name, *key;
    void *(*start)(void *);     /* a thread's function */
    long quick, slow, switched; /* without a switch, in few looks or many; with switches */
    long looks, switches;       /* in the last one */
} *meeting; /* those that are held */

static long switches_now(void)
{
    struct switches switches = thread_switches();

    return switches.voluntary + switches.forced;
}

static void move_and_await(struct side *side)
{
    long mine = side->moves + 1, looks = 1;

    side->moves = mine;
    while (side->other->moves < mine) {
        looks++;
    }
    side->looks += looks;
}

static void meet(struct side *side)
{
    long before;

    move_and_await(side);
    side->looks = 0;
    before = switches_now();
    for (int i = 0; i < MOVES; i++) {
        move_and_await(side);
    }
    side->switches = switches_now() - before;
    move_and_await(side); /* now both have counted */
}

/* Count the meeting. Is it known now how the two run? */
static bool count_meeting(void)
{
    meeting->switches = sides[0].switches + sides[1].switches;
    meeting->looks = sides[0].looks;
    meeting->quick += meeting->switches == 0 && meeting->looks < MOVES * FEW_LOOKS;
    meeting->slow += meeting->switches == 0 && meeting->looks >= MOVES * FEW_LOOKS;
    meeting->switched += meeting->switches != 0;
    return meeting->quick > 0 || meeting->slow >= slow_meetings || meeting->switched >= MEETINGS
           || (cpus == 1 && meeting->switched > 0);
}

static void *meet_and_meet(void *side)
{
    do {
        meet(side);
        if (side == &sides[0]) {
            over = count_meeting();
        }
        move_and_await(side);
    } while (!over);
    return NULL;
}

/* Each on a CPU of its own, if there are two: where others are at work a kernel may well leave both on
 * one, and shares the rest out. */
static void part_sides(const struct side *side)
{
    if (cpus > 1) {
        pin_to_cpu((int)(side - sides));
    }
}

static void *meet_as_thread(void *side)
{
    part_sides(side);
    return meet_and_meet(side);
}

/* The same as a coroutine, in a loop of this thread. */
static void *meet_as_coroutine(void *side)
{
    part_sides(side);
    if (!co_go(meet_and_meet, side, "side")) {
        lesson_failed("co_go");
    }
    co_run();
    return NULL;
}

static struct meetings meetings[2] = {
    {.name = "two threads", .key = "threads_meet", .start = meet_as_thread},
    {.name = "a loop in each of two", .key = "loops_meet", .start = meet_as_coroutine},
};

static void hold_meetings(struct meetings *which)
{
    pthread_t threads[2];

    meeting = which;
    for (int i = 0; i < 2; i++) {
        sides[i].moves = 0;
    }
    for (int i = 0; i < 2; i++) {
        start_thread(&threads[i], which->start, &sides[i]);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
}

/* Two coroutines in one loop: they would wait for ever, so they look for a while, and then yield. */
static long seen_looking, seen_yielding;

static void *look_and_yield(void *argument)
{
    struct side *side = argument;

    for (int i = 0; i < MOVES; i++) {
        long before = side->other->moves, seen = 0;

        side->moves++;
        for (long looks = 0; looks < COROUTINE_LOOKS && !seen; looks++) {
            seen = side->other->moves != before;
        }
        seen_looking += seen;
        co_yield_now();
        seen_yielding += !seen && side->other->moves != before;
    }
    return NULL;
}

static void meet_in_one_loop(void)
{
    for (int i = 0; i < 2; i++) {
        if (!co_go(look_and_yield, &sides[i], "side")) {
            lesson_failed("co_go");
        }
    }
    co_run();
}

/* ---- What came of it ---- */

static void report(int way)
{
    say("  %s %8s  |%s%s%s| %.2fx\n", cell(-21, ways[way].name), duration(ways[way].ns),
        paint(CYAN), bar(speed_up(way) / cpus, 32), paint(PLAIN), speed_up(way));
    json_object(ways[way].key);
    json_number("time_ms", ways[way].ns / 1e6);
    json_number("speed_up", speed_up(way));
    json_end();
}

static void report_meetings(const struct meetings *m)
{
    say("  %s %d moves, %ld looks for each, %ld switches%s\n", cell(-21, m->name), MOVES,
        m->looks / MOVES, m->switches, m->quick ? translate(": at once") : "");
    json_object(m->key);
    json_number("quick", (double)m->quick);
    json_number("slow", (double)m->slow);
    json_number("switched", (double)m->switched);
    json_number("looks_for_a_move", (double)m->looks / MOVES);
    json_number("switches", (double)m->switches);
    json_end();
}

static void report_one_loop(void)
{
    say("  %s %ld looks: %ld of %d moves seen; and %ld after a yield\n",
        cell(-21, "two coroutines"), COROUTINE_LOOKS, seen_looking, 2 * MOVES, seen_yielding);
    json_object("coroutines_meet");
    json_number("seen_looking", (double)seen_looking);
    json_number("seen_after_yield", (double)seen_yielding);
    json_end();
}

static void judge_meetings(const struct meetings *m, const char *who, int way)
{
    if (m->quick) {
        verdict(cpus > 1,
                "%s saw each other move %d times, a move after %ld looks, and neither was switched "
                "out: they ran at the same time. (The job: %.2fx as fast, with all %d CPUs.)",
                who, MOVES, m->looks / MOVES, speed_up(way), cpus);
    } else if (m->slow >= slow_meetings) {
        verdict(cpus > 1,
                "%s saw each other move without a switch, but each move after %ld looks: these %d "
                "CPUs take turns, as QEMU's do with --icount (or on a host without as many), and "
                "little is faster (%.2fx). To see threads win, let them run at the same time.",
                who, m->looks / MOVES, cpus, speed_up(way));
    } else {
        verdict(cpus == 1 && m->switches >= MOVES,
                "%s needed %ld switches to see %d moves of each other, for one runs while the other "
                "does not: %s.",
                who, m->switches, MOVES,
                translate(cpus == 1 ? "there is one CPU. To see threads win, give the guest more "
                                      "(tools/run --smp 4)"
                                    : "and that though there are more CPUs"));
    }
}

static void judge(void)
{
    judge_meetings(&meetings[0], translate("Two threads"), THREADS);
    judge_meetings(&meetings[1], translate("Coroutines in the loops of two threads"), LOOPS);
    verdict(seen_looking == 0 && seen_yielding > 0,
            "Two coroutines in one loop saw %ld of %d moves while they looked, and %ld after a "
            "yield: they are one task, and a task is on one CPU. (The job: %.2fx as fast.)",
            seen_looking, 2 * MOVES, seen_yielding, speed_up(COROUTINES));
}

int main(int argc, char **argv)
{
    static const struct lesson_option options[] = {
        {.name = "work", .kind = OPTION_NUMBER, .value = &work, .least = 0,
         .most = 100000000000, .help = "steps of the job in all; 0: as many as it takes"},
        {0},
    };
    static const struct lesson lesson = {
        "parallel", "a job on several CPUs: threads are faster, coroutines are not",
        {"A job is done in four ways; then two tasks look for each other's moves.",
         "Look at the bars, if nobody else is at work here, and at the moves in any case."},
        options,
        "  cpus      that this process may use\n"
        "  serial, threads, coroutines, loops_in_threads: objects, each with\n"
        "    time_ms\n"
        "    speed_up    how many times as fast as serial\n"
        "  threads_meet, loops_meet: objects; two tasks answer each other's moves\n"
        "    quick       meetings without a switch, in few looks: at the same time\n"
        "    slow        without a switch, in many looks: the CPUs take turns\n"
        "    switched    meetings in which one of the two was switched out\n"
        "    looks_for_a_move, switches    in the last meeting\n"
        "  coroutines_meet: object; moves seen_looking, seen_after_yield\n",
    };

    lesson_start(&lesson, argc, argv);
    cpus = cpus_allowed() < MOST_CPUS ? cpus_allowed() : MOST_CPUS;
    pieces = cpus * PIECES_PER_CPU;
    slow_meetings = time_counts_instructions() ? SLOW_BY_ICOUNT : SLOW_MEETINGS;
    if (work == 0) {
        work = cpus == 1 || slow_meetings == SLOW_BY_ICOUNT ? SHORT_WORK : LONG_WORK;
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
    say("\n");
    for (int i = 0; i < 2; i++) {
        hold_meetings(&meetings[i]);
        report_meetings(&meetings[i]);
    }
    meet_in_one_loop();
    report_one_loop();
    judge();
    return lesson_end();
}
