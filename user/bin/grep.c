/* grep [-vincq] PATTERN [FILE...]: lines that match. Patterns: . * ^ $ [set] and plain text. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int ignore_case;

static int same(char a, char b)
{
    return a == b || (ignore_case && tolower(a) == tolower(b));
}

/* The end of the single-character pattern at p. */
static const char *atom_end(const char *p)
{
    if (*p == '\\' && p[1]) {
        return p + 2;
    }
    if (*p == '[') {
        const char *end = strchr(p + 2, ']');

        return end ? end + 1 : p + 1;
    }
    return p + 1;
}

static int atom_matches(const char *p, char c)
{
    if (!c) {
        return 0;
    }
    if (*p == '\\' && p[1]) {
        return same(p[1], c);
    }
    if (*p == '[') {
        int negate = p[1] == '^', found = 0;

        for (p += 1 + negate; *p && *p != ']'; p++) {
            if (p[1] == '-' && p[2] != ']') {
                found |= c >= p[0] && c <= p[2];
                p += 2;
            } else {
                found |= same(*p, c);
            }
        }
        return found != negate;
    }
    return *p == '.' || same(*p, c);
}

static int match_here(const char *p, const char *s)
{
    const char *end;

    if (!*p) {
        return 1;
    }
    if (*p == '$' && !p[1]) {
        return !*s;
    }
    end = atom_end(p);
    if (*end == '*') {
        const char *most = s;

        while (atom_matches(p, *most)) {
            most++;
        }
        for (; most >= s; most--) {
            if (match_here(end + 1, most)) {
                return 1;
            }
        }
        return 0;
    }
    return atom_matches(p, *s) && match_here(end, s + 1);
}

static int match(const char *pattern, const char *s)
{
    if (*pattern == '^') {
        return match_here(pattern + 1, s);
    }
    do {
        if (match_here(pattern, s)) {
            return 1;
        }
    } while (*s++);
    return 0;
}

int main(int argc, char **argv)
{
    int option, invert = 0, number = 0, count = 0, quiet = 0, status = 1;
    char *line = NULL;
    size_t size = 0;
    const char *pattern;

    while ((option = getopt(argc, argv, "vincq")) != -1) {
        invert |= option == 'v';
        ignore_case |= option == 'i';
        number |= option == 'n';
        count |= option == 'c';
        quiet |= option == 'q';
        if (option == '?') {
            return 2;
        }
    }
    if (optind == argc) {
        fprintf(stderr, "usage: grep [-vincq] PATTERN [FILE...]\n");
        return 2;
    }
    pattern = argv[optind++];
    for (int i = optind; i < argc || i == optind; i++) {
        FILE *file = i < argc ? fopen(argv[i], "r") : stdin;
        long at = 0, found = 0;

        if (!file) {
            fprintf(stderr, "grep: %s: %s\n", argv[i], strerror(errno));
            status = 2;
            continue;
        }
        while (getline(&line, &size, file) > 0) {
            at++;
            line[strcspn(line, "\n")] = '\0';
            if (match(pattern, line) == invert) {
                continue;
            }
            status = status == 1 ? 0 : status;
            found++;
            if (!quiet && !count) {
                if (argc - optind > 1) {
                    printf("%s:", argv[i]);
                }
                if (number) {
                    printf("%ld:", at);
                }
                puts(line);
            }
        }
        if (count) {
            printf("%ld\n", found);
        }
    }
    return status;
}
