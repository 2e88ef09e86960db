/* CPU time: clocks of it, timers that count it, and its limit (setitimer(2), setrlimit(2)). */
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "spin.h"
#include "tasks.h"

enum { VIRTUAL = 1, PROF };
enum { VTALRM = 26, PROFILE = 27, XCPU = 24 };
enum { OF_THREAD = 4, USER_TIME = 1, EXACT = 2, PROCESS = 2, THREAD = 3, SECOND = 1000000000 };

struct interval {
    struct timeval interval, value;
};

static long used(int clock)
{
    struct timespec time;

    return syscall(SYS_clock_gettime, clock, &time, 0, 0, 0, 0) ? -1 : time.tv_sec * SECOND + time.tv_nsec;
}

static int clock_of(pid_t pid, int kind)
{
    return (int)(~(unsigned)pid << 3) | kind;
}

static void burn(long time)
{
    long end = used(THREAD) + time;

    while (used(THREAD) < end) {
        spin_turn();
    }
}

static volatile int go;

static int wait_long(void *argument)
{
    (void)argument;
    burn(20000000);
    while (!go) {
        futex(&go, FUTEX_WAIT, 0, NULL);
    }
    return 0;
}

static void clocks_of_others_can_be_read(void)
{
    static struct thread thread;
    pid_t tid = thread_start(&thread, wait_long, NULL), child;
    struct timespec resolution;
    int status;

    AWAIT(thread_sleeps(tid));
    CHECK(used(clock_of(tid, OF_THREAD | EXACT)) >= 20000000);
    CHECK(used(clock_of(getpid(), EXACT)) >= used(clock_of(tid, OF_THREAD | EXACT)));
    CHECK(used(clock_of(0, EXACT)) > 0 && used(clock_of(0, OF_THREAD | EXACT)) > 0);
    CHECK(used(clock_of(0, USER_TIME)) >= 0 && used(clock_of(0, 0)) >= 0);
    child = fork();
    if (child == 0) {
        CHECK(used(clock_of(getppid(), EXACT)) >= 20000000);
        CHECK_ERROR(used(clock_of(getppid(), OF_THREAD | EXACT)), EINVAL); /* of another process */
        CHECK(used(PROCESS) < 20000000);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK_ERROR(used(clock_of(0x7ffffff, EXACT)), EINVAL);
    CHECK(syscall(SYS_clock_getres, clock_of(0, EXACT), &resolution, 0, 0, 0, 0) == 0);
    CHECK(resolution.tv_sec == 0 && resolution.tv_nsec == 1);
    CHECK_ERROR(syscall(SYS_clock_getres, clock_of(0x7ffffff, EXACT), NULL, 0, 0, 0, 0), EINVAL);
    go = 1;
    futex(&go, FUTEX_WAKE, 1, NULL);
    thread_join(&thread);
}

static volatile int seen[64];

static void note(int signal)
{
    seen[signal]++;
}

static long set_timer(int which, long value, long interval, struct interval *old)
{
    struct interval fresh = {{interval / SECOND, interval % SECOND / 1000},
                              {value / SECOND, value % SECOND / 1000}};

    return syscall(SYS_setitimer, which, &fresh, old, 0, 0, 0);
}

static long left(const struct timeval *time)
{
    return time->tv_sec * SECOND + time->tv_usec * 1000;
}

static void timers_count_what_the_process_uses(void)
{
    long start;

    for (int which = VIRTUAL; which <= PROF; which++) {
        int signal_of = which == VIRTUAL ? VTALRM : PROFILE;

        CHECK(signal(signal_of, note) != SIG_ERR);
        start = used(PROCESS);
        CHECK(set_timer(which, 30000000, 0, NULL) == 0);
        usleep(50000);
        CHECK(!seen[signal_of]); /* asleep it uses nothing */
        while (!seen[signal_of]) { /* mostly in user mode */
            for (int i = 0; i < 100; i++) {
                spin_turn();
            }
            CHECK(used(PROCESS) - start < 5l * SECOND);
        }
        CHECK(used(PROCESS) - start >= 10000000); /* Linux counts ticks */
        burn(50000000);
        CHECK(seen[signal_of] == 1);
    }
}

static void intervals_go_on(void)
{
    CHECK(signal(PROFILE, note) != SIG_ERR);
    CHECK(set_timer(PROF, 10000000, 20000000, NULL) == 0);
    while (seen[PROFILE] < 4) {
        spin_turn();
        CHECK(used(PROCESS) < 20l * SECOND);
    }
    CHECK(used(PROCESS) >= 20000000); /* Linux counts ticks */
    CHECK(set_timer(PROF, 0, 0, NULL) == 0);
    seen[PROFILE] = 0;
    burn(60000000);
    CHECK(!seen[PROFILE]);
}

static void what_is_left_is_told(void)
{
    struct interval value = {{9, 9}, {9, 9}};

    for (int which = 0; which <= PROF; which++) {
        CHECK(syscall(SYS_getitimer, which, &value, 0, 0, 0, 0) == 0);
        if (which) { /* alarm guards each test */
            CHECK(left(&value.value) == 0 && left(&value.interval) == 0);
        }
        CHECK(set_timer(which, 100l * SECOND, 7l * SECOND, NULL) == 0);
        CHECK(syscall(SYS_getitimer, which, &value, 0, 0, 0, 0) == 0);
        CHECK(left(&value.value) > 50l * SECOND && left(&value.value) <= 101l * SECOND);
        CHECK(left(&value.interval) == 7l * SECOND);
        CHECK(set_timer(which, 0, 0, &value) == 0);
        CHECK(left(&value.value) > 50l * SECOND && left(&value.interval) == 7l * SECOND);
    }
    CHECK_ERROR(syscall(SYS_getitimer, 3, &value, 0, 0, 0, 0), EINVAL);
    CHECK_ERROR(set_timer(3, 1, 0, NULL), EINVAL);
    CHECK_ERROR(set_timer(-1, 1, 0, NULL), EINVAL);
}

static void children_do_not_inherit_timers(void)
{
    struct interval value;
    int status;
    pid_t child;

    CHECK(set_timer(PROF, 100l * SECOND, 0, NULL) == 0);
    child = fork();
    if (child == 0) {
        CHECK(syscall(SYS_getitimer, PROF, &value, 0, 0, 0, 0) == 0 && left(&value.value) == 0);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void the_limit_warns_and_ends(void)
{
    struct rlimit limit = {1, 3};
    int status;
    pid_t child = fork();

    if (child == 0) {
        CHECK(syscall(SYS_setrlimit, 0, &limit, 0, 0, 0, 0) == 0);
        CHECK(signal(XCPU, note) != SIG_ERR);
        while (used(PROCESS) < 10l * SECOND) {
            spin_turn();
            CHECK(seen[XCPU] <= 2);
        }
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    limit.rlim_max = 100;
    CHECK(syscall(SYS_setrlimit, 0, &limit, 0, 0, 0, 0) == 0);
    child = fork(); /* which inherits the limit, and has used nothing of it */
    if (child == 0) {
        while (used(PROCESS) < 10l * SECOND) {
            spin_turn();
        }
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == XCPU);
}

/* Near the end of time a sum would begin again at its beginning: ready for ever. */
static void limits_far_away_never_come(void)
{
    static const unsigned long far[] = {2305843009, 9223372035, 9223372036, ~0ul / 2, ~0ul - 1};
    pid_t child = fork();
    int status;

    if (child == 0) {
        for (int i = 0; i < (int)(sizeof(far) / sizeof(*far)); i++) {
            struct rlimit limit = {far[i], ~0ul};

            CHECK(syscall(SYS_setrlimit, 0, &limit, 0, 0, 0, 0) == 0);
            burn(5000000);
        }
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static int burn_in_thread(void *argument)
{
    burn(*(long *)argument);
    return 0;
}

static void one_may_sleep_until_others_have_worked(void)
{
    static struct thread thread;
    static long work = 60000000;
    const struct timespec time = {0, 30000000};
    long start = used(PROCESS);

    thread_start(&thread, burn_in_thread, &work);
    CHECK(syscall(SYS_clock_nanosleep, PROCESS, 0, &time, NULL, 0, 0) == 0);
    CHECK(used(PROCESS) - start >= 30000000);
    thread_join(&thread);
    CHECK_ERROR(syscall(SYS_clock_nanosleep, THREAD, 0, &time, NULL, 0, 0), 95); /* EOPNOTSUPP */
    CHECK_ERROR(syscall(SYS_clock_nanosleep, 100, 0, &time, NULL, 0, 0), EINVAL);
    CHECK_ERROR(syscall(SYS_clock_nanosleep, clock_of(0, OF_THREAD | EXACT), 0, &time, NULL, 0, 0), EINVAL);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(clocks_of_others_can_be_read),
        TEST(timers_count_what_the_process_uses),
        TEST(intervals_go_on),
        TEST(what_is_left_is_told),
        TEST(children_do_not_inherit_timers),
        TEST(the_limit_warns_and_ends),
        TEST(limits_far_away_never_come),
        TEST(one_may_sleep_until_others_have_worked),
    };

    return RUN_TESTS(tests);
}
