/*
 * Nothing that a program makes long keeps interrupts or the CPU from others: thousands of threads,
 * children, sleepers and timers, while a metronome has a timer interrupt come all the time.
 * /proc/latency says how late it was, and the switches. Linux has no such file, and is not judged; nor
 * are several CPUs, which wait for each other's turns by icount, and a kernel that checks itself.
 */
#include <poll.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

#include "tasks.h"

#define LIMIT 100000 /* ns, by icount as many instructions */
#define THREADS 1000
#define CHILDREN 300
#define SLEEPERS 200

static volatile int word, other;
static pid_t metronome;

static void latency_start(void)
{
    int fd = open("/proc/latency", O_WRONLY);

    if (fd >= 0) {
        CHECK(write(fd, "0", 1) == 1);
        close(fd);
    }
}

static void check_latency(void)
{
    FILE *file = fopen("/proc/latency", "r");
    char line[128], second[128];
    long interrupt, late;

    if (file && fgets(line, sizeof(line), file) && !fgets(second, sizeof(second), file)) {
        CHECK(strstr(line, "interrupt ") && strstr(line, "switch "));
        interrupt = atol(strstr(line, "interrupt ") + 10);
        late = atol(strstr(line, "switch ") + 7);
        if (interrupt > LIMIT || late > LIMIT) {
            fprintf(stderr, "# %s", line);
        }
        CHECK(interrupt <= LIMIT && late <= LIMIT);
    }
    if (file) {
        fclose(file);
    }
}

static void metronome_start(void)
{
    metronome = fork();
    if (metronome == 0) {
        struct itimerspec period = {{0, 53000}, {0, 53000}};
        int fd = timerfd_create(CLOCK_MONOTONIC, 0);
        unsigned long count;

        CHECK(setpgid(0, 0) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0); /* also if a check fails */
        CHECK(timerfd_settime(fd, 0, &period, NULL) == 0);
        while (read(fd, &count, sizeof(count)) == sizeof(count)) {
        }
        _exit(1);
    }
    usleep(1000);
    latency_start();
}

static void metronome_stop(void)
{
    check_latency();
    CHECK(kill(metronome, SIGKILL) == 0);
}

static int wait_on_word(void *argument)
{
    (void)argument;
    return (int)futex(&word, FUTEX_WAIT, 0, NULL);
}

static int wait_for_child(void *argument)
{
    (void)argument;
    return waitpid(-1, NULL, 0);
}

static void start_threads(int (*function)(void *))
{
    char *stacks = mmap(NULL, THREADS * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(stacks != MAP_FAILED);
    for (int i = 1; i <= THREADS; i++) {
        CHECK(clone(function, stacks + 4096l * i, THREAD_FLAGS, NULL, NULL, NULL, NULL) > 0);
    }
    usleep(20000);
}

static void threads_on_one_word(void)
{
    long woken = 0;

    metronome_start();
    start_threads(wait_on_word);
    while (woken < THREADS) { /* all at once, unless a busy host has been slow to start them */
        CHECK(syscall(SYS_futex, &word, FUTEX_REQUEUE, 0, (long)THREADS, &other, 0) >= 0);
        woken += futex(&other, FUTEX_WAKE, THREADS, NULL);
    }
    CHECK(woken == THREADS);
    usleep(20000);
    metronome_stop();
}

static void threads_that_wait_for_a_child(void)
{
    pid_t child;

    metronome_start();
    start_threads(wait_for_child);
    child = fork();
    if (child == 0) {
        _exit(0);
    }
    usleep(50000);
    metronome_stop();
}

static void threads_that_end(void)
{
    pid_t pid;

    metronome_start();
    pid = fork();
    if (pid == 0) {
        start_threads(wait_on_word);
        _exit(0);
    }
    CHECK(waitpid(pid, NULL, 0) == pid);
    metronome_stop();
}

static void threads_that_stop(void)
{
    pid_t pid;
    int status;

    metronome_start();
    pid = fork();
    if (pid == 0) {
        start_threads(wait_on_word);
        pause();
    }
    usleep(50000);
    CHECK(kill(pid, SIGSTOP) == 0 && waitpid(pid, &status, WUNTRACED) == pid);
    CHECK((status & 0xff) == 0x7f && kill(pid, SIGCONT) == 0);
    CHECK(waitpid(pid, &status, WCONTINUED) == pid && status == 0xffff);
    CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid && status == SIGKILL);
    metronome_stop();
}

/* Children that do what `child` does with `argument`, until they are all asleep. */
static void start_children(void (*child)(int), int argument)
{
    for (int i = 0; i < CHILDREN; i++) {
        pid_t pid = fork();

        CHECK(pid >= 0);
        if (pid == 0) {
            child(argument);
            _exit(0);
        }
    }
    usleep(100000);
}

static void sleep_on(int argument)
{
    (void)argument;
    pause();
}

static void many_children(void)
{
    pid_t pid;
    int status;

    metronome_start();
    pid = fork();
    if (pid == 0) {
        CHECK(setpgid(0, 0) == 0);
        start_children(sleep_on, 0);
        CHECK(waitpid(-1, NULL, WNOHANG) == 0);
        CHECK_ERROR(setpgid(0, getppid()), EPERM);
        CHECK(kill(0, 0) == 0 && signal(SIGTERM, SIG_IGN) != SIG_ERR && kill(0, SIGTERM) == 0);
        for (int i = 0; i < CHILDREN / 2; i++) {
            CHECK(wait(&status) > 0 && status == SIGTERM);
        }
        start_children(sleep_on, 0); /* init gets these, and the zombies */
        CHECK(kill(0, SIGKILL) == 0);
    }
    CHECK(waitpid(pid, &status, 0) == pid && status == SIGKILL);
    metronome_stop();
}

static void read_byte(int fd)
{
    char byte;

    CHECK(read(fd, &byte, 1) == 1);
}

static void poll_file(int fd)
{
    struct pollfd file = {fd, POLLIN, 0};

    CHECK(poll(&file, 1, -1) == 1);
}

static void many_at_one_file(void)
{
    struct itimerspec soon = {{0, 0}, {0, 1000000}};
    int ends[2], timer = timerfd_create(CLOCK_MONOTONIC, 0);
    char bytes[CHILDREN];

    metronome_start();
    CHECK(pipe(ends) == 0);
    start_children(read_byte, ends[0]);
    CHECK(write(ends[1], bytes, CHILDREN) == CHILDREN);
    start_children(poll_file, timer);
    CHECK(timerfd_settime(timer, 0, &soon, NULL) == 0);
    for (int i = 0; i < 2 * CHILDREN; i++) {
        CHECK(wait(NULL) > 0);
    }
    metronome_stop();
}

static void timers_at_one_instant(void)
{
    struct itimerspec at = {{0, 0}, {0, 0}};
    int timers[1000];

    metronome_start();
    CHECK(clock_gettime(CLOCK_MONOTONIC, &at.it_value) == 0);
    at.it_value.tv_sec++;
    for (int i = 0; i < 1000; i++) {
        timers[i] = timerfd_create(CLOCK_MONOTONIC, 0);
        CHECK(timers[i] >= 0 && timerfd_settime(timers[i], TFD_TIMER_ABSTIME, &at, NULL) == 0);
    }
    for (int i = 0; i < 1000; i++) {
        unsigned long count;

        CHECK(read(timers[i], &count, sizeof(count)) == sizeof(count) && count == 1);
    }
    metronome_stop();
}

static void a_long_file_is_cut(void)
{
    static char bytes[65536];
    int fd = open("long", O_RDWR | O_CREAT | O_TRUNC, 0600);

    CHECK(fd >= 0 && unlink("long") == 0);
    for (int i = 0; i < 400; i++) {
        CHECK(write(fd, bytes, sizeof(bytes)) == sizeof(bytes));
    }
    metronome_start();
    CHECK(ftruncate(fd, 1) == 0);
    metronome_stop();
}

/* As many as the limit on signals allows, which whoever may has raised; the last one is the farthest. */
static void a_timer_of_very_many(void)
{
    const struct rlimit limit = {100000, 100000};
    const int nobody[16] = {[3] = 1}; /* struct sigevent: SIGEV_NONE */
    const struct itimerspec once = {.it_value = {1, 0}};
    int id = -1;

    (void)setrlimit(11, &limit); /* RLIMIT_SIGPENDING */
    for (int i = 0; i < 50000 && syscall(SYS_timer_create, CLOCK_MONOTONIC, nobody, &id) == 0; i++) {
    }
    metronome_start();
    for (int i = 0; i < 1000; i++) {
        CHECK(syscall(SYS_timer_settime, id, 0, &once, NULL) == 0);
    }
    CHECK(syscall(SYS_timer_delete, id) == 0);
    CHECK_ERROR(syscall(SYS_timer_delete, id), EINVAL);
    metronome_stop();
}

/* How long a loop takes, in microseconds. */
static long loop_time(void)
{
    struct timespec from, to;

    clock_gettime(CLOCK_MONOTONIC, &from);
    for (volatile int i = 0; i < 1000000; i++) {
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    return (to.tv_sec - from.tv_sec) * 1000000 + (to.tv_nsec - from.tv_nsec) / 1000;
}

/* Interval timers of a microsecond, whose signal is ignored: all others get on meanwhile. */
static void a_storm_of_timers(void)
{
    const long shortest[4] = {0, 1, 0, 1};
    long before = loop_time();

    metronome_start();
    for (int i = 0; i < SLEEPERS; i++) {
        if (fork() == 0) {
            signal(SIGALRM, SIG_IGN);
            CHECK(syscall(SYS_setitimer, 0, shortest, NULL, 0, 0, 0) == 0); /* setitimer(ITIMER_REAL) */
            usleep(300000);
            _exit(0);
        }
    }
    usleep(20000);
    if (access("/proc/latency", F_OK) == 0) { /* the host has other work, too */
        CHECK(loop_time() < 4 * before);
    }
    for (int i = 0; i < SLEEPERS; i++) {
        int status;

        CHECK(wait(&status) > 0 && status == 0);
    }
    metronome_stop();
}

int main(void)
{
    static const struct test tests[] = {
        TEST(threads_on_one_word), TEST(threads_that_wait_for_a_child), TEST(threads_that_end),
        TEST(threads_that_stop),
        TEST(many_children), TEST(many_at_one_file), TEST(timers_at_one_instant),
        TEST(a_long_file_is_cut), TEST(a_timer_of_very_many), TEST(a_storm_of_timers),
    };

    return RUN_TESTS(tests);
}
