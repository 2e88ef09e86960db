/*
 * The shell: text -> tree (tokens.c, parse.c) -> words (expand.c, arithmetic.c, variables.c) -> processes
 * (run.c, jobs.c). At a terminal the text comes from edit.c, with history.c and screen.c.
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
    NODE_SUBSHELL, NODE_GROUP, NODE_IF, NODE_WHILE, NODE_UNTIL, NODE_FOR, NODE_CASE,
    NODE_CHOICE, /* of a case: its patterns, its list, the next one in `otherwise` */
};

struct word {
    char *text; /* as typed, with its quotes */
    struct word *next;
};

struct redirect {
    int fd;
    char kind;    /* '<' '>' 'a' (>>) '&' (duplicate) 'h' (<<) */
    char literal, strip; /* 'h': nothing in it is expanded; tabs at its lines' starts go */
    char *target;        /* 'h': the text itself, while parsing the word that ends it */
    struct redirect *next, *here_next;
};

struct node {
    enum node_type type;
    struct node *left, *right, *otherwise; /* a pipe's ends, a list, an if's parts */
    struct word *words;                    /* of a command; of a for: the variable, then values; of a
                                              case: what is matched */
    struct redirect *redirects;
    char **arguments;   /* of a command whose words are expanded already: that has effects, so once */
    int argument_count;
    const char *source; /* what jobs shows */
};

/* parse.c */
enum parse_result { PARSE_OK, PARSE_EMPTY, PARSE_INCOMPLETE, PARSE_ERROR };
/* Parse one complete command (up to a newline). *text moves behind it. */
enum parse_result parse(const char **text, struct node **tree);
extern char parse_message[128]; /* what is wrong; tokens.c */

/* arena.c */
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
/* One word as a pattern for match_pattern: what was quoted stands for itself. */
char *expand_pattern(const char *text);
int match_pattern(const char *pattern, const char *text);
char *expand_here(const char *text);
/* Set by an expansion that could not be: the command is not run. */
extern int expansion_failed;

/* arithmetic.c; *error is NULL, or says what is wrong. */
long arithmetic(const char *text, const char **error);

/* variables.c */
const char *variable_get(const char *name);
void variable_set(const char *name, const char *value);
/* NULL: with the value it has. */
void variable_export(const char *name, const char *value);
void variable_unset(const char *name);
void variables_print(void);
/* How much of the text is a variable's name; 0: none. */
int variable_name_length(const char *text);
/* $1 and so on; copies. */
void parameters_set(int count, char **values);
extern int last_status;
extern pid_t last_background;
extern pid_t shell_pid; /* $$: also in its children */
extern char **parameters; /* $0, $1 ... */
extern int parameter_count;

/* redirect.c */
/* Apply redirections; `saved` (10 ints, or NULL) remembers what was there. -1: one failed. */
int redirect_all(const struct redirect *redirect, int *saved);
void redirect_undo(const int *saved);

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
/* Call with each name that begins like `start`, and 0. */
void builtins_each(const char *start, void (*call)(const char *name, int is_folder));

/* jobs.c */
struct job {
    pid_t pgid, last; /* the process whose status is the job's */
    int number, processes, stopped, status;
    char *text;
    struct job *next;
};
extern pid_t shell_pgid;
void jobs_init(void);
struct job *job_create(pid_t pgid, pid_t last, int processes, const char *text);
/* Wait until the job ends or stops; its status. Gives it the terminal first. */
int job_foreground(struct job *job, int go_on);
void job_background(struct job *job);
void jobs_reap(int announce);
struct job *job_find(const char *name);
void jobs_print(void);

/* edit.c */
/* A line typed at the terminal, without its newline; NULL at the end. Valid until the next. After ^C
 * it is empty and `interrupted` is set. */
char *edit_line(const char *prompt);
char *read_line(int fd);

/* complete.c */
/* What the word at line[start, end) may become, sorted, folders with a slash; how many. */
size_t complete_word(const char *line, size_t start, size_t end, char ***names);

/* history.c */
void history_add(const char *line);
/* The entry that is `back` before the newest one, from 1; NULL: there is none. */
const char *history_entry(int back);
void history_print(void);

/* screen.c */
/* Decode a character of UTF-8: its bytes; *columns is how wide it is, -1 if it is not printed. */
int screen_character(const char *text, size_t size, int *columns);
/* Draw prompt and text, over as many lines as they need; the cursor goes before text[cursor]. */
void screen_draw(const char *prompt, const char *text, size_t size, size_t cursor);
/* One more character at the end of it. 0: that needs a new drawing. */
int screen_append(const char *text, size_t size);
/* What is there stays; the next drawing begins on a line of its own. */
void screen_leave(void);
void screen_clear(void);
#endif
