/* What the shell does itself, because a child could not do it for it. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sh.h"

static int do_cd(int argc, char **argv)
{
    const char *to = argc > 1 ? argv[1] : getenv("HOME");
    char path[4096];

    if (!to || chdir(to)) {
        fprintf(stderr, "cd: %s: %s\n", to ? to : "HOME", strerror(errno));
        return 1;
    }
    if (getcwd(path, sizeof(path))) {
        variable_export("PWD", path);
    }
    return 0;
}

static int do_exit(int argc, char **argv)
{
    exit(argc > 1 ? atoi(argv[1]) : last_status);
}

static int do_export(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        char *equal = strchr(argv[i], '=');

        if (equal) {
            *equal = '\0';
        }
        if (!*argv[i] || argv[i][variable_name_length(argv[i])]) {
            fprintf(stderr, "export: %s: not a name\n", argv[i]);
            return 1;
        }
        variable_export(argv[i], equal ? equal + 1 : NULL);
    }
    return 0;
}

static int do_unset(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        variable_unset(argv[i]);
    }
    return 0;
}

static int do_set(int argc, char **argv)
{
    int at = 1;

    if (argc == 1) {
        variables_print();
    }
    for (; at < argc && (argv[at][0] == '-' || argv[at][0] == '+'); at++) {
        if (strcmp(argv[at], "--") == 0) {
            parameters_set(argc - at - 1, argv + at + 1);
            return 0;
        }
        if (strcmp(argv[at] + 1, "e") != 0) {
            fprintf(stderr, "set: unknown option %s\n", argv[at]);
            return 2;
        }
        exit_on_error = argv[at][0] == '-';
    }
    if (at < argc) {
        parameters_set(argc - at, argv + at);
    }
    return 0;
}

static int do_shift(int argc, char **argv)
{
    (void)argc, (void)argv;
    if (parameter_count < 2) {
        return 1;
    }
    parameters[1] = parameters[0];
    parameters++;
    parameter_count--;
    return 0;
}

static int do_pwd(int argc, char **argv)
{
    char path[4096];

    (void)argc, (void)argv;
    return getcwd(path, sizeof(path)) ? puts(path) == EOF : 1;
}

static int do_true(int argc, char **argv)
{
    (void)argc, (void)argv;
    return 0;
}

static int do_false(int argc, char **argv)
{
    (void)argc, (void)argv;
    return 1;
}

static int do_break(int argc, char **argv)
{
    (void)argc, (void)argv;
    return !(loop_break = 1);
}

static int do_continue(int argc, char **argv)
{
    (void)argc, (void)argv;
    return !(loop_continue = 1);
}

static int do_jobs(int argc, char **argv)
{
    (void)argc, (void)argv;
    jobs_reap(0);
    jobs_print();
    return 0;
}

static int do_fg(int argc, char **argv)
{
    struct job *job = job_find(argc > 1 ? argv[1] : NULL);

    if (!job) {
        fprintf(stderr, "%s: no such job\n", argv[0]);
        return 1;
    }
    if (strcmp(argv[0], "bg") == 0) {
        job_background(job);
        return 0;
    }
    printf("%s\n", job->text);
    return job_foreground(job, 1);
}

static int do_wait(int argc, char **argv)
{
    int status = 0;

    if (argc > 1) {
        return waitpid(atoi(argv[1]), &status, 0) < 0 ? 127
               : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    while (wait(&status) > 0 || errno == EINTR) {
    }
    jobs_reap(0);
    return 0;
}

static int do_eval(int argc, char **argv)
{
    size_t size = 1;
    char *text;

    for (int i = 1; i < argc; i++) {
        size += strlen(argv[i]) + 1;
    }
    text = arena_alloc(size);
    for (int i = 1; i < argc; i++) {
        strcat(strcat(text, argv[i]), " ");
    }
    return run_text(text);
}

static int do_exec(int argc, char **argv)
{
    if (argc > 1) {
        run_child_setup();
        execvp(argv[1], argv + 1);
        fprintf(stderr, "exec: %s: %s\n", argv[1], strerror(errno));
        exit(errno == ENOENT ? 127 : 126);
    }
    return 0;
}

static int do_source(int argc, char **argv)
{
    FILE *file = argc > 1 ? fopen(argv[1], "r") : NULL;
    char *text = arena_alloc(65536);

    if (!file) {
        fprintf(stderr, ".: %s\n", strerror(errno));
        return 1;
    }
    text[fread(text, 1, 65535, file)] = '\0';
    fclose(file);
    return run_text(text);
}

static int do_read(int argc, char **argv)
{
    char *line = read_line(0);

    if (argc > 1) {
        variable_set(argv[argc - 1], line ? line : "");
    }
    return line == NULL;
}

static int do_umask(int argc, char **argv)
{
    mode_t mask = umask(0);

    umask(argc > 1 ? (mode_t)strtol(argv[1], NULL, 8) : mask);
    if (argc == 1) {
        printf("%04o\n", mask);
    }
    return 0;
}

static int test_one(const char *op, const char *value)
{
    struct stat st;

    switch (op[1]) {
    case 'n': return *value != '\0';
    case 'z': return *value == '\0';
    case 't': return isatty(atoi(value));
    case 'e': return stat(value, &st) == 0;
    case 'f': return stat(value, &st) == 0 && S_ISREG(st.st_mode);
    case 'd': return stat(value, &st) == 0 && S_ISDIR(st.st_mode);
    case 's': return stat(value, &st) == 0 && st.st_size > 0;
    case 'x': return access(value, X_OK) == 0;
    case 'r': return access(value, R_OK) == 0;
    default: return 0;
    }
}

static int test_two(const char *a, const char *op, const char *b)
{
    long x = atol(a), y = atol(b);

    return strcmp(op, "=") == 0 ? strcmp(a, b) == 0 : strcmp(op, "!=") == 0 ? strcmp(a, b) != 0
           : strcmp(op, "-eq") == 0 ? x == y : strcmp(op, "-ne") == 0 ? x != y
           : strcmp(op, "-lt") == 0 ? x < y : strcmp(op, "-le") == 0 ? x <= y
           : strcmp(op, "-gt") == 0 ? x > y : strcmp(op, "-ge") == 0 ? x >= y : 0;
}

static int do_test(int argc, char **argv)
{
    int negate = 0, result;

    if (strcmp(argv[0], "[") == 0 && strcmp(argv[--argc], "]") != 0) {
        fprintf(stderr, "[: ] is missing\n");
        return 2;
    }
    if (argc > 1 && strcmp(argv[1], "!") == 0) {
        negate = 1;
        argv++;
        argc--;
    }
    result = argc == 4 ? test_two(argv[1], argv[2], argv[3])
             : argc == 3 ? test_one(argv[1], argv[2]) : argc == 2 && *argv[1];
    return result == negate;
}

static int do_history(int argc, char **argv)
{
    (void)argc, (void)argv;
    history_print();
    return 0;
}

static int do_help(int argc, char **argv);

static const struct {
    const char *name;
    builtin_t builtin;
    const char *help; /* NULL: the one before says it */
} builtins[] = {
    {"cd", do_cd, "cd [FOLDER]          go to another folder"},
    {"pwd", do_pwd, "pwd                  which folder this is"},
    {"exit", do_exit, "exit [STATUS]        leave the shell"},
    {"jobs", do_jobs, "jobs, fg, bg [%N]    list jobs; go on with one in front or behind (^Z stops one)"},
    {"fg", do_fg, NULL},
    {"bg", do_fg, NULL},
    {"wait", do_wait, "wait [PID]           until what runs in the background has ended"},
    {"history", do_history, "history              the lines that were typed (^R searches them)"},
    {"export", do_export, "export NAME[=VALUE]  give a variable to the programs that are started"},
    {"unset", do_unset, "unset NAME           forget a variable"},
    {"set", do_set, "set [-e] [--] [A..]  show all variables; end at the first error; set $1, $2 ..."},
    {"shift", do_shift, "shift                $2 becomes $1 ..."},
    {"read", do_read, "read NAME            a line of input into a variable"},
    {"test", do_test, "test, [              compare: [ $a -lt 3 ], [ -f FILE ] ..."},
    {"[", do_test, NULL},
    {"eval", do_eval, "eval, . FILE, exec   run words, a file, or another program instead of the shell"},
    {".", do_source, NULL},
    {"exec", do_exec, NULL},
    {"break", do_break, "break, continue      leave a loop, or go on with its next round"},
    {"continue", do_continue, NULL},
    {"umask", do_umask, "umask [MODE]         what new files do not allow"},
    {"true", do_true, "true, :, false       succeed, or fail"},
    {":", do_true, NULL},
    {"false", do_false, NULL},
    {"help", do_help, "help                 this list"},
};
#define BUILTINS (sizeof(builtins) / sizeof(*builtins))

static int do_help(int argc, char **argv)
{
    (void)argc, (void)argv;
    printf("Programs are in /bin (ls /bin). The shell itself knows:\n");
    for (size_t i = 0; i < BUILTINS; i++) {
        if (builtins[i].help) {
            printf("  %s\n", builtins[i].help);
        }
    }
    printf("  if, while, until, for, case, { }, ( ), !, &&, ||, |, &, ;\n"
           "  < > >> 2>&1 <<END    $NAME ${NAME:-text} $(command) $((sum)) * ? [a-z]\n");
    return 0;
}

builtin_t builtin_find(const char *name)
{
    for (size_t i = 0; i < BUILTINS; i++) {
        if (strcmp(builtins[i].name, name) == 0) {
            return builtins[i].builtin;
        }
    }
    return NULL;
}

void builtins_each(const char *start, void (*call)(const char *name, int is_folder))
{
    for (size_t i = 0; i < BUILTINS; i++) {
        if (strncmp(builtins[i].name, start, strlen(start)) == 0) {
            call(builtins[i].name, 0);
        }
    }
}
