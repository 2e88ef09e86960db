/*
 * deadlock: who waits in a circle waits for ever; two ways in, and how to stay out.
 *
 * Eaters sit round a table with a fork between each two, and eat with two forks. If all take their
 * left one first, all may hold one and wait for the next. With --way the table is as small as can
 * be, and nothing is arranged: tools/explore looks for the order that ends in a circle.
 */
#include <co.h>
#include <errno.h>
#include <explore.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/lesson.h"

#define SEATS_MOST 8

static long seats = 5, meals = 100;  /* of each eater */
static bool lower_first, yields;     /* how it is eaten: the order of forks; a yield with one in hand */
static bool arranged;                /* threads wait for each other with one fork in hand */
static atomic_int eaten, waiting;
static atomic_bool stuck;            /* all wait, each with a fork in hand */

static int first_fork(int seat)
{
    int right = (seat + 1) % (int)seats;

    return lower_first && right < seat ? right : seat;
}

static int second_fork(int seat)
{
    return first_fork(seat) == seat ? (seat + 1) % (int)seats : seat;
}

/* ---- Threads ---- */

static pthread_mutex_t forks[SEATS_MOST];
static pthread_barrier_t all_have_one;

/* Take it as pthread_mutex_lock does, but notice when nobody can go on any more: then false. */
static bool take(pthread_mutex_t *fork)
{
    if (pthread_mutex_trylock(fork) == 0) {
        return true;
    }
    if (atomic_fetch_add(&waiting, 1) + 1 == seats) {
        stuck = true;
    }
    while (!stuck && pthread_mutex_trylock(fork)) {
        sched_yield();
    }
    if (stuck) {
        return false;
    }
    waiting--;
    return true;
}

static void *eat_watched(void *seat)
{
    pthread_mutex_t *first = &forks[first_fork((int)(long)seat)], *second = &forks[second_fork((int)(long)seat)];
    bool got = true;

    for (long i = 0; i < meals && got; i++) {
        pthread_mutex_lock(first);
        if (arranged) {
            pthread_barrier_wait(&all_have_one);
        }
        got = take(second);
        if (got) {
            eaten++;
            pthread_mutex_unlock(second);
        }
        pthread_mutex_unlock(first);
    }
    return NULL;
}

static void *eat(void *seat)
{
    pthread_mutex_t *first = &forks[first_fork((int)(long)seat)], *second = &forks[second_fork((int)(long)seat)];

    pthread_mutex_lock(first);
    pthread_mutex_lock(second);
    eaten++;
    pthread_mutex_unlock(second);
    pthread_mutex_unlock(first);
    return NULL;
}

static void run_threads(void *(*eater)(void *))
{
    pthread_t threads[SEATS_MOST];

    pthread_barrier_init(&all_have_one, NULL, (unsigned)seats);
    for (int i = 0; i < seats; i++) {
        pthread_mutex_init(&forks[i], NULL);
    }
    explore_begin();
    for (long i = 0; i < seats; i++) {
        if (pthread_create(&threads[i], NULL, eater, (void *)i)) {
            lesson_failed("pthread_create");
        }
    }
    for (int i = 0; i < seats; i++) {
        pthread_join(threads[i], NULL);
    }
    explore_end();
}

/* ---- Coroutines ---- */

static struct co_mutex *co_forks[SEATS_MOST];

static void *co_eat(void *seat)
{
    struct co_mutex *first = co_forks[first_fork((int)(long)seat)];
    struct co_mutex *second = co_forks[second_fork((int)(long)seat)];
    bool canceled = false;

    for (long i = 0; i < (long)seat && !arranged; i++) {
        co_yield_now(); /* it thinks before it eats */
    }
    for (long i = 0; i < meals && !canceled; i++) {
        if (co_mutex_lock(first, CO_NEVER)) {
            return NULL;
        }
        if (yields) {
            co_yield_now();
        }
        canceled = co_mutex_lock(second, CO_NEVER) != 0;
        if (!canceled) {
            eaten++;
            co_mutex_unlock(second);
        }
        co_mutex_unlock(first);
    }
    return NULL;
}

static int run_coroutines(void)
{
    struct co *eaters[SEATS_MOST];
    int result;

    for (long i = 0; i < seats; i++) {
        char name[16];

        snprintf(name, sizeof(name), "fork %ld", i);
        co_forks[i] = co_mutex_create(name);
        snprintf(name, sizeof(name), "eater %ld", i);
        eaters[i] = co_forks[i] ? co_go(co_eat, (void *)i, name) : NULL;
        if (!eaters[i]) {
            lesson_failed("co_go");
        }
    }
    result = co_run();
    for (int i = 0; result && i < seats; i++) {
        co_cancel(eaters[i]); /* they give up */
    }
    if (result) {
        co_run();
    }
    for (int i = 0; i < seats; i++) {
        co_mutex_destroy(co_forks[i]);
    }
    return result;
}

/* The same, and what the library says about a deadlock goes between the lines of the lesson. */
static bool coroutines_get_stuck(char *list, size_t size)
{
    int ends[2], standard_error = dup(2), result;
    ssize_t got;

    if (pipe(ends) || standard_error < 0) {
        lesson_failed("pipe");
    }
    dup2(ends[1], 2);
    result = run_coroutines();
    dup2(standard_error, 2);
    close(standard_error);
    close(ends[1]);
    got = read(ends[0], list, size - 1);
    list[got > 0 ? got : 0] = '\0';
    close(ends[0]);
    return result == -EDEADLK;
}

/* ---- A thread's mutex, held by a coroutine while it yields ---- */

static pthread_mutex_t plain = PTHREAD_MUTEX_INITIALIZER;
static int refused; /* the mutex noticed that its holder wants it once more */

static void *hold_and_yield(void *unused)
{
    int error = pthread_mutex_lock(&plain);

    if (error) {
        refused += error == EDEADLK;
        return unused;
    }
    co_yield_now();
    eaten++;
    pthread_mutex_unlock(&plain);
    return unused;
}

static void run_holders(bool checked)
{
    pthread_mutexattr_t attributes;

    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, checked ? PTHREAD_MUTEX_ERRORCHECK : PTHREAD_MUTEX_NORMAL);
    pthread_mutex_init(&plain, &attributes);
    for (int i = 0; i < 2; i++) {
        if (!co_go(hold_and_yield, NULL, "holder")) {
            lesson_failed("co_go");
        }
    }
    co_run();
}

/* ---- One after the other ---- */

struct table {
    const char *name, *key;
    bool lower_first, yields, threads;
    bool stuck; /* what the lesson claims */
    int eaten;
};
static struct table tables[] = {
    {"threads: left fork first", "threads_left", false, false, true, true, 0},
    {"threads: lower number first", "threads_lower", true, false, true, false, 0},
    {"coroutines: left, yield, right", "coroutines_left", false, true, false, true, 0},
    {"coroutines: left, right", "coroutines_whole", false, false, false, false, 0},
    {"coroutines: lower, yield, other", "coroutines_lower", true, true, false, false, 0},
};
enum { THREADS_LEFT, THREADS_LOWER, CO_LEFT, CO_WHOLE, CO_LOWER };

static void dine(struct table *table)
{
    char list[1024] = "";

    lower_first = table->lower_first;
    yields = table->yields;
    arranged = table->stuck || !table->threads;
    eaten = waiting = 0;
    stuck = false;
    if (table->threads) {
        run_threads(eat_watched);
    } else {
        stuck = coroutines_get_stuck(list, sizeof(list));
    }
    table->eaten = eaten;
    say("  %s %6d of %ld meals%s%s%s\n", cell(-33, table->name), table->eaten, seats * meals,
        paint(RED), stuck ? translate(", and nobody can go on") : "", paint(PLAIN));
    for (char *line = strtok(list, "\n"); line; line = strtok(NULL, "\n")) {
        say("    %s| %s%s\n", paint(DIM), line, paint(PLAIN));
    }
    json_object(table->key);
    json_number("meals", table->eaten);
    json_bool("stuck", stuck);
    json_end();
}

static bool as_claimed(const struct table *table)
{
    return (table->eaten < seats * meals) == table->stuck;
}

static void judge(void)
{
    verdict(as_claimed(&tables[THREADS_LEFT]),
            "%ld threads that take their left fork first can come to stand: each holds one and waits for "
            "the next. Here that was arranged; tools/explore finds it: -- deadlock --way left", seats);
    verdict(as_claimed(&tables[THREADS_LOWER]),
            "With one order for all forks, the lower number first, they ate %d meals: whoever holds the "
            "highest fork waits for nobody.", tables[THREADS_LOWER].eaten);
    verdict(as_claimed(&tables[CO_LEFT]),
            "Coroutines that yield with a fork in hand come to stand as threads do; co_run returns "
            "-EDEADLK and lists who waits for what.");
    verdict(as_claimed(&tables[CO_WHOLE]) && as_claimed(&tables[CO_LOWER]),
            "Where none yields between its two forks nobody ever waits for one (%d meals); with a yield "
            "the order of forks helps, as it does threads (%d).", tables[CO_WHOLE].eaten,
            tables[CO_LOWER].eaten);
    verdict(refused == 1 && eaten == 1,
            "A coroutine that yields with a thread's mutex in hand shuts out its own thread: the next one "
            "that wants it would wait for itself. This mutex checks that, and said EDEADLK.");
}

static int run_once(const char *way)
{
    seats = 2;
    meals = 1;
    eaten = 0;
    lower_first = strstr(way, "lower");
    yields = strcmp(way, "co-whole") != 0;
    if (strcmp(way, "held") == 0) {
        explore_begin();
        run_holders(false);
        explore_end();
    } else if (strncmp(way, "co-", 3) == 0) {
        run_coroutines();
    } else {
        run_threads(eat);
    }
    json_number("meals", eaten);
    verdict(eaten == 2, "Two had a meal each: %d meals.", (int)eaten);
    return lesson_end();
}

int main(int argc, char **argv)
{
    static const char *way;
    static const struct lesson_option options[] = {
        {.name = "seats", .kind = OPTION_NUMBER, .value = &seats, .least = 2, .most = SEATS_MOST,
         .help = "and as many forks"},
        {.name = "meals", .kind = OPTION_NUMBER, .value = &meals, .least = 1, .most = 100000,
         .help = "of each eater"},
        {.name = "way", .kind = OPTION_CHOICE, .value = &way,
         .choices = "left|lower|held|co-left|co-lower|co-whole",
         .help = "two eaters, a meal each: for tools/explore"},
        {0},
    };
    static const struct lesson lesson = {
        "deadlock", "who waits in a circle waits for ever, and how to stay out of it",
        {"Eaters at a round table need two forks each, and there is one fork an eater.",
         "Look at who comes to stand: it takes a circle, and a fork in hand while waiting."},
        options,
        "  threads_left, threads_lower, coroutines_left, coroutines_whole, coroutines_lower:\n"
        "  objects, each with\n"
        "    meals       that were eaten\n"
        "    stuck       true if nobody could go on\n"
        "  meals: instead of all that, with --way\n",
    };

    lesson_options(&lesson, argc, argv);
    if (way) {
        return run_once(way);
    }
    lesson_show();
    for (size_t i = 0; i < COUNT(tables); i++) {
        dine(&tables[i]);
    }
    eaten = 0;
    run_holders(true);
    judge();
    return lesson_end();
}
