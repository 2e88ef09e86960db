/*
 * Threads: born by clone, joined through the word that the kernel clears at their end.
 *
 * A thread is a task that shares everything with its maker; stack, thread-local variables and
 * struct thread lie in one mapping (the picture is in thread.h). The kernel zeroes `tid` and wakes
 * who waits there when the thread will never touch its memory again; so a joiner may unmap it.
 * A detached thread unmaps the ground it stands on, in assembly (unmap_exit.asm): no third party
 * is needed, and the memory is back when the thread is gone.
 */
#include <string.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "thread.h"

#define STACK_SIZE (8ul << 20) /* the limit for main's; only what is touched costs memory */
#define PAGE 4096ul
#define THREAD_FLAGS                                                                    \
    (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | \
     CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)

_Static_assert(sizeof(pthread_attr_t) == 56, "as in the GNU library");

static const pthread_attr_t defaults = {.__stack_size = STACK_SIZE, .__guard_size = PAGE};
static unsigned ring_lock; /* protects the ring of threads and `ended`; nothing is taken below it */

_Noreturn void thread_unmap_exit(void *map, size_t size);

int pthread_attr_init(pthread_attr_t *attr)
{
    *attr = defaults;
    return 0;
}

void threads_lock(sigset_t *old)
{
    sigset_t all;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, old);
    lock_take(&ring_lock);
}

void threads_unlock(const sigset_t *old)
{
    lock_drop(&ring_lock);
    pthread_sigmask(SIG_SETMASK, old, NULL);
}

void threads_forked(void)
{
    struct thread *self = thread_self();

    self->next = self->prev = self;
    self->tid = (int)ulib_syscall(SYS_set_tid_address, (long)&self->tid, 0, 0, 0, 0, 0);
}

void threads_clear_key(pthread_key_t key)
{
    struct thread *self = thread_self(), *thread = self;
    sigset_t old;

    threads_lock(&old);
    do {
        __atomic_store_n(&thread->values[key], NULL, __ATOMIC_RELAXED);
        thread = thread->next;
    } while (thread != self);
    threads_unlock(&old);
}

static void enter_ring(struct thread *thread)
{
    struct thread *self = thread_self();
    sigset_t old;

    threads_lock(&old);
    thread->next = self->next;
    thread->prev = self;
    thread->next->prev = thread->prev->next = thread;
    threads_unlock(&old);
}

/* The ring is locked. */
static void leave_ring(struct thread *thread)
{
    thread->next->prev = thread->prev;
    thread->prev->next = thread->next;
    thread->ended = true;
}

/* Where a thread with these attributes lives; NULL with an error number. */
static struct thread *place(const pthread_attr_t *attr, int *error)
{
    size_t size = attr->__stack_size, guard = (attr->__guard_size + PAGE - 1) & -PAGE;
    struct thread *thread;
    char *map;

    if (attr->__stack) { /* the caller's memory: ours is the upper end of it */
        *error = EINVAL;
        if (size < tls_size() + PAGE) {
            return NULL;
        }
        memset((char *)attr->__stack + size - tls_size(), 0, tls_size());
        return tls_place((char *)attr->__stack + size);
    }
    *error = EAGAIN;
    size = ((size + tls_size() + PAGE - 1) & -PAGE) + guard;
    map = (char *)ulib_syscall(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if ((unsigned long)map > -PAGE) {
        return NULL;
    }
    if (guard && ulib_syscall(SYS_mprotect, (long)map, (long)guard, PROT_NONE, 0, 0, 0)) {
        ulib_syscall(SYS_munmap, (long)map, (long)size, 0, 0, 0, 0);
        return NULL;
    }
    thread = tls_place(map + size);
    thread->map = map;
    thread->map_size = size;
    return thread;
}

static void give_back(const struct thread *thread)
{
    if (thread->map) {
        ulib_syscall(SYS_munmap, (long)thread->map, (long)thread->map_size, 0, 0, 0, 0);
    }
}

static int thread_main(void *argument)
{
    struct thread *self = argument;

    pthread_exit(self->start(self->argument));
}

int pthread_create(pthread_t *result, const pthread_attr_t *attr, void *(*start)(void *),
                   void *argument)
{
    int error;
    struct thread *thread = place(attr ? attr : &defaults, &error);

    if (!thread) {
        return error;
    }
    thread->start = start;
    thread->argument = argument;
    thread->state = attr && attr->__detached ? THREAD_DETACHED : THREAD_JOINABLE;
    *result = (pthread_t)thread;
    enter_ring(thread);
    if (clone(thread_main, (char *)thread - (tls_size() - sizeof(*thread)), THREAD_FLAGS, thread,
              &thread->tid, thread, &thread->tid) < 0) {
        sigset_t old;

        threads_lock(&old);
        leave_ring(thread);
        threads_unlock(&old);
        give_back(thread);
        return EAGAIN;
    }
    return 0; /* a detached one may be gone already: its memory is not looked at again */
}

static bool change_state(struct thread *thread, int from, int to)
{
    return __atomic_compare_exchange_n(&thread->state, &from, to, false, __ATOMIC_ACQ_REL,
                                       __ATOMIC_ACQUIRE);
}

void pthread_exit(void *result)
{
    struct thread *self = thread_self();
    sigset_t old;

    while (self->cleanups) {
        __pthread_cleanup_pop(self->cleanups, true);
    }
    keys_destroy(self);
    self->result = result;
    threads_lock(&old);
    if (self->next == self) { /* the last one out ends the process */
        threads_unlock(&old);
        exit(0);
    }
    leave_ring(self);
    lock_drop(&ring_lock); /* signals stay blocked: no handler needs this stack any more */
    if (!change_state(self, THREAD_JOINABLE, THREAD_ENDED) && self->state == THREAD_DETACHED &&
        self->map) {
        /* The kernel must not clear `tid` in memory that may be another thread's by then. */
        ulib_syscall(SYS_set_tid_address, 0, 0, 0, 0, 0, 0);
        thread_unmap_exit(self->map, self->map_size);
    }
    for (;;) {
        ulib_syscall(SYS_exit, 0, 0, 0, 0, 0, 0); /* this thread alone */
    }
}

/* Wait for the thread's end, and give its memory back. Its state is THREAD_JOINED. */
static void *collect(struct thread *thread)
{
    void *result;
    int tid;

    /* The kernel's wake at a thread's end is one for shared words. */
    while ((tid = __atomic_load_n(&thread->tid, __ATOMIC_ACQUIRE)) != 0) {
        futex_wait(&thread->tid, (unsigned)tid, true, FOREVER);
    }
    result = thread->result;
    give_back(thread);
    return result;
}

int pthread_join(pthread_t id, void **result)
{
    struct thread *thread = (struct thread *)id;
    void *value;

    if (thread == thread_self()) {
        return EDEADLK;
    }
    if (!change_state(thread, THREAD_JOINABLE, THREAD_JOINED) &&
        !change_state(thread, THREAD_ENDED, THREAD_JOINED)) {
        return EINVAL; /* detached, or somebody else waits */
    }
    value = collect(thread);
    if (result) {
        *result = value;
    }
    return 0;
}

int pthread_detach(pthread_t id)
{
    struct thread *thread = (struct thread *)id;

    if (change_state(thread, THREAD_JOINABLE, THREAD_DETACHED)) {
        return 0;
    }
    if (change_state(thread, THREAD_ENDED, THREAD_JOINED)) {
        collect(thread);
        return 0;
    }
    return EINVAL;
}

pthread_t pthread_self(void) { return (pthread_t)thread_self(); }
int pthread_equal(pthread_t a, pthread_t b) { return a == b; }

int pthread_kill(pthread_t id, int signal)
{
    struct thread *thread = (struct thread *)id;
    sigset_t old;
    long result = 0;

    threads_lock(&old);
    if (!thread->ended) { /* else nobody is there to see it, which is no error */
        result = ulib_syscall(SYS_tgkill, ulib_syscall(SYS_getpid, 0, 0, 0, 0, 0, 0), thread->tid,
                              signal, 0, 0, 0);
    }
    threads_unlock(&old);
    return (int)-result;
}

void __pthread_cleanup_push(struct pthread_cleanup *cleanup)
{
    cleanup->outer = thread_self()->cleanups;
    thread_self()->cleanups = cleanup;
}

void __pthread_cleanup_pop(struct pthread_cleanup *cleanup, int execute)
{
    thread_self()->cleanups = cleanup->outer;
    if (execute) {
        cleanup->function(cleanup->argument);
    }
}
