/* Reference counts: whoever takes the last one away frees the object. */
#ifndef LIB_REFCOUNT_H
#define LIB_REFCOUNT_H
#include "lib/types.h"

/* The caller has a reference already, or a lock under which the object cannot die. */
static inline void ref_get(int *count)
{
    __atomic_fetch_add(count, 1, __ATOMIC_RELAXED);
}

/* True for the last one: all other users' writes are visible, and nobody else can come. */
static inline bool ref_put(int *count)
{
    return __atomic_sub_fetch(count, 1, __ATOMIC_ACQ_REL) == 0;
}
#endif
