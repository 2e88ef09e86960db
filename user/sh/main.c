/* sh [-c TEXT [NAME ARG...]] [-e] [FILE ARG...]: where the text comes from. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sh.h"

static void on_interrupt(int signal)
{
    (void)signal;
    interrupted = 1;
}

static const char *prompt(int more)
{
    static char text[256];
    char path[128] = "?";

    if (more) {
        return "> ";
    }
    getcwd(path, sizeof(path));
    snprintf(text, sizeof(text), "baton:%s$ ", path);
    return text;
}

/* Read lines until they make a whole command; run it; again. */
static void loop(int fd)
{
    char *text = NULL;

    for (;;) {
        const char *at;
        char *more;
        struct node *tree;
        enum parse_result result;
        size_t size = text ? strlen(text) : 0;

        if (interactive) {
            jobs_reap(1);
        }
        interrupted = loop_break = loop_continue = 0;
        more = interactive ? edit_line(prompt(text != NULL)) : read_line(fd);
        if (!more) {
            break;
        }
        if (interactive && interrupted) { /* ^C: whatever was begun is given up */
            free(text);
            text = NULL;
            last_status = 130;
            continue;
        }
        text = realloc(text, size + strlen(more) + 2);
        strcpy(text + size, more);
        strcat(text, "\n");
        at = text;
        result = parse(&at, &tree);
        if (result == PARSE_INCOMPLETE) {
            arena_reset();
            continue;
        }
        if (result == PARSE_OK) {
            run_tree(tree);
        } else if (result == PARSE_ERROR) {
            fprintf(stderr, "sh: %s\n", parse_message);
            last_status = 2;
        }
        free(text);
        text = NULL;
        arena_reset();
        fflush(stdout);
    }
    if (text) {
        fprintf(stderr, "sh: syntax error: unexpected end\n");
        last_status = 2;
    }
}

int main(int argc, char **argv)
{
    int fd = 0, at, given = 0; /* -c: a command is given */

    shell_pid = getpid();
    signal(SIGCHLD, SIG_DFL); /* ignored, it would take the statuses of children away */
    for (at = 1; at < argc && argv[at][0] == '-' && argv[at][1]; at++) {
        const char *letters = argv[at] + 1;

        if (strcmp(letters, "-") == 0) {
            at++;
            break;
        }
        if (letters[strspn(letters, "cei")]) {
            fprintf(stderr, "sh: unknown option %s\n", argv[at]);
            return 2;
        }
        exit_on_error |= strchr(letters, 'e') != NULL;
        given |= strchr(letters, 'c') != NULL;
    }
    if (given && at == argc) {
        fprintf(stderr, "sh: -c needs a command\n");
        return 2;
    }
    parameters = argv + at + given;
    parameter_count = argc - at - given;
    if (parameter_count == 0) {
        parameters = argv;
        parameter_count = 1;
    }
    if (given) {
        return run_text(argv[at]);
    }
    if (at < argc) {
        fd = open(argv[at], O_RDONLY | O_CLOEXEC);
        if (fd < 0) {
            fprintf(stderr, "sh: %s: %s\n", argv[at], strerror(errno));
            return 127;
        }
    }
    interactive = fd == 0 && isatty(0);
    if (interactive) {
        jobs_init();
        signal(SIGINT, on_interrupt);
    }
    loop(fd);
    return last_status;
}
