/*
 * What the library knows of a thread, and where it lies.
 *
 *     low    | guard | ... stack, grows down | thread-local variables | struct thread |   high
 *              no access                                                ^ %fs:0, pthread_t
 *
 * One mapping holds all of it; for the main thread the right half is in static memory. Thread-local
 * variables lie right below the word that %fs points at (ELF TLS variant II, x86-64).
 */
#ifndef ULIB_THREAD_THREAD_H
#define ULIB_THREAD_THREAD_H
#include <elf.h>
#include <pthread.h>
#include <signal.h>

#include "lock.h"

/*
 * Who gives the memory back. JOINABLE becomes one of the others once, by compare-and-swap: so
 * exactly one of the thread itself (DETACHED) and the one who joins or detaches it does.
 */
enum thread_state {
    THREAD_JOINABLE, /* runs, nobody has asked for it */
    THREAD_DETACHED, /* runs, and frees itself */
    THREAD_JOINED,   /* runs or not; somebody in pthread_join will free it */
    THREAD_ENDED,    /* runs no more (or will not in a moment), nobody has asked for it */
};

struct thread {
    struct thread *self;       /* %fs:0 points at itself, as the psABI wants it */
    struct thread *next, *prev; /* the ring of all running threads; threads_lock */
    int tid;                   /* the kernel zeroes it and wakes one waiter when the thread is gone */
    int state;                 /* enum thread_state, atomic */
    int ended;                 /* no signal goes to it any more; threads_lock */
    void *map;                 /* NULL: the memory is not ours to free */
    size_t map_size;
    void *(*start)(void *);
    void *argument, *result;
    struct pthread_cleanup *cleanups;
    bool has_values; /* of keys, below: one was set at some time */
    void *values[PTHREAD_KEYS_MAX];
};

static inline struct thread *thread_self(void)
{
    struct thread *self;

    __asm__("mov %%fs:0, %0" : "=r"(self));
    return self;
}

/* Set up the main thread: its thread-local variables, %fs and its tid. Before anything else. */
void thread_start_main(const Elf64_auxv_t *aux);

/* How much a thread needs above its stack, and how it is laid out there; `end` is the upper end. */
size_t tls_size(void);
struct thread *tls_place(char *end);

/* The ring of threads, all signals blocked meanwhile: a handler may call pthread_kill, too. */
void threads_lock(sigset_t *old);
void threads_unlock(const sigset_t *old);
/* In the child of a fork: the caller is the only thread. The ring is locked. */
void threads_forked(void);
/* In the child as well: what another thread was running by pthread_once has not been run. */
void once_forked(void);
/* Forget the deleted key's values, in all threads. */
void threads_clear_key(pthread_key_t key);

/* Protects who uses which key against two who make keys; before the ring's, and before fork. */
extern unsigned keys_lock;

/* What pthread_key_create's destructors have to do at a thread's end. */
void keys_destroy(struct thread *self);
#endif
