/*
 * taskset MASK COMMAND...: run a command on some CPUs only; taskset -p [MASK] TID: show or change
 * those of a task. MASK is hexadecimal, a bit a CPU.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fail(const char *what)
{
    fprintf(stderr, "taskset: %s: %s\n", what, strerror(errno));
    return errno == ENOENT ? 127 : 1;
}

static int usage(void)
{
    fprintf(stderr, "usage: taskset MASK COMMAND [ARG...] | taskset -p [MASK] TID\n");
    return 2;
}

static int set(pid_t tid, const char *text)
{
    cpu_set_t cpus;
    char *end;

    CPU_ZERO(&cpus);
    cpus.__bits[0] = strtoul(text, &end, 16);
    if (*end || end == text) {
        errno = EINVAL;
        return -1;
    }
    return sched_setaffinity(tid, sizeof(cpus), &cpus);
}

int main(int argc, char **argv)
{
    int old = argc > 1 && strcmp(argv[1], "-p") == 0;
    const char *tid = argv[argc - 1];
    cpu_set_t cpus;

    if (argc < 3 || (old && argc > 4)) {
        return usage();
    }
    if (!old) {
        if (set(0, argv[1])) {
            return fail(argv[1]);
        }
        execvp(argv[2], argv + 2);
        return fail(argv[2]);
    }
    if (argc == 4 && set((pid_t)atoi(tid), argv[2])) {
        return fail(argv[2]);
    }
    CPU_ZERO(&cpus);
    if (sched_getaffinity((pid_t)atoi(tid), sizeof(cpus), &cpus)) {
        return fail(tid);
    }
    printf("%lx\n", cpus.__bits[0]);
    return 0;
}
