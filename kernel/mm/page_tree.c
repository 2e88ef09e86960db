/*
 * A radix tree from page index to page. The height grows with the largest index used, so a file
 * of one page needs no table at all.
 */
#include "mm/page_tree.h"

#include "arch/paging.h"
#include "lib/errno.h"
#include "mm/page.h"

#define WAY_BITS 9
#define WAYS (1u << WAY_BITS)

/* How many indexes a subtree of this height covers. */
static uint64_t tree_span(int height)
{
    return height * WAY_BITS >= 64 ? UINT64_MAX : 1ul << (height * WAY_BITS);
}

static void **tree_table_alloc(void)
{
    struct page *page = page_alloc_zeroed();

    return page ? page_to_virt(page) : NULL;
}

static void tree_table_free(void **table)
{
    page_put(virt_to_page(table));
}

struct page *page_tree_find(const struct page_tree *tree, uint64_t index)
{
    void **node = tree->root;

    if (index >= tree_span(tree->height)) {
        return NULL;
    }
    for (int height = tree->height; height > 0 && node; height--) {
        node = node[index >> ((height - 1) * WAY_BITS) & (WAYS - 1)];
    }
    return (struct page *)node;
}

long page_tree_insert(struct page_tree *tree, uint64_t index, struct page *page)
{
    void **slot = (void **)&tree->root;

    while (index >= tree_span(tree->height)) {
        if (tree->root) {
            void **table = tree_table_alloc();

            if (!table) {
                return -ENOMEM;
            }
            table[0] = tree->root;
            tree->root = table;
        }
        tree->height++;
    }
    for (int height = tree->height; height > 0; height--) {
        if (!*slot) {
            *slot = tree_table_alloc();
            if (!*slot) {
                return -ENOMEM;
            }
        }
        slot = (void **)*slot + (index >> ((height - 1) * WAY_BITS) & (WAYS - 1));
    }
    *slot = page;
    tree->pages++;
    return 0;
}

/* Drop what is at or above `first` below *slot, which starts at `base`, but *left pages at most.
 * True: *slot is empty. */
static bool truncate_below(struct page_tree *tree, void **slot, int height, uint64_t base,
                           uint64_t first, uint64_t *left)
{
    bool empty = true;

    if (!*slot) {
        return true;
    }
    if (height == 0) {
        if (base < first || *left == 0) {
            return false;
        }
        (*left)--;
        page_put(*slot);
        tree->pages--;
    } else {
        void **table = *slot;

        for (unsigned way = 0; way < WAYS; way++) {
            uint64_t start = base + way * tree_span(height - 1);

            if (!table[way]) {
                continue;
            }
            if (start + tree_span(height - 1) <= first || *left == 0 ||
                !truncate_below(tree, &table[way], height - 1, start, first, left)) {
                empty = false;
            }
        }
        if (!empty) {
            return false;
        }
        tree_table_free(table);
    }
    *slot = NULL;
    return true;
}

bool page_tree_cut(struct page_tree *tree, uint64_t first, uint64_t pages)
{
    if (truncate_below(tree, (void **)&tree->root, tree->height, 0, first, &pages)) {
        tree->height = 0;
    }
    return pages > 0;
}

void page_tree_truncate(struct page_tree *tree, uint64_t first)
{
    page_tree_cut(tree, first, UINT64_MAX);
}
