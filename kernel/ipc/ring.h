/*
 * A ring of bytes, from user memory to user memory: the inside of pipes and sockets.
 *
 * It is made of pages that come when they are written to and go when they have been read, all but
 * one, so an idle ring is small. `written` and `read` grow; their difference is what is in
 * it. Whoever owns the ring has a mutex (before mm->lock, for the user copies) that is held for
 * every call here; only ring_used and ring_room may be asked without it, and then again under it.
 */
#ifndef IPC_RING_H
#define IPC_RING_H
#include "arch/paging.h"

#define RING_CAPACITY 65536
#define RING_PAGES (RING_CAPACITY / PAGE_SIZE)
/* From this much room on a ring counts as writable, as poll(2) has it. */
#define RING_WRITABLE 4096

struct ring {
    uint64_t written, read;
    size_t withheld; /* of its capacity: a pipe may be made smaller */
    char *pages[RING_PAGES];
};

static inline size_t ring_used(const struct ring *ring)
{
    return __atomic_load_n(&ring->written, __ATOMIC_ACQUIRE) -
           __atomic_load_n(&ring->read, __ATOMIC_ACQUIRE);
}

static inline size_t ring_room(const struct ring *ring)
{
    return RING_CAPACITY - ring->withheld - ring_used(ring);
}

/* Copy out at most `size` bytes, from the one at `offset` on. How many, or -EFAULT. */
ssize_t ring_peek(struct ring *ring, size_t offset, char __user *buffer, size_t size);
/* The first `size` bytes, which are there, are gone. */
void ring_drop(struct ring *ring, size_t size);
/* The same, and they are gone. */
ssize_t ring_take(struct ring *ring, char __user *buffer, size_t size);
/*
 * Has ring_take, which returned `taken`, made the ring writable? A writer that sleeps has found
 * less than RING_WRITABLE bytes of room, so this is the moment to wake it, and no other.
 */
static inline bool ring_became_writable(const struct ring *ring, ssize_t taken)
{
    size_t room = ring_room(ring);

    return taken > 0 && room >= RING_WRITABLE && room - (size_t)taken < RING_WRITABLE;
}

/* The last `size` bytes, which nobody has read, were not put. */
static inline void ring_take_back(struct ring *ring, size_t size)
{
    __atomic_store_n(&ring->written, ring->written - size, __ATOMIC_RELEASE);
}

/* Copy in what there is room for: how many bytes, -EFAULT, -ENOMEM; none if there is room for less than `need`. */
ssize_t ring_put(struct ring *ring, const char __user *buffer, size_t size, size_t need);
/* Empty it and give its pages back. A ring of zeroes is empty. */
void ring_free(struct ring *ring);
#endif
