/*
 * Lab 1's kernel test `tables`: what mm_pte makes and counts, at addresses that the seed chooses. Then
 * all is taken down, and each page must have come back.
 */
#include "space.h"

#define PLACES 200

/* Two of three differ from the one before them in one index alone. */
static vaddr_t tables_place(uint64_t seed, uint64_t i)
{
    uint64_t number = lab_number(seed, i / 3 * 3) & 0x3ffffffff000;

    return number ^ (i % 3) << (PAGE_SHIFT + 9 * (lab_number(seed, i) % 4));
}

static bool tables_look(struct mm *mm, uint64_t seed)
{
    size_t before = space_free_pages();

    for (uint64_t i = 0; i < PLACES; i++) {
        vaddr_t address = tables_place(seed, i);
        pte_t *entry = mm_pte(mm, address, false);

        LAB_EXPECT(!entry, "step 2: where a level is missing there is no entry, unless `create` is set",
                   "NULL for 0x%lx, which has no tables", "%p", address, (void *)entry);
    }
    LAB_EXPECT(space_free_pages() == before, "step 2: without `create` no table is made",
               "looking costs no memory", "%ld pages are gone", (long)(before - space_free_pages()));
    return true;
}

static bool tables_make(struct mm *mm, uint64_t seed)
{
    for (uint64_t i = 0; i < PLACES; i++) {
        vaddr_t address = tables_place(seed, i);
        pte_t *entry = mm_pte(mm, address, true);

        LAB_EXPECT(entry, "step 2: with `create` a missing table is made", "an entry for 0x%lx", "NULL",
                   address);
        LAB_EXPECT(mm_pte(mm, address + 8, false) == entry && mm_pte(mm, address, true) == entry,
                   "step 2: a table that is there is used, not made again", "one entry for 0x%lx",
                   "another one at the second look", address);
    }
    return space_check(mm, true);
}

/* A page with a number to each entry; the host knows the sum. */
static bool tables_fill(struct mm *mm, uint64_t seed, uint64_t *sum)
{
    for (uint64_t i = 0; i < PLACES; i++) {
        vaddr_t address = tables_place(seed, i);
        pte_t *leaf = mm_pte(mm, address, false);
        uint64_t *word = page_to_virt(page_alloc_zeroed());

        *word = lab_number(seed, 1000 + i);
        *leaf = virt_to_phys(word) | vma_page_flags(mm_find(mm, address));
        mm_table_used(leaf, 1);
    }
    for (uint64_t i = 0; i < PLACES; i++) {
        LAB_EXPECT(space_entry(mm, tables_place(seed, i)),
                   "step 2: down from pml4, one index a level; an entry holds a physical address",
                   "a page at 0x%lx", "none, by another walk", tables_place(seed, i));
        *sum += *space_word(mm, tables_place(seed, i));
    }
    mm->resident = PLACES;
    return space_check(mm, false);
}

static bool tables_once(uint64_t seed, uint64_t *sum)
{
    struct mm *mm = mm_create();

    for (uint64_t i = 0; i < PLACES; i++) {
        if (!space_map(mm, tables_place(seed, i), 1, RW)) {
            return false;
        }
        mm_find(mm, tables_place(seed, i))->touched = true;
    }
    if (!tables_look(mm, seed) || !tables_make(mm, seed) || !tables_fill(mm, seed, sum)) {
        return false;
    }
    mm_put(mm);
    return true;
}

static bool tables(uint64_t seed)
{
    uint64_t sum = 0, again = 0;
    size_t before;

    if (!tables_once(seed, &sum)) { /* caches are warm then */
        return false;
    }
    before = space_free_pages();
    if (!tables_once(seed, &again)) {
        return false;
    }
    LAB_EXPECT(space_free_pages() == before, "step 2: count each new entry, once, in its own table",
               "all pages and tables come back", "%ld are lost", (long)(before - space_free_pages()));
    printk("lab: value entries 0x%lx\n", again);
    return true;
}
LAB_TEST(tables);
