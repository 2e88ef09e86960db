/* Lab 4: waiting that ends otherwise (its time, a signal's handler), and other processes. */
#ifndef LAB4_LIMITS_H
#define LAB4_LIMITS_H
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "threads.h"

static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static volatile int handled;

static void note_signal(int signal)
{
    (void)signal;
    handled++;
}

/* A wait of the main thread itself that has no end. */
static void gives_up(int signal)
{
    (void)signal;
    grade_fail("no wait lasts longer than its time, or than it takes others to wake it",
               "the main thread waits for ever");
}

static void handle(int signal, void (*handler)(int))
{
    sigaction(signal, &(struct sigaction){.sa_handler = handler}, NULL); /* no SA_RESTART: EINTR */
}

static void *locks_held(void *argument)
{
    flags[0] = 1;
    flags[1] = 1 + pthread_mutex_lock(&held);
    pthread_mutex_unlock(&held);
    return argument;
}

static long now_ms(void)
{
    struct timespec now = in_ms(0);

    return now.tv_sec * 1000 + now.tv_nsec / MS;
}

static void expect_time(const char *what, int result, int wanted, long began, long least, long most)
{
    long ms = now_ms() - began;

    EXPECT(result == wanted, what, "%d", result);
    EXPECT(ms >= least && ms <= most, what, "after %ld ms", ms);
}

/* The mutex is free: the thread gets it. */
static void expect_taken(pthread_t thread, const char *expected)
{
    pthread_mutex_unlock(&held);
    await(&flags[1], expected);
    EXPECT(flags[1] == 1, "pthread_mutex_lock gives 0", "%d", flags[1] - 1);
    pthread_join(thread, NULL);
    flags[0] = flags[1] = 0;
}

/* One waits for ever, another one gives up: the first one must still be woken. */
static void mutex_limits(void)
{
    struct timespec time = in_ms(30);
    long began = now_ms();
    pthread_t thread;

    pthread_mutex_lock(&held);
    start(&thread, locks_held, 0);
    usleep(5000);
    expect_time("pthread_mutex_timedlock: ETIMEDOUT after its 30 ms",
                pthread_mutex_timedlock(&held, &time), ETIMEDOUT, began, 29, 45);
    time.tv_nsec = 1000000000;
    expect_time("a time that is none: EINVAL", pthread_mutex_timedlock(&held, &time), EINVAL,
                now_ms(), 0, 5);
    time = in_ms(-50);
    expect_time("a time that has passed: ETIMEDOUT, at once", pthread_mutex_timedlock(&held, &time),
                ETIMEDOUT, now_ms(), 0, 5);
    expect_taken(thread, "who waits is woken, though another one has given up");
}

static void mutex_and_signal(void)
{
    pthread_t thread;

    pthread_mutex_lock(&held);
    start(&thread, locks_held, 0);
    usleep(5000);
    pthread_kill(thread, SIGUSR1);
    usleep(5000);
    EXPECT(handled == 1 && !flags[1], "a signal's handler does not end pthread_mutex_lock",
           "%d signals, result %d", handled, flags[1] - 1);
    expect_taken(thread, "who waits is woken, though a signal has come meanwhile");
}

static void *waits_for_never(void *argument)
{
    pthread_mutex_lock(&held);
    flags[2] = 1;
    flags[3] = 1 + pthread_cond_wait(&never, &held);
    pthread_mutex_unlock(&held);
    return argument;
}

static void condition_limits(void)
{
    struct timespec time = in_ms(30);
    long began = now_ms();
    pthread_t thread;

    pthread_mutex_lock(&held);
    expect_time("pthread_cond_timedwait: ETIMEDOUT after its 30 ms",
                pthread_cond_timedwait(&never, &held, &time), ETIMEDOUT, began, 29, 45);
    EXPECT(pthread_mutex_trylock(&held) == EBUSY, "the mutex is held again behind it",
           "it is free");
    pthread_mutex_unlock(&held);
    start(&thread, waits_for_never, 0);
    await(&flags[2], "a thread that waits");
    usleep(5000);
    handled = 0;
    pthread_kill(thread, SIGUSR1);
    usleep(5000);
    EXPECT(handled == 1 && !flags[3],
           "a signal's handler is no reason to return from pthread_cond_wait",
           "%d signals, result %d", handled, flags[3] - 1);
    pthread_mutex_lock(&held);
    pthread_cond_signal(&never);
    pthread_mutex_unlock(&held);
    await(&flags[3], "pthread_cond_signal wakes the one who waits");
    EXPECT(flags[3] == 1, "pthread_cond_wait gives 0", "%d", flags[3] - 1);
    pthread_join(thread, NULL);
}

/* The handler comes while one waits, and signals: the waiter must not sleep on. */
static void signals_never(int signal)
{
    note_signal(signal);
    pthread_cond_signal(&never);
}

static void *interrupts(void *main_thread)
{
    usleep(5000);
    pthread_kill((pthread_t)main_thread, SIGUSR2);
    return NULL;
}

static void condition_and_signal(int signals, int wanted, const char *what, long least, long most)
{
    struct timespec time = in_ms(60);
    long began = now_ms();
    pthread_t thread;

    handle(SIGUSR2, signals ? signals_never : note_signal);
    pthread_mutex_lock(&held);
    start(&thread, interrupts, (long)pthread_self());
    expect_time(what, pthread_cond_timedwait(&never, &held, &time), wanted, began, least, most);
    pthread_mutex_unlock(&held);
    pthread_join(thread, NULL);
}

/* In memory that two processes share. */
struct shared {
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    volatile int state, inside, most;
    volatile uint64_t count;
};

static void take_turns_apart(struct shared *s, int me)
{
    for (int i = 0; i < 50; i++) {
        pthread_mutex_lock(&s->mutex);
        s->inside++;
        s->most = s->inside > s->most ? s->inside : s->most;
        sched_yield();
        s->inside--;
        while (s->state % 2 != me) {
            pthread_cond_wait(&s->cond, &s->mutex);
        }
        s->state++;
        pthread_cond_signal(&s->cond);
        pthread_mutex_unlock(&s->mutex);
    }
}

static void two_processes(void)
{
    struct shared *s = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pid;

    s->mutex.__shared = s->cond.__shared = PTHREAD_PROCESS_SHARED;
    pid = fork();
    if (pid == 0) {
        take_turns_apart(s, 1);
        _exit(0);
    }
    if (fork() == 0) {
        take_turns_apart(s, 0);
        _exit(0);
    }
    for (int i = 0; i < 500 && s->state < 100; i++) {
        usleep(1000);
    }
    EXPECT(s->state == 100,
           "two processes take turns, with a mutex and a condition that they share",
           "they stand still at turn %d", s->state);
    EXPECT(s->most == 1, "one process at a time has the mutex", "%d at once", s->most);
    while (wait(NULL) > 0) {
    }
}

static void limits(void)
{
    handle(SIGUSR1, note_signal);
    handle(SIGALRM, gives_up);
    alarm(1);
    grade_hint("step 5, lock_wait: ETIMEDOUT and EINVAL end the attempt, EINTR does not");
    mutex_limits();
    mutex_and_signal();
    grade_hint("step 6: hand `until` on; again after EINTR, but not after ETIMEDOUT");
    condition_limits();
    condition_and_signal(0, ETIMEDOUT, "a time that a handler interrupts: ETIMEDOUT after 60 ms",
                         59, 100);
    grade_hint("step 6: after EINTR again, while the number still is what was `seen` at first");
    condition_and_signal(1, 0, "a signal that comes in a handler ends pthread_cond_timedwait", 0,
                         40);
    grade_hint("steps 5 and 6: hand `shared` on to futex_wait and futex_wake");
    two_processes();
    grade_value("limits", grade_number(31));
}

#endif
