/*
 * /dev/ktrace. Writing "on" or "off" to it starts and stops the trace. Each mmap of it gives a
 * new ring, whose records the mapping thread writes without system calls (user/ulib/co).
 *
 * The kernel never reads such a ring; whose it is stands in the header, out of the program's
 * reach. When the last mapping is gone the contents stay, to be read after the program's end,
 * until the ring is given away again: the one that has been unused for longest first.
 */
#include "fs/ktrace.h"

#include "fs/device.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/uaccess.h"
#include "mm/vma.h"
#include "sched/task.h"
#include "trace/trace.h"

#define RING_ORDER 5
#define RING_PAGES (1u << RING_ORDER)
#define RING_SIZE (RING_PAGES * PAGE_SIZE)
#define FIRST_SLOT (2 * TRACE_RINGS_CPU)

static struct ring {
    struct vma_source source;
    bool used;
    uint64_t released; /* when, counted in releases */
    struct page *pages; /* kept for good once there; each has a reference of ours */
} rings[TRACE_RINGS_USER];
static struct spinlock rings_lock = SPINLOCK_INIT; /* `used`, `released`, `refused`; a leaf */
static uint64_t releases;
static struct mutex start_stop_lock; /* one start or stop at a time */

static struct page *ring_get_page(struct vma_source *source, uint64_t index)
{
    struct ring *ring = container_of(source, struct ring, source);

    if (index >= RING_PAGES) {
        return error_pointer(-EIO);
    }
    page_get(&ring->pages[index]);
    return &ring->pages[index];
}

static void ring_release(struct vma_source *source)
{
    struct ring *ring = container_of(source, struct ring, source);

    spin_lock(&rings_lock);
    ring->released = ++releases;
    ring->used = false;
    spin_unlock(&rings_lock);
}

static void *ring_object(struct vma_source *source)
{
    (void)source;
    return NULL;
}

static const struct vma_source_ops source_ops = {
    .get_page = ring_get_page, .release = ring_release, .object = ring_object,
};

/* The ring that has been unused for longest, now used; NULL: all are in use. */
static struct ring *ring_claim(void)
{
    struct ring *best = NULL;

    spin_lock(&rings_lock);
    for (struct ring *ring = rings; ring < rings + TRACE_RINGS_USER; ring++) {
        if (!ring->used && (!best || ring->released < best->released)) {
            best = ring;
        }
    }
    if (best) {
        best->used = true;
    } else {
        ktrace_header.refused++;
    }
    spin_unlock(&rings_lock);
    return best;
}

static bool give_pages(struct ring *ring)
{
    struct page *pages = page_alloc(RING_ORDER);

    for (uint32_t i = 1; pages && i < RING_PAGES; i++) {
        pages[i].references = 1; /* so that the last unmapping does not free a part */
    }
    ring->pages = pages;
    return pages;
}

static struct vma_source *new_ring(struct file *file)
{
    struct ring *ring = trace_on ? ring_claim() : NULL;
    struct trace_ring *shown;

    (void)file;
    if (!ring) {
        return error_pointer(trace_on ? -EAGAIN : -ENXIO);
    }
    vma_source_init(&ring->source, &source_ops, mm_new_id());
    if (!ring->pages && !give_pages(ring)) {
        ring_release(&ring->source);
        return error_pointer(-ENOMEM);
    }
    memset(page_to_virt(ring->pages), 0, RING_SIZE);
    shown = &ktrace_header.rings[FIRST_SLOT + (ring - rings)];
    shown->owner = (uint32_t)current->tid;
    shown->group = (uint32_t)current->group->pid;
    shown->capacity = RING_SIZE / sizeof(struct trace_record);
    shown->kind = TRACE_RING_USER;
    shown->records = page_to_phys(ring->pages);
    return &ring->source;
}

/* To write "on" one may always; to map a ring it takes a trace. */
static long ktrace_open(struct file *file)
{
    return trace_on || !file_readable(file) ? 0 : -ENXIO;
}

static ssize_t ktrace_write(struct file *file, const char __user *buffer, size_t size,
                            off_t *position)
{
    char word[5] = "";
    long error = 0;

    (void)file, (void)position;
    if (size >= sizeof(word)) {
        return -EINVAL;
    }
    if (copy_from_user(word, buffer, size)) {
        return -EFAULT;
    }
    mutex_lock(&start_stop_lock);
    if (strcmp(word, "on\n") == 0 || strcmp(word, "on") == 0) {
        error = trace_start();
    } else if (strcmp(word, "off\n") == 0 || strcmp(word, "off") == 0) {
        trace_stop();
    } else {
        error = -EINVAL;
    }
    mutex_unlock(&start_stop_lock);
    return error ? error : (ssize_t)size;
}

static const struct file_ops ops = {.open = ktrace_open, .write = ktrace_write, .source = new_ring};

void ktrace_device_init(void)
{
    device_register(10, 200, "ktrace", 0666, &ops, NULL); /* 10: misc devices */
}
