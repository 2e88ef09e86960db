/*
 * fork of a process with threads: the child has one, the caller's, and must be able to go on.
 *
 * Another thread may be inside malloc or stdio just then, and is not there in the child to leave.
 * So fork takes the library's locks first, in their order: handlers, keys, the list of streams,
 * malloc, the ring of threads. The locks of single streams are not taken: a thread may hold one
 * for as long as it waits for input. The child frees those.
 */
#include <stdlib.h>
#include <unistd.h>

#include "thread.h"

struct handlers {
    void (*prepare)(void), (*parent)(void), (*child)(void);
    struct handlers *newer, *older;
};

static unsigned handlers_lock; /* protects the list; not held while a handler runs */
static struct handlers *oldest, *newest;

int pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
    struct handlers *handlers = malloc(sizeof(*handlers));

    if (!handlers) {
        return ENOMEM;
    }
    *handlers = (struct handlers){prepare, parent, child, NULL, NULL};
    lock_take(&handlers_lock);
    handlers->older = newest;
    *(newest ? &newest->newer : &oldest) = handlers;
    newest = handlers;
    lock_drop(&handlers_lock);
    return 0;
}

/*
 * The newest of those that have been run; with handlers_lock, so that there can be no newer one: a
 * thread that registers its handlers and then takes their lock must find the fork before or behind.
 */
static struct handlers *run_prepare(void)
{
    struct handlers *done = NULL, *last;

    lock_take(&handlers_lock);
    while (newest != done) {
        last = newest; /* the list only grows, at its newer end */
        lock_drop(&handlers_lock);
        for (struct handlers *at = last; at != done; at = at->older) {
            if (at->prepare) {
                at->prepare();
            }
        }
        done = last;
        lock_take(&handlers_lock);
    }
    return done;
}

/* From the oldest to `last`. */
static void run_after(const struct handlers *last, bool in_child)
{
    for (struct handlers *at = last ? oldest : NULL; at; at = at == last ? NULL : at->newer) {
        void (*function)(void) = in_child ? at->child : at->parent;

        if (function) {
            function();
        }
    }
}

pid_t fork(void)
{
    struct handlers *last = run_prepare();
    sigset_t old;
    long pid;

    lock_take(&keys_lock);
    ulib_stdio_lock();
    ulib_malloc_lock();
    threads_lock(&old);
    pid = ulib_syscall(SYS_fork, 0, 0, 0, 0, 0, 0);
    if (pid == 0) {
        threads_forked();
        once_forked();
        ulib_stdio_forked();
        ulib_exit_forked();
    }
    threads_unlock(&old);
    ulib_malloc_unlock();
    ulib_stdio_unlock();
    lock_drop(&keys_lock);
    lock_drop(&handlers_lock);
    run_after(last, pid == 0);
    return (pid_t)ulib_result(pid);
}
