/* Threads as tasks: what clone's flags share, and what they refuse; futexes. */
#include <fcntl.h>
#include <sched.h>
#include <time.h>

#include "ktap.h"

#define THREAD (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)
#define WAIT 0
#define WAKE 1
#define REQUEUE 3

static char stacks[4][16384];
static volatile int value;
static pid_t tids[4];

static long futex(volatile int *word, int operation, int count, void *timeout)
{
    return syscall(202, word, operation, count, timeout, 0, 0);
}

static pid_t start(int index, int (*function)(void *), void *argument)
{
    return clone(function, stacks[index] + sizeof(stacks[index]),
                 THREAD | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID, argument, &tids[index], NULL,
                 &tids[index]);
}

static void join(int index)
{
    int tid;

    while ((tid = *(volatile int *)&tids[index]) != 0) {
        futex(&tids[index], WAIT, tid, NULL);
    }
}

static int note_ids(void *argument)
{
    int *ids = argument;

    ids[0] = getpid();
    ids[1] = gettid();
    value = 7;
    return 0;
}

static void thread_shares_memory_and_pid(void)
{
    int ids[2] = {0};
    pid_t tid = start(0, note_ids, ids);

    CHECK(tid > 0);
    join(0);
    CHECK(value == 7 && ids[0] == getpid() && ids[1] == tid && tid != getpid());
}

static int open_file(void *argument)
{
    (void)argument;
    value = open("/dev/null", O_RDONLY);
    return chdir("/tmp");
}

static void thread_shares_descriptors_and_directory(void)
{
    char path[64];

    start(0, open_file, NULL);
    join(0);
    CHECK(fcntl(value, F_GETFD) == 0);
    CHECK(getcwd(path, sizeof(path)) && strcmp(path, "/tmp") == 0);
}

static void refused_combinations(void)
{
    char *stack = stacks[0] + sizeof(stacks[0]);

    CHECK(clone(note_ids, stack, CLONE_THREAD, NULL, NULL, NULL, NULL) == -EINVAL);
    CHECK(clone(note_ids, stack, CLONE_THREAD | CLONE_SIGHAND, NULL, NULL, NULL, NULL) == -EINVAL);
    CHECK(clone(note_ids, stack, CLONE_SIGHAND, NULL, NULL, NULL, NULL) == -EINVAL);
}

static int end_all(void *argument)
{
    (void)argument;
    _exit(9);
}

static void exit_group_from_a_thread(void)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        start(0, end_all, NULL);
        for (;;) {
            pause();
        }
    }
    waitpid(pid, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 9);
}

static int crash(void *argument)
{
    *(volatile int *)argument = 1;
    return 0;
}

static void fault_in_a_thread_ends_the_process(void)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        start(0, crash, NULL);
        for (;;) {
            pause();
        }
    }
    waitpid(pid, &status, 0);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

static int run_echo(void *argument)
{
    char *const argv[] = {"sh", "-c", "exit 5", NULL};

    (void)argument;
    execvp("sh", argv);
    return 1;
}

static void exec_from_a_thread(void)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        start(0, run_echo, NULL);
        for (;;) {
            pause();
        }
    }
    waitpid(pid, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 5);
}

static int late(void *argument)
{
    (void)argument;
    usleep(20000);
    value = 3;
    _exit(0);
}

static void vfork_waits_for_the_child(void)
{
    pid_t pid = clone(late, stacks[0] + sizeof(stacks[0]), CLONE_VM | CLONE_VFORK | SIGCHLD, NULL,
                      NULL, NULL, NULL);

    CHECK(pid > 0 && value == 3);
    CHECK(waitpid(pid, NULL, 0) == pid);
}

static int sleep_on_value(void *argument)
{
    futex(&value, WAIT, 0, NULL);
    __atomic_fetch_add((int *)argument, 1, __ATOMIC_SEQ_CST);
    return 0;
}

static int outlive(void *argument)
{
    int status = 1;
    pid_t pid;

    (void)argument;
    usleep(50000); /* the leader is gone by now */
    pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    _exit(waitpid(pid, &status, 0) == pid && status == 0 ? 6 : 1);
}

static void leader_may_leave_first(void)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        start(0, outlive, NULL);
        syscall(60, 0L, 0L, 0L, 0L, 0L, 0L); /* exit: this thread alone */
    }
    waitpid(pid, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 6);
}

static void futex_wakes_and_requeues(void)
{
    volatile int woken = 0, other = 0;

    value = 0;
    for (int i = 0; i < 4; i++) {
        CHECK(start(i, sleep_on_value, (void *)&woken) > 0);
    }
    usleep(100000);
    CHECK(futex(&value, WAKE, 1, NULL) == 1);
    CHECK(syscall(202, &value, REQUEUE, 1, 10, &other, 0) == 3); /* one woken, two moved */
    CHECK(futex(&value, WAKE, 10, NULL) == 0);
    CHECK(futex(&other, WAKE, 10, NULL) == 2);
    for (int i = 0; i < 4; i++) {
        join(i);
    }
    CHECK(woken == 4);
}

static void futex_errors(void)
{
    struct timespec time = {0, 10000000};

    value = 1;
    CHECK_ERROR(futex(&value, WAIT, 0, NULL), EAGAIN);
    CHECK_ERROR(futex(&value, WAIT, 1, &time), ETIMEDOUT);
    CHECK_ERROR(futex((int *)((char *)&value + 1), WAIT, 1, NULL), EINVAL);
    CHECK_ERROR(futex((int *)4096, WAIT, 1, NULL), EFAULT);
    CHECK_ERROR(futex(&value, 99, 1, NULL), ENOSYS);
    CHECK(futex(&value, WAKE, 1, NULL) == 0);
}

static int nothing(void *argument)
{
    return argument != NULL;
}

static void many_threads_one_after_another(void)
{
    for (int i = 0; i < 2000; i++) {
        CHECK(start(i % 4, nothing, NULL) > 0);
        join(i % 4);
    }
}

int main(void)
{
    static const struct test tests[] = {
        TEST(thread_shares_memory_and_pid), TEST(thread_shares_descriptors_and_directory),
        TEST(refused_combinations), TEST(exit_group_from_a_thread),
        TEST(fault_in_a_thread_ends_the_process), TEST(exec_from_a_thread),
        TEST(vfork_waits_for_the_child), TEST(leader_may_leave_first),
        TEST(futex_wakes_and_requeues), TEST(futex_errors),
        TEST(many_threads_one_after_another),
    };

    return RUN_TESTS(tests);
}
