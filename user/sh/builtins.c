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

extern char **environ;

static int do_cd(int argc, char **argv)
{
    const char *to = argc > 1 ? argv[1] : getenv("HOME");
    char path[4096];

    if (!to || chdir(to)) {
        fprintf(stderr, "cd: %s: %s\n", to ? to : "HOME", strerror(errno));
        return 1;
    }
    if (getcwd(path, sizeof(path))) {
        setenv("PWD", path, 1);
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
            setenv(argv[i], equal + 1, 1);
        }
    }
    return 0;
}

static int do_unset(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        unsetenv(argv[i]);
    }
    return 0;
}

static int do_set(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "-e") == 0) {
        exit_on_error = 1;
    } else if (argc > 1 && strcmp(argv[1], "+e") == 0) {
        exit_on_error = 0;
    } else if (argc == 1) {
        for (char **at = environ; *at; at++) {
            puts(*at);
        }
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
        setenv(argv[argc - 1], line ? line : "", 1);
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

builtin_t builtin_find(const char *name)
{
    static const struct {
        const char *name;
        builtin_t builtin;
    } builtins[] = {
        {"cd", do_cd}, {"exit", do_exit}, {"export", do_export}, {"unset", do_unset},
        {"set", do_set}, {"shift", do_shift}, {"pwd", do_pwd}, {":", do_true}, {"true", do_true},
        {"false", do_false}, {"break", do_break}, {"continue", do_continue}, {"jobs", do_jobs},
        {"fg", do_fg}, {"bg", do_fg}, {"wait", do_wait}, {"eval", do_eval}, {"exec", do_exec},
        {".", do_source}, {"read", do_read}, {"umask", do_umask}, {"test", do_test}, {"[", do_test},
    };

    for (size_t i = 0; i < sizeof(builtins) / sizeof(*builtins); i++) {
        if (strcmp(builtins[i].name, name) == 0) {
            return builtins[i].builtin;
        }
    }
    return NULL;
}
