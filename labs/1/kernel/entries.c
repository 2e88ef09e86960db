/*
 * Lab 1's kernel test `entries`: what a page fault leaves in the tables, for each kind of mapping.
 * Looked at are the entry, the page's references, and what the address space counts.
 */
#include "space.h"

#include "lib/errno.h"

#define ANON 0x10000000ul
#define CONST 0x20000000ul
#define CODE 0x30000000ul
#define OWN 0x40000000ul    /* of the file, private and writable */
#define TEXT 0x50000000ul   /* of the file, private, not to be written */
#define COMMON 0x60000000ul /* of the file, shared */
#define PAGE(base, index) ((base) + (index) * PAGE_SIZE)

static bool entries_map(struct mm *mm)
{
    return space_map(mm, ANON, 4, RW) && space_map(mm, CONST, 4, PROT_READ) &&
           space_map(mm, CODE, 4, RWX) && space_map_file(mm, OWN, FILE_PAGES + 1, RW, MAP_PRIVATE) &&
           space_map_file(mm, TEXT, FILE_PAGES, PROT_READ | PROT_EXEC, MAP_PRIVATE) &&
           space_map_file(mm, COMMON, FILE_PAGES + 1, RW, MAP_SHARED);
}

/* A fault that must be resolved; all is checked after it. */
static bool entries_fault(struct mm *mm, vaddr_t address, bool write)
{
    uint64_t pages = mm->resident + !space_entry(mm, address);
    long result = write ? space_write(mm, address) : space_read(mm, address);

    LAB_EXPECT(result == 0 && space_entry(mm, address), "step 3: write the entry, return 0",
               "0, and an entry for 0x%lx", "%ld, entry 0x%lx", address, result,
               space_entry(mm, address));
    LAB_EXPECT(mm->resident == pages,
               "step 3: count a page in mm->resident when it is new; enter the one that was asked for, no others",
               "mm->resident = %lu after the fault at 0x%lx", "%lu", pages, address, mm->resident);
    return space_check(mm, false);
}

static bool entries_are_new(struct mm *mm)
{
    for (uint64_t i = 0; i < 4; i++) {
        if (!entries_fault(mm, PAGE(ANON, i), i % 2) || !entries_fault(mm, PAGE(CONST, i), false) ||
            !entries_fault(mm, PAGE(CODE, i), i % 2)) {
            return false;
        }
        LAB_EXPECT(space_page(mm, PAGE(ANON, i))->references == 1,
                   "step 3: the new page's one reference is the entry's", "1 reference to a new page",
                   "%d", space_page(mm, PAGE(ANON, i))->references);
    }
    return true;
}

/* The page at `address` is, or is not, that of the file; and how many refer to the file's. */
static bool entries_of_file(struct mm *mm, vaddr_t address, uint64_t index, bool same, int references)
{
    const struct page *page = space_file_pages[index];

    LAB_EXPECT((space_page(mm, address) == page) == same,
               "step 3: make_page and fault_write decide who gets a copy: a private mapping, at a write",
               "the file's own page at 0x%lx: %s", "%s", address, same ? "yes" : "no",
               same ? "another page" : "the file's page");
    LAB_EXPECT(page->references == references,
               "step 3: make_page hands a reference over; page_put the page that a copy takes the place of",
               "%d references to a page of the file", "%d", references, page->references);
    LAB_EXPECT(*space_word(mm, address) == *(uint64_t *)page_to_virt(page),
               "step 3: a copy has the content of the page", "the file's number at 0x%lx", "0x%lx",
               address, *space_word(mm, address));
    return true;
}

static bool entries_of_files(struct mm *mm)
{
    return entries_fault(mm, PAGE(OWN, 0), false) && entries_of_file(mm, PAGE(OWN, 0), 0, true, 2) &&
           entries_fault(mm, PAGE(OWN, 0), true) && entries_of_file(mm, PAGE(OWN, 0), 0, false, 1) &&
           entries_fault(mm, PAGE(OWN, 1), true) && entries_of_file(mm, PAGE(OWN, 1), 1, false, 1) &&
           entries_fault(mm, PAGE(TEXT, 1), false) && entries_of_file(mm, PAGE(TEXT, 1), 1, true, 2) &&
           entries_fault(mm, PAGE(COMMON, 2), false) &&
           entries_of_file(mm, PAGE(COMMON, 2), 2, true, 2) &&
           entries_fault(mm, PAGE(COMMON, 3), true) && entries_of_file(mm, PAGE(COMMON, 3), 3, true, 2);
}

/* A page of a shared mapping is never copied, however many have it: fork may have left it read-only. */
static bool entries_shared_again(struct mm *mm)
{
    vaddr_t address = PAGE(COMMON, 2);

    *mm_pte(mm, address, false) &= ~PTE_WRITE;
    return entries_fault(mm, address, true) && entries_of_file(mm, address, 2, true, 2);
}

/* What make_page refuses, with its reason. */
static bool entries_refused(struct mm *mm)
{
    uint64_t resident = mm->resident;
    long own = space_read(mm, PAGE(OWN, FILE_PAGES)), shared = space_write(mm, PAGE(COMMON, FILE_PAGES));

    LAB_EXPECT(own == -EIO && shared == -EIO, "step 3: if make_page gives no page, return its `error`",
               "%d (the program gets SIGBUS) beyond the file's end", "%ld and %ld", -EIO, own, shared);
    LAB_EXPECT(mm->resident == resident && !space_entry(mm, PAGE(OWN, FILE_PAGES)),
               "step 3: without a page nothing is entered and nothing counted", "no entry", "0x%lx",
               space_entry(mm, PAGE(OWN, FILE_PAGES)));
    return true;
}

/* The host knows the sum of the file's numbers, seen through the mappings. */
static uint64_t entries_sum(const struct mm *mm)
{
    return *space_word(mm, PAGE(OWN, 0)) + *space_word(mm, PAGE(TEXT, 1)) +
           *space_word(mm, PAGE(COMMON, 2)) + *space_word(mm, PAGE(COMMON, 3));
}

static bool entries_once(uint64_t seed, uint64_t *sum)
{
    struct mm *mm = mm_create();

    if (!space_file_create(seed) || !entries_map(mm) || !entries_are_new(mm) || !entries_of_files(mm) ||
        !entries_shared_again(mm) || !entries_refused(mm)) {
        return false;
    }
    *sum = entries_sum(mm);
    mm_put(mm);
    return space_file_destroy();
}

static bool entries(uint64_t seed)
{
    size_t before;
    uint64_t sum;

    if (!entries_once(seed, &sum)) { /* caches are warm then */
        return false;
    }
    before = space_free_pages();
    if (!entries_once(seed, &sum)) {
        return false;
    }
    LAB_EXPECT(space_free_pages() == before, "step 3: mm_table_used(entry, 1) for a new entry, once",
               "all pages and tables come back", "%ld are lost", (long)(before - space_free_pages()));
    printk("lab: value through 0x%lx\n", sum);
    return true;
}
LAB_TEST(entries);
