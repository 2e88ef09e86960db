/* The pages of a file by index: a radix tree of page-sized tables, 512 ways a level. */
#ifndef MM_PAGE_TREE_H
#define MM_PAGE_TREE_H
#include "lib/types.h"

struct page;

struct page_tree {
    void **root; /* NULL: empty; at height 0 the page itself */
    int height;  /* levels of tables above the pages */
    uint64_t pages;
};

/* The owner's lock is held for all of these. No reference moves: the tree owns one a page. */
/* NULL: none at `index`. */
struct page *page_tree_find(const struct page_tree *tree, uint64_t index);
/* -ENOMEM, with the tree unchanged but for empty tables. There is no page at `index` yet. */
long page_tree_insert(struct page_tree *tree, uint64_t index, struct page *page);
/* Drop all pages from `first` on, and put them. */
void page_tree_truncate(struct page_tree *tree, uint64_t first);
/* The same, but fewer than `pages` of them at once. True: all are gone. */
bool page_tree_cut(struct page_tree *tree, uint64_t first, uint64_t pages);
#endif
