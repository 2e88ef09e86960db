/* The finer rules of signals: masks of calls, what is discarded, the order, stops. */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/syscall.h>

#include "counted.h"
#include "tasks.h"

static sigset_t none, usr1;

/* SIGUSR1 is blocked and pending; a call may let it in. */
static void make_pending(void)
{
    sigemptyset(&none);
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    sigprocmask(SIG_UNBLOCK, &usr1, NULL);
    sigprocmask(SIG_BLOCK, &usr1, NULL);
    handle(SIGUSR1, count, SA_RESTART);
    ran = 0;
    raise(SIGUSR1);
}

static void mask_lets_a_pending_one_in_without_waiting(void)
{
    struct timespec now = {0, 0}, soon = {0, 1000000};
    fd_set set;
    int fds[2];
    struct pollfd reader, writer;

    CHECK(pipe(fds) == 0);
    reader = (struct pollfd){.fd = fds[0], .events = POLLIN};
    writer = (struct pollfd){.fd = fds[1], .events = POLLOUT};
    make_pending();
    CHECK_ERROR(ppoll(NULL, 0, &now, &none), EINTR);
    CHECK(ran == 1);
    make_pending();
    CHECK_ERROR(ppoll(&reader, 1, &now, &none), EINTR);
    CHECK(ran == 1);
    make_pending();
    CHECK(ppoll(&writer, 1, &now, &none) == 1 && ran == 0); /* what is ready comes first */
    make_pending();
    CHECK(ppoll(&reader, 1, &now, NULL) == 0 && ran == 0);
    make_pending();
    FD_ZERO(&set);
    FD_SET(fds[0], &set);
    CHECK_ERROR(pselect(fds[0] + 1, &set, NULL, NULL, &now, &none), EINTR);
    CHECK(ran == 1 && FD_ISSET(fds[0], &set));
    make_pending();
    FD_ZERO(&set);
    FD_SET(fds[1], &set);
    CHECK(pselect(fds[1] + 1, NULL, &set, NULL, &soon, &none) == 1 && ran == 0);
    handle(SIGUSR1, SIG_IGN, 0);
    block(SIGCHLD);
    raise(SIGCHLD); /* nothing happens by default: the call goes on */
    CHECK(ppoll(&reader, 1, &now, &none) == 0);
}

static void epoll_looks_at_signals_only_when_it_waits(void)
{
    struct epoll_event event = {.events = EPOLLIN}, out;
    struct timespec soon = {0, 1000000};
    int fds[2], set = epoll_create1(0);

    CHECK(pipe(fds) == 0 && epoll_ctl(set, EPOLL_CTL_ADD, fds[0], &event) == 0);
    make_pending();
    CHECK(epoll_pwait(set, &out, 1, 0, &none) == 0 && ran == 0);
    CHECK_ERROR(epoll_pwait(set, &out, 1, 1, &none), EINTR);
    CHECK(ran == 1);
    make_pending();
    CHECK_ERROR(epoll_pwait2(set, &out, 1, &soon, &none), EINTR);
    CHECK(ran == 1 && write(fds[1], "x", 1) == 1);
    make_pending();
    CHECK(epoll_pwait(set, &out, 1, -1, &none) == 1 && ran == 0);
}

static volatile int step;

static int has_one_pending(void *argument)
{
    (void)argument;
    step = 1;
    while (step != 2) {
        usleep(1000);
    }
    sigprocmask(SIG_UNBLOCK, &usr1, NULL);
    return 0;
}

static void ignoring_discards_what_is_pending(void)
{
    static struct thread thread;
    pid_t tid;

    make_pending();          /* the thread's own */
    kill(getpid(), SIGUSR1); /* the process's */
    handle(SIGUSR1, SIG_IGN, 0);
    handle(SIGUSR1, count, 0);
    sigprocmask(SIG_UNBLOCK, &usr1, NULL);
    CHECK(ran == 0);
    sigprocmask(SIG_BLOCK, &usr1, NULL);
    tid = thread_start(&thread, has_one_pending, NULL);
    AWAIT(step == 1);
    CHECK(syscall(SYS_tgkill, getpid(), tid, SIGUSR1, 0, 0, 0) == 0);
    handle(SIGUSR1, SIG_IGN, 0);
    handle(SIGUSR1, count, 0);
    step = 2;
    thread_join(&thread);
    CHECK(ran == 0);
}

static void default_discards_where_it_does_nothing(void)
{
    for (int i = 0; i < 2; i++) {
        int signal = i ? SIGTERM : SIGWINCH;

        ran = 0;
        handle(signal, count, 0);
        block(signal);
        raise(signal);
        handle(signal, SIG_DFL, 0);
        handle(signal, count, 0);
        sigprocmask(SIG_SETMASK, &none, NULL);
        CHECK(ran == (signal == SIGTERM));
    }
    ran = 0;
    handle(SIGUSR1, SIG_IGN, 0);
    block(SIGUSR1);
    raise(SIGUSR1); /* blocked: it may be wanted later */
    handle(SIGUSR1, count, 0);
    sigprocmask(SIG_SETMASK, &none, NULL);
    CHECK(ran == 1);
}

static void action_keeps_known_flags(void)
{
    struct sigaction action = {.sa_handler = count, .sa_flags = SA_RESTART | 0x490}, old;

    CHECK(sigaction(SIGUSR1, &action, NULL) == 0 && sigaction(SIGUSR1, NULL, &old) == 0);
    CHECK((old.sa_flags & 0xffff) == 0 && old.sa_flags & SA_RESTART);
}

static void faults_are_taken_first(void)
{
    sigset_t all;

    handle(SIGHUP, count, 0);
    handle(SIGSEGV, count, 0);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    raise(SIGHUP);
    raise(SIGSEGV);
    sigprocmask(SIG_SETMASK, &none, NULL);
    CHECK(ran == 2 && first == SIGHUP && last == SIGSEGV); /* its frame is below the other one */
}

static void kill_errors(void)
{
    CHECK_ERROR(kill(30000, 65), ESRCH);
    CHECK_ERROR(kill(getpid(), 65), EINVAL);
    CHECK_ERROR(kill(getpid(), -1), EINVAL);
    CHECK_ERROR(kill(-2147483647 - 1, SIGTERM), ESRCH);
    CHECK_ERROR(syscall(SYS_tgkill, getpid(), 30000, 65, 0, 0, 0), ESRCH);
    CHECK_ERROR(syscall(SYS_tgkill, getpid(), getpid(), 65, 0, 0, 0), EINVAL);
    CHECK_ERROR(syscall(SYS_tgkill, 0, getpid(), 65, 0, 0, 0), EINVAL);
}

static int spin(void *shared)
{
    while (++*(volatile long *)shared != 0) {
    }
    return 0;
}

static void stop_is_told_when_all_threads_have_stopped(void)
{
    static struct thread threads[2];
    volatile long *shared =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    long before[3];
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        thread_start(&threads[0], spin, (void *)(shared + 1));
        thread_start(&threads[1], spin, (void *)(shared + 2));
        spin((void *)shared);
    }
    AWAIT(shared[0] && shared[1] && shared[2]);
    for (int round = 0; round < 20; round++) {
        kill(pid, SIGSTOP);
        CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
        memcpy(before, (void *)shared, sizeof(before));
        usleep(100);
        CHECK(memcmp(before, (void *)shared, sizeof(before)) == 0);
        kill(pid, SIGCONT);
        CHECK(waitpid(pid, &status, WCONTINUED) == pid && WIFCONTINUED(status));
    }
    kill(pid, SIGKILL);
    CHECK(waitpid(pid, &status, 0) == pid);
}

static void continue_is_never_lost(void)
{
    int status;

    for (int i = 0; i < 100; i++) {
        pid_t pid = fork();

        if (pid == 0) {
            for (;;) {
                pause();
            }
        }
        usleep((unsigned)i * 3);
        kill(pid, SIGSTOP);
        kill(pid, SIGCONT);
        kill(pid, SIGTERM);
        CHECK(waitpid(pid, &status, 0) == pid && WTERMSIG(status) == SIGTERM);
    }
}

static volatile sig_atomic_t continued;

static void note_continue(int signal)
{
    (void)signal;
    continued = 1;
}

static int ends[2];

/* In the parent's group: stopped for good, if nobody continues it. Says what it heard. */
static pid_t stopped_one(void)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        handle(SIGHUP, count, 0);
        handle(SIGCONT, note_continue, 0);
        raise(SIGSTOP);
        CHECK(write(ends[1], ran == 1 && continued ? "+" : "-", 1) == 1);
        _exit(0);
    }
    CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
    return pid;
}

static void wait_for_the_end_of(pid_t pid) /* which stays a zombie */
{
    enum { IT = 1, ENDED = 4, LEAVE = 0x1000000 };

    CHECK(syscall(SYS_waitid, IT, pid, NULL, ENDED | LEAVE, NULL) == 0);
}

/* A group, not the caller's, of one that has ended and one with a stopped child. It ends, or its parent does. */
static void leave_a_stopped_group(int parent_ends)
{
    pid_t first = fork(), second;

    if (first == 0) {
        _exit(setpgid(0, 0));
    }
    wait_for_the_end_of(first);
    second = fork();
    if (second == 0) {
        CHECK(setpgid(0, first) == 0);
        handle(SIGHUP, count, 0);
        stopped_one();
        if (!parent_ends) {
            _exit(0);
        }
        kill(getppid(), SIGKILL);
        AWAIT(ran == 1);
        _exit(write(ends[1], "+", 1) != 1);
    }
    if (parent_ends) {
        pause();
    }
    wait_for_the_end_of(second);
}

/* _exit(2): all of the group hear SIGHUP, and who is stopped goes on. */
static void stopped_group_goes_on_when_nobody_could_continue_it(void)
{
    char said[3];

    CHECK(pipe(ends) == 0);
    for (int parent_ends = 0; parent_ends < 2; parent_ends++) {
        pid_t pid = fork();

        if (pid == 0) {
            CHECK(setsid() == getpid());
            leave_a_stopped_group(parent_ends);
            pause();
        }
        ran = 0;
        for (int i = 0; i <= parent_ends; i++) {
            CHECK(read(ends[0], said + i, 1) == 1 && said[i] == '+');
        }
        kill(pid, SIGKILL);
        CHECK(waitpid(pid, NULL, 0) == pid);
    }
}

static volatile int word;

static void wait_a_moment(int call)
{
    struct timespec time = {1, 0};

    if (call == 0) {
        CHECK(nanosleep(&time, NULL) == 0);
    } else if (call == 1) {
        CHECK(poll(NULL, 0, 1000) == 0);
    } else if (call == 2) {
        CHECK_ERROR(futex(&word, FUTEX_WAIT, 0, &time), ETIMEDOUT);
    } else {
        CHECK(clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL) == 0);
    }
}

/* The time in the child: from its own start, so that nothing else counts. */
static void stopped_call_ends_when_it_would_have(void)
{
    pid_t pids[4];
    int status;

    for (int call = 0; call < 4; call++) {
        struct timespec start, end;

        pids[call] = fork();
        if (pids[call] == 0) {
            clock_gettime(CLOCK_MONOTONIC, &start);
            wait_a_moment(call);
            clock_gettime(CLOCK_MONOTONIC, &end);
            end.tv_nsec += (end.tv_sec - start.tv_sec) * 1000000000 - start.tv_nsec;
            _exit(end.tv_nsec < 1700000000 ? 0 : 1); /* if it began again: 1800 ms at least */
        }
    }
    usleep(800000);
    for (int call = 0; call < 4; call++) {
        kill(pids[call], SIGSTOP);
        kill(pids[call], SIGCONT);
    }
    for (int call = 0; call < 4; call++) {
        CHECK(waitpid(pids[call], &status, 0) == pids[call] && status == 0);
    }
}

int main(void)
{
    static const struct test tests[] = {
        TEST(mask_lets_a_pending_one_in_without_waiting),
        TEST(epoll_looks_at_signals_only_when_it_waits),
        TEST(ignoring_discards_what_is_pending),
        TEST(default_discards_where_it_does_nothing),
        TEST(action_keeps_known_flags),
        TEST(faults_are_taken_first),
        TEST(kill_errors),
        TEST(stop_is_told_when_all_threads_have_stopped),
        TEST(continue_is_never_lost),
        TEST(stopped_group_goes_on_when_nobody_could_continue_it),
        TEST(stopped_call_ends_when_it_would_have),
    };

    return RUN_TESTS(tests);
}
