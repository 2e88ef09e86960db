/* Threads as tasks: what they share, how they end, alone and together, and how many there may be. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "tasks.h"

#define CROWD 500

static struct thread threads[4];
static volatile int value;

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
    pid_t tid = thread_start(&threads[0], note_ids, ids);

    CHECK(tid > 0);
    thread_join(&threads[0]);
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

    thread_start(&threads[0], open_file, NULL);
    thread_join(&threads[0]);
    CHECK(fcntl(value, F_GETFD) == 0);
    CHECK(getcwd(path, sizeof(path)) && strcmp(path, "/tmp") == 0);
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
        thread_start(&threads[0], end_all, NULL);
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
        thread_start(&threads[0], crash, NULL);
        for (;;) {
            pause();
        }
    }
    waitpid(pid, &status, 0);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

/* execve in a thread: a shell that tells whether it has the process's id, and is alone. */
static int run_shell(void *argument)
{
    char script[96];
    char *const argv[] = {"sh", "-c", script, NULL};

    (void)argument;
    snprintf(script, sizeof(script), "test $$ = %d && cd /proc/%d/task && test * = %d && exit 5",
             getpid(), getpid(), getpid());
    execvp("sh", argv);
    return 1;
}

static int sleep_for_ever(void *argument)
{
    for (;;) {
        pause();
    }
    return argument != NULL;
}

static void exec_from_a_thread_takes_the_leaders_id(void)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        thread_start(&threads[1], sleep_for_ever, NULL);
        thread_start(&threads[0], run_shell, NULL);
        sleep_for_ever(NULL);
    }
    waitpid(pid, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 5);
}

static void exec_from_the_leader_ends_the_others(void)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        thread_start(&threads[1], sleep_for_ever, NULL);
        thread_start(&threads[0], sleep_for_ever, NULL);
        run_shell(NULL);
        _exit(1);
    }
    waitpid(pid, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 5);
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
        thread_start(&threads[0], outlive, NULL);
        syscall(SYS_exit, 0L, 0L, 0L, 0L, 0L, 0L); /* this thread alone */
    }
    waitpid(pid, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 6);
}

static int leave_with_7(void *argument)
{
    (void)argument;
    return 7; /* exit of this thread alone */
}

static void exit_of_a_thread_is_not_the_processs(void)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        thread_start(&threads[0], leave_with_7, NULL);
        thread_join(&threads[0]);
        _exit(3);
    }
    waitpid(pid, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);
}

static int set_name(void *argument)
{
    char name[16];

    syscall(SYS_prctl, 15, "a name that is too long", 0, 0, 0, 0); /* prctl(PR_SET_NAME) */
    syscall(SYS_prctl, 16, name, 0, 0, 0, 0);                      /* PR_GET_NAME */
    strcpy(argument, name);
    return 0;
}

static void threads_have_names(void)
{
    char name[16];

    CHECK(thread_start(&threads[0], set_name, name) > 0);
    thread_join(&threads[0]);
    CHECK(strcmp(name, "a name that is ") == 0);
    CHECK_ERROR(syscall(SYS_prctl, 15, 8, 0, 0, 0, 0), EFAULT);
    CHECK_ERROR(syscall(SYS_prctl, 16, 8, 0, 0, 0, 0), EFAULT);
}

static int count_tasks(void)
{
    DIR *directory = opendir("/proc/self/task");
    struct dirent *entry;
    int count = 0;

    while ((entry = readdir(directory))) {
        count += entry->d_name[0] != '.';
    }
    closedir(directory);
    return count;
}

static int stay(void *argument)
{
    __atomic_fetch_add((int *)argument, 1, __ATOMIC_SEQ_CST);
    while (value == 0) {
        futex(&value, FUTEX_WAIT, 0, NULL);
    }
    __atomic_fetch_sub((int *)argument, 1, __ATOMIC_SEQ_CST);
    return 0;
}

static void five_hundred_live_at_once(void)
{
    struct thread *crowd = mmap(NULL, CROWD * sizeof(*crowd), PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    volatile int alive = 0;

    CHECK(crowd != MAP_FAILED);
    value = 0;
    for (int i = 0; i < CROWD; i++) {
        CHECK(thread_start(&crowd[i], stay, (void *)&alive) > 0);
    }
    AWAIT(alive == CROWD);
    CHECK(count_tasks() == CROWD + 1);
    value = 1;
    futex(&value, FUTEX_WAKE, CROWD, NULL);
    for (int i = 0; i < CROWD; i++) {
        thread_join(&crowd[i]);
    }
    CHECK(alive == 0);
    AWAIT(count_tasks() == 1);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(thread_shares_memory_and_pid), TEST(thread_shares_descriptors_and_directory),
        TEST(exit_group_from_a_thread), TEST(exit_of_a_thread_is_not_the_processs),
        TEST(fault_in_a_thread_ends_the_process), TEST(exec_from_a_thread_takes_the_leaders_id),
        TEST(exec_from_the_leader_ends_the_others), TEST(leader_may_leave_first),
        TEST(threads_have_names), TEST(five_hundred_live_at_once),
    };

    return RUN_TESTS(tests);
}
