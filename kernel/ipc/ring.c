/* Rings of bytes; see ring.h. */
#include "ipc/ring.h"

#include "lib/errno.h"
#include "mm/page.h"
#include "mm/uaccess.h"

/* A page was read to its end: keep one spare for the next write. */
static __attribute__((noinline)) void ring_drop_page(struct ring *ring, unsigned index)
{
    char *page = ring->pages[index];
    unsigned next = (ring->written / PAGE_SIZE) % RING_PAGES;

    ring->pages[index] = NULL;
    if (!ring->pages[next]) {
        ring->pages[next] = page;
    } else {
        page_put(virt_to_page(page));
    }
}

/* The piece that lies in one page: at `position` of the stream, no more than `size` bytes. */
static size_t ring_piece(uint64_t position, size_t size)
{
    size_t rest = PAGE_SIZE - (position & (PAGE_SIZE - 1));

    return rest < size ? rest : size;
}

static char *ring_at(struct ring *ring, uint64_t position)
{
    return ring->pages[(position / PAGE_SIZE) % RING_PAGES] + (position & (PAGE_SIZE - 1));
}

ssize_t ring_peek(struct ring *ring, size_t offset, char __user *buffer, size_t size)
{
    const uint64_t from = ring->read + offset;
    size_t done = 0, there = ring_used(ring) - offset;

    size = size < there ? size : there;
    while (done < size) {
        size_t part = ring_piece(from + done, size - done);

        if (copy_to_user(buffer + done, ring_at(ring, from + done), part)) {
            return done ? (ssize_t)done : -EFAULT;
        }
        done += part;
    }
    return (ssize_t)done;
}

/* The first bytes, all in one page. */
static inline void ring_drop_piece(struct ring *ring, size_t size)
{
    uint64_t read = ring->read;

    __atomic_store_n(&ring->read, read + size, __ATOMIC_RELEASE);
    if (((read + size) & (PAGE_SIZE - 1)) == 0) {
        ring_drop_page(ring, (read / PAGE_SIZE) % RING_PAGES);
    }
}

void ring_drop(struct ring *ring, size_t size)
{
    while (size) {
        size_t part = ring_piece(ring->read, size);

        ring_drop_piece(ring, part);
        size -= part;
    }
}

/* From the first page. At most `size` bytes, which are there; how many, or -EFAULT. */
static inline ssize_t ring_take_piece(struct ring *ring, char __user *buffer, size_t size)
{
    size_t part = ring_piece(ring->read, size);

    if (copy_to_user(buffer, ring_at(ring, ring->read), part)) {
        return -EFAULT;
    }
    ring_drop_piece(ring, part);
    return (ssize_t)part;
}

static __attribute__((noinline)) ssize_t ring_take_others(struct ring *ring, char __user *buffer, size_t size)
{
    size_t done = 0;

    while (done < size) {
        ssize_t part = ring_take_piece(ring, buffer + done, size - done);

        if (part < 0) {
            break;
        }
        done += (size_t)part;
    }
    return (ssize_t)done;
}

/* Mostly it is one piece. */
ssize_t ring_take(struct ring *ring, char __user *buffer, size_t size)
{
    size_t there = ring_used(ring);
    ssize_t part;

    size = size < there ? size : there;
    if (size == 0) {
        return 0;
    }
    part = ring_take_piece(ring, buffer, size);
    if (part < 0 || (size_t)part == size) {
        return part;
    }
    return part + ring_take_others(ring, buffer + part, size - (size_t)part);
}

/* Make the page that `position` of the stream lies in. False: no memory. */
static __attribute__((noinline)) bool ring_make_page(struct ring *ring, uint64_t position)
{
    struct page *page = page_alloc(0);

    if (page) {
        ring->pages[(position / PAGE_SIZE) % RING_PAGES] = page_to_virt(page);
    }
    return page;
}

/* To the last page. At most `size` bytes, for which there is room; how many, -EFAULT, or -ENOMEM. */
static inline ssize_t ring_put_piece(struct ring *ring, const char __user *buffer, size_t size)
{
    uint64_t written = ring->written;
    size_t part = ring_piece(written, size);

    if (!ring->pages[(written / PAGE_SIZE) % RING_PAGES] && !ring_make_page(ring, written)) {
        return -ENOMEM;
    }
    if (copy_from_user(ring_at(ring, written), buffer, part)) {
        return -EFAULT;
    }
    __atomic_store_n(&ring->written, ring->written + part, __ATOMIC_RELEASE);
    return (ssize_t)part;
}

static __attribute__((noinline)) ssize_t ring_put_others(struct ring *ring, const char __user *buffer, size_t size)
{
    size_t done = 0;

    while (done < size) {
        ssize_t part = ring_put_piece(ring, buffer + done, size - done);

        if (part < 0) {
            break;
        }
        done += (size_t)part;
    }
    return (ssize_t)done;
}

ssize_t ring_put(struct ring *ring, const char __user *buffer, size_t size, size_t need)
{
    size_t room = ring_room(ring);
    ssize_t part;

    if (room < need || size == 0) {
        return 0;
    }
    size = size < room ? size : room;
    part = ring_put_piece(ring, buffer, size);
    if (part < 0 || (size_t)part == size) {
        return part;
    }
    return part + ring_put_others(ring, buffer + part, size - (size_t)part);
}

void ring_free(struct ring *ring)
{
    for (unsigned i = 0; i < RING_PAGES; i++) {
        if (ring->pages[i]) {
            page_put(virt_to_page(ring->pages[i]));
            ring->pages[i] = NULL;
        }
    }
    __atomic_store_n(&ring->read, ring->written, __ATOMIC_RELEASE);
}
