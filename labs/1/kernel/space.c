/* Address spaces for lab 1's kernel tests, and the check that one is as its mappings say. */
#include "space.h"

#include "arch/trap.h"
#include "lib/errno.h"
#include "lib/string.h"

#define FLAGS_STEP "step 3: the entry's flags come from vma_page_flags, also after a copy"

struct page *space_file_pages[FILE_PAGES];
struct vma_source space_file;

static struct page *file_get_page(struct vma_source *source, uint64_t index)
{
    (void)source;
    if (index >= FILE_PAGES) {
        return error_pointer(-EIO);
    }
    page_get(space_file_pages[index]);
    return space_file_pages[index];
}

static void file_release(struct vma_source *source)
{
    (void)source;
}

static void *file_object(struct vma_source *source)
{
    (void)source;
    return NULL;
}

bool space_file_create(uint64_t seed)
{
    static const struct vma_source_ops ops = {
        .get_page = file_get_page, .release = file_release, .object = file_object,
    };

    vma_source_init(&space_file, &ops, mm_new_id());
    for (uint64_t i = 0; i < FILE_PAGES; i++) {
        space_file_pages[i] = page_alloc_zeroed();
        if (!space_file_pages[i]) {
            return false;
        }
        *(uint64_t *)page_to_virt(space_file_pages[i]) = lab_number(seed, 900 + i);
    }
    return true;
}

bool space_file_destroy(void)
{
    for (int i = 0; i < FILE_PAGES; i++) {
        LAB_EXPECT(space_file_pages[i]->references == 1,
                   "steps 3 and 4: who enters a page has a reference, who takes it out puts it",
                   "a file's page has 1 reference when nobody maps it any more", "%d",
                   space_file_pages[i]->references);
        page_put(space_file_pages[i]);
    }
    return true;
}

static bool space_map_source(struct mm *mm, vaddr_t address, uint64_t pages, int prot, int flags,
                             struct vma_source *source)
{
    long result = mm_map(mm, address, pages << PAGE_SHIFT, prot, flags | MAP_FIXED, source, 0);

    LAB_EXPECT(result == (long)address, "is mm_map as it was? The lab does not change it", "a mapping",
               "%ld", result);
    return true;
}

bool space_map(struct mm *mm, vaddr_t address, uint64_t pages, int prot)
{
    return space_map_source(mm, address, pages, prot, MAP_PRIVATE | MAP_ANONYMOUS, NULL);
}

bool space_map_file(struct mm *mm, vaddr_t address, uint64_t pages, int prot, int flags)
{
    return space_map_source(mm, address, pages, prot, flags, &space_file);
}

static long space_fault(struct mm *mm, vaddr_t address, uint64_t error)
{
    int code;

    return mm_fault(mm, address, FAULT_USER | error, &code);
}

long space_read(struct mm *mm, vaddr_t address)
{
    return space_fault(mm, address, 0);
}

long space_write(struct mm *mm, vaddr_t address)
{
    return space_fault(mm, address, FAULT_WRITE);
}

pte_t space_entry(const struct mm *mm, vaddr_t address)
{
    pte_t entry = mm->pml4[paging_index(address, 3)];

    for (int below = 2; below >= 0 && entry & PTE_PRESENT; below--) {
        const pte_t *next = phys_to_virt(entry & PTE_ADDRESS);

        entry = next[paging_index(address, below)];
    }
    return entry;
}

struct page *space_page(const struct mm *mm, vaddr_t address)
{
    return phys_to_page(space_entry(mm, address) & PTE_ADDRESS);
}

uint64_t *space_word(const struct mm *mm, vaddr_t address)
{
    return page_to_virt(space_page(mm, address));
}

/* An entry of level 0 that is not 0. */
static bool check_page(struct mm *mm, pte_t entry, vaddr_t address)
{
    const struct vma *vma = mm_find(mm, address);
    const struct page *page = phys_to_page(entry & PTE_ADDRESS);
    pte_t must, may;

    LAB_EXPECT(vma && vma->start <= address, "step 2: down from pml4, one index a level",
               "entries at addresses that are mapped, no others", "0x%lx at 0x%lx", entry, address);
    if (!vma->prot) {
        LAB_EXPECT((entry & ~(PTE_ADDRESS | PTE_ACCESSED | PTE_DIRTY)) == PTE_HIDDEN,
                   "step 4: the child's entry is the parent's, whatever it says",
                   "the entry of a PROT_NONE page stays hidden", "0x%lx at 0x%lx", entry, address);
        return true;
    }
    must = vma_page_flags(vma);
    may = must;
    if (!(vma->flags & MAP_SHARED)) {
        must &= ~PTE_WRITE; /* the first write may still fault */
        may &= page->references == 1 ? ~0ul : ~PTE_WRITE;
    }
    LAB_EXPECT(!(entry & PTE_WRITE & ~may), FLAGS_STEP "; step 4: what others have is read-only",
               "no writing to 0x%lx (the mapping allows %s, the page has %d references)",
               "a writable entry, 0x%lx", address, vma->prot & PROT_WRITE ? "it" : "only reading",
               page->references, entry);
    entry &= ~(PTE_ADDRESS | PTE_ACCESSED | PTE_DIRTY);
    LAB_EXPECT((entry & must) == must && (entry & may) == entry, FLAGS_STEP,
               "flags 0x%lx in the entry of 0x%lx", "0x%lx", must, address, entry);
    return true;
}

/* Of one table: its entries' flags, its count, and all below. */
static bool check_table(struct mm *mm, const pte_t *table, int level, vaddr_t base, bool empty_allowed,
                        uint64_t *pages)
{
    const pte_t flags = PTE_PRESENT | PTE_WRITE | PTE_USER;
    int used = 0;

    for (vaddr_t i = 0; i < (level == 3 ? 256 : 512); i++) {
        vaddr_t address = base | i << (PAGE_SHIFT + 9 * level);
        pte_t entry = table[i];

        used += entry != 0;
        if (entry && level == 0) {
            if (!check_page(mm, entry, address)) {
                return false;
            }
            *pages += 1;
        } else if (entry) {
            LAB_EXPECT((entry & ~(PTE_ADDRESS | PTE_ACCESSED | PTE_DIRTY)) == flags,
                       "step 2: a new table's entry has the flags present, write and user",
                       "flags 0x%lx in an entry of level %d", "0x%lx", flags, level, entry);
            if (!check_table(mm, phys_to_virt(entry & PTE_ADDRESS), level - 1, address, empty_allowed,
                             pages)) {
                return false;
            }
        }
    }
    LAB_EXPECT(virt_to_page(table)->used == used,
               "steps 2 and 3: mm_table_used(entry, 1) once for each entry that was 0 and is filled",
               "a table of level %d with %d entries counts them", "a count of %d", level, used,
               virt_to_page(table)->used);
    LAB_EXPECT(used || level == 3 || empty_allowed,
               "step 2: without `create` there is no new table; each entry is counted",
               "no table without entries", "one of level %d at 0x%lx", level, base);
    return true;
}

bool space_check(struct mm *mm, bool empty_allowed)
{
    uint64_t pages = 0;
    bool right;

    mutex_lock(&mm->lock);
    right = check_table(mm, mm->pml4, 3, 0, empty_allowed, &pages);
    mutex_unlock(&mm->lock);
    if (right) {
        LAB_EXPECT(mm->resident == pages,
                   "step 3: mm->resident counts the entries that are filled, so not a page that takes "
                   "another's place", "mm->resident = %lu, the pages of the address space", "%lu",
                   pages, mm->resident);
    }
    return right && mm->resident == pages;
}

size_t space_free_pages(void)
{
    return page_free_count() + mm_cached_pages();
}
