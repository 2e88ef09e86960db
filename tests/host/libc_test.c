/* Prints what the C library answers; run with the host's and with ours, the texts must be equal. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void numbers(void)
{
    static const char *const texts[] = {
        "0", "-5", " +17x", "0x1f", "0x", "077", "zz", "", "-", "9223372036854775807",
        "9223372036854775808", "-9223372036854775808", "-9223372036854775809",
        "18446744073709551615", "18446744073709551616", "-99999999999999999999",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        for (int base = 0; base <= 36; base += 6) {
            char *end;
            long value;

            if (base == 6) {
                continue;
            }
            errno = 0;
            value = strtol(texts[i], &end, base);
            printf("%s/%d: %ld %d %d", texts[i], base, value, (int)(end - texts[i]), errno);
            errno = 0;
            printf(" %lu %d\n", strtoul(texts[i], &end, base), errno);
        }
    }
    printf("%f %f %d %ld\n", strtod("3.25x", NULL), strtod("-0.5", NULL), atoi("12"), atol("-3"));
}

static void formats(void)
{
    char small[8];

    printf("%d|%5d|%-5d|%05d|%+d|% d|%.3d|%ld|%lld\n", 1, 2, 3, -4, 5, 6, 7, LONG_MIN, 8ll);
    printf("%u|%x|%X|%#x|%o|%#o|%08lx|%hhd|%hd|%zu\n", 1u, 255u, 255u, 255u, 8u, 8u, 0xabcul, 300,
           70000, (size_t)9);
    printf("%s|%8s|%-8s|%.2s|%c|%%|%*d|%.*s\n", "a", "b", "c", "def", 'x', 4, 5, 1, "yz");
    printf("%f|%.0f|%.2f|%8.3f|%-8.1f|%08.2f|%+.1f\n", 1.5, 2.6, 3.14159, 2.5, 1.25, -1.5, 2.0);
    printf("%d %s\n", snprintf(small, sizeof(small), "long text %d", 5), small);
}

static int compare(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static void sorting(void)
{
    int values[200], key = 77;
    unsigned state = 1;

    for (int i = 0; i < 200; i++) {
        state = state * 1103515245 + 12345;
        values[i] = (int)(state >> 16) % 500;
    }
    values[3] = 77;
    qsort(values, 200, sizeof(*values), compare);
    for (int i = 0; i < 200; i++) {
        printf("%d%c", values[i], i % 20 == 19 ? '\n' : ' ');
    }
    printf("%d\n", *(int *)bsearch(&key, values, 200, sizeof(*values), compare));
}

static void strings(void)
{
    char text[64] = "one,two,,three", moved[32] = "0123456789", *part;

    for (part = strtok(text, ","); part; part = strtok(NULL, ",")) {
        printf("<%s>", part);
    }
    memmove(moved + 2, moved, 8);
    printf(" %s", moved);
    memmove(moved, moved + 3, 5);
    printf(" %s %zu %zu", moved, strspn("aabc", "ab"), strcspn("aabc", "c"));
    printf(" %s %s %s %d %d\n", strchr("abca", 'b'), strrchr("abca", 'a'), strstr("hay needle", "nee"),
           strcmp("a", "b") < 0, strncmp("abc", "abd", 2));
    printf("%s|%s|%s|%s\n", strerror(ENOENT), strerror(EINVAL), strerror(ENOTEMPTY), strsignal(11));
    printf("%s|%s|%s\n", strerror(ENOTSOCK), strerror(EADDRINUSE), strerror(ECONNREFUSED));
    printf("%s %s\n", strpbrk("a-b", "-+"), strncpy(memset(moved, 'x', 8), "ab", 4));
}

static void memory(void)
{
    static char *held[500];
    unsigned state = 7;
    int good = 1;

    for (int step = 0; step < 20000; step++) {
        int i;

        state = state * 1103515245 + 12345;
        i = (int)(state >> 16) % 500;
        if (held[i]) {
            size_t size = (size_t)(unsigned char)held[i][0] * 700 + 1;

            good &= held[i][size - 1] == held[i][0] || size == 1;
            free(held[i]);
            held[i] = NULL;
        } else {
            unsigned char mark = (unsigned char)(state >> 8);
            size_t size = (size_t)mark * 700 + 1;

            held[i] = malloc(size);
            good &= held[i] && ((unsigned long)held[i] & 15) == 0;
            memset(held[i], mark, size);
        }
    }
    held[0] = realloc(NULL, 10);
    strcpy(held[0], "kept");
    held[0] = realloc(held[0], 300000);
    printf("%d %s %d\n", good, held[0], calloc((size_t)-1, 2) == NULL);
}

static jmp_buf back;

static void files(void)
{
    FILE *file = fopen("/tmp/libc_test", "w+");
    char *line = NULL;
    size_t size = 0;
    time_t when = 951782400; /* 29 February 2000 */
    char date[64];

    fprintf(file, "first\nsecond %d\nlast", 2);
    fclose(file);
    file = fopen("/tmp/libc_test", "r");
    printf("%c", fgetc(file));
    ungetc('F', file);
    while (getline(&line, &size, file) > 0) {
        printf("[%s]", line);
    }
    printf(" %d %d\n", feof(file) != 0, ferror(file));
    fclose(file);
    unlink("/tmp/libc_test");
    strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S %a %b %e %F %T %%", gmtime(&when));
    printf("%s %d\n", date, gmtime(&when)->tm_wday);
    setenv("LIBC_TEST", "value", 1);
    printf("%s", getenv("LIBC_TEST"));
    unsetenv("LIBC_TEST");
    printf(" %d\n", getenv("LIBC_TEST") == NULL);
    if (setjmp(back) == 0) {
        longjmp(back, 3);
    }
    printf("%d%d%d %c%c\n", isdigit('5') != 0, isalpha('5') != 0, isspace('\t') != 0, toupper('a'),
           tolower('Q'));
}

static void options(void)
{
    char *argv[] = {"x", "-ab", "-c", "value", "-cother", "--", "-rest", NULL};
    int option;

    while ((option = getopt(7, argv, "abc:")) != -1) {
        printf("%c(%s) ", option, option == 'c' ? optarg : "");
    }
    printf("%d\n", optind);
}

int main(void)
{
    numbers();
    formats();
    sorting();
    strings();
    memory();
    files();
    options();
    return 0;
}
