/*
 * stall: coroutines that tick, and one that waits for another process. How it waits decides
 * whether the others go on:
 *
 *   blocking   it calls read(). The kernel puts the thread to sleep, for a thread is all that it
 *              knows of. The library is passive, code that runs when it is called, and nobody is
 *              left in this thread to call it: all coroutines are silent.
 *   aware      it calls co_read(). The library parks the coroutine and runs the others; the
 *              thread sleeps only when all of them wait, and wakes for whichever can go on.
 *   threads    it calls read() in a thread of its own. The kernel puts that one task to sleep and
 *              schedules the others.
 *
 * Each way runs in a child process. This process answers it late, and looks at it from outside.
 */
#include <co.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/lesson.h"

#define LEAD_TICKS 8 /* how long all is well, before the reader waits and after */
#define TICKERS_MOST 8
#define WAIT_TICKS 4 /* at least: a shorter silence would show nothing */
#define PATIENCE 20000000000l /* ns, until the tickers of a busy machine have ticked */

static long wait_ms = 2000, tick_ms = 50, tickers = 4;
static const char *mode = "all";
static bool keyboard;

/* What the child measured, in shared memory. */
static struct result {
    int reader_tid;
    bool answered;
    long long waited_ns;            /* how long the reader waited */
    unsigned long switches, ticks;  /* of coroutines, by tickers, meanwhile */
    unsigned long fewest;           /* ticks, by one ticker */
    long long stall_ns;             /* the library's watchdog: the longest time without a switch */
    char culprit[24];               /* since the reader began to wait, and who had the thread */
    struct task_seen seen[2];       /* the reader's task from outside: half-way, at the end */
} *result;

static struct lanes *lanes;
static int question[2], answer[2]; /* pipes */
static volatile bool over;

/* ---- The three ways, side by side ---- */

struct way {
    const char *name, *title;
    ssize_t (*wait)(int fd, void *buffer, size_t size);
    void (*nap)(long long ns);
    void (*start)(co_function task, struct lane *lane); /* a coroutine, or a thread */
    void (*run)(void);                                  /* until all of them have ended */
};

static void coroutine_start(co_function task, struct lane *lane)
{
    if (!co_go(task, lane, lane->name)) {
        lesson_failed("co_go");
    }
}

static void coroutine_nap(long long ns)
{
    co_sleep(ns);
}

static void coroutines_run(void)
{
    co_run();
}

static pthread_t threads[LANES_MOST];
static int thread_count;

static void thread_start(co_function task, struct lane *lane)
{
    if (pthread_create(&threads[thread_count++], NULL, task, lane)) {
        lesson_failed("pthread_create");
    }
}

static void threads_run(void)
{
    while (thread_count > 0) {
        pthread_join(threads[--thread_count], NULL);
    }
}

static const struct way ways[] = {
    {"blocking", "coroutines, and the reader calls read()",
     read, coroutine_nap, coroutine_start, coroutines_run},
    {"aware", "coroutines, and the reader calls co_read()",
     co_read, coroutine_nap, coroutine_start, coroutines_run},
    {"threads", "a thread each, and the reader calls read()",
     read, sleep_ns, thread_start, threads_run},
};
static const struct way *way;

/* ---- The tasks: the same in all three ---- */

static void *ticker(void *argument)
{
    struct lane *lane = argument;

    while (!over) {
        lane_mark(lanes, lane, LANE_TICK);
        way->nap(tick_ms * 1000000);
    }
    return NULL;
}

/* What the tickers have ticked since `before`. */
static void count_ticks(const struct lane before[])
{
    result->fewest = ULONG_MAX;
    for (int i = 0; i < tickers; i++) {
        unsigned long ticks = lanes->lane[i].ticks - before[i].ticks;

        result->ticks += ticks;
        result->fewest = ticks < result->fewest ? ticks : result->fewest;
    }
}

/* Somebody pressed a key before there was a silence to see. */
static bool too_early(const struct lane *lane)
{
    return keyboard && now_ns() - lane->from < WAIT_TICKS * tick_ms * 1000000;
}

/* The watchdog notes a stall when the turn that was it has ended. */
static void note_stall(void)
{
    struct co_stats stats;

    way->nap(1);
    co_stats(&stats);
    result->stall_ns = stats.longest_stall;
    snprintf(result->culprit, sizeof(result->culprit), "%s", stats.culprit);
}

static void *reader(void *argument)
{
    struct lane *lane = argument, lanes_before[TICKERS_MOST];
    struct co_stats before, after;
    char byte;

    way->nap(LEAD_TICKS * tick_ms * 1000000);
    result->reader_tid = gettid();
    if (keyboard) {
        keys_forget();
    }
    memcpy(lanes_before, lanes->lane, sizeof(lanes_before));
    co_stats_reset();
    co_stats(&before);
    lane_wait(lane);
    write(question[1], "?", 1);

    do {
        result->answered = way->wait(answer[0], &byte, 1) == 1; /* this line is the lesson */
    } while (result->answered && too_early(lane));

    co_stats(&after);
    result->waited_ns = lane_go_on(lanes, lane);
    result->switches = after.switches - before.switches;
    count_ticks(lanes_before);
    note_stall();
    way->nap(LEAD_TICKS * tick_ms * 1000000);
    over = true;
    return NULL;
}

/* The child: all tasks, until they end. */
static _Noreturn void run_tasks(void)
{
    char name[16];

    snprintf(name, sizeof(name), "stall %s", way->name);
    prctl(PR_SET_NAME, name); /* what ps, gdb and the timeline call it; its threads inherit it */
    for (int i = 0; i < tickers; i++) {
        way->start(ticker, &lanes->lane[i]);
    }
    way->start(reader, &lanes->lane[tickers]);
    way->run();
    _exit(0);
}

/* ---- This process: answer late, and look meanwhile ---- */

static bool all_have_ticked(const unsigned long before[])
{
    for (int i = 0; i < tickers; i++) {
        if (lanes->lane[i].ticks < before[i] + 2) {
            return false;
        }
    }
    return true;
}

/* A busy machine may have run nobody all the time: those who can tick get the chance to. */
static void wait_for_ticks(const unsigned long before[])
{
    long long limit = now_ns() + PATIENCE;

    while (way != &ways[0] && !all_have_ticked(before) && now_ns() < limit) {
        sleep_ns(tick_ms * 1000000);
    }
}

static void answer_late(pid_t child)
{
    unsigned long before[TICKERS_MOST];
    char byte;

    if (read(question[0], &byte, 1) != 1) {
        lesson_join(child);
        lesson_failed(translate("the child asked nothing"));
    }
    for (int i = 0; i < tickers; i++) {
        before[i] = lanes->lane[i].ticks;
    }
    for (int look = 0; look < 2; look++) {
        sleep_ns(keyboard ? tick_ms * 1000000 : wait_ms * 1000000 / 2);
        if (look == 1 && !keyboard) {
            wait_for_ticks(before);
        }
        result->seen[look] = task_look(child, result->reader_tid);
    }
    if (!keyboard && write(answer[1], "!", 1) != 1) {
        lesson_failed("write");
    }
}

static void create_lanes(void)
{
    char name[16];

    lanes = lanes_create((wait_ms + 2 * LEAD_TICKS * tick_ms) * 1000000, 2 * tick_ms * 1000000);
    for (int i = 0; i < tickers; i++) {
        snprintf(name, sizeof(name), "ticker %d", i + 1);
        lane_add(lanes, name);
    }
    snprintf(lane_add(lanes, "reader")->note, sizeof(lanes->lane->note), "waits");
}

/* One episode: the tasks run in a child, the lanes move. */
static void play(void)
{
    pid_t child;

    memset(result, 0, sizeof(*result));
    over = false;
    if (pipe(question) || pipe(answer)) {
        lesson_failed("pipe");
    }
    if (keyboard) {
        dup2(0, answer[0]);
        fprintf(stderr, translate("When reader waits ( = ), let it wait, and then press a key.\n"));
        keys_begin();
    }
    create_lanes();
    live_begin(lanes_draw);
    child = lesson_fork();
    if (child == 0) {
        close(question[0]);
        close(answer[1]);
        run_tasks();
    }
    close(question[1]);
    close(answer[0]);
    answer_late(child);
    lesson_join(child);
    keys_end();
    close(question[0]);
    close(answer[1]);
    live_end();
    if (!result->answered) {
        errno = EIO;
        lesson_failed(translate("no answer came"));
    }
}

/* ---- What came of it ---- */

static struct summary {
    long long silence_ns; /* of the ticker that was silent longest */
    int silent;           /* its number */
    struct result result;
} summaries[COUNT(ways)];

static struct summary summarize(void)
{
    struct summary summary = {.result = *result};

    for (int i = 0; i < tickers; i++) {
        if (lanes->lane[i].longest > summary.silence_ns) {
            summary.silence_ns = lanes->lane[i].longest;
            summary.silent = i + 1;
        }
    }
    return summary;
}

/*
 * By what came before what, for on a busy machine everything may be late. Blocking: no ticker ticked
 * while the reader waited, so one was silent as long, and no coroutine switched. The others: each
 * ticker ticked meanwhile.
 */
static const char *judge(const struct summary *s)
{
    const struct result *r = &s->result;
    const char *wait = duration((double)r->waited_ns);

    if (way == &ways[0]) {
        return verdict(
            s->silence_ns >= r->waited_ns * 9 / 10 && r->ticks == 0 && r->switches == 0
                && strcmp(r->culprit, "reader") == 0,
            "ticker %d was silent for %s while reader sat in read() for %s, and its thread "
            "switched coroutines %lu times meanwhile: a blocked coroutine blocks its thread. "
            "The library names the culprit: %s.",
            s->silent, duration((double)s->silence_ns), wait, r->switches, r->culprit);
    }
    return verdict(
        r->fewest > 0,
        way == &ways[1]
            ? "Every ticker ticked at least %lu times while reader waited %s in co_read(): "
              "the coroutine waits, its thread goes on with the others."
            : "Every ticker ticked at least %lu times while reader waited %s in read(): its "
              "thread is a task of its own, and the kernel runs the others.",
        r->fewest, wait);
}

static void judge_and_report(const struct summary *s)
{
    const struct result *r = &s->result;
    bool coroutines = way != &ways[2];

    json_object(NULL);
    json_text("mode", way->name);
    json_number("wait_ms", (double)r->waited_ns / 1e6);
    json_number("tick_ms", (double)tick_ms);
    json_array("lanes");
    for (int i = 0; i < tickers; i++) {
        json_object(NULL);
        json_text("name", lanes->lane[i].name);
        json_number("ticks", (double)lanes->lane[i].ticks);
        json_number("longest_silence_ms", (double)lanes->lane[i].longest / 1e6);
        json_end();
    }
    json_end();
    json_number("ticks_while_waiting", (double)r->ticks);
    if (coroutines) {
        json_number("coroutine_switches_while_blocked", (double)r->switches);
        json_number("longest_stall_ms", (double)r->stall_ns / 1e6);
        json_text("culprit", r->culprit);
    }
    json_array("reader_states_seen");
    for (int look = 0; look < 2; look++) {
        json_text(NULL, (char[]){r->seen[look].state, '\0'});
    }
    json_end();
    json_text("verdict", judge(s));
    json_end();
}

static void compare(void)
{
    say("%s  %-10s %s %s %s   %s%s\n", paint(BOLD), "", cell(12, "longest"), cell(12, "ticks while"),
        cell(12, "switches of"), translate("longest stall"), paint(PLAIN));
    say("%s  %-10s %s %s %s   %s%s\n", paint(BOLD), "", cell(12, "silence"), cell(12, "it waited"),
        cell(12, "coroutines"), translate("of the thread"), paint(PLAIN));
    for (size_t i = 0; i < COUNT(ways); i++) {
        const struct summary *s = &summaries[i];

        say("  %-10s %12s %12lu ", ways[i].name, duration((double)s->silence_ns), s->result.ticks);
        if (&ways[i] == &ways[2]) {
            say("%12s   %s\n", "-", "-");
        } else {
            say("%12lu   %s, by %s\n", s->result.switches, duration((double)s->result.stall_ns),
                s->result.culprit);
        }
    }
}

int main(int argc, char **argv)
{
    static const struct lesson_option options[] = {
        {.name = "mode", .kind = OPTION_CHOICE, .value = &mode,
         .choices = "blocking|aware|threads|all", .help = "how the reader waits (all)"},
        {.name = "wait", .kind = OPTION_NUMBER, .value = &wait_ms, .least = 20, .most = 600000,
         .help = "how late the answer is, in ms"},
        {.name = "tick", .kind = OPTION_NUMBER, .value = &tick_ms, .least = 1, .most = 10000,
         .help = "a tick, in ms; at most a quarter of the wait"},
        {.name = "tickers", .kind = OPTION_NUMBER, .value = &tickers, .least = 1,
         .most = TICKERS_MOST, .help = "how many tick"},
        {.name = "tty", .kind = OPTION_FLAG, .value = &keyboard,
         .help = "the reader waits for a key instead"},
        {0},
    };
    static const struct lesson lesson = {
        "stall", "one blocked coroutine blocks all of its thread, and two ways out",
        {"Tickers tick ( | ) while reader waits ( = ) for a process that answers late.",
         "Look at the tickers meanwhile: dots are silence, the longest is at the right."},
        options,
        "  modes: array of objects, one for each mode played:\n"
        "    mode, tick_ms       as played\n"
        "    wait_ms             how long the reader waited\n"
        "    lanes               array: name, ticks, longest_silence_ms of each ticker\n"
        "    ticks_while_waiting by all tickers while the reader waited\n"
        "    coroutine_switches_while_blocked   in the reader's thread, from its call to its\n"
        "                        answer, by the library's own count; not for threads\n"
        "    longest_stall_ms, culprit   the longest time without a switch since the reader began to\n"
        "                        wait, and who had the thread: by the library's watchdog; not for\n"
        "                        threads\n"
        "    reader_states_seen  of the reader's task by another process, half-way and just\n"
        "                        before the answer: S sleeps in the kernel\n"
        "    verdict             the sentence about this mode\n",
    };
    bool all;

    lesson_options(&lesson, argc, argv);
    if (keyboard && !isatty(0)) {
        lesson_refuse("--tty", "standard input is not a terminal");
    }
    lesson_show();
    tick_ms = tick_ms * WAIT_TICKS > wait_ms ? wait_ms / WAIT_TICKS : tick_ms;
    all = strcmp(mode, "all") == 0;
    result = shared_memory(sizeof(*result));
    json_array("modes");
    for (size_t i = 0; i < COUNT(ways); i++) {
        if (all || strcmp(mode, ways[i].name) == 0) {
            way = &ways[i];
            say("%s%s%s: %s\n", paint(BOLD), way->name, paint(PLAIN),
                translate(way->title));
            play();
            say("\n");
            summaries[i] = summarize();
            judge_and_report(&summaries[i]);
        }
    }
    json_end();
    if (all) {
        compare();
    }
    return lesson_end();
}
