/* The frame of a lesson: options, the two lines to begin with, the verdicts to end with. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lesson.h"

#define VERDICTS 12
#define LINE 78 /* columns of text, at the most */
#define CHILDREN 16

static const struct lesson *lesson;
static bool json;
static struct {
    bool holds;
    char text[640];
} verdicts[VERDICTS];
static int verdict_count;
static pid_t children[CHILDREN]; /* that have not been joined; 0: free */

/* Everything has been written, or the exit status is to tell that it has not. */
static void write_all(void)
{
    if (fflush(stdout) || ferror(stdout)) {
        lesson_failed(translate("standard output"));
    }
}

static void print_help(void)
{
    printf(translate("%s: %s\n\nusage: %s [options]\n"), lesson->name, translate(lesson->summary),
           lesson->name);
    for (const struct lesson_option *o = lesson->options; o && o->name; o++) {
        char name[64];

        snprintf(name, sizeof(name), "--%s%s%s", o->name, o->kind == OPTION_FLAG ? "" : "=",
                 o->kind == OPTION_NUMBER ? "N" : o->kind == OPTION_CHOICE ? o->choices : "");
        if (strlen(name) > 14) {
            printf("  %s\n", name);
            name[0] = '\0';
        }
        printf("  %-14s  %s", name, translate(o->help));
        if (o->kind == OPTION_NUMBER) {
            printf(" (%ld)", *(long *)o->value);
        }
        putchar('\n');
    }
    printf(translate(
               "  --json          one JSON object and nothing else\n"
               "  --help          this text\n\n"
               "exit status: 0 the lesson is confirmed, 1 the measurement contradicts it, 2 usage\n\n"
               "JSON: \"demo\", \"verdict\" (array of sentences), \"holds\" (array: is each so?), \"ok\" (all are),\n"
               "and\n%s"),
           translate(lesson->json));
}

/* One line, whatever the argument has in it. */
static _Noreturn void usage(const char *what, const char *argument)
{
    char shown[64];
    size_t length = 0;

    for (; argument[length] && length < sizeof(shown) - 1; length++) {
        unsigned char c = (unsigned char)argument[length];

        shown[length] = c < ' ' || c == 0x7f ? '?' : (char)c;
    }
    shown[length] = '\0';
    fprintf(stderr, translate("%s: %s%s: %s (try %s --help)\n"), lesson->name, shown,
            argument[length] ? "..." : "", translate(what), lesson->name);
    exit(2);
}

void lesson_refuse(const char *argument, const char *why)
{
    usage(why, argument);
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
    char *end, wanted[80];
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
    if (*value < '0' || *value > '9' || *end || number < option->least || number > option->most) {
        snprintf(wanted, sizeof(wanted), translate("a number from %ld to %ld is wanted"), option->least,
                 option->most);
        usage(wanted, argument);
    }
    *(long *)option->value = number;
}

/* True: its value was the next argument, `--name VALUE`. */
static bool take_option(const char *argument, const char *next)
{
    const char *value = strchr(argument, '=');
    size_t length = value ? (size_t)(value - argument) : strlen(argument);

    for (const struct lesson_option *o = lesson->options; o && o->name; o++) {
        if (length == strlen(o->name) + 2 && strncmp(argument, "--", 2) == 0
            && strncmp(argument + 2, o->name, length - 2) == 0) {
            bool apart = !value && next && o->kind != OPTION_FLAG;

            take_value(o, value ? value + 1 : apart ? next : NULL, argument);
            return apart;
        }
    }
    usage("no such option", argument);
}

/* A file opened later must not become the standard output that somebody has closed. */
static void keep_standard_files(void)
{
    int fd;

    do {
        fd = open("/dev/null", O_RDONLY);
    } while (fd >= 0 && fd <= 2);
    if (fd > 2) {
        close(fd);
    }
}

void lesson_options(const struct lesson *which, int argc, char **argv)
{
    lesson = which;
    keep_standard_files();
    language_start(false);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            print_help();
            write_all();
            exit(0);
        }
        if (strcmp(argv[i], "--json") == 0) {
            json = true;
        } else {
            i += take_option(argv[i], argv[i + 1]);
        }
    }
    if (json) {
        language_start(true); /* programs read it, which know our sentences */
    }
    screen_start(json);
}

void lesson_show(void)
{
    if (json) {
        json_start();
        json_text("demo", lesson->name);
    }
    say("%s%s%s\n%s%s%s\n\n", paint(BOLD), translate(lesson->look[0]), paint(PLAIN),
        paint(BOLD), translate(lesson->look[1]), paint(PLAIN));
    if (screen_columns() < PICTURE_COLUMNS) {
        say("(Pictures need %d columns; here are %d.)\n\n", PICTURE_COLUMNS, screen_columns());
    }
}

void lesson_start(const struct lesson *which, int argc, char **argv)
{
    lesson_options(which, argc, argv);
    lesson_show();
}

const char *verdict(bool holds, const char *format, ...)
{
    va_list args;

    if (verdict_count == VERDICTS) {
        lesson_failed("verdict");
    }
    va_start(args, format);
    vsnprintf(verdicts[verdict_count].text, sizeof(verdicts[0].text), translate(format), args);
    va_end(args);
    verdicts[verdict_count].holds = holds;
    return verdicts[verdict_count++].text;
}

/* Break the text where a line may be; lines after the first begin below the first's text. */
static void say_wrapped(const char *text, int indent)
{
    int column = indent, line = screen_columns() - 2 < LINE ? screen_columns() - 2 : LINE;

    while (*text) {
        int blank = *text == ' ', bytes = text_piece(text + blank);
        int columns = text_columns(text + blank, bytes);

        if (column > indent && column + blank + columns > line) {
            say("\n%*s", indent, "");
            column = indent;
        } else if (column > indent && blank) {
            say(" ");
            column++;
        }
        say("%.*s", bytes, text + blank);
        column += columns;
        text += blank + bytes;
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
    json_array("holds");
    for (int i = 0; i < verdict_count; i++) {
        json_bool(NULL, verdicts[i].holds);
    }
    json_end();
    json_bool("ok", ok);
    json_end();
    write_all();
    return !ok;
}

/* End, and nobody stays behind; nor does half a JSON object go out. */
static _Noreturn void give_up(void)
{
    for (int i = 0; i < CHILDREN; i++) {
        if (children[i]) {
            kill(children[i], SIGKILL);
        }
    }
    keys_end();
    _exit(1);
}

void lesson_failed(const char *what)
{
    fprintf(stderr, "%s: %s: %s\n", lesson->name, what, strerror(errno));
    give_up();
}

static void replace_child(pid_t old, pid_t new)
{
    for (int i = 0; i < CHILDREN; i++) {
        if (children[i] == old) {
            children[i] = new;
            return;
        }
    }
}

pid_t lesson_fork(void)
{
    pid_t child = fork();

    if (child < 0) {
        lesson_failed("fork");
    }
    if (child == 0) {
        memset(children, 0, sizeof(children));
    } else {
        replace_child(0, child);
    }
    return child;
}

static pid_t parent;

static void end_if_orphaned(int number)
{
    (void)number;
    if (getppid() != parent) {
        _exit(1);
    }
    alarm(1);
}

void end_with_parent(void)
{
    parent = getppid();
    signal(SIGALRM, end_if_orphaned);
    alarm(1);
}

int lesson_wait(pid_t child)
{
    int status;

    child = waitpid(child, &status, 0);
    if (child < 0) {
        lesson_failed("waitpid");
    }
    replace_child(child, 0);
    return status;
}

void lesson_join(pid_t child)
{
    int status = lesson_wait(child);

    if (WIFSIGNALED(status)) {
        fprintf(stderr, translate("%s: its child was killed: %s\n"), lesson->name,
                translate(strsignal(WTERMSIG(status))));
        give_up();
    }
    if (WEXITSTATUS(status)) {
        fprintf(stderr, translate("%s: its child ended with status %d\n"), lesson->name,
                WEXITSTATUS(status));
        give_up();
    }
}
