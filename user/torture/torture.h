/* Between the files of the torture: a worker, and what all scenarios do. */
#ifndef TORTURE_H
#define TORTURE_H
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WORKERS 8
#define WORK 12 /* things that each worker does in a round */

#define EXPECT(condition)                                                                      \
    do {                                                                                       \
        if (!(condition)) {                                                                    \
            fprintf(stderr, "# %s:%d: %s (errno %d)\n", __FILE__, __LINE__, #condition, errno); \
            exit(1);                                                                           \
        }                                                                                      \
    } while (0)

struct worker {
    pthread_t thread;
    int index;
    int producer; /* half of the workers produce, the others consume; changes with the round */
    unsigned random;
    const char *volatile where;
    volatile unsigned long steps;
    sem_t acknowledged; /* by its handler of SIGUSR1 */
    pthread_mutex_t kill_mutex; /* one such signal at a time */
};

extern struct worker workers[WORKERS];

/* A round of work, and what must be true when all have done it: only one thread runs then. */
struct scenario {
    void (*run)(struct worker *w);
    void (*check)(void);
};
#define EXCLUSIONS 4
#define LIVES 4
extern const struct scenario exclusions[EXCLUSIONS], lives[LIVES];
void exclusions_start(void);
void lives_start(void);

/* A random number below `below`; the state must not be 0. */
unsigned draw(unsigned *state, unsigned below);
/* Before each thing a worker does: where it stands, and a little disorder. */
void step(struct worker *w, const char *where);
/* A moment within a fifth of a millisecond. */
struct timespec soon(struct worker *w, clockid_t clock);
/* sem_wait, again after signals. */
void take_semaphore(sem_t *semaphore);

static inline long add(volatile long *number, long change)
{
    return __atomic_add_fetch(number, change, __ATOMIC_SEQ_CST);
}
#endif
