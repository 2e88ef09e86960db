/*
 * Coroutines: functions that pause in the middle and go on later, many in one thread.
 *
 * The library is passive: it runs only when a coroutine calls it, and the kernel does not know of
 * it. So a coroutine that blocks in a system call (read, nanosleep) blocks all others of its
 * thread. The functions of layer 3 wait without doing that. Nothing hooks the system calls.
 *
 *   layer 0   co_switch                   two stacks change places
 *   layer 1   co_create, resume, yield    a coroutine and who resumed it
 *   layer 2   co_go, co_run, park, ready  a run loop with a ready queue and timers, one a thread
 *   layer 3   co_read, channels, ...      waiting for descriptors and for each other
 *
 * Results: 0 or more, or a negative errno. Times are nanoseconds of CLOCK_MONOTONIC; deadlines are
 * absolute, CO_NEVER waits for ever, 0 does not wait. A coroutine belongs to the thread that made
 * it and never moves; several threads may each have their own coroutines and run loop.
 */
#ifndef CO_H
#define CO_H
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct co;
typedef void *(*co_function)(void *argument);

#define CO_NEVER (-1l)
#define CO_NAME_SIZE 24

/* Layer 0: co_switch.asm */

/* What is left of a stack that is switched away from; the rest lies on that stack. */
struct co_ctx {
    void *rsp;
};
/* Leave the stack of `from`, go on on that of `to`, where co_switch returns `value`. */
void *co_switch(struct co_ctx *from, struct co_ctx *to, void *value);

/* Layer 1: co.c */

enum co_state {
    CO_SUSPENDED, /* may be resumed */
    CO_RUNNING,   /* this one */
    CO_NORMAL,    /* it resumed another one, and waits for it */
    CO_DEAD,      /* its function has returned */
};

/*
 * A stack does not grow: whoever needs more is ended by SIGSEGV, and standard error names the
 * coroutine. That holds for frames of up to 64 KiB, the guard below each stack; for larger ones
 * compile your program with -fstack-clash-protection (gcc, clang), as ours are.
 */
struct co_attr {
    const char *name;  /* NULL: "co" and its number */
    size_t stack_size; /* 0: 64 KiB. Whole pages; the control block takes some of it */
    void *data;        /* for co_data */
};

/* A suspended coroutine; the first resume calls function(in). NULL without memory. */
struct co *co_create(co_function function, const struct co_attr *attr);
/*
 * Run it until it yields or ends; *out (may be NULL) gets what it yielded or returned.
 * -ESRCH: it is dead. -EINVAL: it is the caller itself. -EBUSY: it has resumed others and waits
 * for them. -EXDEV: another thread's. -EPERM: it belongs to a run loop.
 */
int co_resume(struct co *co, void *in, void **out);
/* Give `out` to whoever resumed us; returns the `in` of the next resume, or, where nobody resumed
 * us (the thread's own stack, a run loop's coroutine), CO_OUTSIDE. */
void *co_yield(void *out);
#define CO_OUTSIDE ((void *)-1l)
enum co_state co_status(const struct co *co);
/* The running coroutine; NULL on the thread's own stack. */
struct co *co_self(void);
const char *co_name(const struct co *co);
void *co_data(const struct co *co);
/* Free a suspended or dead one; its stack is not unwound. -EBUSY: it runs, or has resumed others,
 * or belongs to a run loop. -EXDEV. -ESRCH: freed already (seen while its stack is not another's). */
int co_destroy(struct co *co);

/* Layer 2: loop.c */

/*
 * A coroutine in this thread's run loop; it starts when co_run gets to it. The handle is valid
 * until it has been joined, or until co_run returns after its end. Then the functions below give
 * -ESRCH for it, as long as no new coroutine has its stack. NULL without memory.
 */
struct co *co_go(co_function function, void *argument, const char *name);
struct co *co_go_attr(co_function function, void *argument, const struct co_attr *attr);
/*
 * Run this thread's coroutines until all have ended. -EDEADLK: those that are left wait for each
 * other; standard error has a list of them, and what each waits for. -EBUSY: called by a coroutine.
 */
int co_run(void);
/* To the end of the ready queue. -ECANCELED, -EPERM outside. */
int co_yield_now(void);
/* Sleep until co_ready or co_cancel; `why` shows in co_dump. 0, -ECANCELED, -EPERM outside. */
int co_park(const char *why);
/* The same, at most until `deadline`: -ETIMEDOUT. */
int co_park_until(const char *why, int64_t deadline);
/* End co_park of `co`. -EINVAL: it is not parked by co_park. */
int co_ready(struct co *co);
/*
 * Wait for its end; *result (may be NULL) gets what its function returned. Several may join one
 * that has not ended. -EDEADLK: itself. -ETIMEDOUT, -ECANCELED. Outside of coroutines -EAGAIN
 * unless it has ended.
 */
int co_join(struct co *co, void **result, int64_t deadline);
/* Nobody will join it: it is freed at its end. */
int co_detach(struct co *co);
/*
 * Ask it to end: what it waits for, and every wait from then on, returns -ECANCELED. -ESRCH: it
 * has ended.
 */
int co_cancel(struct co *co);
int co_canceled(void); /* was the running one? */
int64_t co_now(void);
int co_sleep(int64_t nanoseconds);
int co_sleep_until(int64_t deadline);

struct co_stats {
    uint64_t switches; /* times a run loop's coroutine was switched to */
    uint64_t polls;
    uint64_t coroutines, ready, parked; /* now */
    int64_t longest_stall; /* the longest that one ran while another was ready or due */
    char culprit[CO_NAME_SIZE];
};
/* Of this thread's run loop. */
void co_stats(struct co_stats *stats);
/* Forget the longest stall. */
void co_stats_reset(void);
/* List this thread's coroutines on a descriptor: name, state, what each waits for. */
void co_dump(int fd);
/* A flag in the trace, if one is taken: a number and up to 8 characters. */
void co_mark(uint32_t number, const char *text);

/*
 * order.c: from now on take ready coroutines, and ready cases of co_select, by chance; in the same
 * order for the same seed. 0: as they are in the queue. CO_ORDER=SEED in the environment does so from
 * the start. A program that is right in one order only is wrong (tools/explore --coroutines).
 */
void co_order_seed(uint64_t seed);

/*
 * preempt.c: from now on a timer signal (SIGALRM) comes each `slice` nanoseconds of time, and a
 * coroutine of a run loop that it interrupts where it may be preempted goes to the end of the
 * ready queue. 0: no more; the signal is what it was before. One thread of a process has the
 * timer; others should block SIGALRM. -EINVAL: below 100 us. -EBUSY: another thread has it.
 */
int co_preempt(int64_t slice);
/*
 * May the running coroutine be preempted from here on? At first it may not. Where it may it must
 * not call anything that could be in the middle of something: neither this library nor malloc or
 * stdio. Returns what it was before; -EPERM outside of a run loop's coroutines.
 */
int co_preemptible(int allowed);

/*
 * Layer 3: io.c, chan.c, mutex.c, blocking.c. For coroutines of a run loop; -EPERM elsewhere. While
 * coroutines of a thread wait for descriptors it has one more open, an epoll set: -EMFILE and
 * -ENFILE are possible results, too.
 */

/* Wait until one of the poll(2) events holds: the events, or -ETIMEDOUT, -EBADF, -ECANCELED. */
int co_wait_fd(int fd, short events, int64_t deadline);
struct pollfd;
/* As poll(2), with a deadline; 0 when it has passed. */
int co_poll(struct pollfd *fds, int count, int64_t deadline);
/*
 * As read(2) and write(2), but other coroutines run meanwhile; co_write writes all of it. They
 * work whether O_NONBLOCK is set or not, and leave that alone: others may share the file. Of
 * several that wait for one descriptor the first who came is served first.
 */
ssize_t co_read(int fd, void *buffer, size_t size);
ssize_t co_write(int fd, const void *buffer, size_t size);
int co_accept(int fd, void *address, unsigned *size);
int co_connect(int fd, const void *address, unsigned size);
/* Close it; whoever uses it in this thread, and has not come back, gets -EBADF. */
int co_close(int fd);

/* Channels: first in, first out, for elements of one size; of one thread. */
struct co_chan;
/* `capacity` 0: sender and receiver meet. NULL without memory. */
struct co_chan *co_chan_create(size_t element_size, size_t capacity);
/* 0, -EPIPE: closed (to receivers once it is empty), -ETIMEDOUT, -ECANCELED. */
int co_chan_send(struct co_chan *chan, const void *element, int64_t deadline);
int co_chan_recv(struct co_chan *chan, void *element, int64_t deadline);
/* -EAGAIN instead of waiting; also outside of coroutines. */
int co_chan_trysend(struct co_chan *chan, const void *element);
int co_chan_tryrecv(struct co_chan *chan, void *element);
/* Wakes all who wait. -EPIPE: it is closed already. */
int co_chan_close(struct co_chan *chan);
/* -EBUSY: somebody waits in it. */
int co_chan_destroy(struct co_chan *chan);

struct co_case {
    struct co_chan *chan;
    int send;      /* otherwise receive */
    void *element; /* read or written */
    int result;    /* of the case that was chosen: as send and recv have it */
};
/* The index of the first case that can go on, now or later; the others have no effect. -EINVAL
 * without cases, -EAGAIN (deadline 0), -ETIMEDOUT, -ECANCELED. */
int co_select(struct co_case *cases, int count, int64_t deadline);

/*
 * Mutexes: for what must stay whole while the holder waits; of one thread. They are handed on in
 * the order of arrival. The name (NULL: none) shows in co_dump, with who has it, and so in the list
 * that co_run prints when all wait for each other. NULL without memory.
 */
struct co_mutex;
struct co_mutex *co_mutex_create(const char *name);
/* 0, -EDEADLK: the caller has it already, -ETIMEDOUT, -ECANCELED. */
int co_mutex_lock(struct co_mutex *mutex, int64_t deadline);
/* -EBUSY: somebody else has it. -EDEADLK. */
int co_mutex_trylock(struct co_mutex *mutex);
/* -EPERM: the caller does not have it. */
int co_mutex_unlock(struct co_mutex *mutex);
/* -EBUSY: somebody has it. */
int co_mutex_destroy(struct co_mutex *mutex);

/* Run function(argument), which may block, on a helper thread, and wait for it. *result (may be
 * NULL) gets what it returned. It cannot be canceled: the wait ends with the function. -EAGAIN:
 * no thread, also in a child that was forked meanwhile. */
int co_blocking(co_function function, void *argument, void **result);
#endif
