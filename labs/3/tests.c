/* Lab 3, the scheduler: who gets the CPU, for how long, and how soon. All on one CPU. */
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "grade.h"

#define MS 1000000l
#define TASKS 8

/* What the children share with the parent. */
static struct shared {
    volatile int stop;
    volatile uint64_t count[TASKS]; /* rounds of each child's loop */
    volatile long gap[TASKS];       /* its longest time without the CPU, ns */
    volatile long taken[TASKS];     /* so often the CPU was taken from it */
} *shared;

static long now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000 * MS + time.tv_nsec;
}

static void sleep_ms(long ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * MS};

    nanosleep(&time, NULL);
}

static void prepare(void)
{
    uint64_t first_cpu = 1;

    syscall(SYS_sched_setaffinity, 0, sizeof(first_cpu), &first_cpu); /* for the children, too */
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static void loop(int task)
{
    while (!shared->stop) {
        shared->count[task]++;
    }
}

/* The time since the last look, in which this task did not run. */
static void look(int task, long *last)
{
    long time = now();

    if (time - *last > shared->gap[task]) {
        shared->gap[task] = time - *last;
    }
    *last = time;
}

static void loop_with_clock(int task)
{
    long last = now();

    while (!shared->stop) {
        look(task, &last);
    }
    look(task, &last);
}

static void start(int task, void (*body)(int), int nice)
{
    pid_t pid = fork();

    if (pid == 0) {
        setpriority(0, 0, nice);
        body(task);
        _exit(0);
    }
    EXPECT(pid > 0, "a child", "errno %d", errno);
}

static void stop(void)
{
    shared->stop = 1;
    while (wait(NULL) > 0) {
    }
}

/* What the test of this name in the kernel saw is in the log, where the grader finds it. */
static void in_kernel(void)
{
}

/* Four endless loops, and this program that wants to stop them: no one asks for the switch. Then it is
 * alone for some 30 ms: the trace shows how often the timer comes. */
static void loops_share(void)
{
    uint64_t all = 0;
    char key[8] = "loop0";

    prepare();
    for (int i = 0; i < 4; i++) {
        start(i, loop, 0);
    }
    sleep_ms(90); /* turns of 20 ms, as other wake-ups cause them, would be too few */
    stop();
    for (volatile int i = 0; i < 6000000; i++) {
    }
    for (int i = 0; i < 4; i++) {
        all += shared->count[i];
    }
    for (int i = 0; i < 4; i++) {
        key[4] = (char)('0' + i);
        grade_value(key, shared->count[i] * 1000 / (all + 1)); /* in thousandths */
    }
}

/* A loop of nice 0 beside one of a nice value of the seed's choice. */
static void weights(void)
{
    prepare();
    start(0, loop, 0);
    start(1, loop, 1 + (int)(grade_number(0) % 6));
    sleep_ms(400);
    stop();
    grade_value("ratio", shared->count[0] * 1000 / (shared->count[1] + 1));
}

/* A task that sleeps is due at a time; how late does it get the CPU beside four loops? */
static void sleeper_is_prompt(void)
{
    long worst = 0;

    prepare();
    for (int i = 0; i < 4; i++) {
        start(i, loop, 0);
    }
    sleep_ms(100); /* by then each loop has used clearly more time than this task */
    for (int i = 0; i < 20; i++) {
        long before = now(), late;
        long ms = 5 + (long)(grade_number((uint64_t)i) % 10);

        sleep_ms(ms);
        late = now() - before - ms * MS;
        EXPECT(late >= 0, "a sleep of at least its time", "%ld ns too short", -late);
        worst = late > worst ? late : worst;
    }
    stop();
    grade_value("late_us", (uint64_t)worst / 1000);
}

static void sleep_then_loop(int task)
{
    sleep_ms(300);
    shared->gap[0] = 0; /* from now on: the other one's longest wait */
    loop(task);
}

/* Who slept long has used nothing; that must not give it the CPU for as long now. */
static void sleeper_hoards_nothing(void)
{
    prepare();
    start(0, loop_with_clock, 0);
    start(1, sleep_then_loop, 0);
    sleep_ms(450);
    stop();
    grade_value("other_waits_us", (uint64_t)shared->gap[0] / 1000);
}

/* The timer interrupts for a signal that is ignored, too: which ends nobody's turn. */
static void loop_with_timer(int task)
{
    const long often[] = {0, 1000, 0, 1000}; /* a struct itimerval: each millisecond */
    const struct sigaction ignored = {.sa_handler = SIG_IGN};
    struct rusage usage;

    sigaction(SIGALRM, &ignored, NULL);
    syscall(SYS_setitimer, 0, often, NULL);
    loop_with_clock(task);
    getrusage(RUSAGE_SELF, &usage);
    shared->taken[task] = usage.ru_nivcsw;
}

/* With six loops, each comes to its turn soon, and keeps the CPU for the whole of it. */
static void turns_come_soon(void)
{
    uint64_t worst = 0, taken = 0;

    prepare();
    for (int i = 0; i < 6; i++) {
        start(i, loop_with_timer, 0);
    }
    sleep_ms(300);
    stop();
    for (int i = 0; i < 6; i++) {
        worst = (uint64_t)shared->gap[i] > worst ? (uint64_t)shared->gap[i] : worst;
        taken += (uint64_t)shared->taken[i];
    }
    grade_value("gap_us", worst / 1000);
    grade_value("turns", taken);
}

static const struct grade_test tests[] = {
    GRADE(loops_share), {"clocks", in_kernel}, {"places", in_kernel}, GRADE(weights),
    {"starts", in_kernel}, {"takes_over", in_kernel}, GRADE(sleeper_is_prompt),
    GRADE(sleeper_hoards_nothing), {"slices", in_kernel}, GRADE(turns_come_soon),
};
GRADE_MAIN(tests)
