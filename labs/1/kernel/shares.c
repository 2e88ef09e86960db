/*
 * Lab 1's kernel test `shares`: three generations of one address space. After each step the entries,
 * the references and the counts of all are looked at.
 */
#include "space.h"

#define DATA 0x10000000ul
#define CODE 0x20000000ul   /* writable and executable */
#define CONST 0x30000000ul
#define HIDDEN 0x40000000ul /* PROT_NONE, with content */
#define OWN 0x50000000ul    /* of the file, private */
#define COMMON 0x60000000ul /* of the file, shared */
#define PAGE(base, index) ((base) + (index) * PAGE_SIZE)

static const vaddr_t shared_private[] = {PAGE(DATA, 0), PAGE(DATA, 1), CODE, CONST, HIDDEN,
                                         PAGE(OWN, 0), PAGE(OWN, 1)};

static bool shares_fill(struct mm *mm, uint64_t seed)
{
    bool mapped = space_map(mm, DATA, 4, RW) && space_map(mm, CODE, 1, RWX) &&
                  space_map(mm, CONST, 1, PROT_READ) && space_map(mm, HIDDEN, 1, RW) &&
                  space_map_file(mm, OWN, FILE_PAGES, RW, MAP_PRIVATE) &&
                  space_map_file(mm, COMMON, FILE_PAGES, RW, MAP_SHARED);
    long failed = !mapped || space_write(mm, PAGE(DATA, 0)) || space_write(mm, PAGE(DATA, 1)) ||
                  space_write(mm, CODE) || space_read(mm, CONST) || space_write(mm, HIDDEN) ||
                  space_read(mm, PAGE(OWN, 0)) || space_write(mm, PAGE(OWN, 1)) ||
                  space_read(mm, PAGE(COMMON, 2)) || space_write(mm, PAGE(COMMON, 3));

    LAB_EXPECT(!failed, "step 3: make grade K=entries says more", "nine faults that are resolved", "-ENOMEM");
    *space_word(mm, PAGE(DATA, 0)) = lab_number(seed, 0);
    *space_word(mm, PAGE(DATA, 1)) = lab_number(seed, 1);
    *space_word(mm, HIDDEN) = lab_number(seed, 2);
    return mm_protect(mm, HIDDEN, PAGE_SIZE, 0) == 0;
}

static bool shares_references(const struct mm *mm, vaddr_t address, int references)
{
    LAB_EXPECT(space_page(mm, address)->references == references,
               "step 4: whoever enters a page takes a reference, shared or not; a copy gives up the old one",
               "%d references to the page at 0x%lx", "%d", references, address,
               space_page(mm, address)->references);
    return true;
}

/* The child has the parent's page, and neither may write to it. */
static bool shares_one_page(const struct mm *parent, const struct mm *child, vaddr_t address)
{
    pte_t old = space_entry(parent, address), new = space_entry(child, address);

    LAB_EXPECT(new && (old & PTE_ADDRESS) == (new & PTE_ADDRESS), "step 4: enter the same page in both",
               "after fork, the parent's page at 0x%lx in the child, too", "0x%lx and 0x%lx", address,
               old & PTE_ADDRESS, new & PTE_ADDRESS);
    LAB_EXPECT(!((old | new) & PTE_WRITE), "step 4: take PTE_WRITE from both entries",
               "no writing to 0x%lx in parent and child", "entries 0x%lx and 0x%lx", address, old, new);
    return true;
}

/* A page of a shared mapping stays as it is, in both; the file has a reference, too. */
static bool shares_common_page(const struct mm *parent, const struct mm *child, uint64_t index)
{
    vaddr_t address = PAGE(COMMON, index);
    pte_t old = space_entry(parent, address), new = space_entry(child, address);

    LAB_EXPECT((old & PTE_ADDRESS) == (new & PTE_ADDRESS) && old & new & PTE_WRITE,
               "step 4: a page of a shared mapping stays as it is", "the same, writable page in both at "
               "0x%lx", "entries 0x%lx and 0x%lx", address, old, new);
    return true;
}

static bool shares_are_copies(struct mm *parent, struct mm *child)
{
    for (size_t i = 0; i < ARRAY_SIZE(shared_private); i++) {
        if (!shares_one_page(parent, child, shared_private[i])) {
            return false;
        }
    }
    return shares_common_page(parent, child, 2) && shares_common_page(parent, child, 3) &&
           space_check(parent, false) && space_check(child, false);
}

/* One writes, and has a copy; the other keeps the page and its content. */
static bool shares_write(struct mm *writer, struct mm *other, vaddr_t address, uint64_t number)
{
    const struct page *old = space_page(other, address);
    uint64_t content = *space_word(other, address);
    long result = space_write(writer, address);

    LAB_EXPECT(result == 0 && space_page(writer, address) != old && space_page(other, address) == old,
               "step 3: who writes to a page that has other references gets a copy",
               "another page at 0x%lx for the writer alone", "%ld, entries 0x%lx and 0x%lx", address,
               result, space_entry(writer, address), space_entry(other, address));
    LAB_EXPECT(*space_word(writer, address) == content, "step 3: copy_of copies the content",
               "0x%lx in the copy", "0x%lx", content, *space_word(writer, address));
    *space_word(writer, address) = number;
    return shares_references(writer, address, 1) && space_check(writer, false) && space_check(other, false);
}

/* The others have gone: no copy is needed. */
static bool shares_alone(struct mm *mm, vaddr_t address)
{
    const struct page *old = space_page(mm, address);
    long result = space_write(mm, address);

    LAB_EXPECT(result == 0 && space_page(mm, address) == old && space_entry(mm, address) & PTE_WRITE,
               "step 3: a page with one reference is entered again, writable; there is nothing to copy",
               "the same page at 0x%lx, writable", "%ld, entry 0x%lx", address, result,
               space_entry(mm, address));
    return shares_references(mm, address, 1) && space_check(mm, false);
}

static bool shares_generations(struct mm *first, uint64_t seed, uint64_t *sum)
{
    struct mm *second = mm_clone(first), *third;

    if (!shares_are_copies(first, second) || !shares_references(first, PAGE(DATA, 0), 2) ||
        !shares_references(first, HIDDEN, 2) || !shares_references(first, PAGE(OWN, 0), 3) ||
        !shares_references(first, PAGE(OWN, 1), 2) || !shares_references(first, PAGE(COMMON, 3), 3)) {
        return false;
    }
    third = mm_clone(second);
    if (!shares_are_copies(second, third) || !shares_references(first, CONST, 3) ||
        !shares_references(first, PAGE(COMMON, 2), 4) ||
        !shares_write(second, first, PAGE(DATA, 0), lab_number(seed, 3)) ||
        !shares_references(first, PAGE(DATA, 0), 2) ||
        !shares_write(third, first, PAGE(OWN, 0), lab_number(seed, 4)) ||
        !shares_write(third, first, CODE, lab_number(seed, 5)) ||
        !shares_write(third, first, PAGE(DATA, 1), lab_number(seed, 6))) {
        return false;
    }
    *sum = *space_word(first, PAGE(DATA, 0)) + *space_word(second, PAGE(DATA, 0)) * 2 +
           *space_word(third, PAGE(DATA, 0)) * 3 + *space_word(second, PAGE(DATA, 1)) * 4 +
           *space_word(third, PAGE(DATA, 1)) * 5 + *space_word(third, HIDDEN) * 6;
    mm_put(second);
    mm_put(third);
    return shares_references(first, PAGE(COMMON, 3), 2) && shares_references(first, PAGE(OWN, 0), 2) &&
           shares_alone(first, PAGE(DATA, 0)) && shares_alone(first, PAGE(DATA, 1)) &&
           shares_alone(first, PAGE(OWN, 1)) && shares_alone(first, CODE);
}

static bool shares_once(uint64_t seed, uint64_t *sum)
{
    struct mm *mm = mm_create();

    if (!space_file_create(seed) || !shares_fill(mm, seed) || !shares_generations(mm, seed, sum)) {
        return false;
    }
    mm_put(mm);
    return space_file_destroy();
}

static bool shares(uint64_t seed)
{
    size_t before;
    uint64_t sum;

    if (!shares_once(seed, &sum)) { /* caches are warm then */
        return false;
    }
    before = space_free_pages();
    if (!shares_once(seed, &sum)) {
        return false;
    }
    LAB_EXPECT(space_free_pages() == before, "steps 3 and 4: each page_get has its page_put",
               "all pages and tables come back", "%ld are lost", (long)(before - space_free_pages()));
    printk("lab: value generations 0x%lx\n", sum);
    return true;
}
LAB_TEST(shares);
