/*
 * CPU times in user mode and in the kernel: getrusage, times, wait4, /proc/PID/stat, the clocks.
 *
 * All is measured in CPU time, so a busy host changes nothing. The kernel divides by samples, of
 * which work of 200 ms has enough.
 */
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "spin.h"
#include "tasks.h"

enum { SELF = 0, CHILDREN = -1, THREAD = 1 };
#define WORK 200000 /* microseconds */

struct usage {
    long user, system, switches; /* microseconds */
};

static struct usage from_rusage(const struct rusage *rusage)
{
    const long *fields = (const long *)rusage;

    return (struct usage){rusage->ru_utime.tv_sec * 1000000 + rusage->ru_utime.tv_usec,
                          rusage->ru_stime.tv_sec * 1000000 + rusage->ru_stime.tv_usec, fields[16]};
}

static struct usage usage_of(int who)
{
    struct rusage rusage;

    CHECK(syscall(SYS_getrusage, who, &rusage, 0, 0, 0, 0) == 0);
    return from_rusage(&rusage);
}

static long cpu_clock(int clock)
{
    struct timespec now;

    CHECK(clock_gettime(clock, &now) == 0);
    return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void work_in_user_mode(long microseconds)
{
    long end = cpu_clock(CLOCK_THREAD_CPUTIME_ID) + microseconds;

    while (cpu_clock(CLOCK_THREAD_CPUTIME_ID) < end) {
        for (int i = 0; i < 100; i++) {
            spin_turn();
        }
    }
}

static void work_in_kernel(long microseconds)
{
    static char buffer[1 << 17];
    long end = cpu_clock(CLOCK_THREAD_CPUTIME_ID) + microseconds;
    int zero = open("/dev/zero", O_RDONLY);

    while (cpu_clock(CLOCK_THREAD_CPUTIME_ID) < end) {
        CHECK(read(zero, buffer, sizeof(buffer)) == sizeof(buffer));
    }
    close(zero);
}

/*
 * A host may find out where time was spent by looking now and then, and a busy or a virtual one looks
 * at odd moments. So a test that judges the parts has several chances there. Baton has one.
 */
static void with_chances(void (*once)(void))
{
    int status = 1, chances = access("/proc/unimplemented", F_OK) == 0 ? 1 : 10;

    for (int i = 0; i < chances && status != 0; i++) {
        pid_t pid = fork();

        CHECK(pid >= 0);
        if (pid == 0) {
            once();
            _exit(0);
        }
        CHECK(waitpid(pid, &status, 0) == pid);
    }
    CHECK(status == 0);
}
#define WITH_CHANCES(name) static void name(void) { with_chances(name##_once); }

/* At least three quarters of it. */
static int mostly(long part, long other)
{
    return part >= WORK * 9 / 10 && part > 3 * other;
}

static void read_stat(long *user, long *system, long *children)
{
    char line[512], *at;
    int fd = open("/proc/self/stat", O_RDONLY);
    long got = read(fd, line, sizeof(line) - 1);

    close(fd);
    CHECK(got > 0);
    line[got] = 0;
    at = strrchr(line, ')') + 1; /* then field 3; utime is the 14th (proc(5)) */
    for (int field = 3; field < 14; field++) {
        at = strchr(at + 1, ' ');
    }
    *user = strtol(at, &at, 10) * 10000;
    *system = strtol(at, &at, 10) * 10000;
    *children = strtol(at, &at, 10) * 10000;
    *children += strtol(at, &at, 10) * 10000;
}

static void kernel_work_is_system_time_once(void)
{
    struct usage usage;
    long ticks[4], user, system, children;

    work_in_kernel(WORK);
    usage = usage_of(SELF);
    CHECK(mostly(usage.system, usage.user));
    usage = usage_of(THREAD);
    CHECK(mostly(usage.system, usage.user));
    CHECK(syscall(SYS_times, ticks, 0, 0, 0, 0, 0) > 0);
    CHECK(mostly(ticks[1] * 10000, ticks[0] * 10000));
    CHECK(ticks[2] == 0 && ticks[3] == 0);
    read_stat(&user, &system, &children);
    CHECK(mostly(system, user) && children == 0);
}
WITH_CHANCES(kernel_work_is_system_time)

static void user_work_is_user_time_once(void)
{
    struct usage usage;
    long ticks[4], user, system, children;

    work_in_user_mode(WORK);
    usage = usage_of(SELF);
    CHECK(mostly(usage.user, usage.system));
    CHECK(syscall(SYS_times, ticks, 0, 0, 0, 0, 0) > 0);
    CHECK(mostly(ticks[0] * 10000, ticks[1] * 10000));
    read_stat(&user, &system, &children);
    CHECK(mostly(user, system));
}
WITH_CHANCES(user_work_is_user_time)

static void parts_add_up_to_the_clock_once(void)
{
    struct usage usage;
    long before, after;

    work_in_kernel(WORK / 2);
    work_in_user_mode(WORK / 2);
    before = cpu_clock(CLOCK_PROCESS_CPUTIME_ID);
    usage = usage_of(SELF);
    after = cpu_clock(CLOCK_PROCESS_CPUTIME_ID);
    CHECK(usage.user + usage.system >= before - 10 && usage.user + usage.system <= after + 10);
    CHECK(usage.user > WORK / 4 && usage.system > WORK / 4);
}
WITH_CHANCES(parts_add_up_to_the_clock)

static void no_part_goes_back(void)
{
    struct usage last = {0, 0, 0}, usage;

    for (int i = 0; i < 200; i++) {
        if (i / 20 % 2) {
            work_in_kernel(1000);
        } else {
            work_in_user_mode(1000);
        }
        usage = usage_of(SELF);
        CHECK(usage.user >= last.user && usage.system >= last.system);
        last = usage;
    }
}

static int burn(void *argument)
{
    (void)argument;
    work_in_kernel(WORK);
    return 0;
}

static void ended_threads_count_for_the_process_once(void)
{
    static struct thread thread;
    struct usage usage;

    thread_start(&thread, burn, NULL);
    thread_join(&thread);
    usage = usage_of(SELF);
    CHECK(mostly(usage.system, usage.user));
    usage = usage_of(THREAD);
    CHECK(usage.user + usage.system < WORK / 2);
}
WITH_CHANCES(ended_threads_count_for_the_process)

/* A child that works, and whose own child worked as long for it. */
static pid_t family(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        if (fork() == 0) {
            work_in_kernel(WORK / 2);
            _exit(0);
        }
        wait(NULL);
        work_in_kernel(WORK / 2);
        _exit(0);
    }
    return pid;
}

static void waited_for_children_count_once(void)
{
    struct rusage rusage;
    struct usage usage;
    long user, system, children;
    int status;
    pid_t pid = family();

    CHECK(wait4(pid, &status, 0, &rusage) == pid && status == 0);
    usage = from_rusage(&rusage);
    CHECK(mostly(usage.system, usage.user));
    usage = usage_of(CHILDREN);
    CHECK(mostly(usage.system, usage.user));
    read_stat(&user, &system, &children);
    CHECK(children >= WORK * 9 / 10);
    usage = usage_of(SELF);
    CHECK(usage.user + usage.system < WORK / 2);
}
WITH_CHANCES(waited_for_children_count)

static void children_that_nobody_waits_for_do_not_count(void)
{
    struct usage usage;
    siginfo_t info;
    pid_t pid = family();

    CHECK(syscall(SYS_waitid, 1, pid, &info, 0x1000004, 0, 0) == 0); /* it is not taken yet */
    usage = usage_of(CHILDREN);
    CHECK(usage.user == 0 && usage.system == 0);
    CHECK(waitpid(pid, NULL, 0) == pid);
    usage = usage_of(CHILDREN);
    signal(SIGCHLD, SIG_IGN);
    family();
    CHECK_ERROR(wait(NULL), ECHILD);
    CHECK(usage_of(CHILDREN).system == usage.system && usage_of(CHILDREN).user == usage.user);
}

static void stopped_child_shows_its_usage_once(void)
{
    struct rusage rusage;
    struct usage usage;
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        work_in_kernel(WORK);
        raise(SIGSTOP);
        _exit(0);
    }
    memset(&rusage, 0xff, sizeof(rusage));
    CHECK(wait4(pid, &status, WUNTRACED, &rusage) == pid && WIFSTOPPED(status));
    kill(pid, SIGCONT); /* before its usage is judged: where that fails it must not stay behind */
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    usage = from_rusage(&rusage);
    CHECK(mostly(usage.system, usage.user));
}
WITH_CHANCES(stopped_child_shows_its_usage)

static void sleeping_is_a_voluntary_switch(void)
{
    long before = usage_of(SELF).switches;

    for (int i = 0; i < 10; i++) {
        usleep(5000);
    }
    CHECK(usage_of(SELF).switches >= before + 5);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(kernel_work_is_system_time), TEST(user_work_is_user_time),
        TEST(parts_add_up_to_the_clock), TEST(no_part_goes_back),
        TEST(ended_threads_count_for_the_process), TEST(waited_for_children_count),
        TEST(children_that_nobody_waits_for_do_not_count), TEST(stopped_child_shows_its_usage),
        TEST(sleeping_is_a_voluntary_switch),
    };

    return RUN_TESTS(tests);
}
