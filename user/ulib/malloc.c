/*
 * malloc: a heap of blocks with their sizes at both ends (boundary tags).
 *
 *     | size | used |  payload ...  | size |   the size again, so the block below can be found
 *
 * A freed block joins its free neighbours at once, so two free blocks never touch. Free blocks
 * hang in lists by size class (powers of two): a request takes the first that fits, from its own
 * class upwards. Large requests (128 KiB) get a mapping of their own, given back by free.
 *
 * One lock guards the heap. A block in use is its owner's: its size is read without the lock.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "internal.h"
#include "thread/lock.h"

#define ALIGN 16
#define LARGE (128 * 1024)
#define GROW (64 * 1024)
#define CLASSES 20
#define MAPPED 2

struct block {
    size_t size;  /* of the whole block, a multiple of 16 */
    size_t state; /* 1 used, 0 free, MAPPED */
    struct block *next, *prev; /* of a free block */
};

#define HEADER 16
#define FOOTER 16 /* 8 are used; the rest keeps payloads aligned */
#define SMALLEST 64

static unsigned heap_lock; /* protects all free blocks, the lists and the ends of the heap */
static struct block *classes[CLASSES];
static char *heap_start, *heap_end;

static int class_of(size_t size)
{
    int class = 63 - __builtin_clzl(size) - 6;

    return class < 0 ? 0 : class < CLASSES ? class : CLASSES - 1;
}

static void set_size(struct block *block, size_t size)
{
    block->size = size;
    *(size_t *)((char *)block + size - 8) = size;
}

static void list_add(struct block *block)
{
    struct block **head = &classes[class_of(block->size)];

    block->state = 0;
    block->prev = NULL;
    block->next = *head;
    if (*head) {
        (*head)->prev = block;
    }
    *head = block;
}

static void list_take(struct block *block)
{
    if (block->prev) {
        block->prev->next = block->next;
    } else {
        classes[class_of(block->size)] = block->next;
    }
    if (block->next) {
        block->next->prev = block->prev;
    }
}

/* Join with free neighbours and hang in. */
static void release(struct block *block)
{
    char *start = (char *)block, *end = start + block->size;
    size_t size = block->size;

    if (end < heap_end && ((struct block *)end)->state == 0) {
        list_take((struct block *)end);
        size += ((struct block *)end)->size;
    }
    if (start > heap_start) {
        struct block *below = (struct block *)(start - *(size_t *)(start - 8));

        if (below->state == 0) {
            list_take(below);
            size += below->size;
            block = below;
        }
    }
    set_size(block, size);
    list_add(block);
}

static int grow(size_t size)
{
    size_t more = size > GROW ? (size + 4095) & ~4095ul : GROW;
    struct block *block;

    if (!heap_end) {
        heap_end = (char *)((ulib_syscall(SYS_brk, 0, 0, 0, 0, 0, 0) + 15) & ~15l);
        heap_start = heap_end;
    }
    if (ulib_syscall(SYS_brk, (long)(heap_end + more), 0, 0, 0, 0, 0) < (long)(heap_end + more)) {
        return -1;
    }
    block = (struct block *)heap_end;
    heap_end += more;
    block->state = 1;
    set_size(block, more);
    release(block);
    return 0;
}

static struct block *find(size_t size)
{
    for (int class = class_of(size); class < CLASSES; class++) {
        for (struct block *block = classes[class]; block; block = block->next) {
            if (block->size >= size) {
                return block;
            }
        }
    }
    return NULL;
}

static void *map_large(size_t size)
{
    size_t whole = (size + HEADER + 4095) & ~4095ul;
    struct block *block = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                               -1, 0);

    if (block == MAP_FAILED) {
        return NULL;
    }
    block->size = whole;
    block->state = MAPPED;
    return (char *)block + HEADER;
}

/* A block of the heap, `need` bytes of it; NULL: no memory. The heap is locked. */
static struct block *take(size_t need)
{
    struct block *block = find(need);

    if (!block && (grow(need) || !(block = find(need)))) {
        return NULL;
    }
    list_take(block);
    block->state = 1;
    if (block->size >= need + SMALLEST) { /* the rest stays free */
        struct block *rest = (struct block *)((char *)block + need);

        set_size(rest, block->size - need);
        set_size(block, need);
        list_add(rest);
    }
    return block;
}

void *malloc(size_t size)
{
    size_t need;
    struct block *block;

    if (size > PTRDIFF_MAX) {
        errno = ENOMEM;
        return NULL;
    }
    if (size >= LARGE) {
        return map_large(size);
    }
    need = ((size + ALIGN - 1) & ~(size_t)(ALIGN - 1)) + HEADER + FOOTER;
    lock_take(&heap_lock);
    block = take(need < SMALLEST ? SMALLEST : need);
    lock_drop(&heap_lock);
    if (!block) {
        errno = ENOMEM;
        return NULL;
    }
    return (char *)block + HEADER;
}

void free(void *pointer)
{
    struct block *block = (struct block *)((char *)pointer - HEADER);

    if (!pointer) {
        return;
    }
    if (block->state == MAPPED) {
        munmap(block, block->size);
    } else {
        lock_take(&heap_lock);
        release(block);
        lock_drop(&heap_lock);
    }
}

void *calloc(size_t count, size_t size)
{
    size_t bytes;
    void *pointer = __builtin_mul_overflow(count, size, &bytes) ? NULL : malloc(bytes);

    return pointer ? memset(pointer, 0, bytes) : NULL;
}

void *realloc(void *old, size_t size)
{
    struct block *block = (struct block *)((char *)old - HEADER);
    size_t room;
    void *fresh;

    if (!old) {
        return malloc(size);
    }
    room = block->size - HEADER - (block->state == MAPPED ? 0 : FOOTER);
    if (size <= room) {
        return old;
    }
    fresh = malloc(size);
    if (fresh) {
        memcpy(fresh, old, room);
        free(old);
    }
    return fresh;
}

void ulib_malloc_lock(void)
{
    lock_take(&heap_lock);
}

void ulib_malloc_unlock(void)
{
    lock_drop(&heap_lock);
}
