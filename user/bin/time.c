/* time COMMAND...: how long it took, and the CPU time in user mode and in the kernel. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct timespec start, end;
    struct rusage usage = {0};
    long milliseconds;
    int status = 0;
    pid_t pid;

    if (argc < 2) {
        fprintf(stderr, "usage: time COMMAND...\n");
        return 2;
    }
    clock_gettime(CLOCK_MONOTONIC, &start);
    pid = fork();
    if (pid == 0) {
        execvp(argv[1], argv + 1);
        fprintf(stderr, "time: %s: %s\n", argv[1], strerror(errno));
        _exit(127);
    }
    wait4(pid, &status, 0, &usage);
    clock_gettime(CLOCK_MONOTONIC, &end);
    milliseconds = (end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000;
    fprintf(stderr, "real %ld.%03ld\nuser %ld.%03ld\nsys  %ld.%03ld\n", milliseconds / 1000,
            milliseconds % 1000, usage.ru_utime.tv_sec, usage.ru_utime.tv_usec / 1000,
            usage.ru_stime.tv_sec, usage.ru_stime.tv_usec / 1000);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
