/*
 * POSIX threads: the names and the meaning of IEEE Std 1003.1, chapter <pthread.h>.
 *
 * All functions return 0 or an error number; none sets errno, none returns EINTR. Sizes and
 * initial values of the types are those of the GNU library on x86-64, so an object compiled with
 * either header may be linked with either library. Left out: pthread_cancel (let a thread look at
 * a flag), robust mutexes, priority protocols.
 */
#ifndef ULIB_PTHREAD_H
#define ULIB_PTHREAD_H
#include <sched.h>
#include <sys/types.h>
#include <time.h>

#define PTHREAD_KEYS_MAX 128
#define PTHREAD_DESTRUCTOR_ITERATIONS 4
#define PTHREAD_STACK_MIN 16384

typedef unsigned long pthread_t;
typedef unsigned pthread_key_t;
typedef int pthread_once_t;
typedef volatile int pthread_spinlock_t;

typedef struct {
    size_t __stack_size, __guard_size;
    void *__stack; /* the lowest byte, or NULL: the library maps one */
    int __detached;
    int __padding[7];
} pthread_attr_t;

/* ---- Threads (thread.c, attr.c) ---- */
enum { PTHREAD_CREATE_JOINABLE, PTHREAD_CREATE_DETACHED };
enum { PTHREAD_SCOPE_SYSTEM, PTHREAD_SCOPE_PROCESS };
int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *),
                   void *argument);
int pthread_join(pthread_t thread, void **result);
int pthread_detach(pthread_t thread);
_Noreturn void pthread_exit(void *result);
pthread_t pthread_self(void);
int pthread_equal(pthread_t a, pthread_t b);
int pthread_setname_np(pthread_t thread, const char *name);
int pthread_getname_np(pthread_t thread, char *name, size_t size);
int pthread_setaffinity_np(pthread_t thread, size_t size, const cpu_set_t *set);
int pthread_getaffinity_np(pthread_t thread, size_t size, cpu_set_t *set);
int pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void));

int pthread_attr_init(pthread_attr_t *attr);
int pthread_attr_destroy(pthread_attr_t *attr);
int pthread_attr_setdetachstate(pthread_attr_t *attr, int state);
int pthread_attr_getdetachstate(const pthread_attr_t *attr, int *state);
int pthread_attr_setstacksize(pthread_attr_t *attr, size_t size);
int pthread_attr_getstacksize(const pthread_attr_t *attr, size_t *size);
int pthread_attr_setguardsize(pthread_attr_t *attr, size_t size);
int pthread_attr_getguardsize(const pthread_attr_t *attr, size_t *size);
int pthread_attr_setstack(pthread_attr_t *attr, void *stack, size_t size);
int pthread_attr_getstack(const pthread_attr_t *attr, void **stack, size_t *size);
int pthread_attr_setscope(pthread_attr_t *attr, int scope); /* each thread is a task: SYSTEM */
int pthread_attr_getscope(const pthread_attr_t *attr, int *scope);

/* What is to be done when the thread ends between push and pop, innermost first. */
struct pthread_cleanup {
    void (*function)(void *);
    void *argument;
    struct pthread_cleanup *outer;
};
void __pthread_cleanup_push(struct pthread_cleanup *cleanup);
void __pthread_cleanup_pop(struct pthread_cleanup *cleanup, int execute);
#define pthread_cleanup_push(f, a)                         \
    {                                                      \
        struct pthread_cleanup __cleanup = {(f), (a), 0};  \
        __pthread_cleanup_push(&__cleanup)
#define pthread_cleanup_pop(execute)                       \
        __pthread_cleanup_pop(&__cleanup, (execute));      \
    }

enum { PTHREAD_PROCESS_PRIVATE, PTHREAD_PROCESS_SHARED };

/* ---- Mutexes (mutex.c) ---- */
typedef struct {
    unsigned __lock;       /* see lock.h */
    unsigned __count;      /* of a recursive one: how often it is held beyond the first time */
    int __owner;           /* tid of the holder, 0: none */
    unsigned __padding;
    int __kind, __shared;
    long __unused[2];
} pthread_mutex_t;
typedef struct {
    short __kind, __shared;
} pthread_mutexattr_t;
enum {
    PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_ERRORCHECK,
    PTHREAD_MUTEX_DEFAULT = PTHREAD_MUTEX_NORMAL,
};
#define PTHREAD_MUTEX_INITIALIZER {0}
#define PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP {.__kind = PTHREAD_MUTEX_RECURSIVE}
#define PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP {.__kind = PTHREAD_MUTEX_ERRORCHECK}
int pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attr);
int pthread_mutex_destroy(pthread_mutex_t *mutex);
int pthread_mutex_lock(pthread_mutex_t *mutex);
int pthread_mutex_trylock(pthread_mutex_t *mutex);
int pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *realtime);
int pthread_mutex_unlock(pthread_mutex_t *mutex);
int pthread_mutexattr_init(pthread_mutexattr_t *attr);
int pthread_mutexattr_destroy(pthread_mutexattr_t *attr);
int pthread_mutexattr_settype(pthread_mutexattr_t *attr, int kind);
int pthread_mutexattr_gettype(const pthread_mutexattr_t *attr, int *kind);
int pthread_mutexattr_setpshared(pthread_mutexattr_t *attr, int shared);
int pthread_mutexattr_getpshared(const pthread_mutexattr_t *attr, int *shared);

/* ---- Condition variables (cond.c) ---- */
typedef struct {
    unsigned __sequence, __users;
    int __clock, __shared; /* CLOCK_REALTIME is 0 */
    long __padding[4];
} pthread_cond_t;
typedef struct {
    short __clock, __shared;
} pthread_condattr_t;
#define PTHREAD_COND_INITIALIZER {0}
int pthread_cond_init(pthread_cond_t *cond, const pthread_condattr_t *attr);
int pthread_cond_destroy(pthread_cond_t *cond);
int pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex);
int pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                           const struct timespec *time);
int pthread_cond_signal(pthread_cond_t *cond);
int pthread_cond_broadcast(pthread_cond_t *cond);
int pthread_condattr_init(pthread_condattr_t *attr);
int pthread_condattr_destroy(pthread_condattr_t *attr);
int pthread_condattr_setclock(pthread_condattr_t *attr, clockid_t clock);
int pthread_condattr_getclock(const pthread_condattr_t *attr, clockid_t *clock);
int pthread_condattr_setpshared(pthread_condattr_t *attr, int shared);
int pthread_condattr_getpshared(const pthread_condattr_t *attr, int *shared);

/* ---- Readers and writers (rwlock.c): no side starves; reading twice may deadlock ---- */
typedef struct {
    unsigned __lock;
    int __active;                  /* readers inside, or -1: a writer */
    unsigned __waiting_readers, __waiting_writers;
    unsigned __turn, __grant;      /* what waiting readers and writers sleep on */
    int __writer, __shared;        /* tid of the writer inside */
    long __padding[3];
} pthread_rwlock_t;
typedef struct {
    int __shared, __padding;
} pthread_rwlockattr_t;
#define PTHREAD_RWLOCK_INITIALIZER {0}
int pthread_rwlock_init(pthread_rwlock_t *lock, const pthread_rwlockattr_t *attr);
int pthread_rwlock_destroy(pthread_rwlock_t *lock);
int pthread_rwlock_rdlock(pthread_rwlock_t *lock);
int pthread_rwlock_tryrdlock(pthread_rwlock_t *lock);
int pthread_rwlock_timedrdlock(pthread_rwlock_t *lock, const struct timespec *realtime);
int pthread_rwlock_wrlock(pthread_rwlock_t *lock);
int pthread_rwlock_trywrlock(pthread_rwlock_t *lock);
int pthread_rwlock_timedwrlock(pthread_rwlock_t *lock, const struct timespec *realtime);
int pthread_rwlock_unlock(pthread_rwlock_t *lock);
int pthread_rwlockattr_init(pthread_rwlockattr_t *attr);
int pthread_rwlockattr_destroy(pthread_rwlockattr_t *attr);
int pthread_rwlockattr_setpshared(pthread_rwlockattr_t *attr, int shared);
int pthread_rwlockattr_getpshared(const pthread_rwlockattr_t *attr, int *shared);

/* ---- Barriers (barrier.c) ---- */
typedef struct {
    unsigned __round, __missing, __count, __users;
    int __shared, __padding[3];
} pthread_barrier_t;
typedef struct {
    int __shared;
} pthread_barrierattr_t;
#define PTHREAD_BARRIER_SERIAL_THREAD (-1)
int pthread_barrier_init(pthread_barrier_t *barrier, const pthread_barrierattr_t *attr,
                         unsigned count);
int pthread_barrier_destroy(pthread_barrier_t *barrier);
int pthread_barrier_wait(pthread_barrier_t *barrier);
int pthread_barrierattr_init(pthread_barrierattr_t *attr);
int pthread_barrierattr_destroy(pthread_barrierattr_t *attr);
int pthread_barrierattr_setpshared(pthread_barrierattr_t *attr, int shared);
int pthread_barrierattr_getpshared(const pthread_barrierattr_t *attr, int *shared);

/* ---- Once, spin locks (once.c) ---- */
#define PTHREAD_ONCE_INIT 0
int pthread_once(pthread_once_t *once, void (*function)(void));
int pthread_spin_init(pthread_spinlock_t *lock, int shared);
int pthread_spin_destroy(pthread_spinlock_t *lock);
int pthread_spin_lock(pthread_spinlock_t *lock);
int pthread_spin_trylock(pthread_spinlock_t *lock);
int pthread_spin_unlock(pthread_spinlock_t *lock);

/* ---- Values of a thread's own, by key (key.c) ---- */
int pthread_key_create(pthread_key_t *key, void (*destructor)(void *));
int pthread_key_delete(pthread_key_t key);
void *pthread_getspecific(pthread_key_t key);
int pthread_setspecific(pthread_key_t key, const void *value);
#endif
