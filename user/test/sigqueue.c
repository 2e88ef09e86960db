/* Signals that queue up, with a value each (sigqueue(3), signal(7): real-time signals). */
#include <sys/resource.h>
#include <sys/syscall.h>

#include "tasks.h"

enum { QUEUE = -1, FIRST = 34, LAST = 64, LIMIT_SIGPENDING = 11 };

/* siginfo_t of a signal with a value, as the kernel has it. */
struct info {
    int signal, error, code, padding, pid, uid;
    unsigned long value;
    char rest[96];
};

static long send_to(int number, pid_t to, int signal, unsigned long value)
{
    struct info info = {signal, 0, QUEUE, 0, getpid(), 7, value, ""};

    return number == SYS_rt_sigqueueinfo ? syscall(number, to, signal, &info, 0, 0, 0)
                                     : syscall(number, getpid(), to, signal, &info, 0, 0);
}

static long queue(int signal, unsigned long value)
{
    return send_to(SYS_rt_sigqueueinfo, getpid(), signal, value);
}

static void block_all(void)
{
    sigset_t set;

    sigfillset(&set);
    CHECK(sigprocmask(SIG_SETMASK, &set, NULL) == 0);
}

static int take(struct info *info)
{
    const struct timespec at_once = {0, 0};
    unsigned long all = ~0ul;

    return (int)syscall(SYS_rt_sigtimedwait, &all, info, &at_once, 8, 0, 0);
}

static void they_come_by_number_and_age(void)
{
    static const int sent[] = {LAST, FIRST + 1, FIRST, FIRST + 1, LAST, FIRST, SIGUSR1};
    static const int order[] = {6, 2, 5, 1, 3, 0, 4};
    struct info info;

    block_all();
    for (unsigned i = 0; i < 7; i++) {
        CHECK(queue(sent[i], i + 1000000000000ul) == 0);
    }
    for (unsigned i = 0; i < 7; i++) {
        CHECK(take(&info) == sent[order[i]]);
        CHECK(info.signal == sent[order[i]] && info.code == QUEUE && info.error == 0);
        CHECK(info.pid == getpid() && info.uid == 7);
        CHECK(info.value == (unsigned)order[i] + 1000000000000ul);
    }
    CHECK_ERROR(take(&info), EAGAIN);
}

static void old_ones_do_not_queue(void)
{
    struct info info;

    block_all();
    CHECK(queue(SIGUSR1, 1) == 0 && queue(SIGUSR1, 2) == 0);
    CHECK(take(&info) == SIGUSR1 && info.value == 1);
    CHECK_ERROR(take(&info), EAGAIN);
}

static void each_thread_has_a_queue_before_that_of_all(void)
{
    struct info info;

    block_all();
    CHECK(queue(FIRST, 1) == 0);
    CHECK(send_to(SYS_rt_tgsigqueueinfo, gettid(), FIRST + 1, 2) == 0);
    CHECK(send_to(SYS_rt_tgsigqueueinfo, gettid(), FIRST, 3) == 0);
    CHECK(take(&info) == FIRST && info.value == 3);
    CHECK(take(&info) == FIRST + 1 && info.value == 2);
    CHECK(take(&info) == FIRST && info.value == 1);
}

static int seen[64], count;

static void note(int signal, siginfo_t *info, void *context)
{
    (void)context;
    CHECK(info->si_signo == signal);
    seen[count++] = info->si_status; /* where the value lies */
}

static void handlers_get_each_of_them(void)
{
    const struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
    sigset_t none;

    block_all();
    CHECK(sigaction(FIRST, &action, NULL) == 0);
    for (int i = 0; i < 50; i++) {
        CHECK(queue(FIRST, (unsigned)i) == 0);
    }
    sigemptyset(&none);
    CHECK(sigprocmask(SIG_SETMASK, &none, NULL) == 0);
    CHECK(count == 50);
    for (int i = 0; i < 50; i++) {
        CHECK(seen[i] == i);
    }
}

static void what_is_ignored_is_forgotten(void)
{
    struct info info;

    block_all();
    CHECK(queue(FIRST, 1) == 0 && queue(FIRST, 2) == 0 && queue(LAST, 3) == 0);
    CHECK(signal(FIRST, SIG_IGN) == SIG_DFL);
    CHECK(take(&info) == LAST);
    CHECK_ERROR(take(&info), EAGAIN);
}

static void a_limit_holds_for_all_but_kill(void)
{
    const struct rlimit limit = {8, 8};
    struct info info;
    int queued = 0;

    block_all();
    CHECK(syscall(SYS_setrlimit, LIMIT_SIGPENDING, &limit, 0, 0, 0, 0) == 0);
    while (queued < 100 && queue(FIRST, (unsigned)queued) == 0) {
        queued++;
    }
    CHECK(queued <= 8 && errno == EAGAIN);
    CHECK(kill(getpid(), LAST) == 0 && queue(SIGUSR1, 5) == 0); /* without a place in the queue */
    CHECK(take(&info) == SIGUSR1);
    for (int i = 0; i < queued; i++) {
        CHECK(take(&info) == FIRST && info.value == (unsigned)i);
    }
    CHECK(take(&info) == LAST && info.code == 0);
    CHECK(queue(FIRST, 1) == 0 || queued == 0);
}

static void wrong_senders_are_refused(void)
{
    const struct info fault = {.signal = SIGSEGV, .code = 1}; /* a code above 0: to itself it may say so */
    struct info info = {FIRST, 0, 0, 0, 1, 0, 0, ""};
    pid_t parent = getpid(), child;
    int status;

    block_all();
    CHECK(syscall(SYS_rt_sigqueueinfo, getpid(), FIRST, &info, 0, 0, 0) == 0); /* SI_USER, to itself */
    CHECK_ERROR(syscall(SYS_rt_sigqueueinfo, getpid(), FIRST, 1, 0, 0, 0), EFAULT);
    CHECK_ERROR(queue(65, 0), EINVAL);
    CHECK_ERROR(queue(-1, 0), EINVAL);
    CHECK_ERROR(syscall(SYS_rt_sigqueueinfo, getpid(), -1, &fault, 0, 0, 0), EINVAL);
    CHECK_ERROR(syscall(SYS_rt_sigqueueinfo, getpid(), 65, &fault, 0, 0, 0), EINVAL);
    CHECK(queue(0, 0) == 0);
    CHECK_ERROR(send_to(SYS_rt_sigqueueinfo, 0x7fffffff, FIRST, 0), ESRCH);
    CHECK_ERROR(send_to(SYS_rt_sigqueueinfo, -1, FIRST, 0), ESRCH);
    CHECK_ERROR(send_to(SYS_rt_tgsigqueueinfo, 0, FIRST, 0), EINVAL);
    CHECK_ERROR(send_to(SYS_rt_tgsigqueueinfo, 0x7fffffff, FIRST, 0), ESRCH);
    child = fork();
    if (child == 0) {
        CHECK_ERROR(syscall(SYS_rt_sigqueueinfo, parent, FIRST, &info, 0, 0, 0), EPERM);
        info.code = -6; /* SI_TKILL */
        CHECK_ERROR(syscall(SYS_rt_sigqueueinfo, parent, FIRST, &info, 0, 0, 0), EPERM);
        CHECK_ERROR(syscall(SYS_rt_tgsigqueueinfo, parent, parent, FIRST, &info, 0, 0), EPERM);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void all_that_is_said_is_told(void)
{
    const int codes[] = {QUEUE, 5, -60};

    block_all();
    for (int i = 0; i < 3; i++) {
        struct info sent = {FIRST, 33, codes[i], 0, 1234, 55, 0x123456789abcul, ""}, got;

        CHECK(syscall(SYS_rt_sigqueueinfo, getpid(), FIRST, &sent, 0, 0, 0) == 0 && take(&got) == FIRST);
        CHECK(got.error == 33 && got.code == codes[i] && got.pid == 1234 && got.uid == 55 && got.value == sent.value);
    }
}

static void places_come_back_when_their_process_ends(void)
{
    int status;

    for (int i = 0; i < 40; i++) {
        pid_t child = fork();

        if (child == 0) {
            block_all();
            for (int j = 0; j < 100; j++) {
                CHECK(queue(FIRST, 0) == 0 && send_to(SYS_rt_tgsigqueueinfo, gettid(), LAST, 0) == 0);
            }
            _exit(0);
        }
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
}

int main(void)
{
    static const struct test tests[] = {
        TEST(they_come_by_number_and_age),
        TEST(old_ones_do_not_queue),
        TEST(each_thread_has_a_queue_before_that_of_all),
        TEST(handlers_get_each_of_them),
        TEST(what_is_ignored_is_forgotten),
        TEST(a_limit_holds_for_all_but_kill),
        TEST(wrong_senders_are_refused),
        TEST(all_that_is_said_is_told),
        TEST(places_come_back_when_their_process_ends),
    };

    return RUN_TESTS(tests);
}
