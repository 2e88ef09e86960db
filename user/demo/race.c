/*
 * race: two tasks add to one counter. "counter = counter + 1" is three steps: read, add, write;
 * whoever loses the CPU between read and write overwrites what the other has added meanwhile.
 *
 * Threads lose it whenever the timer says so, and on several CPUs at any time, for there both run
 * at once; so they need an atomic instruction or a mutex.
 * Coroutines lose it only where they yield: no yield between read and write, no race; but
 * with one there, the same update is lost without any interrupt.
 *
 * `--way` has two threads add once each, and nothing else: tools/explore tries each place where the
 * CPU can be taken from them (docs/explore.md). `--wake` has one thread wait for another: a wake-up
 * can be lost as well (docs/locks.md).
 */
#include <co.h>
#include <explore.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/lesson.h"

#define TASKS 2

#define PATIENCE 5000000000l /* ns of CPU time, until an update must have been lost */
#define COST_ROUNDS 9

static long updates = 200000; /* of each task */
static long repeats;          /* the same in this run */
static volatile long counter;
static pthread_barrier_t start;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* What stands between read and write in real programs, so that a timer's interrupt finds it: but
 * for the measuring of costs, where it would count as one. */
static int thoughts = 10;

static void think(void)
{
    for (volatile int i = 0; i < thoughts; i++) {
    }
}

/* ---- Five ways to add ---- */

static void add_plainly(void)
{
    long value = counter;

    think();
    counter = value + 1;
}

static void add_atomically(void)
{
    think();
    __atomic_fetch_add(&counter, 1, __ATOMIC_SEQ_CST);
}

static void add_with_mutex(void)
{
    pthread_mutex_lock(&mutex);
    add_plainly();
    pthread_mutex_unlock(&mutex);
}

static void add_and_yield(void)
{
    add_plainly();
    co_yield_now();
}

static void add_yielding_between(void)
{
    long value = counter;

    co_yield_now(); /* the other coroutine reads the same value */
    counter = value + 1;
}

static void add_nothing(void)
{
    think();
}

/* ---- Two tasks that do so ---- */

static void *update(void *add)
{
    for (long i = 0; i < repeats; i++) {
        (*(void (*const *)(void))add)();
    }
    return NULL;
}

static void *update_together(void *add)
{
    pthread_barrier_wait(&start);
    return update(add);
}

static void run_threads(void *add)
{
    pthread_t threads[TASKS];

    pthread_barrier_init(&start, NULL, TASKS);
    for (int i = 0; i < TASKS; i++) {
        if (pthread_create(&threads[i], NULL, update_together, add)) {
            lesson_failed("pthread_create");
        }
    }
    for (int i = 0; i < TASKS; i++) {
        pthread_join(threads[i], NULL);
    }
}

/* The threads of --way and --wake: what is explored is as short as can be. */
static void run_explored(void *(*first)(void *), void *(*second)(void *), void *argument)
{
    pthread_t threads[TASKS];

    explore_begin();
    if (pthread_create(&threads[0], NULL, first, argument) || pthread_create(&threads[1], NULL, second, argument)) {
        lesson_failed("pthread_create");
    }
    for (int i = 0; i < TASKS; i++) {
        pthread_join(threads[i], NULL);
    }
    explore_end();
}

/* ---- One waits for the other ---- */

enum { WAIT = 0, WAKE = 1 }; /* FUTEX_WAIT, FUTEX_WAKE */

static int ready;
static int nothing; /* stays 0 */

static void *wait_until_ready(void *word)
{
    while (!__atomic_load_n(&ready, __ATOMIC_ACQUIRE)) {
        syscall(SYS_futex, word, WAIT, 0, NULL); /* sleeps if *word is 0 */
    }
    return NULL;
}

static void *make_ready(void *word)
{
    __atomic_store_n(&ready, 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, word, WAKE, 1);
    return NULL;
}

static void run_coroutines(void *add)
{
    for (int i = 0; i < TASKS; i++) {
        if (!co_go(update, add, "adder")) {
            lesson_failed("co_go");
        }
    }
    co_run();
}

static struct way {
    const char *name, *key;
    void (*run)(void *add);
    void (*add)(void);
    bool loses;    /* what the lesson claims */
    long lost, done;
    double ns;     /* an update, alone */
} ways[] = {
    {"threads: read, add, write", "threads_plain", run_threads, add_plainly, true, 0, 0, 0},
    {"threads: atomic add", "threads_atomic", run_threads, add_atomically, false, 0, 0, 0},
    {"threads: with a mutex", "threads_mutex", run_threads, add_with_mutex, false, 0, 0, 0},
    {"coroutines: no yield", "coroutines_plain", run_coroutines, add_plainly, false, 0, 0, 0},
    {"coroutines: yield after it", "coroutines_yield_after", run_coroutines, add_and_yield,
     false, 0, 0, 0},
    {"coroutines: yield amidst", "coroutines_yield_amidst", run_coroutines, add_yielding_between,
     true, 0, 0, 0},
};
enum { PLAIN_THREADS, ATOMIC, MUTEX, PLAIN_COROUTINES, YIELD_AFTER, YIELD_AMIDST };

/* Few updates may be done before the CPU is taken from anybody: then twice as many, until it is. */
static void count_lost(struct way *way)
{
    long long begin = cpu_ns();

    for (repeats = updates;; repeats *= 2) {
        counter = 0;
        way->run(&way->add);
        way->done += TASKS * repeats;
        way->lost += TASKS * repeats - counter;
        if (!way->loses || way->lost > 0 || cpu_ns() - begin > PATIENCE) {
            return;
        }
    }
}

/* What an update costs one task alone: the call of its function does not count. */
static double time_alone(void (*add)(void))
{
    long count = updates < 20000 ? updates : 20000;
    double best = 0;

    for (int round = 0; round < COST_ROUNDS; round++) {
        long long begin = cpu_ns();
        double ns;

        for (long i = 0; i < count; i++) {
            (*(void (*volatile *)(void))&add)();
        }
        ns = (double)(cpu_ns() - begin) / (double)count;
        best = round == 0 || ns < best ? ns : best;
    }
    return best;
}

/* In a coroutine, since some of them yield: there is no other one, so that costs the least. */
static void *find_costs(void *unused)
{
    double empty;

    thoughts = 0;
    empty = time_alone(add_nothing);
    for (size_t i = 0; i < COUNT(ways); i++) {
        double ns = time_alone(ways[i].add) - empty;

        ways[i].ns = ns > 0 ? ns : 0;
    }
    return unused;
}

static void measure_costs(void)
{
    if (!co_go(find_costs, NULL, "alone")) {
        lesson_failed("co_go");
    }
    co_run();
}

/* --way: 1 if an update was lost. */
static int run_once(const char *name)
{
    void (*add)(void) = strcmp(name, "plainly") == 0      ? add_plainly
                        : strcmp(name, "atomically") == 0 ? add_atomically
                                                          : add_with_mutex;

    repeats = 1;
    thoughts = 0;
    run_explored(update, update, &add);
    json_number("lost_updates", (double)(TASKS - counter));
    verdict(counter == TASKS, "Two threads added 1 to a counter, which is %ld now.", counter);
    return lesson_end();
}

/* --wake: it ends if no wake-up was lost. */
static int wake_once(const char *asks)
{
    run_explored(wait_until_ready, make_ready, strcmp(asks, "ready") == 0 ? &ready : &nothing);
    verdict(ready, "The thread that waited goes on.");
    return lesson_end();
}

static void report(const struct way *way, const char *unit)
{
    double share = (double)way->lost / (double)way->done;

    say("  %s %8ld lost |%s%s%s| %7.1f\n", cell(-27, way->name), way->lost, paint(RED),
        bar(share, 20), paint(PLAIN), way->ns);
    json_object(way->key);
    json_number("updates", (double)way->done);
    json_number("lost_updates", (double)way->lost);
    json_number(unit[0] == 'n' ? "ns_per_update" : "instructions_per_update", way->ns);
    json_end();
}

static void judge(const char *unit)
{
    const struct way *plain = &ways[PLAIN_THREADS];

    verdict(plain->lost > 0,
            "Two threads lost %ld of %ld updates: %s.", plain->lost, plain->done,
            translate(cpus_allowed() > 1
                          ? "one wrote between the other's read and its write, on another CPU or "
                            "when the timer had taken the CPU from it"
                          : "the CPU was taken from one between its read and its write"));
    verdict(ways[ATOMIC].lost == 0 && ways[MUTEX].lost == 0,
            "With an atomic add they lost %ld, with a mutex %ld. Where nobody else wants it, an "
            "update takes %.1f %s atomically, %.1f with the mutex, %.1f with neither.",
            ways[ATOMIC].lost, ways[MUTEX].lost, ways[ATOMIC].ns, translate(unit),
            ways[MUTEX].ns, plain->ns);
    verdict(ways[PLAIN_COROUTINES].lost == 0 && ways[YIELD_AFTER].lost == 0,
            "Coroutines that yield only when an update is done lost %ld: between two yields nobody "
            "else in their thread runs.", ways[PLAIN_COROUTINES].lost + ways[YIELD_AFTER].lost);
    verdict(ways[YIELD_AMIDST].lost == updates,
            "Coroutines that yield between read and write lost %ld, every second update: a race "
            "needs no interrupt, only a switch in the wrong place.", ways[YIELD_AMIDST].lost);
}

int main(int argc, char **argv)
{
    static const char *way, *wake;
    static const struct lesson_option options[] = {
        {.name = "updates", .kind = OPTION_NUMBER, .value = &updates, .least = 1000,
         .most = 100000000, .help = "by each of the two tasks"},
        {.name = "way", .kind = OPTION_CHOICE, .value = &way, .choices = "plainly|atomically|mutex",
         .help = "two threads, once each: for tools/explore"},
        {.name = "wake", .kind = OPTION_CHOICE, .value = &wake, .choices = "nothing|ready",
         .help = "a thread sleeps, asking this word; another wakes it"},
        {0},
    };
    static const struct lesson lesson = {
        "race", "updates that are lost between two tasks, and how not to lose them",
        {"Two tasks add to one counter, each as often. What the sum lacks, was lost.",
         "Look at who loses updates: threads anywhere, coroutines only where they yield."},
        options,
        "  threads_plain, threads_atomic, threads_mutex, coroutines_plain,\n"
        "  coroutines_yield_after, coroutines_yield_amidst: objects, each with\n"
        "    updates, lost_updates\n"
        "    ns_per_update, or under icount in the guest instructions_per_update: what it takes\n"
        "                one task alone, without what stands between read and write\n"
        "  lost_updates: instead of all that, with --way\n",
    };
    const char *unit;

    lesson_options(&lesson, argc, argv);
    if (way) {
        return run_once(way);
    }
    if (wake) {
        return wake_once(wake);
    }
    lesson_show();
    unit = time_counts_instructions() ? "instructions" : "ns";
    say("  %-27s %s\n", "",
        cell(44, unit[0] == 'n' ? "ns for one, alone" : "instructions for one, alone"));
    for (size_t i = 0; i < COUNT(ways); i++) {
        count_lost(&ways[i]);
    }
    measure_costs();
    for (size_t i = 0; i < COUNT(ways); i++) {
        report(&ways[i], unit);
    }
    judge(unit);
    return lesson_end();
}
