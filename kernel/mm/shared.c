/* Shared anonymous memory: a tree of zero pages that several address spaces map. */
#include "arch/spinlock.h"
#include "lib/errno.h"
#include "mm/kmalloc.h"
#include "mm/page.h"
#include "mm/page_tree.h"
#include "mm/vma.h"

struct shared {
    struct vma_source source;
    struct spinlock lock; /* protects pages; before the page allocator */
    struct page_tree pages;
    uint64_t size; /* pages */
    bool promised; /* all of it, whoever maps how much */
};

static struct page *shared_get_page(struct vma_source *source, uint64_t index)
{
    struct shared *shared = container_of(source, struct shared, source);
    struct page *page;

    if (index >= shared->size) {
        return error_pointer(-EIO);
    }
    spin_lock(&shared->lock);
    page = page_tree_find(&shared->pages, index);
    if (!page && (page = page_alloc_zeroed()) && page_tree_insert(&shared->pages, index, page)) {
        page_put(page);
        page = NULL;
    }
    if (page) {
        page_get(page);
    }
    spin_unlock(&shared->lock);
    return page ? page : error_pointer(-ENOMEM);
}

static bool shared_has_page(struct vma_source *source, uint64_t index)
{
    struct shared *shared = container_of(source, struct shared, source);
    bool found;

    spin_lock(&shared->lock);
    found = page_tree_find(&shared->pages, index);
    spin_unlock(&shared->lock);
    return found;
}

static void shared_release(struct vma_source *source)
{
    struct shared *shared = container_of(source, struct shared, source);

    page_tree_truncate(&shared->pages, 0);
    if (shared->promised) {
        commit_give(shared->size);
    }
    kfree(shared);
}

static void *shared_object(struct vma_source *source)
{
    (void)source;
    return NULL;
}

static const struct vma_source_ops ops = {
    .get_page = shared_get_page,
    .has_page = shared_has_page,
    .release = shared_release,
    .object = shared_object,
};

struct vma_source *vma_source_anonymous(uint64_t pages, bool promised)
{
    struct shared *shared = kzalloc(sizeof(*shared));

    if (!shared || (promised && !commit_request(pages))) {
        kfree(shared);
        return error_pointer(-ENOMEM);
    }
    vma_source_init(&shared->source, &ops, mm_new_id());
    shared->size = pages;
    shared->promised = promised;
    return &shared->source;
}
