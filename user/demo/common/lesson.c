/* The frame of a lesson: options, the two lines to begin with, the verdicts to end with. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "lesson.h"

#define VERDICTS 12
#define LINE 78 /* columns of text */

static const struct lesson *lesson;
static struct {
    bool holds;
    char text[320];
} verdicts[VERDICTS];
static int verdict_count;

static void print_help(void)
{
    printf("%s: %s\n\nusage: %s [options]\n", lesson->name, lesson->summary, lesson->name);
    for (const struct lesson_option *o = lesson->options; o && o->name; o++) {
        char name[64];

        snprintf(name, sizeof(name), "--%s%s%s", o->name, o->kind == OPTION_FLAG ? "" : "=",
                 o->kind == OPTION_NUMBER ? "N" : o->kind == OPTION_CHOICE ? o->choices : "");
        if (strlen(name) > 14) {
            printf("  %s\n", name);
            name[0] = '\0';
        }
        printf("  %-14s  %s", name, o->help);
        if (o->kind == OPTION_NUMBER) {
            printf(" (%ld)", *(long *)o->value);
        }
        putchar('\n');
    }
    printf("  --json          one JSON object and nothing else\n"
           "  --help          this text\n\n"
           "exit status: 0 the lesson is confirmed, 1 the measurement contradicts it, 2 usage\n\n"
           "JSON: \"demo\", \"verdict\" (array of sentences), \"ok\" (all of them hold), and\n%s",
           lesson->json);
}

static _Noreturn void usage(const char *what, const char *argument)
{
    fprintf(stderr, "%s: %s: %s (try %s --help)\n", lesson->name, argument, what, lesson->name);
    exit(2);
}

/* Is `value` one of "one|other"? Then *result is it. */
static bool choose(const char *choices, const char *value, const char **result)
{
    size_t length = strlen(value);

    for (const char *at = choices; *at; at += at[strcspn(at, "|")] ? strcspn(at, "|") + 1
                                                                   : strlen(at)) {
        if (length && strcspn(at, "|") == length && strncmp(at, value, length) == 0) {
            *result = value;
            return true;
        }
    }
    return false;
}

static void take_value(const struct lesson_option *option, const char *value, const char *argument)
{
    char *end;
    long number;

    if (option->kind == OPTION_FLAG) {
        if (value) {
            usage("takes no value", argument);
        }
        *(bool *)option->value = true;
        return;
    }
    if (!value) {
        usage("needs =VALUE", argument);
    }
    if (option->kind == OPTION_CHOICE) {
        if (!choose(option->choices, value, option->value)) {
            usage(option->choices, argument);
        }
        return;
    }
    number = strtol(value, &end, 10);
    if (end == value || *end || number < option->least || number > option->most) {
        fprintf(stderr, "%s: %s: a number from %ld to %ld is wanted\n", lesson->name, argument,
                option->least, option->most);
        exit(2);
    }
    *(long *)option->value = number;
}

static void take_option(const char *argument)
{
    const char *value = strchr(argument, '=');
    size_t length = value ? (size_t)(value - argument) : strlen(argument);

    for (const struct lesson_option *o = lesson->options; o && o->name; o++) {
        if (length == strlen(o->name) + 2 && strncmp(argument, "--", 2) == 0
            && strncmp(argument + 2, o->name, length - 2) == 0) {
            take_value(o, value ? value + 1 : NULL, argument);
            return;
        }
    }
    usage("no such option", argument);
}

void lesson_start(const struct lesson *which, int argc, char **argv)
{
    bool json = false;

    lesson = which;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            print_help();
            exit(0);
        }
        if (strcmp(argv[i], "--json") == 0) {
            json = true;
        } else {
            take_option(argv[i]);
        }
    }
    screen_start(json);
    if (json) {
        json_start();
        json_text("demo", lesson->name);
    }
    say("%s%s%s\n%s%s%s\n\n", paint(BOLD), lesson->look[0], paint(PLAIN), paint(BOLD),
        lesson->look[1], paint(PLAIN));
}

const char *verdict(bool holds, const char *format, ...)
{
    va_list args;

    if (verdict_count == VERDICTS) {
        lesson_failed("verdict");
    }
    va_start(args, format);
    vsnprintf(verdicts[verdict_count].text, sizeof(verdicts[0].text), format, args);
    va_end(args);
    verdicts[verdict_count].holds = holds;
    return verdicts[verdict_count++].text;
}

/* Break the text at blanks; lines after the first begin below the first's text. */
static void say_wrapped(const char *text, int indent)
{
    int column = indent;

    while (*text) {
        int word = (int)strcspn(text, " ");

        if (column > indent && column + 1 + word > LINE) {
            say("\n%*s", indent, "");
            column = indent;
        } else if (column > indent) {
            say(" ");
            column++;
        }
        say("%.*s", word, text);
        column += word;
        text += word;
        text += *text == ' ';
    }
    say("\n");
}

int lesson_end(void)
{
    bool ok = true;

    say("\n");
    json_array("verdict");
    for (int i = 0; i < verdict_count; i++) {
        bool holds = verdicts[i].holds;

        say("%s%s%s ", paint(holds ? GREEN : RED), holds ? "[ok]" : "[NO]", paint(PLAIN));
        say_wrapped(verdicts[i].text, 5);
        json_text(NULL, verdicts[i].text);
        ok &= holds;
    }
    json_end();
    json_bool("ok", ok);
    json_end();
    return !ok;
}

void lesson_failed(const char *what)
{
    fprintf(stderr, "%s: %s: %s\n", lesson->name, what, strerror(errno));
    exit(1);
}

void lesson_join(pid_t child)
{
    int status;

    if (waitpid(child, &status, 0) < 0) {
        lesson_failed("waitpid");
    }
    if (WIFSIGNALED(status)) {
        fprintf(stderr, "%s: its child was killed: %s\n", lesson->name, strsignal(WTERMSIG(status)));
        exit(1);
    }
    if (WEXITSTATUS(status)) {
        fprintf(stderr, "%s: its child ended with status %d\n", lesson->name, WEXITSTATUS(status));
        exit(1);
    }
}
