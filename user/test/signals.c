/* Signals, timers, sleeping. */
#include <sys/syscall.h>
#include <time.h>

#include "ktap.h"

static volatile int caught, code;
static void *volatile address;

static void handler(int signal)
{
    caught = signal;
}

static void detailed(int signal, siginfo_t *info, void *context)
{
    (void)context;
    caught = signal;
    code = info->si_code;
    address = info->si_addr;
    _exit(address == (void *)0x1234 ? 0 : 1);
}

static void handler_runs_and_returns(void)
{
    volatile double before = 1.5;
    double value = before * 3;

    signal(SIGUSR1, handler);
    CHECK(raise(SIGUSR1) == 0 && caught == SIGUSR1);
    CHECK(value == 4.5);
}

static void blocked_signal_waits(void)
{
    sigset_t set, old;

    signal(SIGUSR1, handler);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK(sigprocmask(SIG_BLOCK, &set, &old) == 0);
    CHECK(raise(SIGUSR1) == 0 && caught == 0);
    CHECK(sigprocmask(SIG_SETMASK, &old, NULL) == 0);
    CHECK(caught == SIGUSR1);
}

static void segv_names_the_address(void)
{
    struct sigaction action = {.sa_flags = SA_SIGINFO};

    action.sa_sigaction = detailed;
    CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
    *(volatile char *)0x1234 = 1;
    CHECK(0);
}

static void sleep_is_interrupted(void)
{
    struct sigaction action = {.sa_handler = handler};
    struct timespec time = {10, 0}, left = {0, 0};

    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    alarm(1);
    CHECK_ERROR(nanosleep(&time, &left), EINTR);
    CHECK(caught == SIGALRM && left.tv_sec >= 8);
}

static void read_restarts_or_not(void)
{
    struct sigaction action = {.sa_handler = handler};
    int fds[2];
    char c;

    CHECK(pipe(fds) == 0);
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    if (fork() == 0) {
        usleep(50000);
        kill(getppid(), SIGUSR1);
        usleep(50000);
        kill(getppid(), SIGUSR1);
        usleep(50000);
        write(fds[1], "x", 1);
        _exit(0);
    }
    CHECK_ERROR(read(fds[0], &c, 1), EINTR);
    action.sa_flags = SA_RESTART;
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    CHECK(read(fds[0], &c, 1) == 1 && c == 'x');
}

static void sigsuspend_lets_one_through(void)
{
    sigset_t set, old, empty;

    signal(SIGUSR1, handler);
    sigemptyset(&set);
    sigemptyset(&empty);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, &old);
    raise(SIGUSR1);
    CHECK_ERROR(sigsuspend(&empty), EINTR);
    CHECK(caught == SIGUSR1);
    CHECK(sigprocmask(SIG_BLOCK, NULL, &empty) == 0 && sigismember(&empty, SIGUSR1));
}

static void handler_on_its_own_stack(void)
{
    static char stack[65536];
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};

    CHECK(sigaltstack(&alternate, NULL) == 0);
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    CHECK(raise(SIGUSR1) == 0 && caught == SIGUSR1);
}

static void child_signal(void)
{
    signal(SIGCHLD, handler);
    if (fork() == 0) {
        _exit(0);
    }
    while (wait(NULL) < 0 && errno == EINTR) {
    }
    CHECK(caught == SIGCHLD);
    signal(SIGCHLD, SIG_IGN);
    if (fork() == 0) {
        _exit(0);
    }
    CHECK_ERROR(wait(NULL), ECHILD);
}

static void handler_that_is_no_address(void)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        signal(SIGUSR1, (void (*)(int))0x8000000000000000ul);
        raise(SIGUSR1);
        _exit(0);
    }
    waitpid(pid, &status, 0);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

static void timers_of_any_length(void)
{
    const long values[][4] = {
        {1l << 34, 0, 0, 1}, {0, 1, 0, 1}, {1l << 60, 999999, 1l << 60, 0}, {0, 0, 0, 0},
    };

    signal(SIGALRM, SIG_IGN);
    for (int i = 0; i < 4; i++) {
        CHECK(syscall(SYS_setitimer, 0L, values[i], 0L, 0L, 0L, 0L) == 0);
        usleep(10000);
    }
}

static int codes[4], code_count;

static void note_code(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)context;
    if (code_count < 4) {
        codes[code_count++] = info->si_code;
    }
}

static void stops_and_ends_are_told(void)
{
    struct sigaction action = {.sa_flags = SA_SIGINFO};
    sigset_t set, old;
    pid_t pid;

    action.sa_sigaction = note_code;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, &old);
    CHECK(sigaction(SIGCHLD, &action, NULL) == 0);
    pid = fork();
    if (pid == 0) {
        for (;;) {
            pause();
        }
    }
    kill(pid, SIGSTOP);
    sigsuspend(&old);
    kill(pid, SIGCONT);
    sigsuspend(&old);
    kill(pid, SIGKILL);
    sigsuspend(&old);
    CHECK(code_count == 3 && codes[0] == 5 && codes[1] == 6 && codes[2] == 2);
}

static void action_errors(void)
{
    struct sigaction action = {.sa_handler = handler};

    CHECK_ERROR(sigaction(SIGKILL, &action, NULL), EINVAL);
    CHECK_ERROR(sigaction(65, &action, NULL), EINVAL);
}

static void sleep_is_long_enough(void)
{
    struct timespec start, end, time = {0, 30000000}, bad = {0, 1000000000};
    long elapsed;

    clock_gettime(CLOCK_MONOTONIC, &start);
    CHECK(nanosleep(&time, NULL) == 0);
    clock_gettime(CLOCK_MONOTONIC, &end);
    elapsed = (end.tv_sec - start.tv_sec) * 1000000000 + end.tv_nsec - start.tv_nsec;
    CHECK(elapsed >= 30000000);
    CHECK_ERROR(nanosleep(&bad, NULL), EINVAL);
    CHECK_ERROR(nanosleep((struct timespec *)8, NULL), EFAULT);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(handler_runs_and_returns), TEST(blocked_signal_waits), TEST(segv_names_the_address),
        TEST(sleep_is_interrupted), TEST(read_restarts_or_not), TEST(sigsuspend_lets_one_through),
        TEST(handler_on_its_own_stack), TEST(child_signal), TEST(handler_that_is_no_address),
        TEST(timers_of_any_length), TEST(stops_and_ends_are_told), TEST(action_errors),
        TEST(sleep_is_long_enough),
    };

    return RUN_TESTS(tests);
}
