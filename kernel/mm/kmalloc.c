/*
 * Slabs: each size class carves pages into equal objects; a free object holds the link to the
 * next. A slab's page counts its used objects. Full slabs are on no list; an empty one is kept,
 * the next goes back. What is larger than the largest class gets whole pages.
 */
#include "mm/kmalloc.h"

#include "arch/spinlock.h"
#include "lib/string.h"
#include "mm/alloc_debug.h"
#include "mm/inject.h"
#include "mm/page.h"

struct slab_class {
    struct spinlock lock; /* protects the rest and the slabs' pages; before the page allocator */
    uint32_t size;
    int order; /* of its slabs' pages */
    struct list partial;
    int empty; /* slabs on `partial` without a used object */
    size_t used, slabs; /* objects in use, slabs in all */
} __attribute__((aligned(64)));

static struct slab_class classes[] = {
    {.size = 16}, {.size = 32}, {.size = 48}, {.size = 64}, {.size = 96}, {.size = 128},
    {.size = 192}, {.size = 256}, {.size = 384}, {.size = 512}, {.size = 768}, {.size = 1024, .order = 1},
    {.size = 2048, .order = 2},
};
#define LARGEST 2048
static uint8_t class_of[LARGEST / 16 + 1]; /* by (size + 15) / 16 */

void kmalloc_init(void)
{
    size_t class = 0;

    for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
        spin_init(&classes[i].lock);
        list_init(&classes[i].partial);
    }
    for (size_t i = 0; i < ARRAY_SIZE(class_of); i++) {
        if (i * 16 > classes[class].size) {
            class++;
        }
        class_of[i] = (uint8_t)class;
    }
}

/* At the start of a slab's first page. Its class' lock protects all but `class`, which never changes. */
struct slab {
    struct slab_class *class;
    void *free;
    struct list list; /* of the class, while an object is free */
    int used;
} __attribute__((aligned(16)));

#define SLAB_HEADER sizeof(struct slab)

static __attribute__((noinline)) struct slab *slab_create(struct slab_class *class)
{
    struct page *page = page_alloc(class->order);
    char *start, *end;
    struct slab *slab;

    if (!page) {
        return NULL;
    }
    start = page_to_virt(page);
    end = start + (PAGE_SIZE << class->order);
    slab = (struct slab *)start;
    slab->class = class;
    slab->free = NULL;
    for (char *object = start + SLAB_HEADER; object + class->size <= end; object += class->size) {
        object_debug_create(object, class->size);
        *(void **)object = slab->free;
        slab->free = object;
    }
    for (int i = 0; i < 1 << class->order; i++) {
        page[i].owner = slab; /* any object leads to its slab */
    }
    slab->used = 0;
    class->slabs++;
    return slab;
}

static void *slab_alloc(struct slab_class *class)
{
    struct slab *slab;
    void **object;

    spin_lock(&class->lock);
    if (list_empty(&class->partial)) {
        slab = slab_create(class);
        if (!slab) {
            spin_unlock(&class->lock);
            return NULL;
        }
        list_push_front(&class->partial, &slab->list);
        class->empty++;
    }
    slab = list_first(&class->partial, struct slab, list);
    object = slab->free;
    slab->free = *object;
    class->empty -= slab->used++ == 0;
    class->used++;
    if (!slab->free) {
        list_remove(&slab->list);
    }
    spin_unlock(&class->lock);
    return object;
}

/* Empty, and off all lists. */
static __attribute__((noinline)) void slab_drop(struct slab_class *class, struct slab *slab)
{
    struct page *page = virt_to_page(slab);

    for (int i = 0; i < 1 << class->order; i++) {
        page[i].owner = NULL;
    }
    page_put(page);
}

static void slab_free(struct slab *slab, void *object)
{
    struct slab_class *class = slab->class;
    bool drop = false;

    spin_lock(&class->lock);
    debug_assert(slab->used > 0 && class->used > 0);
    debug_assert(((char *)object - (char *)slab - SLAB_HEADER) % class->size == 0);
    if (!slab->free) {
        list_push_front(&class->partial, &slab->list);
    }
    *(void **)object = slab->free;
    slab->free = object;
    class->used--;
    if (--slab->used == 0) {
        drop = class->empty > 0;
        class->empty += !drop;
        if (drop) {
            list_remove(&slab->list);
            class->slabs--;
        }
    }
    spin_unlock(&class->lock);
    if (drop) {
        slab_drop(class, slab);
    }
}

/* What no class is large enough for. */
static __attribute__((noinline)) void *kmalloc_pages(size_t size)
{
    struct page *page;
    int order = 0;

    while ((PAGE_SIZE << order) < size) {
        if (++order > PAGE_ORDER_MAX) {
            return NULL;
        }
    }
    page = page_alloc(order);
    if (!page) {
        return NULL;
    }
    page->owner = NULL;
    return page_to_virt(page);
}

void *kmalloc(size_t size)
{
    const size_t room = size + OBJECT_EXTRA;
    struct slab_class *class;
    void *pointer;

    if (size > LARGEST || room > LARGEST) {
        return kmalloc_pages(size);
    }
    if (inject_failure(__builtin_return_address(0))) {
        return NULL;
    }
    class = &classes[class_of[(room + 15) / 16]];
    pointer = slab_alloc(class);
    return pointer ? object_debug_alloc(pointer, class->size, size, __builtin_return_address(0)) : NULL;
}

void kfree(void *pointer)
{
    struct page *page;
    struct slab *slab;

    if (!pointer) {
        return;
    }
    page = virt_to_page(pointer);
    slab = page->owner;
    if (slab) {
        slab_free(slab, object_debug_free(pointer, slab->class->size, __builtin_return_address(0)));
    } else {
        page_put(page);
    }
}

bool kmalloc_class(size_t number, struct kmalloc_class *info)
{
    const struct slab_class *class = &classes[number];

    if (number >= ARRAY_SIZE(classes)) {
        return false;
    }
    info->size = class->size;
    info->per_slab = (uint32_t)(((PAGE_SIZE << class->order) - SLAB_HEADER) / class->size);
    info->pages_per_slab = 1u << class->order;
    info->used = class->used;
    info->slabs = class->slabs;
    return true;
}

size_t kmalloc_cached_pages(void)
{
    size_t pages = 0;

    for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
        pages += (size_t)classes[i].empty << classes[i].order;
    }
    return pages;
}
