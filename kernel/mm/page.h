/* Physical pages: who owns which, and the allocator of single pages and blocks. */
#ifndef MM_PAGE_H
#define MM_PAGE_H
#include "arch/paging.h"
#include "lib/list.h"
#include "lib/refcount.h"

struct page {
    int references; /* atomic; 0: free */
    uint8_t order;  /* of a free block, or of an allocation by its first page */
    uint8_t free;   /* first page of a free block */
    uint16_t used;  /* entries of a page table, objects of a slab */
    struct list list;
    void *owner;     /* the slab cache */
#ifdef SANITIZE
    const void *freed_by; /* which code; NULL: not free, or never used */
#endif
};

#define PAGE_ORDER_MAX 10

extern struct page *page_array; /* by page frame number */

static inline paddr_t page_to_phys(const struct page *page)
{
    return (paddr_t)(page - page_array) << PAGE_SHIFT;
}

static inline struct page *phys_to_page(paddr_t address)
{
    return &page_array[address >> PAGE_SHIFT];
}

static inline void *page_to_virt(const struct page *page)
{
    return phys_to_virt(page_to_phys(page));
}

static inline struct page *virt_to_page(const void *pointer)
{
    return phys_to_page(virt_to_phys(pointer));
}

static inline void page_get(struct page *page)
{
    ref_get(&page->references);
}

/* 2^order pages (at most PAGE_ORDER_MAX), contents unknown, one reference; NULL when there are none.
 * Not from interrupts; does not sleep. */
struct page *page_alloc(int order);
void page_free(struct page *page); /* for page_put */
/* The last reference frees. Not from interrupts. */
static inline void page_put(struct page *page)
{
    if (ref_put(&page->references)) {
        page_free(page);
    }
}
/* Pages, free and in all. Without a lock: the number may be old. */
size_t page_free_count(void);
size_t page_total_count(void);
/* Take over boot_free, at boot; panics if page_array has no room there. */
void page_init(void);
/* Give the initrd's pages to the allocator. Whole ones. */
void page_free_range(paddr_t start, paddr_t end);
/* One page, through the direct map. */
void page_zero(void *page);
void page_copy(void *to, const void *from);

static inline struct page *page_alloc_zeroed(void)
{
    struct page *page = page_alloc(0);

    if (page) {
        page_zero(page_to_virt(page));
    }
    return page;
}
#endif
