/* nice [-n N] COMMAND...: run it N steps nicer, 10 unless told. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int at = 1, step = 10;

    if (argc > 3 && strcmp(argv[1], "-n") == 0) {
        step = atoi(argv[2]);
        at = 3;
    }
    if (at >= argc) {
        fprintf(stderr, "usage: nice [-n N] COMMAND...\n");
        return 2;
    }
    if (setpriority(0, 0, getpriority(0, 0) + step)) {
        perror("nice");
    }
    execvp(argv[at], argv + at);
    fprintf(stderr, "nice: %s: %s\n", argv[at], strerror(errno));
    return errno == ENOENT ? 127 : 126;
}
