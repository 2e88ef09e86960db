/*
 * Lab 1's kernel test `no_memory`: all free pages are taken, and given back one by one. What cannot be
 * done without a page fails with -ENOMEM, changes nothing, and succeeds as soon as there is enough.
 */
#include "space.h"

#include "lib/errno.h"

#define NEW 0x10000000000ul /* alone in its tables: three of them, and a page */
#define DATA 0x10000000ul
#define OWN 0x20000000ul    /* of the file, private */

static struct list no_memory_held = LIST_INIT(no_memory_held);

/* Tables in reserve go to an address space that needs nothing else. */
static void no_memory_take(struct mm *hoard)
{
    struct page *page;

    for (vaddr_t at = NEW; mm_cached_pages() > 0 && mm_pte(hoard, at, true); at += PAGE_SIZE << 9) {
    }
    while ((page = page_alloc(0))) {
        list_push_back(&no_memory_held, &page->list);
    }
}

static void no_memory_give(int pages)
{
    for (; pages > 0 && !list_empty(&no_memory_held); pages--) {
        struct page *page = container_of(no_memory_held.next, struct page, list);

        list_remove(&page->list);
        page_put(page);
    }
}

/* A write that needs `pages`: refused while there are fewer. Each attempt may keep the tables it got. */
static bool no_memory_write(struct mm *mm, vaddr_t address, int pages)
{
    uint64_t resident = mm->resident;
    pte_t entry = space_entry(mm, address);

    for (int given = 0; given < pages; given++) {
        long result = space_write(mm, address);

        LAB_EXPECT(result == -ENOMEM,
                   "steps 2 and 3: table_alloc, make_page and copy_of return NULL without memory: look, "
                   "and return NULL or -ENOMEM", "%d without a free page", "%ld at 0x%lx", -ENOMEM, result,
                   address);
        LAB_EXPECT(space_entry(mm, address) == entry && mm->resident == resident,
                   "step 3: change and count nothing before you have the page",
                   "entry 0x%lx and %lu pages, as before", "0x%lx and %lu", entry, resident,
                   space_entry(mm, address), mm->resident);
        if (!space_check(mm, true)) {
            return false;
        }
        no_memory_give(1);
    }
    LAB_EXPECT(space_write(mm, address) == 0, "step 3: nothing else is wrong with this access",
               "0, now that there is enough memory", "a failure at 0x%lx", address);
    return space_check(mm, true);
}

/* The child holds on to the old pages, so that each write needs a copy. */
static bool no_memory_attempts(struct mm *mm, struct mm *hoard, uint64_t seed)
{
    struct mm *child;

    if (!space_map(mm, DATA, 1, RW) || !space_map(mm, NEW, 1, RW) ||
        !space_map_file(mm, OWN, FILE_PAGES, RW, MAP_PRIVATE) || space_write(mm, DATA) ||
        space_read(mm, OWN) || space_read(mm, OWN + PAGE_SIZE)) {
        return false;
    }
    *space_word(mm, DATA) = lab_number(seed, 0);
    child = mm_clone(mm);
    no_memory_take(hoard);
    if (!no_memory_write(mm, DATA, 1) || !no_memory_write(mm, OWN, 1) ||
        !no_memory_write(mm, OWN + 2 * PAGE_SIZE, 1) || !no_memory_write(mm, NEW, 4)) {
        return false;
    }
    printk("lab: value kept 0x%lx\n",
           *space_word(mm, DATA) + *space_word(child, DATA) + *space_word(mm, OWN) + *space_word(mm, NEW));
    LAB_EXPECT(!mm_clone(mm), "step 2: mm_pte returns NULL without memory for a table",
               "no child without memory", "one");
    mm_put(child);
    return space_check(mm, true);
}

static bool no_memory(uint64_t seed)
{
    struct mm *mm = mm_create(), *hoard = mm_create();
    bool right = space_file_create(seed) && no_memory_attempts(mm, hoard, seed);

    no_memory_give(INT32_MAX);
    if (right) {
        mm_put(mm);
        mm_put(hoard);
    }
    return right && space_file_destroy();
}
LAB_TEST(no_memory);
