/*
 * Lab 7, included by tests.c: what must hold between any two instructions of the handler and of
 * co_preempt, and what another thread may meet there.
 */
#include <pthread.h>
#include <sys/syscall.h>

#include "trap.h"

#define LONG_SLICE (10000 * MS) /* the timer is on, and no signal comes */
#define SYS_setitimer 38
#define BIT(signal) (1ul << ((signal) - 1))

static uint64_t mask_now(void)
{
    sigset_t set;

    sigprocmask(SIG_BLOCK, NULL, &set);
    return set.__bits[0];
}

static void change_mask(int how, int signal)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, signal);
    sigprocmask(how, &set, NULL);
}

/* handler_is_whole: on_tick, called as the kernel would call it, and another one's turn within */

static struct co *stepped;
static const char *broken, *rule;

static int is_allowed(void)
{
    int allowed = co_preemptible(0);

    co_preemptible(allowed);
    return allowed;
}

/* The handler's: a signal that can come must not preempt it, and no other one is let in. */
static void look_at_handler(const struct step_context *now)
{
    if (co_self() != stepped || broken) {
        return;
    }
    if (!(now->mask & BIT(SIGALRM)) && is_allowed()) {
        rule = "while SIGALRM can come in the handler, preemptible is clear";
        broken = "both: the next signal would preempt it in the middle";
    } else if (!(now->mask & BIT(SIGUSR2))) {
        rule = "signals that the program has blocked stay blocked";
        broken = "SIGUSR2, which the program has blocked, can come";
    }
}

static int turns_of_other;

static void *takes_a_turn(void *unused)
{
    uint64_t mask = mask_now();

    EXPECT(!(mask & BIT(SIGALRM)), "SIGALRM is let in while another one runs", "it is blocked");
    EXPECT(mask == BIT(SIGUSR2), "the program's own mask of signals while another one runs",
           "mask %lx", (unsigned long)mask);
    turns_of_other++;
    errno = 1;
    return unused;
}

static void *is_interrupted(void *allowed)
{
    struct sigaction tick;
    int still, error;

    stepped = co_self();
    sigaction(SIGALRM, NULL, &tick);
    co_preemptible(allowed != NULL);
    change_mask(SIG_BLOCK, SIGALRM); /* as the kernel does for a handler */
    errno = 7;
    steps_begin();
    tick.sa_handler(SIGALRM);
    steps_end();
    error = errno;
    still = co_preemptible(0);
    EXPECT(!broken, rule, "%s", broken);
    EXPECT(still == (allowed != NULL), "preemptible after the handler is what it was", "%d", still);
    EXPECT(error == 7, "errno after the handler is what it was", "%d", error);
    EXPECT(turns_of_other == (allowed != NULL), "another one's turn in the handler of one that may be "
           "preempted, and of no other", "%d turns", turns_of_other);
    EXPECT(steps > 10, "the handler in steps", "%ld", steps);
    change_mask(SIG_UNBLOCK, SIGALRM);
    return NULL;
}

static void handler_is_whole(void)
{
    struct sigaction tick;

    start_timer(LONG_SLICE);
    sigaction(SIGALRM, NULL, &tick);
    EXPECT(!(tick.sa_flags & SA_NODEFER), "SIGALRM is blocked when the handler begins (no SA_NODEFER)",
           "it can come");
    change_mask(SIG_BLOCK, SIGUSR2);
    watch_steps(look_at_handler);
    co_go(is_interrupted, NULL, "not allowed");
    run();
    co_go(is_interrupted, &tick, "interrupted");
    co_go(takes_a_turn, NULL, "other");
    run();
    grade_value("whole", grade_number(3));
}

/* start_is_whole: co_preempt in steps; and at each of them, another thread calls it, too */

static volatile int alarms;

static void on_alarm(int signal)
{
    alarms += signal == SIGALRM;
}

static int timer_is_on(void)
{
    long off[4] = {0}, now[4];

    syscall(SYS_setitimer, 0, off, now); /* ITIMER_REAL: off, and on again */
    syscall(SYS_setitimer, 0, now, NULL);
    return now[2] || now[3];
}

static int action_is_own(void)
{
    struct sigaction now;

    sigaction(SIGALRM, NULL, &now);
    return now.sa_handler == on_alarm;
}

/* The timer runs only while on_tick is there to take its signal. */
static void look_at_start(const struct step_context *now)
{
    (void)now;
    if (!broken && action_is_own() && timer_is_on()) {
        broken = "the timer runs, and its signal would still go to the program, or to nobody";
    }
}

static volatile int end, theirs;
static volatile int64_t their_slice;

static void *second_thread(void *unused)
{
    change_mask(SIG_BLOCK, SIGALRM);
    for (turn_wait(turn_theirs); !end; turn_wait(turn_theirs)) {
        theirs = co_preempt(their_slice);
        turn_give(turn_ours);
    }
    return unused;
}

/* The other thread calls co_preempt, and we wait for its result. */
static int their_call(int64_t slice)
{
    their_slice = slice;
    turn_give(turn_theirs);
    turn_wait(turn_ours);
    return theirs;
}

static long step_met, met_at;

/* Only in co_preempt itself: what it calls has no more to do with the owner. */
static void meet(const struct step_context *now)
{
    if (now->registers[R_RIP] - (unsigned long)co_preempt >= 512 || step_met++ != met_at) {
        return;
    }
    their_call(LONG_SLICE);
    stepping = 0;
}

static void stop_and_expect_own(int in_thread)
{
    int result = in_thread ? their_call(0) : co_preempt(0);

    EXPECT(result == 0, "whoever has the timer can give it back", "%d", result);
    EXPECT(action_is_own() && !timer_is_on(), "after the end SIGALRM is the program's own again, and "
           "the timer is off", "otherwise, when two threads met");
}

/* Our call with `slice`, which theirs meets at its step number `met_at`. False: it has fewer. */
static int calls_meet(int64_t slice)
{
    int ours;

    step_met = 0;
    theirs = 1;
    steps_begin();
    ours = co_preempt(slice);
    steps_end();
    if (slice > 0 && theirs <= 0) {
        EXPECT((ours == 0 && theirs == -EBUSY) || (ours == -EBUSY && theirs == 0),
               "of two threads that start at the same time one gets 0 and one -EBUSY (-16)",
               "%d and %d", ours, theirs);
    }
    if (theirs == 0) {
        EXPECT(!action_is_own() && timer_is_on(), "SIGALRM is on_tick's for the thread that has the "
               "timer", "not when one stops and the other one starts");
        stop_and_expect_own(1);
    } else if (slice > 0) {
        stop_and_expect_own(0);
    }
    return theirs <= 0;
}

static void start_is_whole(void)
{
    pthread_t thread;

    signal(SIGALRM, on_alarm);
    watch_steps(look_at_start);
    steps_begin();
    start_timer(LONG_SLICE);
    start_timer(0);
    steps_end();
    EXPECT(!broken, "the timer is off before SIGALRM has its handler, and when it gets the old one back",
           "%s", broken);
    turns_begin();
    EXPECT(pthread_create(&thread, NULL, second_thread, NULL) == 0, "a thread", "an error");
    watch_steps(meet);
    for (met_at = 0; calls_meet(LONG_SLICE); met_at++) {
    }
    EXPECT(met_at > 5, "co_preempt in steps", "%ld", met_at);
    for (met_at = 0, start_timer(LONG_SLICE); calls_meet(0); met_at++, start_timer(LONG_SLICE)) {
    }
    end = 1;
    turn_give(turn_theirs);
    pthread_join(thread, NULL);
    EXPECT(alarms == 0, "no signal goes to the program", "%d", alarms);
    grade_value("start", grade_number(4));
}

/* two_threads: one has the timer, and the other one is told */

static void *computes_in_thread(void *unused)
{
    uint64_t before;
    int result = co_preempt(SLICE), stopped = co_preempt(0);

    change_mask(SIG_UNBLOCK, SIGALRM);
    EXPECT(result == -EBUSY, "-EBUSY (-16) while another thread has the timer", "%d", result);
    EXPECT(stopped == -EBUSY, "-EBUSY (-16) for one that stops another thread's", "%d", stopped);
    turn_give(turn_ours); /* the first thread stops */
    turn_wait(turn_theirs);
    start_timer(SLICE / 5);
    before = switches();
    co_go(computes, (void *)1, "computer");
    co_go(computes, (void *)2, "computer");
    run();
    EXPECT(switches() > before + 6, "a thread that has the timer after another one is preempted",
           "%ld switches", (long)(switches() - before));
    turn_give(turn_ours); /* the first thread tries */
    turn_wait(turn_theirs);
    start_timer(0);
    return unused;
}

static void two_threads(void)
{
    pthread_t thread;
    int result;

    signal(SIGALRM, on_alarm);
    change_mask(SIG_BLOCK, SIGALRM); /* of a process one thread takes it: the other one */
    start_timer(LONG_SLICE);
    turns_begin();
    EXPECT(pthread_create(&thread, NULL, computes_in_thread, NULL) == 0, "a thread", "an error");
    turn_wait(turn_ours);
    EXPECT(timer_is_on() && !action_is_own(), "what another thread calls changes nothing", "it does");
    start_timer(0);
    EXPECT(action_is_own(), "SIGALRM is the program's own again", "another handler");
    turn_give(turn_theirs);
    turn_wait(turn_ours);
    result = co_preempt(0);
    EXPECT(result == -EBUSY, "-EBUSY (-16) for one that stops another thread's", "%d", result);
    turn_give(turn_theirs);
    pthread_join(thread, NULL);
    EXPECT(action_is_own() && alarms == 0, "SIGALRM is the program's own again", "another handler");
    EXPECT(mask_now() & BIT(SIGALRM), "SIGALRM stays blocked where the program has blocked it", "it can come");
    grade_value("threads", sum);
}
