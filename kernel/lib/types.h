/* Basic types that every module shares, and distinct names for what must not be mixed. */
#ifndef LIB_TYPES_H
#define LIB_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t paddr_t; /* a physical address */
typedef uint64_t vaddr_t; /* a virtual address, kernel or user */
typedef uint64_t pte_t;   /* a page table entry of any level */
typedef int64_t ktime_t;  /* nanoseconds since boot */
typedef int pid_t;
typedef long ssize_t;
typedef int64_t off_t;
typedef uint32_t mode_t;

#define SECOND 1000000000l /* a ktime_t */
#define KTIME_NEVER INT64_MAX
#define KTIME_FAR (KTIME_NEVER / 4) /* what programs ask for is no longer: a few fit into a sum */

/* A pointer into user space: only mm/uaccess.h may look behind it. */
#define __user

#define container_of(pointer, type, member) \
    ((type *)((char *)(pointer) - offsetof(type, member)))
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

static inline uint64_t align_up(uint64_t value, uint64_t align)
{
    return (value + align - 1) & ~(align - 1);
}

static inline uint64_t align_down(uint64_t value, uint64_t align)
{
    return value & ~(align - 1);
}

/* Kernel pointers double as error codes: the last page of the address space is never mapped. */
static inline void *error_pointer(long error)
{
    return (void *)error;
}

static inline bool is_error(const void *pointer)
{
    return (uint64_t)pointer >= (uint64_t)-4095;
}

static inline long pointer_error(const void *pointer)
{
    return (long)pointer;
}

#endif
