/* stdlib.h without malloc: numbers, sorting, the environment; and getopt. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The digits behind blanks and a sign: their value, ULONG_MAX with errno ERANGE when too large. */
static unsigned long magnitude(const char *s, char **end, int base, int *negative)
{
    const char *start = s, *first;
    unsigned long value = 0, digit;
    int overflow = 0;

    while (isspace(*s)) {
        s++;
    }
    *negative = *s == '-';
    s += *s == '-' || *s == '+';
    if ((base == 0 || base == 16) && s[0] == '0' && (s[1] | 32) == 'x' && isxdigit(s[2])) {
        s += 2;
        base = 16;
    }
    base = base ? base : *s == '0' ? 8 : 10;
    for (first = s;; s++) {
        digit = isdigit(*s) ? (unsigned long)(*s - '0')
                : isalpha(*s) ? (unsigned long)(tolower(*s) - 'a' + 10) : 99;
        if (digit >= (unsigned long)base) {
            break;
        }
        overflow |= __builtin_mul_overflow(value, (unsigned long)base, &value);
        overflow |= __builtin_add_overflow(value, digit, &value);
    }
    if (end) {
        *end = (char *)(s == first ? start : s);
    }
    if (overflow) {
        errno = ERANGE;
    }
    return overflow ? ULONG_MAX : value;
}

unsigned long strtoul(const char *s, char **end, int base)
{
    int negative;
    unsigned long value = magnitude(s, end, base, &negative);

    return negative && value != ULONG_MAX ? -value : value;
}

long strtol(const char *s, char **end, int base)
{
    int negative;
    unsigned long value = magnitude(s, end, base, &negative);

    if (value > (unsigned long)LONG_MAX + (negative != 0)) {
        errno = ERANGE;
        return negative ? LONG_MIN : LONG_MAX;
    }
    return (long)(negative ? -value : value);
}

double strtod(const char *s, char **end)
{
    const char *start = s;
    double value = 0, scale = 1;
    int negative = 0, digits = 0;

    while (isspace(*s)) {
        s++;
    }
    if (*s == '-' || *s == '+') {
        negative = *s++ == '-';
    }
    for (; isdigit(*s); s++, digits++) {
        value = value * 10 + (*s - '0');
    }
    if (*s == '.') {
        for (s++; isdigit(*s); s++, digits++) {
            value += (*s - '0') * (scale /= 10);
        }
    }
    if (end) {
        *end = (char *)(digits ? s : start);
    }
    return negative ? -value : value;
}

int atoi(const char *s) { return (int)strtol(s, NULL, 10); }
long atol(const char *s) { return strtol(s, NULL, 10); }
int abs(int value) { return value < 0 ? -value : value; }

static unsigned long random_state = 1; /* all threads draw from it: rand_r is for one of its own */

void srand(unsigned seed)
{
    random_state = seed;
}

int rand(void)
{
    random_state = random_state * 6364136223846793005ul + 1442695040888963407ul; /* Knuth, MMIX */
    return (int)(random_state >> 33);
}

int rand_r(unsigned *seed)
{
    *seed = *seed * 1664525 + 1013904223; /* Numerical Recipes; its high bits are the better ones */
    return (int)(*seed >> 1);
}

static void swap(char *a, char *b, size_t size)
{
    while (size-- > 0) {
        char c = *a;

        *a++ = *b;
        *b++ = c;
    }
}

/* Heapsort: no recursion, no extra memory, never slow. */
static void sift(char *base, size_t root, size_t count, size_t size,
                 int (*compare)(const void *, const void *))
{
    for (;;) {
        size_t child = 2 * root + 1;

        if (child >= count) {
            return;
        }
        if (child + 1 < count && compare(base + child * size, base + (child + 1) * size) < 0) {
            child++;
        }
        if (compare(base + root * size, base + child * size) >= 0) {
            return;
        }
        swap(base + root * size, base + child * size, size);
        root = child;
    }
}

void qsort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *))
{
    for (size_t i = count / 2; i-- > 0;) {
        sift(base, i, count, size, compare);
    }
    for (size_t i = count; i-- > 1;) {
        swap(base, (char *)base + i * size, size);
        sift(base, 0, i, size, compare);
    }
}

void *bsearch(const void *key, const void *base, size_t count, size_t size,
              int (*compare)(const void *, const void *))
{
    while (count > 0) {
        const char *middle = (const char *)base + count / 2 * size;
        int order = compare(key, middle);

        if (order == 0) {
            return (void *)middle;
        }
        if (order > 0) {
            base = middle + size;
            count -= count / 2 + 1;
        } else {
            count /= 2;
        }
    }
    return NULL;
}

static char **find_variable(const char *name, size_t size)
{
    for (char **at = environ; *at; at++) {
        if (strncmp(*at, name, size) == 0 && (*at)[size] == '=') {
            return at;
        }
    }
    return NULL;
}

char *getenv(const char *name)
{
    char **at = find_variable(name, strlen(name));

    return at ? *at + strlen(name) + 1 : NULL;
}

int setenv(const char *name, const char *value, int overwrite)
{
    static char **owned; /* environ once it is ours to resize; its strings are never freed */
    char **at = find_variable(name, strlen(name)), *text;
    size_t count = 0;

    if (at && !overwrite) {
        return 0;
    }
    text = malloc(strlen(name) + strlen(value) + 2);
    if (!text) {
        return -1;
    }
    strcpy(text, name);
    strcat(text, "=");
    strcat(text, value);
    if (at) {
        *at = text;
        return 0;
    }
    while (environ[count]) {
        count++;
    }
    at = malloc((count + 2) * sizeof(*at));
    if (!at) {
        free(text);
        return -1;
    }
    memcpy(at, environ, count * sizeof(*at));
    at[count] = text;
    at[count + 1] = NULL;
    free(owned);
    environ = owned = at;
    return 0;
}

int unsetenv(const char *name)
{
    char **at;

    while ((at = find_variable(name, strlen(name)))) {
        for (; *at; at++) {
            at[0] = at[1];
        }
    }
    return 0;
}

char *optarg;
int optind = 1, optopt, opterr = 1;

int getopt(int argc, char *const argv[], const char *options)
{
    static int at = 1; /* inside a word of several options */
    const char *found;
    char c;

    if (optind >= argc || argv[optind][0] != '-' || !argv[optind][1]) {
        return -1;
    }
    if (strcmp(argv[optind], "--") == 0) {
        optind++;
        return -1;
    }
    c = argv[optind][at++];
    found = c == ':' ? NULL : strchr(options, c);
    if (found && found[1] == ':') {
        optarg = argv[optind][at] ? argv[optind] + at : optind + 1 < argc ? argv[++optind] : NULL;
        optind++;
        at = 1;
    } else if (!argv[optind][at]) {
        optind++;
        at = 1;
    }
    if (!found || (found[1] == ':' && !optarg)) {
        optopt = c;
        if (opterr) {
            fprintf(stderr, "%s: %s -- '%c'\n", argv[0],
                    found ? "option requires an argument" : "invalid option", c);
        }
        return '?';
    }
    return c;
}
