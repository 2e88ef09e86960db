/* The JSON of a lesson: one object on standard output, written as the lesson goes on. */
#include <stdio.h>

#include "lesson.h"

static bool wanted;
static char closers[16]; /* what closes each object and array that is open */
static int depth;
static bool first = true; /* nothing stands yet in the innermost one */

static void put_text(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\') {
            putchar('\\');
        }
        if (c < 0x20) {
            printf("\\u%04x", c);
        } else {
            putchar(c);
        }
    }
    putchar('"');
}

static void put_key(const char *key)
{
    if (!first) {
        fputs(", ", stdout);
    }
    first = false;
    if (key) {
        put_text(key);
        fputs(": ", stdout);
    }
}

static void open_with(const char *key, char opener, char closer)
{
    if (wanted) {
        put_key(key);
        putchar(opener);
        closers[depth++] = closer;
        first = true;
    }
}

void json_object(const char *key)
{
    open_with(key, '{', '}');
}

void json_array(const char *key)
{
    open_with(key, '[', ']');
}

void json_end(void)
{
    if (wanted) {
        putchar(closers[--depth]);
        first = false;
        if (depth == 0) {
            putchar('\n');
            fflush(stdout);
        }
    }
}

void json_text(const char *key, const char *value)
{
    if (wanted) {
        put_key(key);
        put_text(value);
    }
}

void json_number(const char *key, double value)
{
    if (wanted) {
        put_key(key);
        if (!(value > -1e18 && value < 1e18)) { /* infinite, or no number: JSON has neither */
            fputs("null", stdout);
        } else {
            printf(value == (double)(long long)value ? "%.0f" : "%.3f", value);
        }
    }
}

void json_bool(const char *key, bool value)
{
    if (wanted) {
        put_key(key);
        fputs(value ? "true" : "false", stdout);
    }
}

void json_start(void)
{
    wanted = true;
    json_object(NULL);
}
