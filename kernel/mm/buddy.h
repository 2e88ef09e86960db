/*
 * The buddy allocator: blocks of 2^order pages, each aligned to its size. A freed block joins its
 * buddy (the block whose number differs in one bit) as long as that is free, too.
 * No locks, no hardware: tests/host/buddy_test.c runs it on the host.
 */
#ifndef MM_BUDDY_H
#define MM_BUDDY_H
#include "mm/page.h"

struct buddy {
    struct page *pages; /* by page frame number */
    size_t count;
    size_t free_pages;
    struct list free[PAGE_ORDER_MAX + 1];
};

/* The caller keeps others out of `buddy`. At first nothing is free: free pages are put in by
 * buddy_free. */
void buddy_init(struct buddy *buddy, struct page *pages, size_t count);
/* A block of one of these orders, page->order; as small as there is. NULL: none so large. */
struct page *buddy_alloc(struct buddy *buddy, int least, int most);
void buddy_free(struct buddy *buddy, struct page *page, int order);
#endif
