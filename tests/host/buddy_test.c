/* The buddy allocator on the host: random allocation against a map of who owns which page. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mm/buddy.h"

#define PAGES 5000
static struct page pages[PAGES];
static unsigned char owned[PAGES];

static int mark(struct page *page, int order, int value)
{
    size_t first = (size_t)(page - pages);

    if (first % (1ul << order) || first + (1ul << order) > PAGES) {
        return 0;
    }
    for (size_t i = first; i < first + (1ul << order); i++) {
        if (owned[i] == value) {
            return 0;
        }
        owned[i] = (unsigned char)value;
    }
    return 1;
}

static void check(const char *name, int ok)
{
    static int number;

    printf("%sok %d - %s\n", ok ? "" : "not ", ++number, name);
}

int main(void)
{
    struct buddy buddy;
    struct {
        struct page *page;
        int order;
    } held[400] = {{0}};
    int apart = 1, asked = 1, whole = 0;

    printf("1..5\n");
    buddy_init(&buddy, pages, PAGES);
    for (int i = 0; i < PAGES; i++) {
        buddy_free(&buddy, &pages[i], 0);
    }
    check("all_pages_free_after_init", buddy.free_pages == PAGES);
    srand(1);
    for (int step = 0; step < 200000; step++) {
        int i = rand() % 400;

        if (held[i].page) {
            apart &= mark(held[i].page, held[i].order, 0);
            buddy_free(&buddy, held[i].page, held[i].order);
            held[i].page = NULL;
        } else {
            int least = rand() % 6, most = least + rand() % 3;

            held[i].page = buddy_alloc(&buddy, least, most);
            held[i].order = held[i].page ? held[i].page->order : 0;
            asked &= !held[i].page || (held[i].order >= least && held[i].order <= most);
            apart &= !held[i].page || mark(held[i].page, held[i].order, 1);
        }
    }
    check("blocks_are_aligned_and_apart", apart);
    check("blocks_are_as_large_as_asked", asked);
    for (int i = 0; i < 400; i++) {
        if (held[i].page) {
            buddy_free(&buddy, held[i].page, held[i].order);
        }
    }
    check("nothing_is_lost", buddy.free_pages == PAGES);
    while (buddy_alloc(&buddy, PAGE_ORDER_MAX, PAGE_ORDER_MAX)) {
        whole++;
    }
    check("free_blocks_join_again", whole == PAGES >> PAGE_ORDER_MAX);
    return 0;
}
