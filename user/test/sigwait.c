/* Signals that are waited for instead of handled (sigwaitinfo(2), sigpending(2)), and tkill(2). */
#include <sys/resource.h>
#include <sys/syscall.h>

#include "tasks.h"

enum { TKILL_CODE = -6, BIT_USR1 = 1 << (SIGUSR1 - 1), BIT_USR2 = 1 << (SIGUSR2 - 1) };

static const struct timespec at_once, soon = {0, 1000000}, long_after = {20, 0};
static int result, error;

static int wait_for(unsigned long mask, siginfo_t *info, const struct timespec *timeout)
{
    return (int)syscall(SYS_rt_sigtimedwait, &mask, info, timeout, 8, 0, 0);
}

static void block(unsigned long mask)
{
    sigset_t set;

    sigemptyset(&set);
    for (int signal = 1; signal < NSIG; signal++) {
        if (mask >> (signal - 1) & 1) {
            sigaddset(&set, signal);
        }
    }
    CHECK(sigprocmask(SIG_SETMASK, &set, NULL) == 0);
}

static unsigned long pending(void)
{
    unsigned long set = 0;

    CHECK(syscall(SYS_rt_sigpending, &set, 8, 0, 0, 0, 0) == 0);
    return set;
}

static void what_is_pending_and_blocked_is_told(void)
{
    block(BIT_USR1 | BIT_USR2);
    CHECK(pending() == 0);
    CHECK(kill(getpid(), SIGUSR1) == 0);
    CHECK(pending() == BIT_USR1);
    CHECK(syscall(SYS_tkill, gettid(), SIGUSR2, 0, 0, 0, 0) == 0);
    CHECK(pending() == (BIT_USR1 | BIT_USR2));
    CHECK_ERROR(syscall(SYS_rt_sigpending, &result, 9, 0, 0, 0, 0), EINVAL);
    CHECK_ERROR(syscall(SYS_rt_sigpending, 1, 8, 0, 0, 0, 0), EFAULT);
}

static void a_pending_one_is_taken_at_once(void)
{
    siginfo_t info;

    block(BIT_USR1 | BIT_USR2);
    CHECK(kill(getpid(), SIGUSR2) == 0);
    CHECK(syscall(SYS_tkill, gettid(), SIGUSR1, 0, 0, 0, 0) == 0);
    CHECK(wait_for(BIT_USR1 | BIT_USR2, &info, NULL) == SIGUSR1);
    CHECK(info.si_signo == SIGUSR1 && info.si_code == TKILL_CODE && info.si_pid == getpid());
    CHECK(wait_for(BIT_USR1 | BIT_USR2, &info, &at_once) == SIGUSR2);
    CHECK(info.si_signo == SIGUSR2 && info.si_code == 0 && info.si_pid == getpid());
    CHECK(pending() == 0);
    CHECK_ERROR(wait_for(BIT_USR1 | BIT_USR2, &info, &at_once), EAGAIN);
    CHECK_ERROR(wait_for(BIT_USR1 | BIT_USR2, &info, &soon), EAGAIN);
}

static void wrong_arguments_are_refused(void)
{
    const struct timespec wrong = {0, 1000000000}, negative = {-1, 0};
    unsigned long mask = BIT_USR1;

    CHECK_ERROR(wait_for(BIT_USR1, NULL, &wrong), EINVAL);
    CHECK_ERROR(wait_for(BIT_USR1, NULL, &negative), EINVAL);
    CHECK_ERROR(wait_for(BIT_USR1, NULL, (void *)1), EFAULT);
    CHECK_ERROR(syscall(SYS_rt_sigtimedwait, &mask, NULL, &at_once, 4, 0, 0), EINVAL);
    CHECK_ERROR(syscall(SYS_rt_sigtimedwait, 1, NULL, &at_once, 8, 0, 0), EFAULT);
    CHECK_ERROR(wait_for(1 << (SIGKILL - 1), NULL, &at_once), EAGAIN);
    block(BIT_USR1);
    CHECK(raise(SIGUSR1) == 0);
    CHECK_ERROR(wait_for(BIT_USR1, (void *)1, &at_once), EFAULT);
    CHECK(pending() == 0);
    CHECK_ERROR(syscall(SYS_tkill, 0, SIGUSR1, 0, 0, 0, 0), EINVAL);
    CHECK_ERROR(syscall(SYS_tkill, gettid(), 65, 0, 0, 0, 0), EINVAL);
    CHECK_ERROR(syscall(SYS_tkill, 0x7fffffff, 0, 0, 0, 0, 0), ESRCH);
    CHECK(syscall(SYS_tkill, gettid(), 0, 0, 0, 0, 0) == 0);
}

static int wait_in_thread(void *argument)
{
    (void)argument;
    result = wait_for(BIT_USR1, NULL, &long_after);
    error = errno;
    return 0;
}

static void waiting_thread_gets_what_all_block(void)
{
    static struct thread thread;
    pid_t tid;

    block(BIT_USR1);
    tid = thread_start(&thread, wait_in_thread, NULL);
    AWAIT(thread_sleeps(tid));
    CHECK(kill(getpid(), SIGUSR1) == 0);
    thread_join(&thread);
    CHECK(result == SIGUSR1 && pending() == 0);
}

static void one_that_is_ignored_unless_blocked_is_waited_for(void)
{
    pid_t child;

    block(1 << (SIGCHLD - 1));
    child = fork();
    if (child == 0) {
        _exit(7);
    }
    siginfo_t info;
    CHECK(wait_for(1 << (SIGCHLD - 1), &info, &long_after) == SIGCHLD);
    CHECK(info.si_pid == child && info.si_code == 1 && info.si_status == 7);
    CHECK(waitpid(child, NULL, 0) == child);
}

static volatile int handled;

static void note(int signal)
{
    handled = signal;
}

static void one_that_is_not_blocked_is_taken_and_not_handled(void)
{
    static struct thread thread;
    pid_t tid;

    CHECK(signal(SIGUSR1, note) != SIG_ERR);
    tid = thread_start(&thread, wait_in_thread, NULL);
    AWAIT(thread_sleeps(tid));
    CHECK(syscall(SYS_tkill, tid, SIGUSR1, 0, 0, 0, 0) == 0);
    thread_join(&thread);
    CHECK(result == SIGUSR1 && !handled);
}

static void a_handler_ends_the_wait_for_another(void)
{
    static struct thread thread;
    const struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART};
    pid_t tid;

    CHECK(sigaction(SIGUSR2, &action, NULL) == 0);
    block(BIT_USR1);
    tid = thread_start(&thread, wait_in_thread, NULL);
    AWAIT(thread_sleeps(tid));
    CHECK(syscall(SYS_tkill, tid, SIGUSR2, 0, 0, 0, 0) == 0);
    thread_join(&thread);
    CHECK(result == -1 && error == EINTR && handled == SIGUSR2);
    CHECK(kill(getpid(), SIGUSR1) == 0); /* nobody awaits it any more */
    CHECK(pending() == BIT_USR1);
}

enum { PR_GET_DUMPABLE = 3, PR_SET_DUMPABLE };

static long dumpable(long option, long value)
{
    return syscall(SYS_prctl, option, value, 0l, 0l, 0l, 0l);
}

static int leaves_core(int number)
{
    const struct sigaction usual = {.sa_handler = SIG_DFL}; /* whoever started us may ignore it */
    const struct rlimit core = {1 << 30, 1 << 30};
    int status;
    pid_t child = fork();

    if (child == 0) {
        syscall(SYS_setrlimit, 4, &core, 0, 0, 0, 0); /* setrlimit(RLIMIT_CORE) */
        sigaction(number, &usual, NULL);
        raise(number);
        _exit(1);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == number);
    return (status & 0x80) != 0;
}

static void some_signals_leave_an_image(void)
{
    static const int with[] = {SIGQUIT, SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, 24, 25, 31};
    static const int without[] = {SIGHUP, SIGINT, SIGKILL, SIGALRM, SIGTERM, 26, 27, 34};

    for (unsigned i = 0; i < sizeof(with) / sizeof(*with); i++) {
        CHECK(leaves_core(with[i]));
    }
    for (unsigned i = 0; i < sizeof(without) / sizeof(*without); i++) {
        CHECK(!leaves_core(without[i]));
    }
}

/* A program with secrets says so; its children have the same in memory, but what they run has not. */
static void a_program_with_secrets_leaves_no_image(void)
{
    static char *const arguments[] = {"sigwait", "dumpable", NULL};
    int status;

    CHECK(dumpable(PR_GET_DUMPABLE, 0) == 1 && leaves_core(SIGQUIT));
    CHECK_ERROR(dumpable(PR_SET_DUMPABLE, 2), EINVAL);
    CHECK_ERROR(dumpable(PR_SET_DUMPABLE, -1), EINVAL);
    CHECK(dumpable(PR_SET_DUMPABLE, 0) == 0 && dumpable(PR_GET_DUMPABLE, 0) == 0);
    CHECK(!leaves_core(SIGQUIT) && !leaves_core(SIGSEGV));
    if (fork() == 0) {
        CHECK(dumpable(PR_GET_DUMPABLE, 0) == 0);
        execve("/proc/self/exe", arguments, NULL);
        _exit(9);
    }
    CHECK(wait(&status) > 0 && status == 1 << 8);
    CHECK(dumpable(PR_SET_DUMPABLE, 1) == 0 && dumpable(PR_GET_DUMPABLE, 0) == 1 && leaves_core(SIGQUIT));
}

int main(int argc, char **argv)
{
    static const struct test tests[] = {
        TEST(what_is_pending_and_blocked_is_told),
        TEST(a_pending_one_is_taken_at_once),
        TEST(wrong_arguments_are_refused),
        TEST(waiting_thread_gets_what_all_block),
        TEST(one_that_is_ignored_unless_blocked_is_waited_for),
        TEST(one_that_is_not_blocked_is_taken_and_not_handled),
        TEST(a_handler_ends_the_wait_for_another),
        TEST(some_signals_leave_an_image),
        TEST(a_program_with_secrets_leaves_no_image),
    };

    if (argc == 2 && strcmp(argv[1], "dumpable") == 0) {
        return (int)dumpable(PR_GET_DUMPABLE, 0);
    }
    return RUN_TESTS(tests);
}
