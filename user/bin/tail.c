/* tail [-n N] [FILE]: the last lines, 10 unless told. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    long count = 10, seen = 0;
    int at = 1;
    FILE *file = stdin;
    char **lines, *line = NULL;
    size_t size = 0;

    if (at < argc && argv[at][0] == '-' && argv[at][1]) {
        const char *number = argv[at] + 1;

        if (*number == 'n') {
            number = number[1] ? number + 1 : at + 1 < argc ? argv[++at] : "0";
        }
        count = atol(number);
        at++;
    }
    if (at < argc && !(file = fopen(argv[at], "r"))) {
        fprintf(stderr, "tail: %s: %s\n", argv[at], strerror(errno));
        return 1;
    }
    lines = calloc((size_t)count + 1, sizeof(*lines));
    while (count > 0 && getline(&line, &size, file) > 0) {
        free(lines[seen % count]);
        lines[seen++ % count] = strdup(line);
    }
    for (long i = seen > count ? seen - count : 0; i < seen; i++) {
        fputs(lines[i % count], stdout);
    }
    return 0;
}
