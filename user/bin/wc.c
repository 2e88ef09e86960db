/* wc [-lwc] [FILE...]: lines, words and bytes. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int show_lines, show_words, show_bytes;

static void show(long lines, long words, long bytes, const char *name)
{
    const char *between = "";

    if (show_lines) {
        printf("%ld", lines);
        between = " ";
    }
    if (show_words) {
        printf("%s%ld", between, words);
        between = " ";
    }
    if (show_bytes) {
        printf("%s%ld", between, bytes);
    }
    printf("%s%s\n", name ? " " : "", name ? name : "");
}

static void count(FILE *file, const char *name)
{
    long lines = 0, words = 0, bytes = 0;
    int c, inside = 0;

    while ((c = fgetc(file)) != EOF) {
        bytes++;
        lines += c == '\n';
        words += !inside && !isspace(c);
        inside = !isspace(c);
    }
    show(lines, words, bytes, name);
}

int main(int argc, char **argv)
{
    int option, status = 0;

    while ((option = getopt(argc, argv, "lwc")) != -1) {
        show_lines |= option == 'l';
        show_words |= option == 'w';
        show_bytes |= option == 'c';
        if (option == '?') {
            return 2;
        }
    }
    if (!show_lines && !show_words && !show_bytes) {
        show_lines = show_words = show_bytes = 1;
    }
    if (optind == argc) {
        count(stdin, NULL);
    }
    for (int i = optind; i < argc; i++) {
        FILE *file = fopen(argv[i], "r");

        if (!file) {
            fprintf(stderr, "wc: %s: %s\n", argv[i], strerror(errno));
            status = 1;
            continue;
        }
        count(file, argv[i]);
        fclose(file);
    }
    return status;
}
