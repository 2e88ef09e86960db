/* Running a tree: processes, pipes, redirections; control structures in the shell itself. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sh.h"

int interactive, exit_on_error, loop_break, loop_continue;
volatile int interrupted;
#define PIPELINE_MAX 64

static int in_child; /* of a pipe or subshell: no job control of its own */

/* The signals of keys wait. The shell ignores them, and so does a child until run_child_setup(): who pressed
 * ^Z right after the command would have pressed it for nobody. What is blocked is kept, even if it is ignored
 * now. */
static void keys_mask(int how)
{
    sigset_t keys;

    sigemptyset(&keys);
    sigaddset(&keys, SIGINT);
    sigaddset(&keys, SIGQUIT);
    sigaddset(&keys, SIGTSTP);
    sigprocmask(how, &keys, NULL);
}

void run_child_setup(void)
{
    static const int signals[] = {SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGPIPE};

    for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
        signal(signals[i], SIG_DFL);
    }
    in_child = 1;
    interactive = 0;
    keys_mask(SIG_UNBLOCK);
}

static int is_assignment(const struct word *word)
{
    int length = variable_name_length(word->text);

    return length > 0 && word->text[length] == '=';
}

/* Leading NAME=value words are assignments, which `set` makes. Returns the first other word. */
static const struct word *assignments(const struct word *word,
                                      void (*set)(const char *name, const char *value))
{
    for (; word && is_assignment(word); word = word->next) {
        int length = variable_name_length(word->text);

        set(arena_copy(word->text, (size_t)length), expand_single(word->text + length + 1));
    }
    return word;
}

static _Noreturn void exec_program(char **argv)
{
    execvp(argv[0], argv);
    if (errno == ENOEXEC) { /* a script without #! */
        char *script[64] = {"sh"};
        int i;

        for (i = 0; argv[i] && i < 62; i++) {
            script[i + 1] = argv[i];
        }
        execvp("sh", script);
    }
    fprintf(stderr, "%s: %s\n", argv[0], errno == ENOENT ? "command not found" : strerror(errno));
    _exit(errno == ENOENT ? 127 : 126);
}

/* Become the command; in a child. */
static _Noreturn void run_in_child(struct node *node)
{
    if (node->type == NODE_COMMAND) {
        const struct word *words = assignments(node->words, variable_export);
        int argc;
        char **argv;
        builtin_t builtin;

        if (redirect_all(node->redirects, NULL)) {
            _exit(1);
        }
        argv = node->arguments;
        argc = node->argument_count;
        if (!argv) {
            argv = expand_words(words, &argc);
        }
        if (expansion_failed || argc == 0) {
            _exit(expansion_failed);
        }
        builtin = builtin_find(argv[0]);
        if (!builtin) {
            exec_program(argv);
        }
        exit(builtin(argc, argv));
    }
    exit(run_tree(node));
}

/* Wait for all processes of a pipeline without job control; the last one's status. */
static int wait_for_all(const pid_t *pids, int count)
{
    int result = 0, status;

    for (int i = 0; i < count; i++) {
        while (waitpid(pids[i], &status, 0) < 0) {
            if (errno != EINTR) {
                return result;
            }
        }
        result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    return result;
}

static pid_t start(struct node *node, pid_t pgid, int input, int output, int other, int foreground)
{
    pid_t pid;

    fflush(stdout);
    keys_mask(SIG_BLOCK);
    pid = fork();
    if (pid < 0) {
        keys_mask(SIG_UNBLOCK);
        fprintf(stderr, "sh: fork: %s\n", strerror(errno));
        return -1;
    }
    if (pid > 0) {
        keys_mask(SIG_UNBLOCK);
        if (interactive) {
            setpgid(pid, pgid ? pgid : pid);
        }
        return pid;
    }
    if (interactive) {
        setpgid(0, pgid);
        if (foreground) {
            tcsetpgrp(0, getpgrp());
        }
    } else if (!foreground && !in_child && input < 0) {
        dup2(open("/dev/null", O_RDONLY), 0);
    }
    run_child_setup();
    if (other >= 0) {
        close(other);
    }
    if (input >= 0) {
        dup2(input, 0);
        close(input);
    }
    if (output >= 0) {
        dup2(output, 1);
        close(output);
    }
    run_in_child(node);
}

/* A pipeline of one or more processes as a job. */
static int run_job(struct node *node, int foreground)
{
    const char *source = node->source ? node->source : node->words ? node->words->text : "";
    pid_t pids[PIPELINE_MAX], pgid = 0, pid = 0;
    int input = -1, processes = 0;
    struct job *job;

    while (node) {
        int fds[2] = {-1, -1};
        struct node *next = node->type == NODE_PIPE ? node->right : NULL;

        if (processes == PIPELINE_MAX) {
            fprintf(stderr, "sh: more than %d commands in a pipe\n", PIPELINE_MAX);
            break;
        }
        if (next && pipe2(fds, O_CLOEXEC)) {
            perror("sh: pipe");
            break;
        }
        pid = start(next ? node->left : node, pgid, input, fds[1], fds[0], foreground);
        if (input >= 0) {
            close(input);
        }
        if (fds[1] >= 0) {
            close(fds[1]);
        }
        input = fds[0];
        if (pid < 0) {
            break;
        }
        pgid = pgid ? pgid : pid;
        pids[processes++] = pid;
        node = next;
    }
    if (input >= 0) {
        close(input);
    }
    if (processes == 0) {
        return 1;
    }
    if (!interactive && foreground) {
        return wait_for_all(pids, processes);
    }
    pid = pids[processes - 1];
    job = job_create(pgid, pid, processes, source);
    if (foreground) {
        return job_foreground(job, 0);
    }
    last_background = pid;
    if (interactive) {
        printf("[%d] %d\n", job->number, pid);
    }
    return 0;
}

static int run_command(struct node *node)
{
    const struct word *words = node->words, *first = words;
    int saved[10], argc, status = 0;
    char **argv;
    builtin_t builtin;

    expansion_failed = 0;
    while (first && is_assignment(first)) {
        first = first->next;
    }
    argv = first ? expand_words(first, &argc) : NULL;
    if (expansion_failed) {
        return 1;
    }
    builtin = first && argc ? builtin_find(argv[0]) : NULL;
    if (first && argc && !builtin) {
        node->arguments = argv;
        node->argument_count = argc;
        status = run_job(node, 1);
        node->arguments = NULL;
        return status;
    }
    for (int i = 0; i < 10; i++) {
        saved[i] = -1;
    }
    assignments(words, variable_set);
    if (expansion_failed) {
        return 1;
    }
    if (redirect_all(node->redirects, saved)) {
        status = 1;
    } else if (builtin) {
        status = builtin(argc, argv);
    } else if (strstr(words ? words->text : "", "$(")) {
        status = last_status;
    }
    redirect_undo(saved);
    return status;
}

static int run_loop(struct node *node)
{
    struct arena_mark mark = arena_mark();
    int status = 0;

    while (!interrupted && (run_tree(node->left) == 0) == (node->type == NODE_WHILE)) {
        status = run_tree(node->right);
        arena_release(mark);
        loop_continue = 0;
        if (loop_break) {
            break;
        }
    }
    loop_break = 0;
    return status;
}

static int run_for(struct node *node)
{
    int count, status = 0;
    char **values = node->words->next ? expand_words(node->words->next, &count)
                                      : (count = parameter_count - 1, parameters + 1);

    struct arena_mark mark = arena_mark();

    for (int i = 0; i < count && !interrupted && !loop_break; i++) {
        variable_set(node->words->text, values[i]);
        status = run_tree(node->left);
        arena_release(mark);
        loop_continue = 0;
    }
    loop_break = 0;
    return status;
}

/* The list of the first choice whose pattern matches. */
static int run_case(struct node *node)
{
    const char *text = expand_single(node->words->text);

    for (struct node *choice = node->left; choice; choice = choice->otherwise) {
        for (struct word *word = choice->words; word; word = word->next) {
            if (match_pattern(expand_pattern(word->text), text)) {
                return choice->left ? run_tree(choice->left) : 0;
            }
        }
    }
    return 0;
}

static int run_grouped(struct node *node)
{
    int saved[10] = {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1}, status = 1;

    if (redirect_all(node->redirects, saved) == 0) {
        struct redirect *redirects = node->redirects;

        node->redirects = NULL;
        status = run_tree(node);
        node->redirects = redirects;
    }
    redirect_undo(saved);
    return status;
}

static int run_node(struct node *node)
{
    if (node->type != NODE_COMMAND && node->redirects) {
        return run_grouped(node);
    }
    switch (node->type) {
    case NODE_COMMAND:
        return run_command(node);
    case NODE_PIPE:
        return run_job(node, 1);
    case NODE_SUBSHELL:
        if (in_child) {
            in_child = 0;
        }
        node = node->left;
        return run_job(&(struct node){.type = NODE_GROUP, .left = node, .source = node->source}, 1);
    case NODE_BACKGROUND:
        return run_job(node->left, 0);
    case NODE_AND:
        return run_tree(node->left) == 0 ? run_tree(node->right) : last_status;
    case NODE_OR:
        return run_tree(node->left) != 0 ? run_tree(node->right) : 0;
    case NODE_NOT:
        return run_tree(node->left) == 0;
    case NODE_SEQUENCE:
        run_tree(node->left);
        return loop_break || loop_continue || interrupted ? last_status : run_tree(node->right);
    case NODE_GROUP:
        return run_tree(node->left);
    case NODE_IF:
        return run_tree(node->left) == 0 ? run_tree(node->right)
               : node->otherwise ? run_tree(node->otherwise) : 0;
    case NODE_WHILE:
    case NODE_UNTIL:
        return run_loop(node);
    case NODE_FOR:
        return run_for(node);
    case NODE_CASE:
        return run_case(node);
    case NODE_CHOICE:
        break; /* run_case looks at them */
    }
    return 1;
}

int run_tree(struct node *node)
{
    last_status = run_node(node);
    if (exit_on_error && last_status && node->type == NODE_COMMAND) {
        exit(last_status);
    }
    return last_status;
}

int run_text(const char *text)
{
    struct node *tree;

    for (;;) {
        switch (parse(&text, &tree)) {
        case PARSE_EMPTY:
            return last_status;
        case PARSE_OK:
            run_tree(tree);
            break;
        case PARSE_INCOMPLETE:
            fprintf(stderr, "sh: syntax error: unexpected end\n");
            return last_status = 2;
        case PARSE_ERROR:
            fprintf(stderr, "sh: %s\n", parse_message);
            return last_status = 2;
        }
    }
}

char *run_capture(const char *text)
{
    int fds[2], status;
    size_t used = 0, size = 256;
    char *output = arena_alloc(size);
    ssize_t got;
    pid_t pid;

    fflush(stdout);
    if (pipe2(fds, O_CLOEXEC) || (pid = fork()) < 0) {
        return "";
    }
    if (pid == 0) {
        run_child_setup();
        dup2(fds[1], 1);
        exit(run_text(text));
    }
    close(fds[1]);
    while ((got = read(fds[0], output + used, size - used - 1)) > 0) {
        used += (size_t)got;
        if (used + 1 == size) {
            char *more = arena_alloc(size * 2);

            memcpy(more, output, used);
            output = more;
            size *= 2;
        }
    }
    close(fds[0]);
    waitpid(pid, &status, 0);
    last_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    while (used > 0 && output[used - 1] == '\n') {
        used--;
    }
    output[used] = '\0';
    return output;
}
