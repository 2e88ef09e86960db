/* POSIX semaphores without names: -1 and errno on failure. sem_post may be called by a handler. */
#ifndef ULIB_SEMAPHORE_H
#define ULIB_SEMAPHORE_H
#include <limits.h>
#include <sys/types.h>
#include <time.h>
#define SEM_VALUE_MAX INT_MAX
typedef union {
    struct {
        unsigned __value, __waiters; /* change together: they are one 64-bit word */
        int __shared;
    };
    unsigned long __both;
    char __size[32];
} sem_t;
int sem_init(sem_t *semaphore, int shared, unsigned value);
int sem_destroy(sem_t *semaphore);
int sem_wait(sem_t *semaphore);
int sem_trywait(sem_t *semaphore);
int sem_timedwait(sem_t *semaphore, const struct timespec *realtime);
int sem_post(sem_t *semaphore);
int sem_getvalue(sem_t *semaphore, int *value);
#endif
