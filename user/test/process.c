/* fork, exit, wait, exec, groups. */
#include <fcntl.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "ktap.h"

static int wait_status(pid_t pid)
{
    int status = -1;

    CHECK(waitpid(pid, &status, 0) == pid);
    return status;
}

static void exit_status_reaches_the_parent(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        _exit(42);
    }
    CHECK(WEXITSTATUS(wait_status(pid)) == 42);
    CHECK_ERROR(waitpid(pid, NULL, 0), ECHILD);
}

static void memory_is_copied_by_fork(void)
{
    volatile int value = 1;
    pid_t pid = fork();

    if (pid == 0) {
        value = 2;
        _exit(value);
    }
    CHECK(WEXITSTATUS(wait_status(pid)) == 2);
    CHECK(value == 1);
}

static void offset_is_shared_by_fork(void)
{
    int fd = open("offset", O_RDWR | O_CREAT | O_TRUNC, 0600);
    pid_t pid;

    CHECK(fd >= 0 && write(fd, "0123456789", 10) == 10);
    CHECK(lseek(fd, 2, SEEK_SET) == 2);
    pid = fork();
    if (pid == 0) {
        char c[3];

        _exit(read(fd, c, 3) == 3 ? 0 : 1);
    }
    CHECK(wait_status(pid) == 0);
    CHECK(lseek(fd, 0, SEEK_CUR) == 5);
    CHECK(unlink("offset") == 0);
}

static void orphan_goes_to_another_parent(void)
{
    int fds[2];
    char c;
    pid_t pid;

    CHECK(pipe(fds) == 0);
    pid = fork();
    if (pid == 0) {
        pid_t middle = getpid();

        if (fork() == 0) {
            while (getppid() == middle) {
                usleep(1000);
            }
            write(fds[1], "x", 1);
            _exit(0);
        }
        _exit(0);
    }
    CHECK(wait_status(pid) == 0);
    CHECK(read(fds[0], &c, 1) == 1);
}

static void tree_of_forks_ends(void)
{
    int depth = 0, status, failed = 0;

    for (; depth < 5; depth++) {
        fork();
    }
    while (wait(&status) > 0) {
        failed |= status;
    }
    CHECK(!failed);
}

static void nohang_says_not_yet(void)
{
    int fds[2];
    pid_t pid;

    CHECK(pipe(fds) == 0);
    pid = fork();
    if (pid == 0) {
        char c;

        close(fds[1]);
        _exit((int)read(fds[0], &c, 1));
    }
    CHECK(waitpid(pid, NULL, WNOHANG) == 0);
    close(fds[1]);
    CHECK(wait_status(pid) == 0);
}

static void exec_errors(void)
{
    char *argv[] = {"x", NULL};
    int fd = open("notelf", O_WRONLY | O_CREAT | O_TRUNC, 0700);

    CHECK(write(fd, "garbage", 7) == 7);
    close(fd);
    CHECK_ERROR(execve("/nothing", argv, argv), ENOENT);
    CHECK_ERROR(execve("/tmp", argv, argv), EACCES);
    CHECK_ERROR(execve("notelf", argv, argv), ENOEXEC);
    CHECK_ERROR(execve((char *)8, argv, argv), EFAULT);
    CHECK_ERROR(execve("notelf/x", argv, argv), ENOTDIR);
    unlink("notelf");
}

static void group_calls(void)
{
    CHECK(setpgid(0, 0) == 0 && getpgrp() == getpid());
    CHECK_ERROR(setpgid(0, -1), EINVAL);
    CHECK_ERROR(setsid(), EPERM);
    CHECK_ERROR(setpgid(999999, 0), ESRCH);
}

static void kill_errors(void)
{
    CHECK_ERROR(kill(999999, 0), ESRCH);
    CHECK_ERROR(kill(getpid(), 65), EINVAL);
    CHECK(kill(getpid(), 0) == 0);
    CHECK_ERROR(waitpid(-1, NULL, 0x100), EINVAL);
}

static void stop_and_continue_are_reported(void)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        for (;;) {
            pause();
        }
    }
    CHECK(kill(pid, SIGSTOP) == 0);
    CHECK(waitpid(pid, &status, WUNTRACED) == pid);
    CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
    CHECK(kill(pid, SIGCONT) == 0);
    CHECK(waitpid(pid, &status, WCONTINUED) == pid && WIFCONTINUED(status));
    CHECK(kill(pid, SIGKILL) == 0);
    CHECK(WTERMSIG(wait_status(pid)) == SIGKILL);
}

static void exit_signals_that_do_not_exist(void)
{
    for (long signal = 65; signal < 256; signal += 10) {
        long pid = syscall(SYS_clone, signal, 0L, 0L, 0L, 0L, 0L);

        if (pid == 0) {
            _exit(0);
        }
        CHECK((pid < 0 && errno == EINVAL) /* Linux since 7 refuses them */
              || waitpid((pid_t)pid, NULL, 0x40000000) == pid); /* __WALL */
    }
}

static void exec_of_a_broken_program(void)
{
    unsigned char header[64] = "\177ELF\2\1\1";
    char *argv[] = {"x", NULL};
    long offset = -112;
    int fd = open("broken", O_WRONLY | O_CREAT | O_TRUNC, 0700);

    header[16] = 2;  /* ET_EXEC */
    header[18] = 62; /* x86-64 */
    header[54] = 56; /* size and number of program headers, which lie before the file */
    header[56] = 2;
    memcpy(header + 32, &offset, 8);
    CHECK(write(fd, header, sizeof(header)) == sizeof(header));
    close(fd);
    CHECK_ERROR(execve("broken", argv, argv), ENOEXEC);
    unlink("broken");
}

static void fork_bomb_hits_the_limit(void)
{
    struct rlimit limit = {40, 40};
    int made = 0;
    pid_t pid;

    setpgid(0, 0);
    if (getuid() == 0 && access("/proc/unimplemented", F_OK) != 0) {
        return; /* Linux does not limit root */
    }
    CHECK(setrlimit(RLIMIT_NPROC, &limit) == 0);
    while ((pid = fork()) > 0 && made < 100) {
        made++;
    }
    if (pid == 0) {
        pause();
    }
    CHECK(pid == -1 && errno == EAGAIN && made < 40);
    signal(SIGTERM, SIG_IGN);
    kill(0, SIGTERM);
    while (wait(NULL) > 0) {
    }
}

enum { MANY = 200, WNOWAIT = 0x1000000, WNOREPORT = WNOHANG | WUNTRACED | WCONTINUED };

/* Children in two process groups; those who have something to tell are among many who do not. */
static void news_are_found_among_many_children(void)
{
    pid_t pids[MANY], second = 0;
    int status, gone = 0;
    char info[128];

    for (int i = 0; i < MANY; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            for (;;) {
                pause();
            }
        }
        if (i % 2) {
            second = second ?: pids[i];
            CHECK(setpgid(pids[i], second) == 0);
        }
    }
    CHECK(waitpid(-1, &status, WNOREPORT) == 0 && waitpid(-second, &status, WNOREPORT) == 0);
    for (int i = 0; i < MANY; i += 4) {
        CHECK(kill(pids[i], SIGSTOP) == 0 && waitpid(pids[i], &status, WUNTRACED) == pids[i]);
    }
    CHECK(waitpid(-1, &status, WNOREPORT) == 0); /* it is told once */
    CHECK(kill(pids[0], SIGCONT) == 0 && kill(pids[4], SIGCONT) == 0 && kill(pids[1], SIGKILL) == 0);
    CHECK(waitpid(pids[4], &status, WCONTINUED) == pids[4] && WIFCONTINUED(status));
    CHECK(waitpid(-second, NULL, 0) == pids[1]); /* of that group, past who is of another */
    CHECK(waitpid(-second, &status, WNOREPORT) == 0);
    CHECK(waitpid(pids[8], &status, WNOREPORT) == 0 && waitpid(pids[1], NULL, WNOREPORT) == -1);
    CHECK(syscall(SYS_waitid, 0, 0, info, WCONTINUED | WNOWAIT, NULL) == 0); /* it stays */
    CHECK(waitpid(-1, &status, WUNTRACED | WNOHANG) == 0); /* the news are of another kind */
    CHECK(kill(pids[0], SIGSTOP) == 0 && waitpid(-1, &status, WUNTRACED) == pids[0]);
    CHECK(waitpid(-1, &status, WNOREPORT) == 0); /* that it had continued is old */
    for (int i = 0; i < MANY; i++) {
        kill(pids[i], SIGKILL);
    }
    while (waitpid(-1, NULL, 0) > 0) {
        gone++;
    }
    CHECK(gone == MANY - 1 && errno == ECHILD);
}

enum { PR_SET_PDEATHSIG = 1, PR_GET_PDEATHSIG, PR_SET_TIMERSLACK = 29, PR_GET_TIMERSLACK, PR_SET_CHILD_SUBREAPER = 36,
       PR_GET_CHILD_SUBREAPER };

static long prctl_set(long option, long value)
{
    return syscall(SYS_prctl, option, value, 0l, 0l, 0l);
}

static long prctl_get(long option)
{
    int value = -1;

    CHECK(syscall(SYS_prctl, option, &value, 0l, 0l, 0l) == 0);
    return value;
}

/* A grandchild that tells its parent's process id by the pipe, once its first parent has gone. */
static pid_t orphan_in_a_tree(int ends[2], bool between)
{
    pid_t child, found = 0;

    CHECK(pipe(ends) == 0);
    child = fork();
    if (child == 0) {
        if (between) { /* a child of ours that asks, too, and stays */
            CHECK(prctl_set(PR_SET_CHILD_SUBREAPER, 1) == 0);
        }
        if (fork() == 0) {
            pid_t first = getpid();

            if (fork() == 0) {
                while (getppid() == first) {
                    usleep(1000);
                }
                found = getppid();
                CHECK(write(ends[1], &found, sizeof(found)) == sizeof(found));
                _exit(7);
            }
            _exit(0);
        }
        while (between) {
            pause();
        }
        _exit(0);
    }
    CHECK(read(ends[0], &found, sizeof(found)) == sizeof(found));
    if (between) {
        CHECK(found == child && kill(child, SIGKILL) == 0);
    }
    return found;
}

/* Behind an end there is another: its children come to the next ancestor that asked. */
static void orphans_come_to_who_asks_for_them(void)
{
    int ends[2], status, count = 0, sevens = 0;

    CHECK(prctl_get(PR_GET_CHILD_SUBREAPER) == 0 && prctl_set(PR_SET_CHILD_SUBREAPER, 1) == 0);
    CHECK(prctl_get(PR_GET_CHILD_SUBREAPER) == 1);
    if (fork() == 0) {
        _exit((int)prctl_get(PR_GET_CHILD_SUBREAPER)); /* it is not inherited */
    }
    CHECK(wait(&status) > 0 && status == 0);
    CHECK(orphan_in_a_tree(ends, false) == getpid());
    CHECK(orphan_in_a_tree(ends, true) != getpid());
    while (wait(&status) > 0) {
        count++;
        sevens += WIFEXITED(status) && WEXITSTATUS(status) == 7;
    }
    CHECK(count == 6 && sevens == 2);
    CHECK(prctl_set(PR_SET_CHILD_SUBREAPER, 0) == 0);
    CHECK(orphan_in_a_tree(ends, false) != getpid());
}

static void the_end_of_a_parent_is_told(void)
{
    int ends[2];
    char c;

    CHECK(pipe(ends) == 0);
    CHECK_ERROR(prctl_set(PR_SET_PDEATHSIG, 65), EINVAL);
    CHECK_ERROR(syscall(SYS_prctl, PR_GET_PDEATHSIG, 8l, 0l, 0l, 0l), EFAULT);
    if (fork() == 0) {
        CHECK(prctl_set(PR_SET_PDEATHSIG, SIGTERM) == 0 && prctl_get(PR_GET_PDEATHSIG) == SIGTERM);
        if (fork() == 0) {
            CHECK(prctl_get(PR_GET_PDEATHSIG) == 0); /* it is not inherited */
            CHECK(prctl_set(PR_SET_PDEATHSIG, SIGKILL) == 0 && write(ends[1], "x", 1) == 1);
            while (true) {
                pause();
            }
        }
        CHECK(read(ends[0], &c, 1) == 1);
        _exit(0);
    }
    CHECK(wait(NULL) > 0 && close(ends[1]) == 0);
    CHECK(read(ends[0], &c, 1) == 0); /* both of them have ended */
}

static void timers_may_be_late_as_asked(void)
{
    const long before = prctl_set(PR_GET_TIMERSLACK, 0);
    int status;

    CHECK(before > 0 && prctl_set(PR_SET_TIMERSLACK, 12345) == 0 && prctl_set(PR_GET_TIMERSLACK, 0) == 12345);
    if (fork() == 0) {
        CHECK(prctl_set(PR_GET_TIMERSLACK, 0) == 12345 && prctl_set(PR_SET_TIMERSLACK, 7) == 0);
        CHECK(prctl_set(PR_SET_TIMERSLACK, 0) == 0 && prctl_set(PR_GET_TIMERSLACK, 0) == 12345);
        _exit(0);
    }
    CHECK(wait(&status) > 0 && status == 0);
    CHECK(prctl_set(PR_SET_TIMERSLACK, 0) == 0 && prctl_set(PR_GET_TIMERSLACK, 0) == before);
}

/* Says them to a pipe: how many bytes that are, or -1 for E2BIG. */
static long said_by_echo(char **arguments)
{
    static char buffer[65536];
    long all = 0, got;
    int ends[2], status;
    pid_t pid;

    CHECK(pipe(ends) == 0);
    pid = fork();
    if (pid == 0) {
        CHECK(dup2(ends[1], 1) == 1 && close(ends[0]) == 0);
        execvp("/bin/echo", arguments);
        _exit(errno == E2BIG ? 7 : 1);
    }
    close(ends[1]);
    while ((got = read(ends[0], buffer, sizeof(buffer))) > 0) {
        all += got;
    }
    close(ends[0]);
    CHECK(waitpid(pid, &status, 0) == pid && (status == 0 || status == 7 << 8));
    return status ? -1 : all;
}

/* As many and as long as on Linux (execve(2)), with its usual limit of the stack. */
static void arguments_may_be_many_and_long(void)
{
    static char *arguments[200001], longest[131073];

    for (int i = 0; i < 200000; i++) {
        arguments[i] = "abc";
    }
    CHECK(said_by_echo(arguments) == -1);
    arguments[150000] = NULL;
    CHECK(said_by_echo(arguments) == 149999 * 4);
    memset(longest, 'x', 131072);
    arguments[1] = longest;
    arguments[2] = NULL;
    CHECK(said_by_echo(arguments) == -1);
    longest[131071] = '\0';
    CHECK(said_by_echo(arguments) == 131072);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(exit_status_reaches_the_parent), TEST(memory_is_copied_by_fork),
        TEST(offset_is_shared_by_fork), TEST(orphan_goes_to_another_parent),
        TEST(tree_of_forks_ends), TEST(nohang_says_not_yet), TEST(exec_errors), TEST(group_calls),
        TEST(kill_errors), TEST(stop_and_continue_are_reported),
        TEST(exit_signals_that_do_not_exist), TEST(exec_of_a_broken_program),
        TEST(fork_bomb_hits_the_limit), TEST(news_are_found_among_many_children),
        TEST(orphans_come_to_who_asks_for_them), TEST(arguments_may_be_many_and_long), TEST(the_end_of_a_parent_is_told),
        TEST(timers_may_be_late_as_asked),
    };

    return RUN_TESTS(tests);
}
