/* The buddy allocator; see buddy.h. */
#include "mm/buddy.h"

#include "lib/log.h"

void buddy_init(struct buddy *buddy, struct page *pages, size_t count)
{
    buddy->pages = pages;
    buddy->count = count;
    buddy->free_pages = 0;
    for (int order = 0; order <= PAGE_ORDER_MAX; order++) {
        list_init(&buddy->free[order]);
    }
}

static void buddy_insert(struct buddy *buddy, struct page *page, int order)
{
    page->free = true;
    page->order = (uint8_t)order;
    list_push_front(&buddy->free[order], &page->list);
}

struct page *buddy_alloc(struct buddy *buddy, int least, int most)
{
    int found = least;
    struct page *page;

    while (found <= PAGE_ORDER_MAX && list_empty(&buddy->free[found])) {
        found++;
    }
    if (found > PAGE_ORDER_MAX) {
        return NULL;
    }
    page = list_first(&buddy->free[found], struct page, list);
    list_remove(&page->list);
    page->free = false;
    while (found > most) { /* give back the upper half */
        found--;
        buddy_insert(buddy, page + (1ul << found), found);
    }
    page->order = (uint8_t)found;
    buddy->free_pages -= 1ul << found;
    return page;
}

void buddy_free(struct buddy *buddy, struct page *page, int order)
{
    size_t number = (size_t)(page - buddy->pages);

    debug_assert(!page->free);
    buddy->free_pages += 1ul << order;
    while (order < PAGE_ORDER_MAX) {
        size_t other = number ^ (1ul << order);
        struct page *twin = &buddy->pages[other];

        if (other + (1ul << order) > buddy->count || !twin->free || twin->order != order) {
            break;
        }
        list_remove(&twin->list);
        twin->free = false;
        number &= ~(1ul << order);
        order++;
    }
    buddy_insert(buddy, &buddy->pages[number], order);
}
