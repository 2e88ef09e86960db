/*
 * The shell's shared types and state; every file of user/bin/sh includes this and nothing of
 * each other's insides.
 *
 * How a command flows: source (input.c) -> tokens (lex.c) -> tree (parse.c) -> words expanded
 * (expand.c, param.c, arith.c, glob.c) -> run (exec.c, redir.c) -> waited for (jobs.c).
 * Words are kept as they were typed, quotes included; expansion interprets the quotes.
 */
#ifndef SH_H
#define SH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* ---- mem.c: memory ---- */

struct arena_block;

/* Allocations that are freed together. A tree lives as long as its arena has references. */
struct arena {
    struct arena_block *top;
    int refs;
};

struct arena_mark {
    struct arena_block *block;
    size_t used;
};

/* A growing byte string. All zero is a valid empty one. */
struct buf {
    char *p;
    size_t len;
    size_t cap;
};

void *xmalloc(size_t size);
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *s);

struct arena *arena_new(void);
void arena_unref(struct arena *a);
void *arena_alloc(struct arena *a, size_t size);
char *arena_strndup(struct arena *a, const char *s, size_t n);
struct arena_mark arena_mark(struct arena *a);
void arena_release(struct arena *a, struct arena_mark mark);

void buf_putc(struct buf *b, int c);
void buf_add(struct buf *b, const char *s, size_t n);
void buf_puts(struct buf *b, const char *s);
char *buf_str(struct buf *b); /* NUL-terminates; valid until the next change */
void buf_free(struct buf *b);

/* ---- out.c: output ---- */

void out(const char *s);
void outf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void out_bytes(const char *s, size_t n);
int out_flush(void);    /* 0, or -1 if the standard output could not take it */
void warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void fail(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- input.c: where characters come from ---- */

enum source_kind { SRC_STRING, SRC_FILE, SRC_STREAM, SRC_EDIT };

struct source {
    enum source_kind kind;
    int fd;
    struct buf text;    /* what has been read, up to the end of a line for streams */
    size_t pos;
    int line;
    bool eof;
    bool interrupted;   /* ^C in the line editor: give up this command */
    bool continued;     /* the next line continues a command: prompt with PS2 */
};

void source_string(struct source *s, const char *text);
void source_fd(struct source *s, int fd, enum source_kind kind);
void source_close(struct source *s);
void source_drop_line(struct source *s);
int source_peek(struct source *s);
int source_get(struct source *s);
bool source_at_end(struct source *s); /* true only if known without reading */

/* ---- lex.c, parse.c: syntax ---- */

enum tok {
    T_EOF, T_NEWLINE, T_WORD, T_SEMI, T_DSEMI, T_AMP, T_AND, T_PIPE, T_OR, T_LPAREN, T_RPAREN,
    T_REDIR,
};

enum redir_op { R_IN, R_OUT, R_APPEND, R_DUP, R_RDWR, R_HERE, R_CLOBBER };

struct word {
    struct word *next;
    char *text; /* as typed, with its quotes */
};

struct redir {
    struct redir *next;
    enum redir_op op;
    int fd;
    char *text;     /* the target word, or the body of a here-document */
    bool quoted;    /* here-document: the body is taken as it is */
    bool strip;     /* here-document: <<- drops leading tabs */
};

enum node_kind {
    N_SIMPLE, N_PIPE, N_AND, N_OR, N_SEQ, N_BG, N_NOT, N_SUBSHELL, N_GROUP, N_IF, N_WHILE,
    N_UNTIL, N_FOR, N_CASE, N_ITEM, N_FUNC,
};

/*
 * One node of the tree. Which fields count depends on the kind:
 *   SIMPLE: assigns, words, redirs     PIPE: a, a->next...     AND OR SEQ: a, b    BG NOT: a
 *   SUBSHELL GROUP: a    IF: a (condition) b (then) c (else)    WHILE UNTIL: a, b
 *   FOR: name, words (has_in), b    CASE: name (subject), a = list of ITEM(words, b)
 *   FUNC: name, a; compound kinds also take redirs
 */
struct node {
    enum node_kind kind;
    bool has_in;
    int line;
    char *name;
    struct word *assigns;
    struct word *words;
    struct redir *redirs;
    struct node *a, *b, *c;
    struct node *next;
    struct arena *arena; /* FUNC: what to keep alive */
};

struct parser {
    struct source *src;
    struct arena *arena;
    enum tok tok;
    bool peeked;
    char *text;             /* T_WORD */
    enum redir_op op;       /* T_REDIR */
    int fd;
    bool strip;
    struct redir **heres;   /* here-documents whose bodies follow this line */
    int nheres;
    struct buf record;      /* raw characters of a command substitution */
    int recording;
    int depth;
    bool error;
};

enum tok lex_peek(struct parser *p);
enum tok lex_next(struct parser *p);
int lex_getc(struct parser *p);
void lex_read_heres(struct parser *p);
const char *lex_describe(struct parser *p);
/* Skip one $... or `...` construct that starts at s; returns the first byte after it. */
const char *skip_dollar(const char *s);
const char *skip_backquote(const char *s);

void parse_error(struct parser *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
struct node *parse_list(struct parser *p);      /* up to a closing word or parenthesis */
/* One complete command; NULL at an empty line, the end (p->tok == T_EOF) or an error. */
struct node *parse_command(struct parser *p);
bool is_name(const char *s, size_t n);
size_t name_len(const char *s);
char *strip_quotes(struct arena *a, const char *raw, bool *quoted);

/* print.c: a command as text, for job listings */
void node_text(struct buf *b, struct node *n);

/* ---- var.c: variables ---- */

enum { V_EXPORT = 1, V_READONLY = 2 };

struct var {
    struct var *next;
    char *name;
    char *value; /* NULL: marked but not set */
    int flags;
};

void var_init(char **envp);
struct var *var_find(const char *name);
const char *var_get(const char *name);
int var_set(const char *name, const char *value, int flags);
int var_assign(const char *text, size_t namelen, const char *value, int flags);
int var_unset(const char *name);
void var_list(int flags, const char *prefix);
char **var_environ(struct arena *a);
struct local_save *local_begin(void);
void local_end(struct local_save *mark);
void local_save(const char *name);

struct func {
    struct func *next;
    char *name;
    struct node *body;
    struct arena *arena;
};
struct func *func_find(const char *name);
void func_define(const char *name, struct node *body, struct arena *arena);
int func_unset(const char *name);
extern struct func *func_list;

/* ---- expand.c and friends ---- */

/* Marks that travel beside each byte while a word is being expanded. */
enum { F_QUOTED = 1, F_SPLIT = 2, F_BREAK = 4, F_NULL = 8 };
enum { M_DQUOTE = 1, M_HERE = 2, M_SPLIT = 4, M_TILDE = 8, M_ASSIGN = 16 };

struct xbuf {
    struct buf c; /* bytes */
    struct buf f; /* one mark for each */
};

struct fields {
    char **v;
    size_t n;
    size_t cap;
};

void x_put(struct xbuf *x, int c, int flags);
void x_value(struct xbuf *x, const char *s, int mode);
void expand_range(struct xbuf *x, const char *s, const char *end, int mode);
const char *expand_dollar(struct xbuf *x, const char *s, int mode); /* param.c */
void fields_add(struct fields *f, char *s);
void expand_words(struct fields *f, struct word *w);
char *expand_single(const char *text, int mode);    /* no splitting, no globbing */
char *expand_pattern(const char *text);             /* quoted bytes come out escaped */
char *pattern_of(struct xbuf *x);
bool pattern_match(const char *pat, const char *s);
size_t glob_into(struct fields *f, const char *pat);
int64_t arith_eval(const char *s);
void command_subst(struct xbuf *x, const char *text, int mode);

/* ---- exec.c, redir.c ---- */

enum { X_EXIT = 1 }; /* the process ends after this: a command may replace it */

enum flow { FLOW_RUN, FLOW_BREAK, FLOW_CONTINUE, FLOW_RETURN, FLOW_INTR, FLOW_ERROR };

int exec_node(struct node *n, int flags);
int call_function(struct func *fn, int argc, char **argv);
void exec_program(char **argv, char **envp) __attribute__((noreturn));
char *find_program(const char *name, const char *path);
int run_source(struct source *src, bool may_exec);
int run_string(const char *text, bool may_exec);
void sh_exit(int status) __attribute__((noreturn));

struct saved_fd {
    int fd;
    int copy; /* -1: was closed */
};
struct redir_save {
    struct saved_fd *v;
    int n;
};
/* Apply in order; 0 or -1 after a message. With save NULL the change is for good. */
int redir_apply(struct redir *r, struct redir_save *save);
void redir_restore(struct redir_save *save);
int fd_move_high(int fd);

/* ---- jobs.c, signals.c ---- */

enum proc_state { P_RUNNING, P_STOPPED, P_DONE };

struct proc {
    pid_t pid;
    enum proc_state state;
    int status;
};

struct job {
    struct job *next;
    int id;
    pid_t pgid;
    bool background;
    bool changed;   /* its state has not been reported yet */
    int nprocs;
    struct proc *procs;
    char *text;
};

struct job *job_new(struct node *n, const char *text);
/* Fork a process into the job. Returns 0 in the child, which is set up, or the pid, or -1. */
pid_t job_fork(struct job *job, bool background);
int job_wait_foreground(struct job *job);
int job_wait(struct job *job);
void job_remove(struct job *job);
enum proc_state job_state(struct job *job);
int job_status(struct job *job);
struct job *job_by_pid(pid_t pid);
struct job *job_by_spec(const char *spec);
void job_report(struct job *job, bool pids);
void jobs_poll(void);       /* notice what changed, without waiting */
void jobs_notify(void);     /* and say so */
int jobs_wait_any(void);
void jobs_forget(void);
void jobs_init(void);
void jobs_leave(void);
bool jobs_stopped(void);
int job_continue(struct job *job, bool foreground);
extern struct job *job_list;
int status_code(int wait_status);

void signals_init(void);
void signals_child(void);
void signals_interactive(void);
int signal_number(const char *name);
const char *signal_name(int sig);
const char *signal_text(int sig);
int trap_set(int sig, const char *action);
void trap_list(void);
void traps_run(void);
void trap_exit(void);
bool take_interrupt(void);
extern volatile int pending_signals;

/* ---- edit.c, history.c, complete.c ---- */

enum edit_result { EDIT_LINE, EDIT_EOF, EDIT_INTERRUPT };
enum edit_result edit_line(const char *prompt, struct buf *line);
void history_add(const char *line);
const char *history_get(int n); /* 0 is the oldest */
int history_count(void);
/* What could stand for the word that ends at pos; *start is where the word begins. */
void complete_word(const char *line, size_t pos, size_t *start, struct fields *out, bool *is_dir);
void prompt_text(struct buf *b, bool continued);

/* ---- builtins ---- */

enum { B_SPECIAL = 1 };

struct builtin {
    const char *name;
    int (*run)(int argc, char **argv);
    int flags;
    const char *help;
};
extern const struct builtin builtins[];
const struct builtin *builtin_find(const char *name);
void builtin_sort_names(struct fields *f);
int parse_int(const char *s, long *value); /* 0, or -1 if it is not a whole number */

int b_cd(int argc, char **argv);
int b_pwd(int argc, char **argv);
int b_echo(int argc, char **argv);
int b_printf(int argc, char **argv);
int b_test(int argc, char **argv);
int b_read(int argc, char **argv);
int b_export(int argc, char **argv);
int b_readonly(int argc, char **argv);
int b_unset(int argc, char **argv);
int b_local(int argc, char **argv);
int b_set(int argc, char **argv);
int b_shift(int argc, char **argv);
int b_getopts(int argc, char **argv);
int b_jobs(int argc, char **argv);
int b_fg(int argc, char **argv);
int b_bg(int argc, char **argv);
int b_wait(int argc, char **argv);
int b_kill(int argc, char **argv);
int b_trap(int argc, char **argv);

/* ---- the shell ---- */

struct shell {
    const char *arg0;
    char **args;            /* $1... ; args[nargs] is NULL */
    int nargs;
    int status;             /* $? */
    int subst_status;       /* of the last command substitution in this command, or -1 */
    pid_t pid;              /* $$: the first shell's, in subshells too */
    pid_t last_bg;          /* $! */
    bool interactive;
    bool jobctl;
    bool subshell;
    bool opt_e, opt_x, opt_u, opt_f, opt_n, opt_a, opt_v;
    int cond_depth;         /* >0: a failure here is a condition, not an error for -e */
    int loop_depth;
    int func_depth;
    enum flow flow;
    int flow_levels;        /* break N, continue N */
    int tty;                /* the controlling terminal, -1 without job control */
    int line;
    struct arena *xa;       /* expansion results, released after each command */
};
extern struct shell sh;

void set_args(char **v, int n);
const char *option_letters(void);
int set_option(int letter, bool on);

#endif
