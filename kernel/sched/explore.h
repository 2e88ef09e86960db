/*
 * Exploring schedules: one group of tasks, the command under test and all that it creates, runs by
 * a schedule that is given, one task at a time.
 *
 * A place in a run is a number of instructions that the group has executed in user mode
 * (arch/user_clock.h). The task that has the CPU keeps it until it blocks, ends or yields, until a
 * place of the schedule, or for EXPLORE_TURN instructions if others want to run, too, so that
 * nobody waits in a loop for ever. Then the one that became ready first comes, unless the schedule
 * names another one.
 *
 * The structs are what user/explore sees of a run, by ioctl(2) of /dev/explore (debug/explore.c).
 */
#ifndef SCHED_EXPLORE_H
#define SCHED_EXPLORE_H
#include "sched/task.h"

#define EXPLORE_PLACES 64
#define EXPLORE_TASKS 64 /* have a priority of their own, the last one for all above */
#define EXPLORE_RANGES 16
#define EXPLORE_WATCHES 256
#define EXPLORE_TURN 50000

/*
 * Here `task` gets the CPU: tasks of a run are numbered from 1 as they are created. In the kernel
 * (arch/places.h) a place is the `nth` that the group comes by since its last instruction in user mode;
 * 0: it is in user mode.
 */
struct explore_place {
    uint64_t at;
    uint32_t task, nth;
};

enum explore_kind {
    EXPLORE_RUNS,  /* `task` has the CPU from now on; `why` the one before had to go */
    EXPLORE_STOPS, /* `task` has it no more */
    EXPLORE_READY, /* `task` could run, from now on */
    EXPLORE_STEP,  /* `task` is about to execute the instruction at `rip` */
    EXPLORE_CLOSED, /* explore_end() was called */
    EXPLORE_PLACE,  /* `task` could lose the CPU in the kernel, at `object`, to another one */
};
enum { EXPLORE_KNOWN = 1, EXPLORE_CHANGED = 2 };
enum explore_why { EXPLORE_TAKEN, EXPLORE_BLOCKS, EXPLORE_ENDS, EXPLORE_YIELDS, EXPLORE_TURN_OVER };

struct explore_event {
    uint64_t at, rip; /* rip: of the task in user mode, where it went into the kernel; 0: in another program */
    uint64_t object;  /* what it waits for, as `reason` has it; TAKEN: where in the kernel, or 0 */
    uint64_t ready;   /* RUNS: who could have run, a bit by number; the last one for all above */
    uint32_t nth;     /* TAKEN, PLACE: see struct explore_place; BLOCKS: does it sleep for a time? STEP:
                         EXPLORE_KNOWN, EXPLORE_CHANGED: what the variable was that this instruction is about
                         is `object`, then `ready` */
    uint16_t task;
    uint8_t kind, why, reason;
    uint8_t unused[7];
};

enum explore_verdict { EXPLORE_NONE, EXPLORE_DONE, EXPLORE_DEADLOCK, EXPLORE_LIMIT };

/* The run that is, or was last. Written by the group and for it, on one CPU with interrupts off. */
extern struct explore {
    bool starting;  /* who is cloned now is the first of the group */
    bool closed;    /* explore_end() was called: no more places, no more events */
    uint64_t late;  /* so many instructions behind a place the timer came: it should be none */
    bool diverged;  /* the schedule named a task that was not ready */
    bool steps;     /* a debug exception after each instruction */
    bool in_kernel; /* places there count */
    bool pct;       /* by priorities; in the schedule is what that of the running task becomes */
    int32_t priorities[EXPLORE_TASKS], lowest;
    enum explore_verdict verdict;
    uint32_t alive, tasks; /* now, and in all */
    uint32_t place, places;
    struct explore_place schedule[EXPLORE_PLACES];
    uint64_t runs;    /* how many there were, this one too */
    uint64_t limit;   /* of instructions */
    uint64_t started; /* user_clock then */
    uint64_t ended;   /* the instructions up to the verdict */
    uint64_t sleepers; /* a bit for each task that sleeps for a time */
    uint64_t since;   /* the last place in the kernel, the nth, was there; its address */
    uint32_t nth;
    vaddr_t site;
    ktime_t machine_ends; /* --timeout of tools/explore */
    uint64_t idle_at;     /* user_clock, when nobody could run; */
    ktime_t idle_until;   /* the timer that was next then; and how many there were since without a step */
    uint32_t idle;
    uint64_t left;    /* when a task went to user mode last, and how often since without a step there */
    uint32_t in_vain;
    uint64_t turn;    /* when the running task got the CPU */
    bool guarded;     /* the watchdog runs; `silent`: so long since it was put off */
    ktime_t silent;
    uint64_t kernel_at; /* user_clock, when a task of the group was seen in the kernel, */
    ktime_t kernel_time; /* for so long */
    struct task *running; /* whose turn it is: it has the CPU, or outsiders have it meanwhile */
    bool passes;          /* it is to give it away, `why` */
    enum explore_why why;
    bool fresh;           /* the running task has just got the CPU */
    struct explore_event *watched; /* the last step, if its variable is to be looked at again */
    uint64_t watched_address;
    uint32_t watched_size;
    struct explore_event *events;
    uint32_t event_count, event_max, dropped;
    struct task *template;  /* of which all runs are copies; or NULL (debug/explore.c) */
    struct wait_queue over; /* who waits for the verdict, or for the template */
    struct timer tell;      /* wakes it */
} explore;

/* The instructions of the group so far. */
uint64_t explore_now(void);
/* Note an event of `task`, with its place in user mode. Interrupts off. */
void explore_record(enum explore_kind kind, struct task *task, uint64_t rip);
/* Forget the last run: the next one may begin. Nobody of it is alive. */
void explore_reset(void);
/* A new task, which is not started yet; and one that is about to give the CPU away for good. */
void explore_clone(struct task *task);
void explore_exit(struct task *task);
struct runqueue;
/* When the next timer comes that is for somebody, not for the machine's own end. explore_watch.c, as are those
 * below. */
ktime_t explore_next_timer(void);
/* Nobody can run. Will nobody ever? A timer may wake one; but if they come again and again and the group does
 * not execute an instruction, they are of no use to it. */
bool explore_is_stuck(void);
/* sched_class.charge, panics if somebody hangs in the kernel. */
void explore_charge(struct runqueue *rq, struct task *task, ktime_t time);
/* Upcalls, defined in debug/explore.c: the current task has become another program; it is about to execute
 * the instruction at `rip`, interrupts off. */
void explore_exec(vaddr_t entry);
void explore_step(vaddr_t rip);

#endif
