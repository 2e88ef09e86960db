/*
 * Torture for threads: 8 workers go through random scenarios with everything POSIX threads have,
 * while signals rain on them.
 *
 *     torture [--seed S] [--seconds N]      by CLOCK_MONOTONIC; seed 1 and 2 seconds unless told
 *
 * Work comes in rounds between barriers. In a round each scenario's work adds up, so every wait
 * in it ends unless a wake-up was lost; the round's one serial thread checks the sums and that
 * nothing is left over. The main thread watches: if nobody makes a step for 30 seconds, it tells
 * where each thread stands, and fails. Waits with a time limit are mixed in to see that they
 * swallow nothing, never to get over a loss.
 */
#include <signal.h>

#include "torture.h"

#define HANG 30 /* seconds without a step */

struct worker workers[WORKERS];
static pthread_barrier_t barrier;
static struct timespec end;
static volatile int finished;
static volatile unsigned long rounds;
static const struct scenario *volatile scenario = exclusions;
static unsigned round_random; /* the serial thread's */

unsigned draw(unsigned *state, unsigned below)
{
    *state ^= *state << 13; /* Marsaglia, xorshift */
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state % below;
}

void step(struct worker *w, const char *where)
{
    unsigned chance = draw(&w->random, 16);

    w->where = where;
    w->steps++;
    if (chance == 0) {
        usleep(draw(&w->random, 2000));
    } else if (chance < 4) {
        sched_yield();
    }
}

struct timespec soon(struct worker *w, clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    time.tv_nsec += draw(&w->random, 200000);
    if (time.tv_nsec >= 1000000000) {
        time.tv_nsec -= 1000000000;
        time.tv_sec++;
    }
    return time;
}

void take_semaphore(sem_t *semaphore)
{
    while (sem_wait(semaphore)) {
        EXPECT(errno == EINTR);
    }
}

/* By the serial thread, while the others wait in the second barrier. */
static void end_round(struct worker *w)
{
    struct timespec now;
    unsigned next = draw(&round_random, EXCLUSIONS + LIVES);

    w->where = "check";
    scenario->check();
    scenario = next < EXCLUSIONS ? &exclusions[next] : &lives[next - EXCLUSIONS];
    rounds++;
    clock_gettime(CLOCK_MONOTONIC, &now);
    finished = now.tv_sec > end.tv_sec || (now.tv_sec == end.tv_sec && now.tv_nsec >= end.tv_nsec);
}

static void *work(void *argument)
{
    struct worker *w = argument;

    w->where = "barrier: the start";
    pthread_barrier_wait(&barrier); /* from here on each knows all others */
    while (!finished) {
        int result;

        w->producer = (w->index + (int)(rounds % WORKERS)) % WORKERS < WORKERS / 2;
        scenario->run(w);
        step(w, "barrier: the round's end");
        result = pthread_barrier_wait(&barrier);
        if (result == PTHREAD_BARRIER_SERIAL_THREAD) {
            end_round(w);
        } else {
            EXPECT(result == 0);
            w->where = "barrier: the next round";
        }
        pthread_barrier_wait(&barrier);
    }
    w->where = "end";
    return NULL;
}

static void report_hang(void)
{
    fprintf(stderr, "# nothing moves, round %lu:\n", rounds);
    for (int i = 0; i < WORKERS; i++) {
        fprintf(stderr, "#   %d: %s, %lu steps\n", i, workers[i].where, workers[i].steps);
    }
    exit(1);
}

/* Rain signals, and see whether they still move. Returns the number of signals. */
static unsigned long watch(unsigned random)
{
    unsigned long last = 0, rain = 0;
    struct timespec now, moved;

    clock_gettime(CLOCK_MONOTONIC, &moved);
    while (!finished) {
        unsigned long steps = 0;

        usleep(500 + draw(&random, 10000));
        clock_gettime(CLOCK_MONOTONIC, &now);
        for (int i = 0; i < WORKERS; i++) {
            steps += workers[i].steps;
        }
        if (steps != last) {
            last = steps;
            moved = now;
        } else if (now.tv_sec - moved.tv_sec > HANG) {
            report_hang();
        }
        EXPECT(pthread_kill(workers[draw(&random, WORKERS)].thread, SIGUSR2) == 0);
        rain++;
    }
    return rain;
}

static void start(unsigned seed, unsigned seconds)
{
    exclusions_start();
    lives_start();
    pthread_barrier_init(&barrier, NULL, WORKERS);
    round_random = seed * 2654435761u | 1; /* Knuth: neighbouring seeds lie far apart */
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += seconds;
    for (int i = 0; i < WORKERS; i++) {
        workers[i].index = i;
        workers[i].random = (round_random + (unsigned)i * 40503) | 1;
        workers[i].where = "start";
        sem_init(&workers[i].acknowledged, 0, 0);
        pthread_mutex_init(&workers[i].kill_mutex, NULL);
    }
    for (int i = 0; i < WORKERS; i++) {
        EXPECT(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0);
    }
}

int main(int argc, char **argv)
{
    unsigned seed = 1, seconds = 2;
    unsigned long rain, steps = 0;

    for (int i = 1; i + 1 < argc; i += 2) {
        unsigned *option = strcmp(argv[i], "--seed") == 0 ? &seed : &seconds;

        *option = (unsigned)strtoul(argv[i + 1], NULL, 10);
    }
    printf("KTAP version 1\n1..1\n# seed %u, %u seconds, %d threads\n", seed, seconds, WORKERS);
    fflush(stdout);
    start(seed, seconds);
    rain = watch(seed | 1);
    for (int i = 0; i < WORKERS; i++) {
        EXPECT(pthread_join(workers[i].thread, NULL) == 0);
        steps += workers[i].steps;
    }
    fprintf(stderr, "# %lu rounds, %lu steps, %lu signals of rain\n", rounds, steps, rain);
    printf("ok 1 - torture\n");
    return 0;
}
