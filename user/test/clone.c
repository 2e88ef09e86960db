/* clone(2): what it refuses, and what each flag of it does. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "tasks.h"

#define CLONE_PIDFD 0x1000
#define CLONE_PTRACE 0x2000
#define CLONE_PARENT 0x8000
#define CLONE_NEWNS 0x20000
#define CLONE_DETACHED 0x400000
#define CLONE_UNTRACED 0x800000
#define CLONE_NEWUSER 0x10000000
#define CLONE_NEWPID 0x20000000
#define CLONE_IO 0x80000000u

static char stack[65536] __attribute__((aligned(16)));
static volatile int value;

/* The system call itself, as a fork: the child gets 0 on the same stack. */
static long raw_clone(unsigned long flags, void *parent_tid, void *child_tid, unsigned long tls)
{
    return syscall(SYS_clone, flags, 0, parent_tid, child_tid, tls, 0);
}

static void refused_combinations(void)
{
    static const unsigned long refused[] = {
        CLONE_THREAD,
        CLONE_THREAD | CLONE_VM,
        CLONE_THREAD | CLONE_SIGHAND,
        CLONE_THREAD | CLONE_FS | CLONE_FILES,
        CLONE_SIGHAND,
        CLONE_SIGHAND | CLONE_FILES | CLONE_FS,
        CLONE_NEWNS | CLONE_FS,
        CLONE_NEWUSER | CLONE_FS,
        CLONE_NEWUSER | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM,
        CLONE_NEWPID | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM,
        CLONE_PIDFD | CLONE_DETACHED,
        CLONE_PIDFD | CLONE_PARENT_SETTID,
    };

    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        int exit_signals[] = {0, SIGCHLD, SIGUSR1, 65, 255};

        for (int s = 0; s < 5; s++) {
            CHECK_ERROR(raw_clone(refused[i] | (unsigned)exit_signals[s], NULL, NULL, 0), EINVAL);
        }
    }
    CHECK_ERROR(raw_clone(CLONE_SETTLS | SIGCHLD, NULL, NULL, 1ul << 63), EPERM);
    CHECK_ERROR(raw_clone(CLONE_SETTLS | SIGCHLD, NULL, NULL, 0x800000000000), EPERM);
    CHECK_ERROR(waitpid(-1, NULL, WNOHANG), ECHILD); /* no child was made */
}

static void harmless_flags_are_taken(void)
{
    static const unsigned long taken[] = {
        CLONE_SYSVSEM, CLONE_IO, CLONE_UNTRACED, CLONE_DETACHED, CLONE_PTRACE, CLONE_FS, CLONE_FILES,
    };

    for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++) {
        int status;
        long pid = raw_clone(taken[i] | SIGCHLD, NULL, NULL, 0);

        if (pid == 0) {
            _exit(4);
        }
        CHECK(pid > 0 && waitpid((pid_t)pid, &status, 0) == pid && WEXITSTATUS(status) == 4);
    }
}

static int leave(void *argument)
{
    return argument != NULL;
}

static void bad_tid_pointers_are_ignored(void)
{
    int status;
    long pid = raw_clone(CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD,
                         (void *)8, (void *)16, 0);

    if (pid == 0) {
        _exit(4);
    }
    CHECK(pid > 0 && waitpid((pid_t)pid, &status, 0) == pid && WEXITSTATUS(status) == 4);
}

/* A child that is to store its tid at `address`: 1 if the four bytes at `look` are still 7 each. */
static int child_stores_nothing(unsigned long address, const char *look)
{
    int status;
    long pid = raw_clone(CLONE_CHILD_SETTID | SIGCHLD, NULL, (void *)address, 0);

    if (pid == 0) {
        _exit(!look || memcmp(look, "\7\7\7\7", 4) == 0);
    }
    CHECK(pid > 0 && waitpid((pid_t)pid, &status, 0) == pid && WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void tid_goes_only_where_the_child_may_write(void)
{
    static const unsigned long kernel[] = {
        0x7ffffffff000, 0x7fffffffefff, 0x800000000000, 1ul << 63, 0xffff888000001000,
        0xffff888000200ffe, 0xffffffff80100000, 0xffffffff80101ffe, -4ul, -1ul,
    };
    char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    memset(pages, 7, 8192);
    for (size_t i = 0; i < sizeof(kernel) / sizeof(*kernel); i++) {
        CHECK(child_stores_nothing(kernel[i], NULL) == 1);
    }
    CHECK(child_stores_nothing((unsigned long)pages + 4094, pages + 4094) == 0);
    CHECK(mprotect(pages + 4096, 4096, PROT_READ) == 0);
    CHECK(child_stores_nothing((unsigned long)pages + 4094, pages + 4094) == 1);
    CHECK(child_stores_nothing((unsigned long)pages + 4096, pages + 4096) == 1);
    CHECK(munmap(pages + 4096, 4096) == 0);
    CHECK(child_stores_nothing((unsigned long)pages + 4093, pages + 4092) == 1);
}

static void tids_go_to_parent_and_child(void)
{
    volatile int in_parent = 0, in_child = 0;
    int status;
    long pid = raw_clone(CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD, (void *)&in_parent,
                         (void *)&in_child, 0);

    if (pid == 0) {
        _exit(in_child == getpid());
    }
    CHECK(pid > 0 && in_parent == pid && in_child == 0);
    CHECK(waitpid((pid_t)pid, &status, 0) == pid && WEXITSTATUS(status) == 1);
}

static void tid_is_cleared_for_sharers_of_the_memory_alone(void)
{
    volatile int *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pid;

    for (int shares = 0; shares < 2; shares++) {
        *word = 1;
        pid = clone(leave, stack + sizeof(stack),
                    (shares ? CLONE_VM : 0) | CLONE_CHILD_CLEARTID | SIGCHLD, NULL, NULL, NULL,
                    (pid_t *)word);
        CHECK(pid > 0 && waitpid(pid, NULL, 0) == pid);
        CHECK(*word == !shares);
    }
}

static int set_value(void *argument)
{
    value = 5;
    close(*(int *)argument);
    return chdir("/proc") == 0 ? 2 : 3;
}

/* A child that shares what `flags` say: what does the parent see of its deeds? */
static void check_sharing(unsigned flags, int memory, int files, int directory)
{
    int status, fd = open("/dev/null", O_RDONLY);
    char path[64];
    pid_t pid;

    CHECK(fd >= 0 && chdir("/") == 0);
    value = 0;
    pid = clone(set_value, stack + sizeof(stack), (int)(flags | SIGCHLD), &fd, NULL, NULL, NULL);
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 2);
    CHECK((value == 5) == memory);
    CHECK((fcntl(fd, F_GETFD) == -1) == files);
    CHECK(getcwd(path, sizeof(path)) && (strcmp(path, "/proc") == 0) == directory);
    close(fd);
}

static void each_flag_shares_its_part(void)
{
    check_sharing(0, 0, 0, 0);
    check_sharing(CLONE_VM, 1, 0, 0);
    check_sharing(CLONE_FILES, 0, 1, 0);
    check_sharing(CLONE_FS, 0, 0, 1);
    check_sharing(CLONE_VM | CLONE_SIGHAND | CLONE_FILES | CLONE_FS, 1, 1, 1);
}

static int change_handler(void *argument)
{
    (void)argument;
    signal(SIGUSR1, SIG_IGN);
    return 0;
}

static void handlers_are_shared_by_sighand_alone(void)
{
    struct sigaction action;

    for (int shared = 0; shared < 2; shared++) {
        pid_t pid;

        signal(SIGUSR1, SIG_DFL);
        pid = clone(change_handler, stack + sizeof(stack),
                    CLONE_VM | (shared ? CLONE_SIGHAND : 0) | SIGCHLD, NULL, NULL, NULL, NULL);
        CHECK(pid > 0 && waitpid(pid, NULL, 0) == pid);
        CHECK(sigaction(SIGUSR1, NULL, &action) == 0);
        CHECK((action.sa_handler == SIG_IGN) == shared);
    }
}

static void clone_parent_makes_a_sibling(void)
{
    int status, ends[2];
    pid_t child, sibling = 0;

    CHECK(pipe(ends) == 0);
    child = fork();
    if (child == 0) {
        long pid = raw_clone(CLONE_PARENT | SIGUSR1, NULL, NULL, 0); /* its SIGCHLD is inherited */

        if (pid == 0) {
            _exit(9);
        }
        sibling = (pid_t)pid;
        CHECK(write(ends[1], &sibling, sizeof(sibling)) == sizeof(sibling));
        CHECK_ERROR(waitpid(sibling, NULL, 0), ECHILD);
        _exit(8);
    }
    CHECK(read(ends[0], &sibling, sizeof(sibling)) == sizeof(sibling) && sibling > 0);
    CHECK(waitpid(sibling, &status, 0) == sibling && WEXITSTATUS(status) == 9);
    CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 8);
}

static volatile int signals;

static void count_signal(int signal)
{
    (void)signal;
    signals++;
}

static void exit_signal_is_the_chosen_one(void)
{
    long pid;

    signal(SIGUSR2, count_signal);
    pid = raw_clone(SIGUSR2, NULL, NULL, 0);
    if (pid == 0) {
        _exit(0);
    }
    AWAIT(signals == 1);
    CHECK_ERROR(waitpid((pid_t)pid, NULL, 0), ECHILD); /* not a child as wait4 has them */
    CHECK(waitpid((pid_t)pid, NULL, 0x40000000) == pid); /* __WALL */
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
    pid_t pid = clone(late, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, NULL, NULL,
                      NULL, NULL);

    CHECK(pid > 0 && value == 3);
    CHECK(waitpid(pid, NULL, 0) == pid);
}

static int read_tls(void *argument)
{
    unsigned long word;

    __asm__ volatile("mov %%fs:0, %0" : "=r"(word));
    *(unsigned long *)argument = word;
    return 0;
}

static void settls_sets_the_threads_base(void)
{
    static unsigned long block[2] = {0x1234, 0}, seen;
    static struct thread thread;

    CHECK(clone(read_tls, thread.stack + sizeof(thread.stack),
                THREAD_FLAGS | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID, &seen,
                &thread.tid, block, &thread.tid) > 0);
    thread_join(&thread);
    CHECK(seen == 0x1234);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(refused_combinations), TEST(harmless_flags_are_taken),
        TEST(bad_tid_pointers_are_ignored), TEST(tid_goes_only_where_the_child_may_write),
        TEST(tids_go_to_parent_and_child),
        TEST(tid_is_cleared_for_sharers_of_the_memory_alone),
        TEST(each_flag_shares_its_part), TEST(handlers_are_shared_by_sighand_alone),
        TEST(clone_parent_makes_a_sibling), TEST(exit_signal_is_the_chosen_one),
        TEST(vfork_waits_for_the_child), TEST(settls_sets_the_threads_base),
    };

    return RUN_TESTS(tests);
}
