/* Calls on clocks, policies and the CPU that give a number back: what they say, and what they refuse. */
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "tasks.h"

enum { SETPARAM = 142, GETPARAM, GETSCHEDULER = 145, PRIORITY_MAX, PRIORITY_MIN, RR_INTERVAL };
enum { SETRLIMIT = 160, SETTIMEOFDAY = 164, TIME = 201, SETTIME = 227, GETTIME, GETRES, GETCPU = 309 };
enum { OTHER, FIFO, RR, BATCH, IDLE = 5, DEADLINE, RESET_ON_FORK = 0x40000000 };

static long call(int number, long a, const void *b)
{
    return syscall(number, a, b, 0, 0, 0, 0);
}

static void clocks_have_a_resolution(void)
{
    static const int precise[] = {0, 1, 2, 3, 4, 7};
    struct timespec resolution;

    for (unsigned i = 0; i < sizeof(precise) / sizeof(*precise); i++) {
        resolution = (struct timespec){-1, -1};
        CHECK(call(GETRES, precise[i], &resolution) == 0);
        CHECK(resolution.tv_sec == 0 && resolution.tv_nsec == 1);
    }
    CHECK(call(GETRES, 5, &resolution) == 0 && call(GETRES, 6, NULL) == 0);
    CHECK_ERROR(call(GETRES, 100, &resolution), EINVAL);
    CHECK_ERROR(call(GETRES, 0, (void *)1), EFAULT);
}

static void time_is_the_seconds_of_the_clock(void)
{
    struct timespec before, after;
    long seconds, stored;

    CHECK(call(GETTIME, 0, &before) == 0);
    seconds = call(TIME, (long)&stored, NULL);
    CHECK(call(GETTIME, 0, &after) == 0);
    CHECK(stored == seconds && seconds >= before.tv_sec - 1 && seconds <= after.tv_sec);
    CHECK_ERROR(call(TIME, 1, NULL), EFAULT);
}

static void what_cannot_be_set_is_refused(void)
{
    const struct timespec now = {1, 0}, wrong = {0, -1};

    CHECK_ERROR(call(SETTIME, 1, &now), EINVAL); /* CLOCK_MONOTONIC */
    CHECK_ERROR(call(SETTIME, 100, &now), EINVAL);
    CHECK_ERROR(call(SETTIME, 0, &wrong), EINVAL);
    CHECK_ERROR(call(SETTIME, 0, (void *)1), EFAULT);
}

static void policies_have_bounds(void)
{
    CHECK(call(PRIORITY_MAX, FIFO, NULL) == 99 && call(PRIORITY_MIN, FIFO, NULL) == 1);
    CHECK(call(PRIORITY_MAX, RR, NULL) == 99 && call(PRIORITY_MIN, RR, NULL) == 1);
    for (int policy = BATCH; policy <= DEADLINE; policy++) {
        long expected = policy == 4 ? -1 : 0;

        CHECK(call(PRIORITY_MAX, policy, NULL) == expected);
        CHECK(call(PRIORITY_MIN, policy, NULL) == expected);
    }
    CHECK_ERROR(call(PRIORITY_MAX, 99, NULL), EINVAL);
    CHECK_ERROR(call(PRIORITY_MIN, -1, NULL), EINVAL);
}

static void parameters_fit_the_policy(void)
{
    int zero = 0, one = 1, priority = -1;

    CHECK(call(GETPARAM, 0, &priority) == 0 && priority == 0);
    CHECK(call(SETPARAM, 0, &zero) == 0);
    CHECK_ERROR(call(SETPARAM, 0, &one), EINVAL);
    CHECK_ERROR(call(SETPARAM, 0, NULL), EINVAL);
    CHECK_ERROR(call(SETPARAM, -1, &zero), EINVAL);
    CHECK_ERROR(call(SETPARAM, 0x7fffffff, &zero), ESRCH);
    CHECK_ERROR(call(SETPARAM, 0, (void *)1), EFAULT);
    CHECK_ERROR(call(GETPARAM, 0, NULL), EINVAL);
    CHECK_ERROR(call(GETPARAM, -1, &priority), EINVAL);
    CHECK_ERROR(call(GETPARAM, 0x7fffffff, &priority), ESRCH);
    CHECK_ERROR(call(GETPARAM, 0, (void *)1), EFAULT);
    CHECK_ERROR(syscall(SYS_sched_setscheduler, 0, DEADLINE, &zero, 0, 0, 0), EINVAL);
    CHECK_ERROR(syscall(SYS_sched_setscheduler, 0, FIFO, &zero, 0, 0, 0), EINVAL);
}

static void children_inherit_the_policy_unless_told(void)
{
    int zero = 0, status;
    pid_t child;

    CHECK(syscall(SYS_sched_setscheduler, 0, BATCH, &zero, 0, 0, 0) == 0);
    child = fork();
    if (child == 0) {
        _exit((int)call(GETSCHEDULER, 0, NULL));
    }
    CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == BATCH);
    CHECK(syscall(SYS_sched_setscheduler, 0, BATCH | RESET_ON_FORK, &zero, 0, 0, 0) == 0);
    CHECK(call(GETSCHEDULER, 0, NULL) == (BATCH | RESET_ON_FORK));
    CHECK(call(SETPARAM, 0, &zero) == 0);
    child = fork();
    if (child == 0) {
        _exit(call(GETSCHEDULER, 0, NULL) == BATCH ? 0 : 1);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void a_turn_has_a_length(void)
{
    struct timespec interval = {-1, -1};

    CHECK(call(RR_INTERVAL, 0, &interval) == 0);
    CHECK(interval.tv_sec == 0 && interval.tv_nsec >= 0);
    CHECK_ERROR(call(RR_INTERVAL, -1, &interval), EINVAL);
    CHECK_ERROR(call(RR_INTERVAL, 0x7fffffff, &interval), ESRCH);
    CHECK_ERROR(call(RR_INTERVAL, 0, (void *)1), EFAULT);
}

static void getcpu_tells_one_that_is_allowed(void)
{
    unsigned cpu = ~0u, node = ~0u;
    unsigned long mask[16] = {0};

    CHECK(call(GETCPU, (long)&cpu, &node) == 0 && node < 64);
    CHECK(syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask, 0, 0, 0) > 0);
    CHECK(mask[cpu / 64] >> cpu % 64 & 1);
    CHECK(call(GETCPU, 0, NULL) == 0);
    CHECK_ERROR(call(GETCPU, 1, NULL), EFAULT);
}

static void limits_of_others_can_be_seen(void)
{
    struct rlimit limit = {100, 200}, seen;
    pid_t parent = getpid(), child;
    int status;

    CHECK(call(SETRLIMIT, 7, &limit) == 0); /* RLIMIT_NOFILE */
    child = fork();
    if (child == 0) {
        CHECK(syscall(SYS_prlimit64, parent, 7, NULL, &seen, 0, 0) == 0);
        _exit(seen.rlim_cur == 100 && seen.rlim_max == 200 ? 0 : 1);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK_ERROR(call(SETRLIMIT, 7, (void *)1), EFAULT);
    limit.rlim_cur = 201;
    CHECK_ERROR(call(SETRLIMIT, 7, &limit), EINVAL);
    CHECK_ERROR(call(SETRLIMIT, 16, &limit), EINVAL);
    CHECK_ERROR(syscall(SYS_prlimit64, 0x7fffffff, 7, NULL, &seen, 0, 0), ESRCH);
}

static int words[2];

static long wake_op(unsigned op, unsigned argument, unsigned comparison, unsigned with)
{
    return syscall(SYS_futex, &words[0], 5, 1, 1, &words[1],
                   op << 28 | comparison << 24 | (argument & 0xfff) << 12 | (with & 0xfff));
}

static void wake_op_changes_the_second_word(void)
{
    static const struct {
        unsigned op, argument;
        int before, after;
    } cases[] = {
        {0, 5, 1, 5}, {0, 0xfff, 1, -1}, {1, 3, 4, 7}, {1, 0xfff, 4, 3}, {2, 6, 9, 15},
        {3, 6, 15, 9}, {4, 6, 12, 10}, {8, 4, 0, 16}, {9, 31, 1, (int)0x80000001},
    };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        words[1] = cases[i].before;
        CHECK(wake_op(cases[i].op, cases[i].argument, 0, 0) == 0);
        CHECK(words[1] == cases[i].after);
    }
    words[1] = 1;
    CHECK_ERROR(wake_op(5, 0, 0, 0), ENOSYS);
    CHECK(words[1] == 1);
    CHECK_ERROR(wake_op(0, 0, 6, 0), ENOSYS);
    CHECK_ERROR(syscall(SYS_futex, (char *)words + 1, 5, 1, 1, &words[1], 0), EINVAL);
    CHECK_ERROR(syscall(SYS_futex, words, 5, 1, 1, 4096, 0), EFAULT);
}

static int wait_on(void *word)
{
    futex(word, FUTEX_WAIT, 0, NULL);
    return 0;
}

static void wake_op_wakes_at_both_words(void)
{
    static struct thread threads[3];
    pid_t tids[3];

    words[0] = words[1] = 0;
    for (int i = 0; i < 3; i++) {
        tids[i] = thread_start(&threads[i], wait_on, &words[i == 2]);
    }
    AWAIT(thread_sleeps(tids[0]) && thread_sleeps(tids[1]) && thread_sleeps(tids[2]));
    CHECK(wake_op(1, 0, 5, 1) == 1); /* not: *word2 >= 1 */
    CHECK(wake_op(0, 1, 0, 0) == 2); /* both: *word2 was 0 */
    for (int i = 0; i < 3; i++) {
        thread_join(&threads[i]);
    }
}

int main(void)
{
    static const struct test tests[] = {
        TEST(clocks_have_a_resolution),
        TEST(time_is_the_seconds_of_the_clock),
        TEST(what_cannot_be_set_is_refused),
        TEST(policies_have_bounds),
        TEST(parameters_fit_the_policy),
        TEST(children_inherit_the_policy_unless_told),
        TEST(a_turn_has_a_length),
        TEST(getcpu_tells_one_that_is_allowed),
        TEST(limits_of_others_can_be_seen),
        TEST(wake_op_changes_the_second_word),
        TEST(wake_op_wakes_at_both_words),
    };

    return RUN_TESTS(tests);
}
