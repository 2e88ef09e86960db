/*
 * Page tables of user space. Each table's `struct page` counts its used entries; a table whose
 * count falls to zero goes back at once, so tables are never searched for what they hold.
 * Freed tables are all zero again: a few are kept for the next address space.
 */
#include "arch/cpu.h"
#include "arch/spinlock.h"
#include "mm/mm.h"
#include "mm/page.h"

#define TABLE_SPAN(level) (PAGE_SIZE << (9 * (level)))
#define SPARE_MAX 32

static struct spinlock spare_lock = SPINLOCK_INIT; /* protects the two below; a leaf */
static struct page *spares[SPARE_MAX];
static int spare_count;

static struct page *table_alloc(void)
{
    struct page *page = NULL;

    spin_lock(&spare_lock);
    if (spare_count > 0) {
        page = spares[--spare_count];
    }
    spin_unlock(&spare_lock);
    return page ? page : page_alloc_zeroed();
}

static void table_free(struct page *page)
{
    spin_lock(&spare_lock);
    if (spare_count < SPARE_MAX) {
        spares[spare_count++] = page;
        page = NULL;
    }
    spin_unlock(&spare_lock);
    if (page) {
        page_put(page);
    }
}

size_t mm_cached_pages(void)
{
    return (size_t)spare_count;
}

void mm_table_used(pte_t *entry, int change)
{
    virt_to_page(entry)->used = (uint16_t)(virt_to_page(entry)->used + change);
}

pte_t *mm_pte(struct mm *mm, vaddr_t address, bool create)
{
    pte_t *table = mm->pml4;

    for (int level = 3; level > 0; level--) {
        pte_t *entry = &table[paging_index(address, level)];

        if (!(*entry & PTE_PRESENT)) {
            struct page *fresh = create ? table_alloc() : NULL;

            if (!fresh) {
                return NULL;
            }
            *entry = page_to_phys(fresh) | PTE_PRESENT | PTE_WRITE | PTE_USER;
            mm_table_used(entry, 1);
        }
        table = phys_to_virt(*entry & PTE_ADDRESS);
    }
    return &table[paging_index(address, 0)];
}

/* Call visit(mm, entry, context) for each present page in the range; empty tables are skipped. */
typedef void (*visit_t)(struct mm *mm, pte_t *entry, vaddr_t address, void *context);

static void walk(struct mm *mm, pte_t *table, int level, vaddr_t start, vaddr_t end,
                 visit_t visit, void *context)
{
    while (start < end) {
        pte_t *entry = &table[paging_index(start, level)];
        vaddr_t next = align_down(start, TABLE_SPAN(level)) + TABLE_SPAN(level);

        next = next < end ? next : end;
        if (*entry & PTE_PRESENT) {
            if (level == 0) {
                visit(mm, entry, start, context);
            } else {
                pte_t *below = phys_to_virt(*entry & PTE_ADDRESS);

                walk(mm, below, level - 1, start, next, visit, context);
                if (virt_to_page(below)->used == 0) {
                    *entry = 0;
                    mm_table_used(entry, -1);
                    table_free(virt_to_page(below));
                }
            }
        }
        start = next;
    }
}

void mm_flush(struct mm *mm, vaddr_t start, vaddr_t end)
{
    if (this_cpu(active_mm) != mm) {
        return;
    }
    if (end - start > 16 * PAGE_SIZE) {
        write_cr3(read_cr3());
        return;
    }
    for (; start < end; start += PAGE_SIZE) {
        invlpg(start);
    }
}

static void zap_one(struct mm *mm, pte_t *entry, vaddr_t address, void *context)
{
    struct page *page = phys_to_page(*entry & PTE_ADDRESS);

    (void)address, (void)context;
    *entry = 0;
    mm_table_used(entry, -1);
    mm->resident--;
    page_put(page);
}

void mm_zap(struct mm *mm, vaddr_t start, vaddr_t end)
{
    uint64_t before = mm->resident;

    walk(mm, mm->pml4, 3, start, end, zap_one, NULL);
    if (before != mm->resident) {
        mm_flush(mm, start, end);
    }
}

uint64_t vma_page_flags(const struct vma *vma)
{
    return PTE_PRESENT | PTE_USER | (vma->prot & PROT_WRITE ? PTE_WRITE : 0) |
           (vma->prot & PROT_EXEC ? 0 : PTE_NX);
}

struct copy {
    struct mm *to;
    pte_t *table; /* of `to`, for the 2 MiB around `base` */
    vaddr_t base;
    bool share, failed;
};

static void copy_one(struct mm *mm, pte_t *entry, vaddr_t address, void *context)
{
    struct copy *copy = context;
    vaddr_t base = align_down(address, TABLE_SPAN(1));
    pte_t *target;

    (void)mm;
    if (!copy->table || base != copy->base) {
        target = copy->failed ? NULL : mm_pte(copy->to, base, true);
        if (!target) {
            copy->failed = true;
            return;
        }
        copy->table = target;
        copy->base = base;
    }
    if (!copy->share) {
        *entry &= ~PTE_WRITE;
    }
    target = &copy->table[paging_index(address, 0)];
    *target = *entry;
    mm_table_used(target, 1);
    copy->to->resident++;
    page_get(phys_to_page(*entry & PTE_ADDRESS));
}

/* Both address spaces get the pages of `vma`, read-only unless they are shared. The caller flushes. */
long mm_copy_range(struct mm *to, struct mm *from, struct vma *vma)
{
    struct copy copy = {.to = to, .share = vma->flags & MAP_SHARED};

    walk(from, from->pml4, 3, vma->start, vma->end, copy_one, &copy);
    return copy.failed ? -1 : 0;
}

static void protect_one(struct mm *mm, pte_t *entry, vaddr_t address, void *context)
{
    const struct vma *vma = context;
    uint64_t keep = PTE_ADDRESS | PTE_ACCESSED | PTE_DIRTY, flags = vma_page_flags(vma);

    (void)mm, (void)address;
    /* Writing to private pages is granted by a fault, which knows who else has the page. */
    if (!(vma->flags & MAP_SHARED) && phys_to_page(*entry & PTE_ADDRESS)->references != 1) {
        flags &= ~PTE_WRITE;
    }
    if (!(vma->prot)) {
        flags &= ~PTE_USER;
    }
    *entry = (*entry & keep) | flags;
}

void mm_write_protect(struct mm *mm, struct vma *vma, vaddr_t start, vaddr_t end)
{
    walk(mm, mm->pml4, 3, start, end, protect_one, vma);
    mm_flush(mm, start, end);
}

struct move {
    vaddr_t from, to;
};

static void move_one(struct mm *mm, pte_t *entry, vaddr_t address, void *context)
{
    struct move *move = context;
    pte_t *target = mm_pte(mm, address - move->from + move->to, true);

    if (!target) {
        zap_one(mm, entry, address, NULL);
        return;
    }
    *target = *entry;
    mm_table_used(target, 1);
    *entry = 0;
    mm_table_used(entry, -1);
}

void mm_move_pages(struct mm *mm, vaddr_t from, vaddr_t to, size_t size)
{
    struct move move = {from, to};

    walk(mm, mm->pml4, 3, from, from + size, move_one, &move);
    mm_flush(mm, from, from + size);
}
