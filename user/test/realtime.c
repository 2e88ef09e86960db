/*
 * SCHED_FIFO and SCHED_RR: who runs when. All of it on one CPU but the last test; children begin when
 * the parent, who is more important, goes to sleep.
 */
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

#include "asleep.h"

enum { OTHER, FIFO, RR, IDLE = 5, RESET_ON_FORK = 0x40000000 };
enum { PARENT = 50, PLACES = 32 };

static volatile struct shared {
    int count, order[PLACES];
    long turns[PLACES];
    int stop;
} *shared;

static long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void policy(pid_t pid, int policy, int priority)
{
    CHECK(syscall(SYS_sched_setscheduler, pid, policy, &priority) == 0);
}

/* The test is alone on one CPU, and before all others. */
static void begin(void)
{
    cpu_set_t one;

    CPU_ZERO(&one);
    CPU_SET(0, &one);
    CHECK(sched_setaffinity(0, sizeof(one), &one) == 0);
    policy(0, FIFO, PARENT);
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(shared != MAP_FAILED);
}

static void note(int who)
{
    shared->order[shared->count++] = who;
}

/* A child that does `work` when its turn comes. It is last of its priority: it begins without one. */
static pid_t child(int kind, int priority, void (*work)(int), int argument)
{
    pid_t pid;

    policy(0, FIFO | RESET_ON_FORK, PARENT);
    pid = fork();

    if (pid == 0) {
        work(argument);
        _exit(0);
    }
    CHECK(pid > 0);
    policy(pid, kind, priority);
    return pid;
}

static void all_end(int count)
{
    while (count--) {
        int status;

        CHECK(wait(&status) > 0 && status == 0);
    }
}

static void is_order(const char *wanted)
{
    char seen[PLACES + 1] = "";

    for (int i = 0; i < shared->count; i++) {
        seen[i] = (char)shared->order[i];
    }
    if (strcmp(seen, wanted) != 0) {
        fprintf(stderr, "# %s instead of %s\n", seen, wanted);
        _exit(1);
    }
}

static void the_highest_goes_first(void)
{
    begin();
    child(FIFO, 10, note, 'c');
    child(OTHER, 0, note, 'e');
    child(RR, 30, note, 'a');
    child(FIFO, 9, note, 'd');
    child(FIFO, 20, note, 'b');
    all_end(5);
    is_order("abcde");
}

static void note_yield_note(int who)
{
    note(who);
    sched_yield();
    note(who + 1);
}

static void of_one_priority_each_in_turn(void)
{
    begin();
    child(FIFO, 10, note_yield_note, 'a');
    child(FIFO, 10, note_yield_note, 'c');
    child(FIFO, 9, note_yield_note, 'e'); /* nobody else has its priority: it goes on */
    all_end(3);
    is_order("acbdef");
}

static void spin_and_note(int ms)
{
    long end = now_ms() + ms;

    note('a');
    while (now_ms() < end) {
    }
    note('d');
}

static void sleep_and_note(int ms)
{
    note('0');
    usleep((unsigned)ms * 1000);
    note('c');
}

/* One that wakes preempts what is less important, and at once; that goes on before its like. */
static void who_was_preempted_goes_on_first(void)
{
    begin();
    child(FIFO, 20, sleep_and_note, 20);
    child(FIFO, 10, spin_and_note, 60);
    child(FIFO, 10, note, 'z');
    all_end(3);
    is_order("0acdz");
}

static void count_turns(int place)
{
    long end = now_ms() + 10000; /* the test has failed then */

    while (!shared->stop && now_ms() < end) {
        shared->turns[place]++;
    }
}

static void sleep_and_stop(int ms)
{
    usleep((unsigned)ms * 1000);
    shared->stop = 1;
}

static void fifo_has_no_slice_and_rr_has_one(void)
{
    begin();
    child(FIFO, 20, sleep_and_stop, 30);
    child(FIFO, 10, count_turns, 0);
    child(FIFO, 10, count_turns, 1);
    child(OTHER, 0, count_turns, 2);
    all_end(4);
    CHECK(shared->turns[0] > 0 && shared->turns[1] == 0 && shared->turns[2] == 0);
    shared->stop = shared->turns[0] = 0;
    child(FIFO, 20, sleep_and_stop, 160); /* a slice is 100 ms */
    child(RR, 10, count_turns, 0);
    child(RR, 10, count_turns, 1);
    child(FIFO, 9, count_turns, 2);
    all_end(4);
    CHECK(shared->turns[0] > 0 && shared->turns[1] > 0 && shared->turns[2] == 0);
}

static void stop(int ignored)
{
    (void)ignored;
    shared->stop = 1;
}

/* Nobody can take a CPU for ever: the others get a little. */
static void an_endless_loop_leaves_a_rest(void)
{
    long start = now_ms();

    begin();
    child(FIFO, 10, count_turns, 0);
    child(OTHER, 0, stop, 0);
    all_end(2);
    CHECK(now_ms() - start > 500 && now_ms() - start < 5000);
}

static void a_priority_counts_from_now_on(void)
{
    pid_t pids[3];

    begin();
    pids[0] = child(FIFO, 10, note, 'b');
    pids[1] = child(OTHER, 0, note, 'a');
    pids[2] = child(FIFO, 10, note, 'c');
    policy(pids[1], RR, 11);   /* it waits for the CPU */
    policy(pids[2], OTHER, 0);
    policy(0, OTHER, 0); /* less than they, who run now */
    all_end(3);
    is_order("abc");
}

/* Who is lowered goes before the others there, who is raised behind them. */
static void lowered_in_front_raised_behind(void)
{
    pid_t pids[4];

    begin();
    pids[0] = child(FIFO, 9, note, 'd');
    pids[1] = child(FIFO, 10, note, 'c');
    pids[2] = child(FIFO, 11, note, 'b');
    pids[3] = child(RR, 12, note, 'a');
    for (int i = 0; i < 4; i++) {
        policy(pids[i], i < 3 ? FIFO : RR, 10);
    }
    all_end(4);
    is_order("abcd");
}

static void idle_gets_what_is_left(void)
{
    begin();
    child(FIFO, 20, sleep_and_stop, 100);
    child(IDLE, 0, count_turns, 0);
    child(OTHER, 0, count_turns, 1);
    all_end(3);
    CHECK(shared->turns[1] / 2 > shared->turns[0]);
}

/* The numbers of /proc/PID/stat from `first` on; that of the state is 3. */
static void stat_fields(pid_t pid, int first, int count, long *values)
{
    char path[64], line[512], *at;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    file = fopen(path, "r");
    CHECK(file && fgets(line, sizeof(line), file));
    fclose(file);
    at = strrchr(line, ')') + 2;
    for (int field = 3; field < first + count; field++) {
        if (field >= first) {
            values[field - first] = atol(at);
        }
        at = strchr(at, ' ') + 1;
    }
}

static void proc_shows_them(void)
{
    long values[2];

    begin();
    stat_fields(getpid(), 40, 2, values);
    CHECK(values[0] == PARENT && values[1] == FIFO);
    stat_fields(getpid(), 18, 2, values);
    CHECK(values[0] == -1 - PARENT && values[1] == 0);
    policy(0, OTHER, 0);
    CHECK(setpriority(PRIO_PROCESS, 0, 5) == 0);
    stat_fields(getpid(), 18, 2, values);
    CHECK(values[0] == 25 && values[1] == 5);
    policy(0, RR | RESET_ON_FORK, 7);
    stat_fields(getpid(), 40, 2, values);
    CHECK(values[0] == 7 && values[1] == RR);
}

static void sleep_for_ever(int ignored)
{
    (void)ignored;
    pause();
}

static void niceness_of_groups(void)
{
    pid_t pids[2];

    begin();
    for (int i = 0; i < 2; i++) {
        pids[i] = child(OTHER, 0, sleep_for_ever, 0);
        CHECK(setpgid(pids[i], pids[0]) == 0);
    }
    CHECK(setpriority(PRIO_PROCESS, pids[0], 10) == 0 && setpriority(PRIO_PROCESS, pids[1], 7) == 0);
    CHECK(getpriority(PRIO_PGRP, pids[0]) == 7); /* the least nice one's */
    CHECK(setpriority(PRIO_PGRP, pids[0], 12) == 0);
    CHECK(getpriority(PRIO_PROCESS, pids[0]) == 12 && getpriority(PRIO_PROCESS, pids[1]) == 12);
    CHECK(getpriority(PRIO_PROCESS, 0) == 0);
    CHECK_ERROR(getpriority(PRIO_PGRP, pids[1]), ESRCH);
    CHECK_ERROR(setpriority(PRIO_USER + 1, 0, 0), EINVAL);
    CHECK(kill(-pids[0], SIGKILL) == 0);
}

static void await_turns(int place)
{
    for (int left = 5000; shared->turns[place] == 0; left--) {
        CHECK(left > 0);
        usleep(1000);
    }
}

/* On as many CPUs as there are the most important ones run, and the next one waits. */
static void each_cpu_has_one_of_the_best(void)
{
    cpu_set_t all;
    int cpus;

    CHECK(sched_getaffinity(0, sizeof(all), &all) == 0);
    cpus = CPU_COUNT(&all);
    if (cpus > 8) {
        return;
    }
    begin();
    for (int i = 0; i <= cpus; i++) {
        pid_t pid = child(FIFO, 10 + i, count_turns, i);

        CHECK(sched_setaffinity(pid, sizeof(all), &all) == 0);
        await_turns(i); /* each goes where the least important one is */
    }
    memset((void *)shared->turns, 0, sizeof(shared->turns));
    for (int i = 1; i <= cpus; i++) {
        await_turns(i);
    }
    CHECK(shared->turns[0] == 0);
    shared->stop = 1;
    all_end(cpus + 1);
}

enum { FUTEX_WAIT, FUTEX_WAKE };

static void wait_and_note(int who)
{
    CHECK(syscall(SYS_futex, &shared->stop, FUTEX_WAIT, 0, NULL, NULL, 0) == 0);
    note(who);
}

/* Of those who wait for one word, however long they have: of equals the first. */
static void a_futex_wakes_the_highest_first(void)
{
    static const struct { int kind, priority, who; } waiters[] = {
        {OTHER, 0, 'd'}, {FIFO, 5, 'c'}, {OTHER, 0, 'e'}, {RR, 20, 'a'}, {FIFO, 10, 'b'},
    };

    begin();
    for (int i = 0; i < 5; i++) {
        wait_until_asleep(child(waiters[i].kind, waiters[i].priority, wait_and_note, waiters[i].who));
    }
    for (int i = 0; i < 5; i++) {
        CHECK(syscall(SYS_futex, &shared->stop, FUTEX_WAKE, 1, NULL, NULL, 0) == 1);
        usleep(5000);
    }
    all_end(5);
    is_order("abcde");
}

/* struct sched_attr of linux/sched/types.h, first version. */
struct attributes {
    unsigned size, policy;
    unsigned long flags;
    int nice;
    unsigned priority;
    unsigned long runtime, deadline, period;
};

static long set_attributes(struct attributes *a, long flags)
{
    return syscall(SYS_sched_setattr, 0l, a, flags);
}

/* All that a task's policy is, in one call. */
static void attributes_are_set_and_told(void)
{
    struct attributes a = {.size = 48, .policy = RR, .priority = 7, .flags = 1}, b = {0};
    struct {
        struct attributes first;
        char more[8];
    } larger = {{.size = 56, .policy = OTHER, .nice = 5}, {0}};
    int priority;

    CHECK(set_attributes(&a, 0) == 0);
    CHECK(syscall(SYS_sched_getscheduler, 0l) == (RR | RESET_ON_FORK));
    CHECK(syscall(SYS_sched_getparam, 0l, &priority) == 0 && priority == 7);
    CHECK(syscall(SYS_sched_getattr, 0l, &b, 48l, 0l) == 0);
    CHECK(b.size == 48 && b.policy == RR && b.flags == 1 && b.priority == 7 && b.nice == 0);
    a = (struct attributes){.size = 48, .policy = 99, .flags = 8, .priority = 9}; /* the policy stays */
    CHECK(set_attributes(&a, 0) == 0 && syscall(SYS_sched_getattr, 0l, &b, 48l, 0l) == 0);
    CHECK(b.policy == RR && b.priority == 9);
    CHECK(set_attributes(&larger.first, 0) == 0 && getpriority(PRIO_PROCESS, 0) == 5);
    CHECK(syscall(SYS_sched_getattr, 0l, &b, 48l, 0l) == 0 && b.policy == OTHER && b.nice == 5 && !b.flags);
    larger.first.nice = 77;
    CHECK(set_attributes(&larger.first, 0) == 0 && getpriority(PRIO_PROCESS, 0) == 19);
    larger.first.size = 0; /* the first version */
    larger.first.nice = 3;
    CHECK(set_attributes(&larger.first, 0) == 0 && getpriority(PRIO_PROCESS, 0) == 3);
}

static void bad_attributes(void)
{
    struct attributes a = {.size = 48}, large[2] = {{.size = 96}, {.period = 1}};

    CHECK_ERROR(set_attributes(NULL, 0), EINVAL);
    CHECK_ERROR(set_attributes((void *)8, 0), EFAULT);
    CHECK_ERROR(set_attributes(&a, 1), EINVAL);
    CHECK_ERROR(syscall(SYS_sched_setattr, -1l, &a, 0l), EINVAL);
    CHECK_ERROR(syscall(SYS_sched_setattr, 999999l, &a, 0l), ESRCH);
    CHECK_ERROR(set_attributes(large, 0), E2BIG);
    CHECK(large[0].size >= 48 && large[0].size < 96); /* as much as is known */
    a.size = 47;
    CHECK_ERROR(set_attributes(&a, 0), E2BIG);
    a = (struct attributes){.size = 48, .policy = FIFO};
    CHECK_ERROR(set_attributes(&a, 0), EINVAL);
    a = (struct attributes){.size = 48, .priority = 1};
    CHECK_ERROR(set_attributes(&a, 0), EINVAL);
    a = (struct attributes){.size = 48, .policy = 4};
    CHECK_ERROR(set_attributes(&a, 0), EINVAL);
    a = (struct attributes){.size = 48, .policy = RESET_ON_FORK};
    CHECK_ERROR(set_attributes(&a, 0), EINVAL);
    a = (struct attributes){.size = 48, .flags = 1ul << 40};
    CHECK_ERROR(set_attributes(&a, 0), EINVAL);
    CHECK_ERROR(syscall(SYS_sched_getattr, 0l, &a, 47l, 0l), EINVAL);
    CHECK_ERROR(syscall(SYS_sched_getattr, 0l, &a, 4097l, 0l), EINVAL);
    CHECK_ERROR(syscall(SYS_sched_getattr, 0l, &a, 48l, 1l), EINVAL);
    CHECK_ERROR(syscall(SYS_sched_getattr, 0l, NULL, 48l, 0l), EINVAL);
    CHECK_ERROR(syscall(SYS_sched_getattr, 0l, 8l, 48l, 0l), EFAULT);
    CHECK_ERROR(syscall(SYS_sched_getattr, 999999l, &a, 48l, 0l), ESRCH);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(the_highest_goes_first),
        TEST(of_one_priority_each_in_turn),
        TEST(who_was_preempted_goes_on_first),
        TEST(fifo_has_no_slice_and_rr_has_one),
        TEST(a_priority_counts_from_now_on),
        TEST(lowered_in_front_raised_behind),
        TEST(idle_gets_what_is_left),
        TEST(proc_shows_them),
        TEST(niceness_of_groups),
        TEST(a_futex_wakes_the_highest_first),
        TEST(each_cpu_has_one_of_the_best),
        TEST(attributes_are_set_and_told),
        TEST(bad_attributes),
        TEST(an_endless_loop_leaves_a_rest), /* the last: there is nothing left for real-time tasks */
    };

    return RUN_TESTS(tests);
}
