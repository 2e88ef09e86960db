/* env [NAME=VALUE...] [COMMAND...]: run with variables, or print them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

int main(int argc, char **argv)
{
    int at = 1;

    for (char *equal; at < argc && (equal = strchr(argv[at], '=')); at++) {
        *equal = '\0';
        setenv(argv[at], equal + 1, 1);
    }
    if (at < argc) {
        execvp(argv[at], argv + at);
        fprintf(stderr, "env: %s: %s\n", argv[at], strerror(errno));
        return errno == ENOENT ? 127 : 126;
    }
    for (char **v = environ; *v; v++) {
        puts(*v);
    }
    return 0;
}
