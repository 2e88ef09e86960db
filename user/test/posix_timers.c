/* Timers of POSIX: timer_create(2) and its kind, seen from the system calls. */
#include <sys/syscall.h>
#include <sys/time.h>

#include "tasks.h"

enum { REALTIME, MONOTONIC, PROCESS_CPU, THREAD_CPU, BOOTTIME = 7 };
enum { NOTIFY_SIGNAL, NOTIFY_NONE, NOTIFY_THREAD_ID = 4, TIMER_CODE = -2, FIRST = 34, MS = 1000000 };

struct event {
    unsigned long value;
    int signal, notify, tid, rest[11];
};

struct spec {
    struct timespec interval, value;
};

struct info {
    int signal, error, code, padding, id, overruns;
    unsigned long value;
    char rest[96];
};

static int create(int clock, const struct event *event)
{
    int id = -1;

    CHECK(syscall(SYS_timer_create, clock, event, &id, 0, 0, 0) == 0 && id >= 0);
    return id;
}

static void set(int id, int flags, long value, long interval)
{
    const struct spec spec = {{interval / 1000, interval % 1000 * MS}, {value / 1000, value % 1000 * MS}};

    CHECK(syscall(SYS_timer_settime, id, flags, &spec, NULL, 0, 0) == 0);
}

/* What is left of it, in milliseconds rounded up. */
static long left(int id)
{
    struct spec spec;

    CHECK(syscall(SYS_timer_gettime, id, &spec, 0, 0, 0, 0) == 0);
    return spec.value.tv_sec * 1000 + (spec.value.tv_nsec + MS - 1) / MS;
}

static void block_all(void)
{
    sigset_t all;

    sigfillset(&all);
    CHECK(sigprocmask(SIG_SETMASK, &all, NULL) == 0);
}

static int take(int signal, struct info *info, int seconds)
{
    const struct timespec time = {seconds, 0};
    unsigned long mask = 1ul << (signal - 1);

    return (int)syscall(SYS_rt_sigtimedwait, &mask, info, &time, 8, 0, 0);
}

static void it_sends_its_signal_with_its_value(void)
{
    const struct event event = {.value = 0x123456789abcdef, .signal = FIRST, .notify = NOTIFY_SIGNAL};
    struct info info;
    int id;

    block_all();
    id = create(MONOTONIC, &event);
    CHECK(left(id) == 0);
    set(id, 0, 20, 0);
    CHECK(left(id) > 0 && left(id) <= 20);
    CHECK(take(FIRST, &info, 60) == FIRST);
    CHECK(info.signal == FIRST && info.code == TIMER_CODE && info.id == id);
    CHECK(info.value == 0x123456789abcdef && info.overruns == 0);
    CHECK(left(id) == 0 && take(FIRST, &info, 0) == -1);
    CHECK(syscall(SYS_timer_delete, id, 0, 0, 0, 0, 0) == 0);
    CHECK_ERROR(syscall(SYS_timer_delete, id, 0, 0, 0, 0, 0), EINVAL);
}

static void without_an_event_it_is_sigalrm_with_its_id(void)
{
    struct info info;
    int ids[2];

    block_all();
    for (int i = 0; i < 2; i++) {
        ids[i] = create(i ? BOOTTIME : REALTIME, NULL);
        set(ids[i], 0, 10, 0);
        CHECK(take(SIGALRM, &info, 60) == SIGALRM && info.code == TIMER_CODE);
        CHECK(info.value == (unsigned)ids[i] && info.id == ids[i]);
    }
    CHECK(ids[0] != ids[1]);
}

static void an_interval_counts_what_nobody_took(void)
{
    const struct event event = {.signal = FIRST, .notify = NOTIFY_SIGNAL};
    struct info info;
    int id;

    block_all();
    id = create(MONOTONIC, &event);
    set(id, 0, 1, 1);
    usleep(50000);
    CHECK(take(FIRST, &info, 60) == FIRST && info.overruns >= 40);
    CHECK(syscall(SYS_timer_getoverrun, id, 0, 0, 0, 0, 0) == info.overruns);
    CHECK(take(FIRST, &info, 60) == FIRST); /* it goes on */
    CHECK(left(id) <= 1);
    set(id, 0, 0, 0);
    CHECK(left(id) == 0);
    take(FIRST, &info, 0);
    CHECK(take(FIRST, &info, 0) == -1);
}

static void absolute_times_may_be_over(void)
{
    struct info info;
    struct timeval now;
    int id;

    block_all();
    id = create(REALTIME, NULL);
    set(id, 1, 1000, 0);
    CHECK(take(SIGALRM, &info, 60) == SIGALRM);
    CHECK(gettimeofday(&now, NULL) == 0);
    set(id, 1, now.tv_sec * 1000 + 100000, 0);
    CHECK(left(id) > 90000 && left(id) <= 101000);
}

static void one_thread_may_be_the_only_one_to_hear(void)
{
    struct event event = {.signal = FIRST, .notify = NOTIFY_THREAD_ID, .tid = gettid()};
    struct info info;
    int id;

    block_all();
    id = create(MONOTONIC, &event);
    set(id, 0, 1, 0);
    CHECK(take(FIRST, &info, 60) == FIRST && info.id == id);
    event.tid = getppid();
    CHECK_ERROR(syscall(SYS_timer_create, MONOTONIC, &event, &id, 0, 0, 0), EINVAL);
}

static void a_silent_one_only_counts_down(void)
{
    const struct event event = {.notify = NOTIFY_NONE};
    int id = create(MONOTONIC, &event);

    set(id, 0, 100000, 0);
    CHECK(left(id) > 50000);
    set(id, 0, 1, 0);
    AWAIT(left(id) == 0);
}

static void cpu_time_drives_one(void)
{
    struct info info;

    block_all();
    for (int clock = PROCESS_CPU; clock <= THREAD_CPU; clock++) {
        int id = create(clock, NULL);
        long taken = -1;

        set(id, 0, 20, 0);
        usleep(50000);
        CHECK(left(id) > 5); /* asleep it uses nothing */
        for (int i = 0; i < 1000000 && taken < 0; i++) {
            for (volatile int j = 0; j < 1000; j++) {
            }
            taken = take(SIGALRM, &info, 0);
        }
        CHECK(taken == SIGALRM && info.id == id && left(id) == 0);
    }
}

static void one_that_is_ignored_goes_on(void)
{
    const struct event event = {.signal = FIRST, .notify = NOTIFY_SIGNAL};
    struct info info;
    int id;

    CHECK(signal(FIRST, SIG_IGN) != SIG_ERR);
    id = create(MONOTONIC, &event);
    set(id, 0, 1, 1);
    usleep(20000);
    block_all();
    CHECK(signal(FIRST, SIG_DFL) != SIG_ERR);
    CHECK(take(FIRST, &info, 60) == FIRST && info.id == id);
}

static void children_and_programs_have_none(void)
{
    int id = create(MONOTONIC, NULL), status;
    struct spec spec;
    pid_t child;

    set(id, 0, 100000, 0);
    child = fork();
    if (child == 0) {
        CHECK_ERROR(syscall(SYS_timer_gettime, id, &spec, 0, 0, 0, 0), EINVAL);
        CHECK(create(MONOTONIC, NULL) == 0); /* ids begin anew */
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void wrong_arguments_are_refused(void)
{
    struct event event = {.signal = FIRST, .notify = NOTIFY_SIGNAL};
    const struct spec wrong = {{0, 0}, {0, 1000000000}}, negative = {{-1, 0}, {1, 0}};
    int id;

    CHECK_ERROR(syscall(SYS_timer_create, 100, NULL, &id, 0, 0, 0), EINVAL);
    CHECK_ERROR(syscall(SYS_timer_create, 4, NULL, &id, 0, 0, 0), 95); /* CLOCK_MONOTONIC_RAW: EOPNOTSUPP */
    CHECK_ERROR(syscall(SYS_timer_create, MONOTONIC, 1, &id, 0, 0, 0), EFAULT);
    CHECK_ERROR(syscall(SYS_timer_create, MONOTONIC, NULL, 1, 0, 0, 0), EFAULT);
    event.signal = 65;
    CHECK_ERROR(syscall(SYS_timer_create, MONOTONIC, &event, &id, 0, 0, 0), EINVAL);
    event.signal = 0;
    CHECK_ERROR(syscall(SYS_timer_create, MONOTONIC, &event, &id, 0, 0, 0), EINVAL);
    event = (struct event){.signal = FIRST, .notify = 9};
    CHECK_ERROR(syscall(SYS_timer_create, MONOTONIC, &event, &id, 0, 0, 0), EINVAL);
    id = create(MONOTONIC, NULL);
    CHECK_ERROR(syscall(SYS_timer_settime, id, 0, &wrong, NULL, 0, 0), EINVAL);
    CHECK_ERROR(syscall(SYS_timer_settime, id, 0, &negative, NULL, 0, 0), EINVAL);
    CHECK_ERROR(syscall(SYS_timer_settime, id, 0, NULL, NULL, 0, 0), EINVAL);
    CHECK_ERROR(syscall(SYS_timer_settime, id, 0, 1, NULL, 0, 0), EFAULT);
    CHECK_ERROR(syscall(SYS_timer_gettime, id, 1, 0, 0, 0, 0), EFAULT);
    CHECK_ERROR(syscall(SYS_timer_gettime, id + 1, &event, 0, 0, 0, 0), EINVAL);
    CHECK_ERROR(syscall(SYS_timer_getoverrun, id + 1, 0, 0, 0, 0, 0), EINVAL);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(it_sends_its_signal_with_its_value),
        TEST(without_an_event_it_is_sigalrm_with_its_id),
        TEST(an_interval_counts_what_nobody_took),
        TEST(absolute_times_may_be_over),
        TEST(one_thread_may_be_the_only_one_to_hear),
        TEST(a_silent_one_only_counts_down),
        TEST(cpu_time_drives_one),
        TEST(one_that_is_ignored_goes_on),
        TEST(children_and_programs_have_none),
        TEST(wrong_arguments_are_refused),
    };

    return RUN_TESTS(tests);
}
