/*
 * Between the files of the fuzzer, which calls every system call with what it knows of its
 * arguments, and then with what no kernel should trust.
 *
 *   abi.c       the calls and tricks, a row each: what the arguments mean, what the result is
 *   values.c    a value for an argument of each kind     structs.c   what structures are filled with
 *   pools.c     what earlier calls gave                  machine.c   the call itself; registers
 *   worker.c    threads and children that make calls     judge.c, tidy.c, canary.c: is it still whole?
 *
 * A judge starts one worker after the other (a round). All that is random follows from the seed
 * and the round, so under icount a failure comes again. Workers make raw system calls: they lose
 * the FS base, and with it errno.
 */
#ifndef FUZZ_H
#define FUZZ_H
#include <stddef.h>
#include <stdint.h>

#define PAGE 4096ul

/* ---- The ABI ---- */

/* What an argument is; with a number below it in the same 64 bits, see ARG. */
enum kind {
    NONE, NUMBER, SIZE, OFFSET, BITS, BELOW, LIST, EXACT, /* numbers */
    FD, EPOLL, INOTIFY, SOCKET, TIMER, DIRECTORY, NEW_FD, /* descriptors */
    PATH, OWN_PATH, PROGRAM, TARGET, ARGV, /* names */
    MAP, LENGTH, CODE_ADDRESS, STACK_ADDRESS, /* memory */
    CHILD, ANY_PID, SIGNAL,
    BUFFER, WORD, TIME, TIMEVAL, INTERVAL, /* pointers to what structs.c fills */
    ACTION, SIGSET, ALTSTACK, LIMIT, EVENT, VECTOR, MESSAGE, NAME, NAME_SIZE, POLLS, FD_BITS,
    SIZED_MASK, WAITS, CPUS, ROBUST, IO_ARGUMENT, FRAME, CLONE_FLAGS,
    KINDS,
};
#define ARG(kind, number) ((uint64_t)(kind) << 56 | (uint64_t)(number))
#define ARG_KIND(arg) ((enum kind)((arg) >> 56))
#define ARG_NUMBER(arg) ((arg) & ((1ul << 56) - 1))

enum result { R_NONE, R_FD, R_EPOLL, R_INOTIFY, R_SOCKET, R_TIMER, R_DIRECTORY, R_PAIR, R_MAP, R_CHILD };

/* Numbers from here on are no system calls, but tricks of machine.c and worker.c. */
enum trick {
    TRICK = 0x10000, T_FLAGS = TRICK, T_SEGMENT, T_FAR, T_GS_BASE, T_X87, T_MXCSR, T_INSTRUCTION,
    T_READ, T_WRITE, T_SIGRETURN, T_ELF, T_SCRIPT, T_FAIL_NTH, T_MEND,
};

struct call {
    const char *name;
    int number;
    enum result result;
    int rare; /* made once in this many times that it is drawn; 0 as 1 */
    uint64_t arguments[6];
};
extern const struct call calls[];
extern const int calls_count;
extern const long *const lists[]; /* of LIST, each ends with LIST_END */
#define LIST_END (-0x7ffffffffffffffel)

/* ---- Shared by the judge and all workers: a file, so that it outlives exec ---- */

#define SHARED_PATH "/tmp/.fuzz"
#define SHARED_AT 0x5f0000000000ul
#define LOGS 64
#define LOG_ENTRIES 42
#define LOG_MAGIC 0x676f6c7a7a756621ul /* "!fuzzlog": tools/fuzz finds these pages in a core */

struct log_entry {
    char name[16], text[16];
    uint64_t arguments[6];
    int64_t result;
    uint64_t state; /* 1: in the call, 2: it has returned */
};

/* What a task did last: a page each, taken in turn. */
struct log {
    uint64_t magic;
    int32_t pid, tid;
    uint64_t seed, count; /* the entries written so far, the last at (count - 1) % LOG_ENTRIES */
    uint64_t round, unused[2];
    struct log_entry entries[LOG_ENTRIES];
} __attribute__((aligned(4096)));

#define CANARIES 16
struct common {
    uint64_t seed, round;
    volatile long calls, limit; /* of this round */
    volatile long total;
    volatile int born, logs;
    int inject, ktrace, only_count;
    volatile uint64_t beats[CANARIES];
    char complaint[160]; /* of a worker or a canary: what must never be */
    uint16_t only[256];
    struct log log[LOGS];
};
#define shared ((struct common *)SHARED_AT)

/* ---- A worker ---- */

#define STACKS_AT 0x5e0000000000ul
#define STACK_SIZE 0x10000ul
#define STACKS 24
#define ALTSTACK_SIZE 0x4000ul

/* At the bottom of a task's stack, which is aligned to its size: code without TLS finds it. */
struct thread {
    uint64_t random;
    void *recover[5]; /* of __builtin_setjmp: where to go after a fault */
    struct log *log;
    struct log_entry *entry;
    long left;        /* calls to make; negative: until the round is over */
    int busy, process;
    uint64_t cell; /* of the scratch memory, the next one */
    uint64_t flags, stack, child_stack; /* for the next call: RFLAGS, another RSP, the child's */
};

static inline struct thread *thread_at(uint64_t address)
{
    return (struct thread *)(address & ~(STACK_SIZE - 1));
}

static inline uint64_t stack_top(struct thread *t)
{
    return (uint64_t)t + STACK_SIZE - 64;
}

void complain(const char *text);
void worker_main(uint64_t seed, long left) __attribute__((noreturn));
void worker_thread(void) __attribute__((noreturn)); /* where each begins, on its stack */
int judge_main(int argc, char **argv);

/* ---- Tidying up ---- */

/* What is there now belongs there. */
void tidy_remember(void);
/* Visit each process that does not, and count them. */
int each_process(void (*visit)(int pid));
/* End those, and remove such files. How many processes do not die. */
int tidy_up(void);

/* A stack for a task to be started, or NULL. */
struct thread *worker_new_thread(struct thread *t);

/* ---- Values ---- */

uint64_t draw(struct thread *t);
static inline uint64_t below(struct thread *t, uint64_t limit)
{
    return draw(t) % limit;
}
static inline int one_in(struct thread *t, uint64_t n)
{
    return below(t, n) == 0;
}
uint64_t value_make(struct thread *t, uint64_t argument);
uint64_t number_make(struct thread *t);
uint64_t hostile_address(struct thread *t);
/* `size` bytes somewhere in the scratch memory, or an address that is worse. */
uint64_t value_place(struct thread *t, const void *data, size_t size);
/* Fill `data` (of 512 bytes) with a structure of that kind: its size, 0 if it is none. */
size_t struct_fill(struct thread *t, enum kind kind, uint64_t *data);
uint64_t argv_make(struct thread *t);
void file_elf(struct thread *t);
void file_script(struct thread *t);

/* ---- Pools ---- */

enum pool { POOL_FD, POOL_EPOLL, POOL_INOTIFY, POOL_SOCKET, POOL_TIMER, POOL_DIRECTORY, POOL_MAP, POOL_CHILD, POOLS };
void pools_init(void);
void pool_add(struct thread *t, enum pool pool, uint64_t value);
uint64_t pool_draw(struct thread *t, enum pool pool); /* 0: it is empty */
void pools_feed(struct thread *t, const struct call *call, const uint64_t *arguments, long result);

#define SCRATCH_AT 0x5d0000000000ul
#define SCRATCH_PAGES 8 /* then one without rights, one to read, one shared, a hole */
#define SCRATCH_END (SCRATCH_AT + SCRATCH_PAGES * PAGE)
#define MAPS_AT 0x5c0000000000ul /* what is mapped and unmapped in play */
#define MAPS_PAGES 64
#define WORDS_AT (SCRATCH_AT + (SCRATCH_PAGES + 2) * PAGE) /* of futexes: shared */

/* ---- The machine ---- */

/* The system call with t->flags and t->stack, which are forgotten by it. */
long machine_call(struct thread *t, long number, const uint64_t *arguments);
long machine_trick(struct thread *t, long number, const uint64_t *arguments);
void machine_handlers(struct thread *t);
void machine_recover(void), machine_restore(void);
void machine_handler(int signal, void *info, uint64_t *context);
void machine_start(struct thread *t) __attribute__((noreturn));
/* Hold registers and memory for ever, and complain if one changes. */
void canary_main(int index) __attribute__((noreturn));

static inline long raw(long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    register uint64_t r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
    long result = number;

    __asm__ volatile("syscall" : "+a"(result) : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}
#define RAW(number, a, b, c) raw(number, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), 0, 0, 0)
#endif
