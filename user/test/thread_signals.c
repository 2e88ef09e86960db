/* Signals and threads: which thread takes one, and what it does to all. */
#include <sys/syscall.h>

#include "tasks.h"

static struct thread threads[3];
static pid_t tids[3];
static volatile int taken_by[NSIG], ready, go;

static void note(int signal)
{
    taken_by[signal] = gettid();
}

static void handle(int signal, int flags)
{
    struct sigaction action = {.sa_handler = note, .sa_flags = flags};

    CHECK(sigaction(signal, &action, NULL) == 0);
}

static void set_mask(int how, int signal)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, signal);
    sigprocmask(how, &set, NULL);
}

static int tgkill(pid_t process, pid_t tid, int signal)
{
    return (int)syscall(SYS_tgkill, process, tid, signal, 0, 0, 0);
}

/* A thread that lets SIGUSR1 in and sleeps in a call; -1, EINTR go to its argument. */
static int let_in_and_sleep(void *argument)
{
    set_mask(SIG_UNBLOCK, SIGUSR1);
    *(int *)argument = pause() == -1 ? errno : 0;
    return 0;
}

static int block_and_sleep(void *argument)
{
    while (!go) {
        futex(&go, FUTEX_WAIT, 0, NULL);
    }
    return argument != NULL;
}

static void release(void)
{
    go = 1;
    futex(&go, FUTEX_WAKE, 9, NULL);
}

static void sleeper_takes_what_the_others_block(void)
{
    int result = 0;

    handle(SIGUSR1, 0);
    set_mask(SIG_BLOCK, SIGUSR1); /* inherited: the other two block it, too */
    tids[0] = thread_start(&threads[0], block_and_sleep, NULL);
    tids[1] = thread_start(&threads[1], let_in_and_sleep, &result);
    AWAIT(thread_sleeps(tids[0]) && thread_sleeps(tids[1]));
    CHECK(kill(getpid(), SIGUSR1) == 0);
    thread_join(&threads[1]);
    CHECK(result == EINTR && taken_by[SIGUSR1] == tids[1]);
    release();
    thread_join(&threads[0]);
}

static void first_thread_takes_it_if_it_can(void)
{
    int result = 0;

    handle(SIGUSR1, 0);
    tids[1] = thread_start(&threads[1], let_in_and_sleep, &result);
    AWAIT(thread_sleeps(tids[1]));
    CHECK(kill(getpid(), SIGUSR1) == 0);
    AWAIT(taken_by[SIGUSR1] != 0);
    CHECK(taken_by[SIGUSR1] == getpid() && result == 0);
    CHECK(tgkill(getpid(), tids[1], SIGUSR1) == 0);
    thread_join(&threads[1]);
    CHECK(taken_by[SIGUSR1] == tids[1] && result == EINTR);
}

static void blocked_by_all_it_waits(void)
{
    handle(SIGUSR1, 0);
    set_mask(SIG_BLOCK, SIGUSR1);
    tids[0] = thread_start(&threads[0], block_and_sleep, NULL);
    CHECK(kill(getpid(), SIGUSR1) == 0);
    usleep(10000);
    CHECK(taken_by[SIGUSR1] == 0);
    set_mask(SIG_UNBLOCK, SIGUSR1);
    CHECK(taken_by[SIGUSR1] == getpid());
    release();
    thread_join(&threads[0]);
}

static void tgkill_names_a_thread_of_the_process(void)
{
    int result = 0;
    pid_t child;

    handle(SIGUSR1, 0);
    tids[0] = thread_start(&threads[0], let_in_and_sleep, &result);
    AWAIT(thread_sleeps(tids[0]));
    CHECK(tgkill(getpid(), tids[0], 0) == 0);
    CHECK_ERROR(tgkill(getppid(), tids[0], SIGUSR1), ESRCH);
    CHECK_ERROR(tgkill(getpid(), 0, SIGUSR1), EINVAL);
    CHECK_ERROR(tgkill(getpid(), tids[0], 65), EINVAL);
    CHECK_ERROR(tgkill(0, tids[0], SIGUSR1), EINVAL);
    CHECK(kill(tids[0], 0) == 0); /* kill takes a thread's id for its process */
    child = fork();
    if (child == 0) {
        _exit(0);
    }
    CHECK(waitpid(child, NULL, 0) == child);
    CHECK_ERROR(tgkill(child, child, 0), ESRCH);
    CHECK(result == 0 && tgkill(getpid(), tids[0], SIGUSR1) == 0);
    thread_join(&threads[0]);
    CHECK(result == EINTR);
}

/* Runs until told to stop; on SIGUSR2 it stays in the handler until SIGUSR1 was taken. */
static void wait_for_usr1(int signal)
{
    (void)signal;
    for (int i = 0; i < 10000 && !taken_by[SIGUSR1]; i++) {
        usleep(1000);
    }
    ready = taken_by[SIGUSR1] ? 2 : 3;
}

static int run(void *argument)
{
    set_mask(SIG_UNBLOCK, SIGUSR1);
    ready = 1;
    while (!go) {
        usleep(100);
    }
    return argument != NULL;
}

static void what_one_cannot_take_after_all_goes_to_another(void)
{
    struct sigaction action = {.sa_handler = wait_for_usr1}, noted = {.sa_handler = note};
    int result = 0;

    sigaddset(&noted.sa_mask, SIGUSR2); /* or it could begin before the first line of note */
    CHECK(sigaction(SIGUSR1, &noted, NULL) == 0);
    sigaddset(&action.sa_mask, SIGUSR1);
    CHECK(sigaction(SIGUSR2, &action, NULL) == 0);
    set_mask(SIG_BLOCK, SIGUSR1);
    tids[0] = thread_start(&threads[0], run, NULL);
    tids[1] = thread_start(&threads[1], let_in_and_sleep, &result);
    AWAIT(ready == 1 && thread_sleeps(tids[1]));
    /* The first thread is chosen or is not; SIGUSR2 comes first there, and blocks SIGUSR1. */
    CHECK(kill(getpid(), SIGUSR1) == 0 && tgkill(getpid(), tids[0], SIGUSR2) == 0);
    AWAIT(ready > 1);
    CHECK(ready == 2);
    release();
    tgkill(getpid(), tids[1], SIGUSR1); /* if it has not ended yet */
    thread_join(&threads[0]);
    thread_join(&threads[1]);
}

static int sleep_for_ever(void *argument)
{
    for (;;) {
        pause();
    }
    return argument != NULL;
}

/* A process of three threads gets a signal from `send`. Its status. */
static int status_after(void (*send)(pid_t pid, pid_t tid))
{
    int status, ends[2];
    pid_t pid, tid;

    CHECK(pipe(ends) == 0);
    pid = fork();
    if (pid == 0) {
        thread_start(&threads[0], sleep_for_ever, NULL);
        tid = thread_start(&threads[1], sleep_for_ever, NULL);
        CHECK(write(ends[1], &tid, sizeof(tid)) == sizeof(tid));
        sleep_for_ever(NULL);
    }
    CHECK(read(ends[0], &tid, sizeof(tid)) == sizeof(tid));
    send(pid, tid);
    CHECK(waitpid(pid, &status, 0) == pid);
    return status;
}

static void to_process(pid_t pid, pid_t tid)
{
    (void)tid;
    kill(pid, SIGTERM);
}

static void to_thread(pid_t pid, pid_t tid)
{
    tgkill(pid, tid, SIGUSR1);
}

static void kill_thread(pid_t pid, pid_t tid)
{
    tgkill(pid, tid, SIGKILL);
}

static void stop_and_kill(pid_t pid, pid_t tid)
{
    int status;

    tgkill(pid, tid, SIGSTOP);
    CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
    kill(pid, SIGCONT);
    kill(pid, SIGKILL);
}

static void fatal_signals_end_all_threads(void)
{
    CHECK(WTERMSIG(status_after(to_process)) == SIGTERM);
    CHECK(WTERMSIG(status_after(to_thread)) == SIGUSR1);
    CHECK(WTERMSIG(status_after(kill_thread)) == SIGKILL);
    CHECK(WTERMSIG(status_after(stop_and_kill)) == SIGKILL);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(sleeper_takes_what_the_others_block), TEST(first_thread_takes_it_if_it_can),
        TEST(blocked_by_all_it_waits), TEST(tgkill_names_a_thread_of_the_process),
        TEST(what_one_cannot_take_after_all_goes_to_another), TEST(fatal_signals_end_all_threads),
    };

    return RUN_TESTS(tests);
}
