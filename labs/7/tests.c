/* Lab 7, preemptive coroutines: loops that call nothing, and what must stay theirs meanwhile. */
#include <co.h>
#include <signal.h>
#include <time.h>

#include "grade.h"

#define MS 1000000l
#define SLICE MS
#define LOOPS 5
#define LOOP_MOST 40000000 /* an end for those that nobody preempts */

static volatile int stop;
static uint64_t sum;

static void note(uint64_t what)
{
    sum = grade_mix(sum ^ what);
}

static void start_timer(int64_t slice)
{
    int result = co_preempt(slice);

    EXPECT(result == 0, "co_preempt gives 0", "%d", result);
}

static void run(void)
{
    EXPECT(co_run() == 0, "co_run gives 0 when all have ended", "an error");
}

static uint64_t switches(void)
{
    struct co_stats stats;

    co_stats(&stats);
    return stats.switches;
}

static volatile uint64_t counts[LOOPS];

static void *loops(void *number)
{
    co_preemptible(1);
    while (!stop && counts[(long)number] < LOOP_MOST) {
        counts[(long)number]++;
    }
    co_preemptible(0);
    return NULL;
}

static int64_t asleep; /* of the referee, in all */

static void *referee(void *milliseconds)
{
    int64_t start = co_now();

    co_sleep((int64_t)milliseconds * MS);
    stop = 1;
    asleep += co_now() - start;
    return NULL;
}

/* Five endless loops and one that stops them after 200 ms, if it ever gets the CPU. */
static void loops_share(void)
{
    uint64_t least = UINT64_MAX, all = 0;

    start_timer(SLICE);
    for (long i = 0; i < LOOPS; i++) {
        co_go(loops, (void *)i, "loop");
    }
    co_go(referee, (void *)200, "referee");
    run();
    EXPECT(stop && switches() > 100, "five endless loops and a referee take turns of 1 ms for 200 ms",
           "%ld switches", (long)switches());
    for (int i = 0; i < LOOPS; i++) {
        least = counts[i] < least ? counts[i] : least;
        all += counts[i];
    }
    grade_value("switches", switches());
    grade_value("least_percent", least * 100 * LOOPS / all);
    grade_value("referee_ms", (uint64_t)(asleep / MS));
    note(grade_number(1));
    grade_value("shared", sum);
}

#define STEPS 100000

/* Integers and floating point numbers, in registers all the time. */
static void *computes(void *number)
{
    uint64_t value = grade_number((uint64_t)number);
    double weight = 0;

    co_preemptible(1);
    for (int i = 0; i < STEPS; i++) {
        value = grade_mix(value);
        weight += (double)(value & 0xff);
    }
    co_preemptible(0);
    sum += value + (uint64_t)weight;
    return NULL;
}

static void state_is_kept(void)
{
    start_timer(SLICE / 5);
    for (long i = 0; i < 6; i++) {
        co_go(computes, (void *)i, "computer");
    }
    run();
    grade_value("switches", switches());
    grade_value("state", sum);
}

static volatile uint64_t left, right, torn;

/* Outside of its loop it may not be preempted: nobody must see left and right differ. */
static void *keeps_a_pair(void *number)
{
    for (int i = 0; i < 60; i++) {
        left += grade_number((uint64_t)i);
        for (volatile int pause = 0; pause < 60000; pause++) {
        }
        right += grade_number((uint64_t)i);
        co_preemptible(1);
        for (volatile int pause = 0; pause < 100000; pause++) {
        }
        co_preemptible(0);
    }
    (*(uint64_t *)number)--;
    return NULL;
}

static void *looks_at_the_pair(void *running)
{
    while (*(volatile uint64_t *)running) {
        torn += left != right;
        co_yield_now();
    }
    return NULL;
}

static void only_where_allowed(void)
{
    uint64_t running = 2;

    start_timer(SLICE / 5);
    co_go(keeps_a_pair, &running, "keeper");
    co_go(looks_at_the_pair, &running, "looker");
    co_go(keeps_a_pair, &running, "keeper");
    run();
    EXPECT(!torn, "nobody gives way where it may not be preempted", "%ld times", (long)torn);
    grade_value("switches", switches());
    grade_value("pair", left + right);
}

static void *has_an_errno(void *number)
{
    int mine = 1 + (int)(grade_number((uint64_t)number) % 100), wrong = 0;
    volatile int *now = &errno; /* or the compiler would not look again */

    co_preemptible(1);
    for (int i = 0; i < 200; i++) {
        *now = mine;
        for (volatile int pause = 0; pause < 5000; pause++) {
        }
        wrong += *now != mine;
    }
    co_preemptible(0);
    EXPECT(!wrong, "errno after a computation is what it was before", "another one, %d times", wrong);
    sum += (uint64_t)mine;
    return NULL;
}

static void errno_is_its_own(void)
{
    start_timer(SLICE / 5);
    for (long i = 0; i < 4; i++) {
        co_go(has_an_errno, (void *)i, "errno");
    }
    run();
    EXPECT(switches() > 20, "the four take turns", "%ld switches", (long)switches());
    grade_value("errno", sum);
}

static uint64_t ticks;

static void *ticker(void *unused)
{
    while (!stop) {
        co_sleep(5 * MS);
        ticks++;
    }
    return unused;
}

/* Two loops keep the CPU busy, and a sleeper must get it all the same; then nobody runs, and the
 * signal interrupts the loop's own wait; then a single loop is beside it, and a canceled one. */
static void sleepers_wake(void)
{
    start_timer(SLICE);
    co_go(referee, (void *)100, "referee");
    co_go(ticker, NULL, "ticker");
    co_go(loops, (void *)0, "loop");
    co_go(loops, (void *)1, "loop");
    run();
    stop = 0;
    co_go(ticker, NULL, "ticker");
    co_go(referee, (void *)100, "referee");
    run();
    for (int canceled = 0; canceled < 2; canceled++) {
        struct co *loop;

        stop = 0;
        co_go(referee, (void *)50, "referee");
        loop = co_go(loops, (void *)(2l + canceled), "loop");
        if (canceled) {
            co_cancel(loop);
        }
        run();
    }
    grade_value("referee_ms", (uint64_t)(asleep / MS));
    grade_value("ticks", ticks);
    note(grade_number(2));
    grade_value("woke", sum);
}

#include "steps.h"

static void on_alarm_with_info(int signal, siginfo_t *info, void *context)
{
    (void)info, (void)context;
    alarms += signal == SIGALRM;
}

/* Two who compute are preempted, or not. */
static uint64_t switches_of_two(long first)
{
    uint64_t before = switches();

    co_go(computes, (void *)first, "computer");
    co_go(computes, (void *)(first + 1), "computer");
    run();
    return switches() - before;
}

/* Started, started again, stopped: the signal is the program's own again, and nobody is preempted. */
static void starts_and_ends(void)
{
    struct sigaction mine = {.sa_handler = on_alarm}, now;
    uint64_t count;

    sigaction(SIGALRM, &mine, NULL);
    start_timer(SLICE);
    start_timer(SLICE / 5);
    count = switches_of_two(1);
    EXPECT(count > 6, "a slice that was made shorter counts", "%ld switches", (long)count);
    start_timer(0);
    sigaction(SIGALRM, NULL, &now);
    EXPECT(now.sa_handler == on_alarm, "SIGALRM does what it did before", "another handler");
    count = switches_of_two(3);
    EXPECT(count == 2, "without the timer nobody is preempted", "%ld switches", (long)count);
}

/* The second time, when SIGALRM does something else than the first time. */
static void starts_again(void)
{
    struct sigaction mine = {.sa_flags = SA_SIGINFO | SA_NODEFER}, now;
    uint64_t count, mask = mask_now();

    mine.sa_sigaction = on_alarm_with_info;
    sigaddset(&mine.sa_mask, SIGUSR1);
    sigaction(SIGALRM, &mine, NULL);
    start_timer(SLICE / 5);
    count = switches_of_two(1);
    EXPECT(count > 6, "who is stopped can be started again", "%ld switches", (long)count);
    start_timer(0);
    sigaction(SIGALRM, NULL, &now);
    EXPECT(now.sa_sigaction == on_alarm_with_info && (now.sa_flags & (SA_SIGINFO | SA_NODEFER)) ==
           (SA_SIGINFO | SA_NODEFER) && sigismember(&now.sa_mask, SIGUSR1),
           "SIGALRM has all of its own action again: handler, flags, mask", "another one");
    EXPECT(mask_now() == mask, "the mask of signals is what it was", "%lx", (unsigned long)mask_now());
}

static void ends(void)
{
    signal(SIGALRM, on_alarm);
    EXPECT(co_preempt(0) == 0 && action_is_own(), "0 from a stop before any start, and SIGALRM stays the "
           "program's", "otherwise");
    EXPECT(co_preempt(-1) == -EINVAL && co_preempt(MS / 100) == -EINVAL &&
           co_preempt(MS / 10 - 1) == -EINVAL, "-EINVAL for a slice below 0 or 100 us", "another result");
    start_timer(MS / 10);
    EXPECT(!action_is_own(), "SIGALRM is on_tick's after a start, also after wrong slices", "it is not");
    start_timer(0);
    starts_and_ends();
    starts_again();
    EXPECT(alarms == 0, "no signal comes any more", "%d", alarms);
    grade_value("ends", sum);
}

static int ends_of_pipe[2];

static void *reads_as_it_is(void *unused)
{
    uint64_t number = 0;
    ssize_t got = read(ends_of_pipe[0], &number, sizeof(number));

    EXPECT(got == sizeof(number), "8 bytes from read(2), which goes on after a signal (SA_RESTART)",
           "%ld, errno %d", (long)got, errno);
    note(number);
    return unused;
}

/* Its turn is in the handler of the loop, whose signals are not its own. */
static void *has_its_own_mask(void *unused)
{
    EXPECT(mask_now() == BIT(SIGUSR2), "the program's own mask of signals while another one runs",
           "mask %lx", (unsigned long)mask_now());
    stop = 1;
    return unused;
}

/* What a signal interrupts goes on: calls of the kernel, and the mask of signals. */
static void calls_go_on(void)
{
    uint64_t number = grade_number(5);

    EXPECT(pipe(ends_of_pipe) == 0, "a pipe", "errno %d", errno);
    if (fork() == 0) {
        usleep(20000);
        write(ends_of_pipe[1], &number, sizeof(number));
        _exit(0);
    }
    change_mask(SIG_BLOCK, SIGUSR2);
    start_timer(SLICE);
    co_go(reads_as_it_is, NULL, "reader");
    run();
    co_go(loops, (void *)0, "loop");
    co_go(has_its_own_mask, NULL, "other");
    run();
    EXPECT(mask_now() == BIT(SIGUSR2), "the mask of signals is what it was", "%lx",
           (unsigned long)mask_now());
    grade_value("read", sum);
}

static const struct grade_test tests[] = {
    GRADE(loops_share), GRADE(state_is_kept), GRADE(only_where_allowed), GRADE(errno_is_its_own),
    GRADE(sleepers_wake), GRADE(ends), GRADE(calls_go_on), GRADE(handler_is_whole),
    GRADE(start_is_whole), GRADE(two_threads),
};
GRADE_MAIN(tests)
