/* Reference counts: whoever takes the last one away frees the object. */
#ifndef LIB_REFCOUNT_H
#define LIB_REFCOUNT_H
#include "lib/types.h"
#ifdef SANITIZE
#include "lib/log.h"
#endif

/* Whoever counts on an object that is dead, or a count that has gone round, finds it out here. */
static inline void ref_check(int before)
{
#ifdef SANITIZE
    if (before <= 0 || before == INT32_MAX) {
        panic("reference count: it was %d", before);
    }
#else
    (void)before;
#endif
}

/* The caller has a reference already, or a lock under which the object cannot die. */
static inline void ref_get(int *count)
{
    ref_check(__atomic_fetch_add(count, 1, __ATOMIC_RELAXED));
}

/* True for the last one: all other users' writes are visible, and nobody else can come. */
static inline bool ref_put(int *count)
{
    int left = __atomic_sub_fetch(count, 1, __ATOMIC_ACQ_REL);

    ref_check(left + 1);
    return left == 0;
}
#endif
