/* head [-n N] [FILE]: the first lines, 10 unless told. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    long count = 10;
    int at = 1;
    FILE *file = stdin;

    if (at < argc && argv[at][0] == '-' && argv[at][1]) {
        const char *number = argv[at] + 1;

        if (*number == 'n') {
            number = number[1] ? number + 1 : at + 1 < argc ? argv[++at] : "0";
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
        count -= c == '\n';
    }
    return 0;
}
