/* /dev/explore: the command is started once, and then runs as often as one likes from the same state,
 * each time by another schedule. The structs are the kernel's (kernel/debug/explore.c). */
#ifndef EXPLORE_DEVICE_H
#define EXPLORE_DEVICE_H
#include <stdint.h>

#define PLACES_MAX 64
#define PRIORITIES 64
#define TASKS_MAX 63 /* can be told apart */
#define RANGES_MAX 16
#define WATCHES_MAX 256
#define NOWHERE INT64_MAX
#define SIZES 16

/* At this number of instructions, `task` gets the CPU; in the kernel at the nth place since, 0: in user
 * mode. */
struct place {
    uint64_t at;
    uint32_t task, nth;
};

struct range {
    int64_t low, high;
};

/* The instruction there is about the variable at `address`. */
struct watch {
    int64_t at, address;
    uint32_t size, unused;
};

/* Addresses are relative to the program's entry point. */
struct setup {
    int64_t begin, end;
    struct range ranges[RANGES_MAX];
    struct watch watches[WATCHES_MAX]; /* by rising `at` */
};

enum { KNOWN = 1, CHANGED = 2 }; /* nth of a step: what its variable was is `object`, then `ready` */

enum kind { RUNS, STOPS, READY, STEP, CLOSED, PLACE };
enum why { TAKEN, BLOCKS, ENDS, YIELDS, TURN_OVER };

struct event {
    uint64_t at, rip, object, ready;
    uint32_t nth;
    uint16_t task;
    uint8_t kind, why, reason;
    uint8_t unused[7];
};

enum verdict { NO_VERDICT, DONE, DEADLOCK, LIMIT };

struct run {
    uint32_t places, steps;
    uint32_t in_kernel, pct; /* pct: by priorities, and at the places that of the running task changes */
    int32_t priorities[PRIORITIES];
    uint64_t limit;
    struct place schedule[PLACES_MAX];
    uint64_t instructions;
    uint32_t verdict, tasks, events, dropped;
    int32_t status, diverged;
    uint64_t late; /* the timer came so many instructions behind a place */
};

/* What the machine has in use; objects of the kernel by size. */
struct count {
    uint64_t tasks, pages;
    uint32_t sizes[SIZES], objects[SIZES];
};

/* Start the command: up to where its runs begin. It has no input, and its output goes to a file that
 * each run begins anew. Ends the program with a message and status 3 if it cannot. */
void device_start(char *const command[], const struct setup *setup);
/* The program's entry point, and its process, whose memory all runs begin with. */
void device_where(int64_t *entry, int *pid);
/* Run it once; the rest of *run says what came out. */
void device_run(struct run *run);
/* The events of that run, until the next one; and what the command wrote. */
const struct event *device_events(const struct run *run);
const char *device_output(void);
void device_count(struct count *count);
/* What a command writes goes to this descriptor; it is empty again. */
int device_output_begin(void);
/* Say so on standard error, and end with status 3: the machine failed. */
_Noreturn void give_up(const char *what);
#endif
