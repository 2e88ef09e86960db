/* printf FORMAT [ARGUMENT...]: %s %b %c %d %i %u %x %X %o with flags and widths; the format is used
 * again while there are arguments. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int status;
static char **arguments;

static const char *next_argument(void)
{
    return *arguments ? *arguments++ : "";
}

/* A number; a quote stands for the character behind it, as POSIX has it. */
static long next_number(void)
{
    const char *text = next_argument();
    char *end;
    long value;

    if (*text == '\'' || *text == '"') {
        return (unsigned char)text[1];
    }
    errno = 0;
    value = strtol(text, &end, 0);
    if (*end || errno) {
        fprintf(stderr, "printf: %s: not a number\n", text);
        status = 1;
    }
    return value;
}

/* After a backslash; returns what follows. */
static const char *print_escape(const char *at)
{
    static const char names[] = "abfnrtv\\", values[] = "\a\b\f\n\r\t\v\\";
    const char *name = *at ? strchr(names, *at) : NULL;
    int value = 0, digits = 0;

    if (name) {
        putchar(values[name - names]);
        return at + 1;
    }
    while (digits < 3 && *at >= '0' && *at <= '7') {
        value = value * 8 + *at++ - '0';
        digits++;
    }
    if (digits) {
        putchar(value);
        return at;
    }
    putchar('\\');
    return at;
}

static void print_escaped(const char *text)
{
    while (*text) {
        if (*text == '\\') {
            text = print_escape(text + 1);
        } else {
            putchar(*text++);
        }
    }
}

/* After a %; returns what follows. */
static const char *print_conversion(const char *at)
{
    char format[40] = "%";
    size_t size = strspn(at, "-+ #0123456789.");
    char kind = at[size];

    if (kind == '%' && size == 0) {
        putchar('%');
        return at + 1;
    }
    if (size > 30 || !kind || !strchr("sbcdiuxXo", kind)) {
        fprintf(stderr, "printf: %%%.*s: no such conversion\n", (int)size + (kind != 0), at);
        exit(1);
    }
    memcpy(format + 1, at, size);
    if (kind == 's') {
        printf(strcat(format, "s"), next_argument());
    } else if (kind == 'b') {
        print_escaped(next_argument());
    } else if (kind == 'c') {
        printf(strcat(format, "c"), *next_argument());
    } else {
        memcpy(format + 1 + size, (char[]){'l', kind, '\0'}, 3);
        printf(format, next_number());
    }
    return at + size + 1;
}

int main(int argc, char **argv)
{
    char **before;

    if (argc < 2) {
        fprintf(stderr, "usage: printf FORMAT [ARGUMENT...]\n");
        return 2;
    }
    arguments = argv + 2;
    do {
        before = arguments;
        for (const char *at = argv[1]; *at;) {
            if (*at == '%') {
                at = print_conversion(at + 1);
            } else if (*at == '\\') {
                at = print_escape(at + 1);
            } else {
                putchar(*at++);
            }
        }
    } while (*arguments && arguments != before);
    return status;
}
