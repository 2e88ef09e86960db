/*
 * What all lessons share, so that each can be read as what it teaches.
 *
 * A lesson says in two lines what to look at, shows it while it happens, and ends with verdicts:
 * sentences with measured figures in them. With --json it prints one JSON object and nothing else.
 * It exits with 0 when the measurement confirms the lesson, 1 when it contradicts it, 2 for wrong
 * options. Relies on nothing but POSIX; the same binary runs on a Linux host and in the guest.
 */
#ifndef LESSON_H
#define LESSON_H
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "language.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* ---- What it is called with (lesson.c) ---- */

enum option_kind { OPTION_FLAG, OPTION_NUMBER, OPTION_CHOICE };

struct lesson_option {
    const char *name; /* without the dashes; a NULL name ends the array */
    enum option_kind kind;
    void *value;         /* bool *, long *, or const char ** */
    const char *help;
    long least, most;    /* of a number */
    const char *choices; /* "one|other" */
};

struct lesson {
    const char *name;
    const char *summary;                 /* one line for --help */
    const char *look[2];                 /* what to look at */
    const struct lesson_option *options; /* besides --json and --help; may be NULL */
    const char *json;                    /* for --help: the keys of the JSON object, with units */
};

/* Read the options, say what to look at. Does not return for --help and wrong options. */
void lesson_start(const struct lesson *lesson, int argc, char **argv);
/* The same in two steps, for a lesson that may refuse its options. */
void lesson_options(const struct lesson *lesson, int argc, char **argv);
void lesson_show(void);

/* A sentence with what was measured, in the reader's language; `holds` if it is what the lesson claims. Returns it. */
const char *verdict(bool holds, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Print the verdicts; returns what main() is to return. */
int lesson_end(void);

/* The lesson cannot go on: a call failed that never should. Ends the process with status 1. */
_Noreturn void lesson_failed(const char *what);

/* Options that cannot go together, or not here: one line, status 2. */
_Noreturn void lesson_refuse(const char *argument, const char *why);

/* As fork(2); it ends the lesson where it fails, and the lesson's end then ends the child. */
pid_t lesson_fork(void);
/* In a child: it ends, too, when the lesson is killed. (A signal each second looks for that.) */
void end_with_parent(void);
/* Wait for a child (-1: any): its status. */
int lesson_wait(pid_t child);
/* The same; it must end with status 0: otherwise say how it ended, and end. */
void lesson_join(pid_t child);

/* ---- What it prints (screen.c) ---- */

enum colour { PLAIN, BOLD, DIM, RED, GREEN, YELLOW, BLUE, CYAN };

/* printf, but silent with --json, and of a format in the reader's language. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The escape code for the colour, or "" where standard output has no colours. */
const char *paint(enum colour colour);

/* A bar for `share` (0 to 1), padded with blanks to `width` (below 96). Valid for 4 calls. */
const char *bar(double share, int width);

/* "12.3 ms" and the like: three digits. Valid for 8 calls. */
const char *duration(double ns);

/*
 * On a terminal: repaint what `draw` says 20 times a second, until live_end. A process of its own
 * paints, so that the picture moves while this one is blocked; `draw` looks at shared_memory.
 * live_end prints the picture a last time; where there is no terminal, it is the only time.
 */
void live_begin(void (*draw)(void));
void live_end(void);

/*
 * From now on read(0) gives each key as it is pressed, and shows none; for a terminal. Whatever ends
 * or stops the lesson before keys_end leaves the terminal as it was.
 */
void keys_begin(void);
void keys_end(void);
void keys_forget(void); /* those that were pressed before */

#define PICTURE_COLUMNS 80 /* what the widest picture needs */

/* Only for lesson.c: decide what standard output is; how wide it is. */
void screen_start(bool json);
int screen_columns(void);

/* ---- Lanes: one line a task, from left to right as time goes by (lanes.c) ---- */

#define LANE_CELLS 56
#define LANES_MOST 12

enum { LANE_TICK = '|', LANE_RUN = '#', LANE_WAIT = '=', LANE_SILENCE = '.', LANE_PAUSE = '-' };

struct lane {
    char name[16];
    char note[16];           /* shown right of it; empty: its longest silence */
    char cells[LANE_CELLS];  /* what was marked there, or 0 */
    long long from;          /* since when it waits, or 0 */
    long long last, longest; /* ns: the last mark, and the longest time between two */
    unsigned long ticks;
};

struct lanes {
    long long start, span, quiet; /* ns; silence is what lasts longer than `quiet` */
    int count;
    struct lane lane[LANES_MOST];
};

/* Lanes in shared memory that span `span` ns from now on. */
struct lanes *lanes_create(long long span, long long quiet);
struct lane *lane_add(struct lanes *lanes, const char *name);

/* The lane's owner did something just now: LANE_TICK or LANE_RUN. */
void lane_mark(struct lanes *lanes, struct lane *lane, char mark);

/* It begins to wait; it has waited: how long, in ns. */
void lane_wait(struct lane *lane);
long long lane_go_on(struct lanes *lanes, struct lane *lane);

/* For live_begin: the lanes that lanes_create made last, a time axis below. */
void lanes_draw(void);

/* ---- Time and the machine (machine.c) ---- */

long long now_ns(void);                  /* CLOCK_MONOTONIC */
long long cpu_ns(void);                  /* the CPU time of this process */
struct switches {
    long voluntary, forced;              /* it slept; the CPU was taken from it, or given by yield */
};
struct switches thread_switches(void);   /* of this thread, as the kernel counts them */
void sleep_ns(long long ns);
void *shared_memory(size_t size);        /* zeroed, shared with children */
int cpus_allowed(void);                  /* how many CPUs this process may use */
void pin_to_cpu(int nth);                /* this thread and what it starts, from now on; 0: the first allowed */

/* A task as /proc shows it to others: its state letter, what it waits for; '?' and "" if hidden. */
struct task_seen {
    char state, waits_for[32];
};
struct task_seen task_look(int pid, int tid);

/* A nanosecond is one instruction: the guest runs under QEMU's icount, where costs are exact. */
bool time_counts_instructions(void);

/* ---- JSON (json.c); all of these do nothing without --json ---- */

/* `key` is NULL inside an array. */
void json_object(const char *key);
void json_array(const char *key);
void json_end(void);
void json_text(const char *key, const char *value);
void json_number(const char *key, double value); /* three decimals, none if it is whole; or null */
void json_bool(const char *key, bool value);
void json_start(void); /* for lesson.c: the outermost object */
#endif
