/* head [-n N | -c N] [FILE]: the first lines, 10 unless told, or the first bytes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    long count = 10;
    int at = 1, bytes = 0;
    FILE *file = stdin;

    if (at < argc && argv[at][0] == '-' && argv[at][1]) {
        const char *number = argv[at] + 1;

        bytes = *number == 'c';
        if (*number == 'n' || bytes) {
            number = number[1] ? number + 1 : at + 1 < argc ? argv[++at] : "0";
        }
        if (*number < '0' || *number > '9') {
            fprintf(stderr, "usage: head [-n N | -c N] [FILE]\n");
            return 2;
        }
        count = atol(number);
        at++;
    }
    if (at < argc && !(file = fopen(argv[at], "r"))) {
        fprintf(stderr, "head: %s: %s\n", argv[at], strerror(errno));
        return 1;
    }
    for (int c; count > 0 && (c = fgetc(file)) != EOF;) {
        putchar(c);
        count -= bytes || c == '\n';
    }
    return 0;
}
