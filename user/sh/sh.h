/*
 * The shell: text -> tree (parse.c) -> words (expand.c) -> processes (run.c, jobs.c).
 *
 * The tree and expanded words live in an arena that is emptied after each complete command, so a
 * long session does not grow.
 */
#ifndef SH_H
#define SH_H
#include <stddef.h>
#include <sys/types.h>

enum node_type {
    NODE_COMMAND, NODE_PIPE, NODE_AND, NODE_OR, NODE_SEQUENCE, NODE_BACKGROUND, NODE_NOT,
    NODE_SUBSHELL, NODE_GROUP, NODE_IF, NODE_WHILE, NODE_UNTIL, NODE_FOR,
};

struct word {
    char *text; /* as typed, with its quotes */
    struct word *next;
};

struct redirect {
    int fd;
    char kind;  /* '<' '>' 'a' (>>) '&' (duplicate) 'h' (here: text) */
    char *target;
    struct redirect *next;
};

struct node {
    enum node_type type;
    struct node *left, *right, *otherwise; /* a pipe's ends, a list, an if's parts */
    struct word *words;                    /* of a command; of a for: the variable, then values */
    struct redirect *redirects;
    const char *source; /* what jobs shows */
};

/* parse.c */
enum parse_result { PARSE_OK, PARSE_EMPTY, PARSE_INCOMPLETE, PARSE_ERROR };
/* Parse one complete command (up to a newline). *text moves behind it. */
enum parse_result parse(const char **text, struct node **tree);
extern char parse_message[128];
void *arena_alloc(size_t size);
char *arena_copy(const char *text, size_t size);
void arena_reset(void);
/* Give back what was allocated since a mark: each round of a loop. */
struct arena_mark {
    void *chunk;
    size_t used;
};
struct arena_mark arena_mark(void);
void arena_release(struct arena_mark mark);

/* expand.c */
/* All expansions of a list of words; a NULL-terminated array in the arena. */
char **expand_words(const struct word *words, int *count);
/* One word, without splitting and globbing. */
char *expand_single(const char *text);
int match_pattern(const char *pattern, const char *text);
const char *variable_get(const char *name);
extern int last_status;
extern pid_t last_background;
extern pid_t shell_pid; /* $$: also in its children */
extern char **parameters; /* $0, $1 ... */
extern int parameter_count;

/* run.c */
int run_tree(struct node *tree);
int run_text(const char *text);
/* What a $(command) prints, without its last newlines. */
char *run_capture(const char *text);
void run_child_setup(void);
extern int interactive, exit_on_error;
extern volatile int interrupted;
extern int loop_break, loop_continue;

/* builtins.c */
typedef int (*builtin_t)(int argc, char **argv);
builtin_t builtin_find(const char *name);

/* jobs.c */
struct job {
    pid_t pgid;
    int number, processes, stopped, status;
    char *text;
    struct job *next;
};
extern pid_t shell_pgid;
void jobs_init(void);
struct job *job_create(pid_t pgid, int processes, const char *text);
/* Wait until the job ends or stops; its status. Gives it the terminal first. */
int job_foreground(struct job *job, int go_on);
void job_background(struct job *job);
void jobs_reap(int announce);
struct job *job_find(const char *name);
void jobs_print(void);

/* edit.c */
/* A line typed at the terminal, without its newline; NULL at the end. Valid until the next. */
char *edit_line(const char *prompt);
char *read_line(int fd);
#endif
