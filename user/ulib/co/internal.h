/* Between the files of the coroutine library. */
#ifndef CO_INTERNAL_H
#define CO_INTERNAL_H
#include <co.h>
#include <poll.h>

#define CO_MAGIC 0x4e49545541524f43ul /* "CORAUTIN" in memory */
#define CO_VERSION 1
#define SECOND 1000000000l /* in nanoseconds */

/* A list through its elements; an element that is on no list points at itself. */
struct co_list {
    struct co_list *next, *prev;
};
#define CO_ENTRY(node, type, member) ((type *)((char *)(node) - offsetof(type, member)))

static inline void list_init(struct co_list *list)
{
    list->next = list->prev = list;
}

static inline int list_empty(const struct co_list *list)
{
    return list->next == list;
}

static inline void list_add_last(struct co_list *list, struct co_list *node)
{
    node->next = list;
    node->prev = list->prev;
    list->prev->next = node;
    list->prev = node;
}

static inline void list_take(struct co_list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

enum loop_state { LOOP_NONE /* of layer 1 */, LOOP_READY, LOOP_PARKED, LOOP_ENDED };

/* A thread's run loop; nobody but that thread uses it. */
struct co_loop {
    struct co_list ready, ended;
    size_t count, ready_count; /* that have not ended; of them in the queue */
    int jobs;                  /* on helper threads */
    int running;               /* co_run is under way */
    uint64_t switches, polls;
    int64_t longest_stall, clock_base;
    uint64_t longest_cycles, cycles_base; /* how long the culprit ran; when the clock was read */
    uint64_t turn_start;       /* in cycles: the end of the turn before, or of a look outside */
    char culprit[CO_NAME_SIZE];
};
#define POLL_EVERY 64 /* switches at the most */

/*
 * A coroutine, at the top of its own stack:
 *
 *     top ->  +--------------------+
 *             | struct co          |
 *             +--------------------+  16-byte aligned
 *             | pointer to it      |  for co_entry
 *             | frames, downwards  |
 *             |                    |
 *             | guard, 64 KiB      |
 *     base -> +--------------------+
 */
struct co {
    struct co_ctx ctx;
    struct co_ctx *resumer; /* while it runs or is NORMAL; switch.asm knows the offset */
    uint64_t magic;
    uint32_t version;
    uint32_t id;
    struct co_list all; /* co_registry */
    char name[CO_NAME_SIZE];
    enum co_state state;
    long thread; /* the tid of its owner */
    struct co *resumer_co; /* NULL: the thread's own stack */
    void **out; /* of the co_resume in which it is NORMAL */
    co_function function;
    void *data;
    char *base; /* of the whole mapping */
    size_t size; /* of it, with the guard */
    int guarded;
    void *asan_stack; /* AddressSanitizer's, while it does not run */
    unsigned valgrind_id;
    /* Of a run loop. */
    struct co_loop *loop;
    enum loop_state loop_state;
    struct co_list link;    /* ready queue, or the loop's list of the ended */
    void *argument, *result;
    const char *why;        /* it is parked, for co_dump */
    long why_number;
    const char *why_owner;  /* whose name is where it points: it has what this one waits for */
    int wake_result;        /* of the park */
    int canceled, detached;
    int can_be_readied; /* it is in co_park */
    volatile int preemptible; /* preempt.c; a signal handler looks at it */
    int firm;           /* its park is not ended by co_cancel */
    int64_t deadline;
    size_t timer_index;     /* place in the heap, from 1; 0: none */
    struct co_list joiners; /* struct join_wait */
    int joining;            /* how many have still to look at the result */
};

/* All coroutines of the process, for debuggers. Its lock also guards the free stacks (stack.c). */
extern struct co_registry {
    uint64_t magic;
    uint32_t version;
    uint32_t locked;
    struct co_list all;
} co_registry;

/* The thread's own stack, as something that resumes. */
struct co_root {
    struct co_ctx ctx;
    void **out;
    void *asan_stack; /* AddressSanitizer's, while a coroutine runs; and where the stack is */
    const void *asan_bottom;
    size_t asan_size;
};

extern _Thread_local struct co *co_current; /* NULL: the thread's own stack */
extern _Thread_local struct co_root co_root;

/* sys.c: system calls, without errno. Linux, x86-64: */
enum {
    SYS_read = 0, SYS_write = 1, SYS_open = 2, SYS_close = 3, SYS_poll = 7, SYS_mmap = 9,
    SYS_mprotect = 10, SYS_munmap = 11, SYS_sched_yield = 24, SYS_madvise = 28,
    SYS_setitimer = 38, SYS_getpid = 39, SYS_connect = 42, SYS_sendto = 44, SYS_recvfrom = 45,
    SYS_getsockopt = 55, SYS_fcntl = 72, SYS_ftruncate = 77, SYS_gettid = 186,
    SYS_clock_gettime = 228, SYS_exit_group = 231, SYS_epoll_wait = 232, SYS_epoll_ctl = 233,
    SYS_ppoll = 271, SYS_accept4 = 288, SYS_epoll_create1 = 291, SYS_pipe2 = 293,
    SYS_epoll_pwait2 = 441,
};
long co_call(long number, long a, long b, long c, long d, long e, long f);
long co_thread_id(void);
void co_print(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* stack.c: memory for a coroutine; 0 without. The struct is zero but for what describes it. */
struct co *stack_alloc(size_t size);
void stack_free(struct co *co);

/* co.c */
void registry_lock(void);
void registry_unlock(void);
struct co *co_make(co_function function, const struct co_attr *attr);
void co_free(struct co *co);
/* Switch to it, on behalf of the caller; checks nothing. */
int co_enter(struct co *co, void *in, void **out);
/* Leave the running one for its resumer. */
void *co_leave(void *out);

/* loop.c */
struct co_loop *loop_mine(void);
/* The run loop of the running coroutine, or NULL outside. */
struct co_loop *loop_here(void);
/* Put the running one at the end of the ready queue and leave. */
void loop_give_way(void);
/* Park the running one. What loop_wake gave, -ETIMEDOUT, or -ECANCELED. */
int loop_park(const char *why, long number, int64_t deadline);
/* The same, for what cannot be given up: neither co_cancel nor time ends it. */
void loop_park_firmly(const char *why);
/* Make a parked one ready; its loop_park returns `result`. */
void loop_wake(struct co *co, int result);
/* Jobs on helper threads that have not come back: the loop waits for them. */
void loop_count_job(struct co_loop *loop, int change);

/* watch.c: the stall watchdog. In CPU cycles: cheap enough for every switch. */
static inline uint64_t watch_cycles(void)
{
    return __builtin_ia32_rdtsc();
}
void watch_begin(struct co_loop *l);
/* The loop may have slept; the next turn begins now. */
static inline void watch_turn(struct co_loop *l)
{
    l->turn_start = watch_cycles();
}
/* `co` has had its turn and gave the CPU back; the next turn begins now. */
void watch_ran(struct co_loop *l, const struct co *co);

/* io.c: how many descriptors coroutines of this thread are parked for. */
int io_waiting(void);
/* Ask the kernel for all of them, at most until `deadline`, and wake whose turn it is. */
void io_poll(int64_t deadline);
/* blocking.c: helper threads have finished. */
void blocking_finished(void);
/* In a forked child: what was shared with the parent is made anew. */
void io_forked(void);
void blocking_forked(void);
void preempt_forked(void);
/* The loop has ended: give back what only it needs. */
void io_release(void);
void blocking_release(void);
void timer_release(void);

/* timer.c: a heap of coroutines by deadline. Reserve before; then nothing fails. */
int timer_reserve(size_t count);
void timer_add(struct co *co);
void timer_remove(struct co *co);
struct co *timer_first(void);
#endif
