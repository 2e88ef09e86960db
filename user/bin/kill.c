/* kill [-SIGNAL | -l] PID...: send a signal, TERM unless told; a negative PID is a group. */
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {
    "", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
    "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU",
};
#define COUNT ((int)(sizeof(names) / sizeof(*names)))

static int number_of(const char *name)
{
    if (isdigit(*name)) {
        return atoi(name);
    }
    name += strncmp(name, "SIG", 3) == 0 ? 3 : 0;
    for (int i = 1; i < COUNT; i++) {
        if (strcmp(names[i], name) == 0) {
            return i;
        }
    }
    return -1;
}

int main(int argc, char **argv)
{
    int signal = SIGTERM, at = 1, status = 0;

    if (argc > 1 && strcmp(argv[1], "-l") == 0) {
        for (int i = 1; i < COUNT; i++) {
            printf("%2d %s\n", i, names[i]);
        }
        return 0;
    }
    if (argc > 2 && argv[1][0] == '-') {
        signal = number_of(strcmp(argv[1], "-s") == 0 ? argv[++at] : argv[1] + 1);
        at++;
    }
    if (at >= argc || signal < 0) {
        fprintf(stderr, "usage: kill [-SIGNAL | -l] PID...\n");
        return 2;
    }
    for (; at < argc; at++) {
        if (kill(atoi(argv[at]), signal)) {
            fprintf(stderr, "kill: %s: %s\n", argv[at], strerror(errno));
            status = 1;
        }
    }
    return status;
}
