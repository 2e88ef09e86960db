/*
 * What the kernel's calls cost:
 *
 *     kernel rows [NAME]              each row once, after a round that warms up
 *     kernel growth N [NAME]          the same beside N areas, processes, descriptors ...
 *     kernel smp N [NAME]             what N workers get done in a millisecond
 *
 * A line is "name figure". It runs under Linux, too; figures of two kernels compare where both count
 * instructions (tools/run --icount), and those of `smp` where both run freely.
 */
#include "kernel.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { FUTEX_WAIT_PRIVATE = 128, FUTEX_WAKE_PRIVATE };

void must(int held, const char *what)
{
    if (!held) {
        fprintf(stderr, "bench: %s\n", what);
        exit(1);
    }
}

pid_t bare_fork(void)
{
    pid_t pid = (pid_t)bare_call(SYS_fork, 0, 0, 0);

    MUST(pid >= 0);
    return pid;
}

void bare_wait(pid_t pid)
{
    int status;

    MUST(bare_call(SYS_wait4, pid, (long)&status, 0) == pid && status == 0);
}

long futex_wait(volatile uint32_t *word, uint32_t value)
{
    return bare_call(SYS_futex, (long)word, FUTEX_WAIT_PRIVATE, value);
}

long futex_wake(volatile uint32_t *word, int count)
{
    return bare_call(SYS_futex, (long)word, FUTEX_WAKE_PRIVATE, count);
}

void thread_start(int (*function)(void *), void *argument, char *stack, size_t size,
                  volatile uint32_t *tid)
{
    *tid = 1;
    MUST(clone(function, stack + size,
               CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                   CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID,
               argument, (pid_t *)tid, NULL, (pid_t *)tid) > 0);
}

void thread_join(volatile uint32_t *tid)
{
    uint32_t value;

    while ((value = *tid) != 0) {
        bare_call(SYS_futex, (long)tid, 0, value); /* the kernel's wake is not a private one */
    }
}

void *memory(size_t size)
{
    char *start = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    MUST(start != MAP_FAILED);
    bare_call(SYS_madvise, (long)start, (long)size, MADV_NOHUGEPAGE);
    return start;
}

int end_at_once(void *argument)
{
    (void)argument;
    return 0;
}

void fork_exit_wait(void)
{
    pid_t pid = bare_fork();

    if (pid == 0) {
        _exit(0);
    }
    bare_wait(pid);
}

void fork_exec_wait(void)
{
    char *arguments[] = {"/bin/kernel", "exit", NULL};
    pid_t pid = bare_fork();

    if (pid == 0) {
        syscall(SYS_execve, arguments[0], arguments, environ);
        _exit(1);
    }
    bare_wait(pid);
}

void ball_throw(volatile uint32_t *to, uint32_t value)
{
    *to = value;
    futex_wake(to, 1);
}

uint32_t ball_catch(volatile uint32_t *at)
{
    uint32_t value;

    while ((value = *at) == 0) {
        futex_wait(at, 0);
    }
    *at = 0;
    return value;
}

static void measure(const struct row *row, long n)
{
    printf("%s %.1f\n", row->name, row->measure(n));
    fflush(stdout);
}

static void rows_measure(const char *name)
{
    for (const struct row *row = kernel_rows; row->name; row++) {
        if (!name || strcmp(name, row->name) == 0) {
            row->measure(row->n / 8 + 1);
            measure(row, row->n);
        }
    }
}

/* Each in a process of its own, whose children end with it. */
static void growth_measure(long n, const char *name)
{
    for (const struct row *row = growth_rows; row->name; row++) {
        if (n <= row->n && (!name || strcmp(name, row->name) == 0)) {
            pid_t pid = bare_fork();

            if (pid == 0) {
                setpgid(0, 0);
                measure(row, n);
                _exit(0);
            }
            bare_wait(pid);
            kill(-pid, SIGKILL);
        }
    }
}

int main(int count, char **arguments)
{
    const struct rlimit descriptors = {4096, 4096}, processes = {30000, 30000};

    if (count >= 2 && strcmp(arguments[1], "exit") == 0) {
        return 0; /* what the row with exec runs */
    }
    setrlimit(RLIMIT_NOFILE, &descriptors);
    setrlimit(RLIMIT_NPROC, &processes);
    if ((count == 2 || count == 3) && strcmp(arguments[1], "rows") == 0) {
        rows_measure(arguments[2]);
        return 0;
    }
    if ((count == 3 || count == 4) && strcmp(arguments[1], "growth") == 0 && atol(arguments[2]) > 0) {
        growth_measure(atol(arguments[2]), arguments[3]);
        return 0;
    }
    if ((count == 3 || count == 4) && strcmp(arguments[1], "smp") == 0 && atol(arguments[2]) > 0) {
        smp_measure(atol(arguments[2]), arguments[3]);
        return 0;
    }
    fprintf(stderr, "usage: kernel rows [NAME] | kernel growth N [NAME] | kernel smp N [NAME]\n");
    return 2;
}
