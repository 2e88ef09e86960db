/* Torture: short lives, signals to threads, cancellation by a flag, things done once. */
#include <signal.h>

#include "torture.h"

/* ---- Threads that live shortly, joined and detached, with values of their own ---- */

static pthread_key_t key;
static volatile long born, destroyed, detached_alive;
static pthread_mutex_t detached_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t detached_gone = PTHREAD_COND_INITIALIZER;

static void destroy_value(void *value)
{
    free(value);
    add(&destroyed, 1);
}

static void *live_shortly(void *value)
{
    EXPECT(pthread_getspecific(key) == NULL && pthread_setspecific(key, value) == 0);
    add(&born, 1);
    sched_yield();
    EXPECT(pthread_getspecific(key) == value);
    return (char *)value + 1;
}

static void *live_detached(void *value)
{
    live_shortly(value);
    pthread_setspecific(key, NULL);
    destroy_value(value);
    EXPECT(pthread_detach(pthread_self()) == 0);
    pthread_mutex_lock(&detached_mutex);
    detached_alive--;
    pthread_cond_signal(&detached_gone);
    pthread_mutex_unlock(&detached_mutex);
    return NULL;
}

static void make_threads(struct worker *w)
{
    for (int i = 0; i < WORK / 4; i++) {
        int detach = draw(&w->random, 3) == 0;
        pthread_t thread;
        void *value = malloc(8), *result;

        step(w, "threads: create");
        pthread_mutex_lock(&detached_mutex);
        detached_alive += detach;
        pthread_mutex_unlock(&detached_mutex);
        EXPECT(pthread_create(&thread, NULL, detach ? live_detached : live_shortly, value) == 0);
        step(w, "threads: join");
        EXPECT(detach || (pthread_join(thread, &result) == 0 && result == (char *)value + 1));
    }
}

static void check_threads(void)
{
    pthread_mutex_lock(&detached_mutex);
    while (detached_alive > 0) {
        pthread_cond_wait(&detached_gone, &detached_mutex);
    }
    pthread_mutex_unlock(&detached_mutex);
    EXPECT(born == destroyed);
}

/* ---- Signals: each is answered by its target's handler, wherever that waits ---- */

static struct worker *self(void)
{
    for (int i = 0; i < WORKERS; i++) {
        if (pthread_equal(workers[i].thread, pthread_self())) {
            return &workers[i];
        }
    }
    return NULL;
}

static void acknowledge(int signal)
{
    int saved = errno;

    if (signal == SIGUSR1) {
        sem_post(&self()->acknowledged);
    }
    errno = saved;
}

static void send_signals(struct worker *w)
{
    for (int i = 0; i < WORK / 2; i++) {
        struct worker *target = &workers[draw(&w->random, WORKERS)];

        step(w, "signals: take turns");
        pthread_mutex_lock(&target->kill_mutex);
        EXPECT(pthread_kill(target->thread, SIGUSR1) == 0);
        w->where = "signals: await the answer";
        take_semaphore(&target->acknowledged);
        pthread_mutex_unlock(&target->kill_mutex);
    }
}

static void check_signals(void)
{
    for (int i = 0; i < WORKERS; i++) {
        EXPECT(sem_trywait(&workers[i].acknowledged) == -1 && errno == EAGAIN);
    }
}

/* ---- Cancellation by a flag that a thread looks at: in a wait, in a long sleep ---- */

struct endless {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    volatile int stop, done, turns;
};

static void *wait_for_flag(void *argument)
{
    struct endless *e = argument;

    pthread_mutex_lock(&e->mutex);
    while (!e->stop) {
        e->turns++;
        pthread_cond_broadcast(&e->changed);
        pthread_cond_wait(&e->changed, &e->mutex);
    }
    pthread_mutex_unlock(&e->mutex);
    while (e->stop < 2) {
        sleep(3600); /* only a signal can end this */
    }
    e->done = 1;
    return argument;
}

static void cancel_by_flag(struct worker *w)
{
    struct endless e = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    pthread_t thread;

    step(w, "cancel: start");
    EXPECT(pthread_create(&thread, NULL, wait_for_flag, &e) == 0);
    pthread_mutex_lock(&e.mutex);
    while (e.turns == 0) {
        pthread_cond_wait(&e.changed, &e.mutex);
    }
    step(w, "cancel: set the flag");
    e.stop = 1;
    pthread_cond_broadcast(&e.changed);
    pthread_mutex_unlock(&e.mutex);
    e.stop = 2;
    while (!e.done) { /* it may have looked at the flag, but not sleep yet: again */
        EXPECT(pthread_kill(thread, SIGALRM) == 0);
        usleep(500);
    }
    step(w, "cancel: join");
    EXPECT(pthread_join(thread, NULL) == 0 && pthread_cond_destroy(&e.changed) == 0);
}

/* ---- Once a round ---- */

static pthread_once_t once;
static volatile long initialised, seen;

static void initialise(void)
{
    usleep(200);
    initialised++;
}

static void initialise_once(struct worker *w)
{
    step(w, "once");
    EXPECT(pthread_once(&once, initialise) == 0 && initialised == 1);
    add(&seen, 1);
}

static void check_once(void)
{
    EXPECT(initialised == 1 && seen == WORKERS);
    once = (pthread_once_t)PTHREAD_ONCE_INIT;
    initialised = seen = 0;
}

static void check_nothing(void)
{
}

const struct scenario lives[LIVES] = {
    {make_threads, check_threads}, {send_signals, check_signals}, {cancel_by_flag, check_nothing},
    {initialise_once, check_once},
};

void lives_start(void)
{
    struct sigaction action = {.sa_handler = acknowledge};

    sigaction(SIGALRM, &action, NULL); /* these two interrupt what may be interrupted */
    sigaction(SIGUSR2, &action, NULL);
    action.sa_flags = SA_RESTART;
    sigaction(SIGUSR1, &action, NULL);
    pthread_key_create(&key, destroy_value);
}
