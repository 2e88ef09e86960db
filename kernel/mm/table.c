/*
 * Page tables of user space. Each table's `struct page` counts its used entries; a table whose
 * count falls to zero goes back at once, so tables are never searched for what they hold.
 * Freed tables are all zero again: a few are kept for the next address space.
 */
#include "arch/cpu.h"
#include "arch/smp.h"
#include "arch/spinlock.h"
#include "lib/errno.h"
#include "mm/alloc_debug.h"
#include "mm/inject.h"
#include "mm/mm.h"
#include "mm/page.h"

#define TABLE_SPAN(level) (PAGE_SIZE << (9 * (level)))
#define SPARE_MAX 32

static struct spinlock spare_lock = SPINLOCK_INIT; /* protects the two below; a leaf */
static struct page *spares[SPARE_MAX];
static int spare_count;

static __attribute__((noinline)) struct page *table_alloc(void)
{
    struct page *page = NULL;

    if (inject_failure(__builtin_return_address(0))) {
        return NULL;
    }
    spin_lock(&spare_lock);
    if (spare_count > 0) {
        page = spares[--spare_count];
        table_debug_alloc(page);
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

pte_t *mm_pte(struct mm *mm, vaddr_t address, bool create)
{
//@lab 1 walk begin
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
//@lab 1 walk stub
//|     (void)table_alloc;
//|     panic("lab 1: write mm_pte for mm %p, address 0x%lx, create %d (labs/1/README.md, step 2)",
//|           (void *)mm, address, create);
//@lab 1 walk end
}

/* The pages that are there, also those that PROT_NONE hides. */
#define for_each_page(entry, first, start, end)                                                 \
    for (pte_t *entry = first; (start) < (end); (start) += PAGE_SIZE, entry++)                  \
        if (*entry)

/*
 * Pages and tables that were taken out of the page tables. A TLB may still lead to them, so they
 * go back only after a flush (INVLPG drops cached table entries, too: SDM volume 3, 4.10.4.1);
 * at once if no CPU has the tables loaded. Pages go back at once, too, if the only task that could
 * use them is the one that is here, in the kernel: it flushes before it is back.
 */
struct gather {
    struct mm *mm;
    bool unloaded, alone;
    vaddr_t start, end; /* what the flush must cover; end 0: nothing yet */
    int pages, tables;
    struct page *page[64], *table[8];
};

static inline void gather_start(struct gather *gather, struct mm *mm)
{
    uint64_t cpus = __atomic_load_n(&mm->cpus, __ATOMIC_SEQ_CST);

    gather->mm = mm;
    gather->unloaded = cpus == 0 && mm->users == 0;
    gather->alone = cpus == 1ul << this_cpu(id) && mm->users == 1;
    gather->start = gather->end = 0;
    gather->pages = gather->tables = 0;
}

static void gather_finish(struct gather *gather)
{
    if (gather->end == 0) {
        return;
    }
    mm_flush(gather->mm, gather->start, gather->end);
    while (gather->pages) {
        page_put(gather->page[--gather->pages]);
    }
    while (gather->tables) {
        table_free(gather->table[--gather->tables]);
    }
    gather->end = 0;
}

/* Walks go upwards, so the range grows at its end. */
static inline void gather_address(struct gather *gather, vaddr_t address)
{
    if (gather->end == 0) {
        gather->start = address;
    }
    gather->end = address + PAGE_SIZE;
}

static inline void gather_page(struct gather *gather, struct page *page, vaddr_t address)
{
    if (gather->unloaded) {
        page_put(page);
        return;
    }
    if (gather->alone) {
        gather_address(gather, address);
        page_put(page);
        return;
    }
    if (gather->pages == ARRAY_SIZE(gather->page)) {
        gather_finish(gather);
    }
    gather_address(gather, address);
    gather->page[gather->pages++] = page;
}

static void gather_table(struct gather *gather, struct page *table, vaddr_t address)
{
    if (gather->unloaded) {
        table_free(table);
        return;
    }
    if (gather->tables == ARRAY_SIZE(gather->table)) {
        gather_finish(gather);
    }
    gather_address(gather, address);
    gather->table[gather->tables++] = table;
}

/* The entry of `address` at level `lowest`, or in the last table on the way there; *level: at which. */
static inline pte_t *walk_down(struct mm *mm, vaddr_t address, int lowest, int *level)
{
    pte_t *entry = &mm->pml4[paging_index(address, 3)];

    for (*level = 3; *level > lowest && *entry & PTE_PRESENT; --*level) {
        pte_t *table = phys_to_virt(*entry & PTE_ADDRESS);

        entry = &table[paging_index(address, *level - 1)];
    }
    return entry;
}

/* Take out the tables on the way to `address` that are empty, from the one of `level` upwards. */
static __attribute__((noinline)) void walk_prune(struct gather *gather, vaddr_t address, int level)
{
    for (; level < 3; level++) {
        int above;
        pte_t *entry = walk_down(gather->mm, address, level + 1, &above);
        struct page *table = phys_to_page(*entry & PTE_ADDRESS);

        if (table->used != 0) {
            return;
        }
        *entry = 0;
        mm_table_used(entry, -1);
        gather_table(gather, table, address);
    }
}

/* A step of a walk upwards: walk_down() for `start`. What comes after it up to *next is in the same table. */
static inline pte_t *walk_step(struct mm *mm, vaddr_t start, vaddr_t end, int *level, vaddr_t *next)
{
    pte_t *entry = walk_down(mm, start, 0, level);
    uint64_t span = TABLE_SPAN(*level ? *level : 1);

    *next = (start | (span - 1)) + 1;
    *next = *next < end ? *next : end;
    return entry;
}

/* The first table with entries of pages from *start on, which moves there; it has those up to *next. The entry
 * of *start; NULL: there is none below `end`. */
static inline pte_t *walk_table(struct mm *mm, vaddr_t *start, vaddr_t end, vaddr_t *next)
{
    for (; *start < end; *start = *next) {
        int level;
        pte_t *entry = walk_step(mm, *start, end, &level, next);

        if (level == 0) {
            return entry;
        }
    }
    return NULL;
}

pte_t *mm_next_page(struct mm *mm, vaddr_t *at, vaddr_t end)
{
    vaddr_t next;
    pte_t *first;

    assert_held(&mm->lock);
    while ((first = walk_table(mm, at, end, &next))) {
        for_each_page(entry, first, *at, next) {
            return entry;
        }
    }
    return NULL;
}

struct flush {
    struct mm *mm;
    vaddr_t start, end;
};

static void flush_here(void *argument)
{
    struct flush *flush = argument;

    if (this_cpu(active_mm) != flush->mm) {
        return;
    }
    if (current == this_cpu(idle)) { /* it has borrowed the tables: give them back, once for all */
        mm_switch(NULL);
        return;
    }
    if (flush->end - flush->start > 16 * PAGE_SIZE) {
        write_cr3(read_cr3());
        return;
    }
    for (vaddr_t at = flush->start; at < flush->end; at += PAGE_SIZE) {
        invlpg(at);
    }
}

void mm_flush(struct mm *mm, vaddr_t start, vaddr_t end)
{
    struct flush flush = {mm, start, end};

    preempt_disable();
    flush_here(&flush);
    smp_call(__atomic_load_n(&mm->cpus, __ATOMIC_SEQ_CST), flush_here, &flush);
    preempt_enable();
}

static void zap_pages(struct mm *mm, pte_t *first, vaddr_t start, vaddr_t end, struct gather *gather)
{
    int zapped = 0;

    for_each_page(entry, first, start, end) {
        struct page *page = phys_to_page(*entry & PTE_ADDRESS);

        *entry = 0;
        gather_page(gather, page, start);
        zapped++;
    }
    mm_table_used(first, -zapped);
    mm->resident -= (uint64_t)zapped;
}

/* Tables that are empty then, or were, go, too. */
void mm_zap(struct mm *mm, vaddr_t start, vaddr_t end)
{
    struct gather gather;
    vaddr_t next;

    gather_start(&gather, mm);
    for (; start < end; start = next) {
        int level;
        pte_t *entry = walk_step(mm, start, end, &level, &next);

        if (level == 0) {
            zap_pages(mm, entry, start, next, &gather);
        }
        if (virt_to_page(entry)->used == 0) {
            walk_prune(&gather, next - PAGE_SIZE, level);
        }
    }
    gather_finish(&gather);
}

struct copy {
    struct mm *to;
    bool share;
};

/* The page of `entry` for both. */
static void copy_one(const struct copy *copy, pte_t *entry, pte_t *target)
{
//@lab 1 copy-on-write begin
    if (!copy->share) {
        *entry &= ~PTE_WRITE;
    }
    *target = *entry;
    page_get(phys_to_page(*entry & PTE_ADDRESS));
//@lab 1 copy-on-write stub
//|     /* Lab 1, step 4: right, but each fork copies all memory of the process. */
//|     struct page *page = copy->share ? phys_to_page(*entry & PTE_ADDRESS) : page_alloc(0);
//|
//|     if (!page) {
//|         panic("lab 1: fork copies everything, and memory is over (labs/1/README.md, step 4)");
//|     }
//|     if (copy->share) {
//|         page_get(page);
//|     } else {
//|         page_copy(page_to_virt(page), phys_to_virt(*entry & PTE_ADDRESS));
//|     }
//|     *target = page_to_phys(page) | (*entry & ~PTE_ADDRESS);
//@lab 1 copy-on-write end
}

/* Both address spaces get the pages of `vma`, read-only unless they are shared. The caller flushes. */
long mm_copy_range(struct mm *to, struct mm *from, struct vma *vma)
{
    struct copy copy = {.to = to, .share = vma->flags & MAP_SHARED};
    vaddr_t at = vma->start, next;
    pte_t *first;

    while ((first = walk_table(from, &at, vma->end, &next))) {
        pte_t *targets = mm_pte(to, at, true);
        int copied = 0;

        if (!targets) {
            return -ENOMEM;
        }
        for_each_page(entry, first, at, next) {
            copy_one(&copy, entry, &targets[entry - first]);
            copied++;
        }
        mm_table_used(targets, copied);
        to->resident += (uint64_t)copied;
    }
    return 0;
}

void mm_apply_protection(struct mm *mm, struct vma *vma, vaddr_t start, vaddr_t end)
{
    const uint64_t keep = PTE_ADDRESS | PTE_ACCESSED | PTE_DIRTY;
    const uint64_t flags = vma->prot ? vma_page_flags(vma) : PTE_HIDDEN;
    /* Writing to private pages is granted by a fault, which knows who else has the page. */
    const uint64_t of_others = vma->flags & MAP_SHARED ? flags : flags & ~PTE_WRITE;
    vaddr_t changed = 0, changed_end = 0, next; /* a new thread's guard page, say, was never touched */
    pte_t *first;

    assert_held(&mm->lock);
    while ((first = walk_table(mm, &start, end, &next))) {
        for_each_page(entry, first, start, next) {
            bool alone = phys_to_page(*entry & PTE_ADDRESS)->references == 1;

            *entry = (*entry & keep) | (alone ? flags : of_others);
            changed = changed_end ? changed : start;
            changed_end = start + PAGE_SIZE;
        }
    }
    if (changed_end) {
        mm_flush(mm, changed, changed_end);
    }
}

/*
 * A move in two steps, so that it cannot fail in the middle: first each page's place is counted in its
 * new table, as if it were used, and the tables are made; then the entries go over.
 */

/* The first `reserved` places are not used after all. */
static void move_unreserve(struct mm *mm, vaddr_t from, vaddr_t to, size_t size, size_t reserved)
{
    vaddr_t at = from, next;
    pte_t *first;

    while (reserved && (first = walk_table(mm, &at, from + size, &next))) {
        for_each_page(entry, first, at, next) {
            if (reserved) {
                mm_table_used(mm_pte(mm, at - from + to, false), -1);
                reserved--;
            }
        }
    }
    mm_zap(mm, to, to + size); /* takes out the tables that are empty */
}

long mm_reserve_tables(struct mm *mm, vaddr_t from, vaddr_t to, size_t size)
{
    size_t reserved = 0;
    vaddr_t at = from, next;
    pte_t *first;

    assert_held(&mm->lock);
    while ((first = walk_table(mm, &at, from + size, &next))) {
        for_each_page(entry, first, at, next) {
            pte_t *target = mm_pte(mm, at - from + to, true);

            if (!target) {
                move_unreserve(mm, from, to, size, reserved);
                return -ENOMEM;
            }
            mm_table_used(target, 1);
            reserved++;
        }
    }
    return 0;
}

void mm_unreserve_tables(struct mm *mm, vaddr_t from, vaddr_t to, size_t size)
{
    assert_held(&mm->lock);
    move_unreserve(mm, from, to, size, size >> PAGE_SHIFT);
}

void mm_move_pages(struct mm *mm, vaddr_t from, vaddr_t to, size_t size)
{
    vaddr_t at = from, next;
    pte_t *first;

    assert_held(&mm->lock);
    while ((first = walk_table(mm, &at, from + size, &next))) {
        for_each_page(entry, first, at, next) {
            *mm_pte(mm, at - from + to, false) = *entry;
            *entry = 0;
            mm_table_used(entry, -1);
        }
    }
    mm_flush(mm, from, from + size);
    mm_zap(mm, from, from + size); /* takes out the tables that are empty now */
}
