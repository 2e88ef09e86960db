/*
 * Classic mistakes with threads, each a program of its own: tests/exploring.py has tools/explore find
 * it. Compiled with -DRIGHT it is the twin that does it right, of which nothing is to be found. These
 * are programs of the host's C library and its pthreads.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef RIGHT
#define IF_RIGHT(code) code
#define IF_WRONG(code)
#else
#define IF_RIGHT(code)
#define IF_WRONG(code) code
#endif
/* What stands between reading a variable and writing it: without it, a compiler may make one instruction of both. */
#define BETWEEN(value) __asm__ volatile("" : "+r"(value))
/* A lock that the wrong program does without. */
#define TAKE(mutex) IF_RIGHT(pthread_mutex_lock(&(mutex)))
#define GIVE(mutex) IF_RIGHT(pthread_mutex_unlock(&(mutex)))

static inline void two_threads(void *(*a)(void *), void *(*b)(void *))
{
    pthread_t first, second;

    pthread_create(&first, NULL, a, NULL);
    pthread_create(&second, NULL, b, NULL);
    pthread_join(first, NULL);
    pthread_join(second, NULL);
}
