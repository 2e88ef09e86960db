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

/* Does something with the pages from `start` to `end`: their entries, from `first` on, are in one table. */
typedef void (*visit_t)(struct mm *mm, pte_t *first, vaddr_t start, vaddr_t end, void *context);

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
    visit_t visit; /* what a walk does with each table, and its argument */
    void *context;
    bool unloaded, alone;
    vaddr_t start, end; /* what the flush must cover; end 0: nothing yet */
    int pages, tables;
    struct page *page[64], *table[8];
};

static inline void gather_start(struct gather *gather, struct mm *mm, visit_t visit, void *context)
{
    uint64_t cpus = __atomic_load_n(&mm->cpus, __ATOMIC_SEQ_CST);

    gather->mm = mm;
    gather->visit = visit;
    gather->context = context;
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

/* Visit the pages in the range, table by table. Tables that are empty then, or were, are taken out. */
static void walk_tables(struct gather *gather, vaddr_t start, vaddr_t end)
{
    vaddr_t next;

    for (; start < end; start = next) {
        int level;
        pte_t *entry = walk_down(gather->mm, start, 0, &level);
        uint64_t span = TABLE_SPAN(level ? level : 1);

        next = (start | (span - 1)) + 1;
        next = next < end ? next : end;
        if (level == 0) {
            gather->visit(gather->mm, entry, start, next, gather->context);
        }
        if (virt_to_page(entry)->used == 0) {
            walk_prune(gather, next - PAGE_SIZE, level);
        }
    }
}

static void table_walk(struct mm *mm, vaddr_t start, vaddr_t end, visit_t visit, void *context)
{
    struct gather gather;

    gather_start(&gather, mm, visit, context);
    walk_tables(&gather, start, end);
    gather_finish(&gather);
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

static void zap_pages(struct mm *mm, pte_t *first, vaddr_t start, vaddr_t end, void *gather)
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

void mm_zap(struct mm *mm, vaddr_t start, vaddr_t end)
{
    struct gather gather;

    gather_start(&gather, mm, zap_pages, &gather);
    walk_tables(&gather, start, end);
    gather_finish(&gather);
}

struct copy {
    struct mm *to;
    bool share, failed;
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

static void copy_pages(struct mm *mm, pte_t *first, vaddr_t start, vaddr_t end, void *context)
{
    struct copy *copy = context;
    pte_t *targets = copy->failed ? NULL : mm_pte(copy->to, start, true);
    int copied = 0;

    (void)mm;
    if (!targets) {
        copy->failed = true;
        return;
    }
    for_each_page(entry, first, start, end) {
        copy_one(copy, entry, &targets[entry - first]);
        copied++;
    }
    mm_table_used(targets, copied);
    copy->to->resident += (uint64_t)copied;
}

/* Both address spaces get the pages of `vma`, read-only unless they are shared. The caller flushes. */
long mm_copy_range(struct mm *to, struct mm *from, struct vma *vma)
{
    struct copy copy = {.to = to, .share = vma->flags & MAP_SHARED};

    table_walk(from, vma->start, vma->end, copy_pages, &copy);
    return copy.failed ? -ENOMEM : 0;
}

struct protect {
    const struct vma *vma;
    struct gather gather; /* what was changed: a new thread's guard page, say, was never touched */
};

static void protect_pages(struct mm *mm, pte_t *first, vaddr_t start, vaddr_t end, void *context)
{
    struct protect *protect = context;
    const struct vma *vma = protect->vma;
    const uint64_t keep = PTE_ADDRESS | PTE_ACCESSED | PTE_DIRTY;
    const uint64_t flags = vma->prot ? vma_page_flags(vma) : PTE_HIDDEN;
    /* Writing to private pages is granted by a fault, which knows who else has the page. */
    const uint64_t of_others = vma->flags & MAP_SHARED ? flags : flags & ~PTE_WRITE;

    (void)mm;
    for_each_page(entry, first, start, end) {
        bool alone = phys_to_page(*entry & PTE_ADDRESS)->references == 1;

        *entry = (*entry & keep) | (alone ? flags : of_others);
        gather_address(&protect->gather, start);
    }
}

void mm_apply_protection(struct mm *mm, struct vma *vma, vaddr_t start, vaddr_t end)
{
    struct protect protect;

    assert_held(&mm->lock);
    protect.vma = vma;
    gather_start(&protect.gather, mm, protect_pages, &protect);
    walk_tables(&protect.gather, start, end);
    gather_finish(&protect.gather);
}

/*
 * A move in two steps, so that it cannot fail in the middle: first each page's place is counted in its
 * new table, as if it were used, and the tables are made; then the entries go over.
 */
struct move {
    vaddr_t from, to;
    size_t reserved; /* places that are counted */
    bool failed;
    struct gather gather;
};

static void reserve_pages(struct mm *mm, pte_t *first, vaddr_t start, vaddr_t end, void *context)
{
    struct move *move = context;

    for_each_page(entry, first, start, end) {
        pte_t *target = move->failed ? NULL : mm_pte(mm, start - move->from + move->to, true);

        if (!target) {
            move->failed = true;
            return;
        }
        mm_table_used(target, 1);
        move->reserved++;
    }
}

static void unreserve_pages(struct mm *mm, pte_t *first, vaddr_t start, vaddr_t end, void *context)
{
    struct move *move = context;

    for_each_page(entry, first, start, end) {
        if (move->reserved == 0) {
            return;
        }
        mm_table_used(mm_pte(mm, start - move->from + move->to, false), -1);
        move->reserved--;
    }
}

static void visit_nothing(struct mm *mm, pte_t *first, vaddr_t start, vaddr_t end, void *context)
{
    (void)mm, (void)first, (void)start, (void)end, (void)context;
}

static void move_unreserve(struct mm *mm, struct move *move, size_t size)
{
    table_walk(mm, move->from, move->from + size, unreserve_pages, move);
    table_walk(mm, move->to, move->to + size, visit_nothing, NULL); /* takes out the tables that are empty */
}

long mm_reserve_tables(struct mm *mm, vaddr_t from, vaddr_t to, size_t size)
{
    struct move move;

    assert_held(&mm->lock);
    move.from = from;
    move.to = to;
    move.reserved = 0;
    move.failed = false;
    table_walk(mm, from, from + size, reserve_pages, &move);
    if (move.failed) {
        move_unreserve(mm, &move, size);
    }
    return move.failed ? -ENOMEM : 0;
}

void mm_unreserve_tables(struct mm *mm, vaddr_t from, vaddr_t to, size_t size)
{
    struct move move;

    assert_held(&mm->lock);
    move.from = from;
    move.to = to;
    move.reserved = size >> PAGE_SHIFT;
    move_unreserve(mm, &move, size);
}

static void move_pages(struct mm *mm, pte_t *first, vaddr_t start, vaddr_t end, void *context)
{
    struct move *move = context;

    for_each_page(entry, first, start, end) {
        *mm_pte(mm, start - move->from + move->to, false) = *entry;
        *entry = 0;
        mm_table_used(entry, -1);
    }
}

void mm_move_pages(struct mm *mm, vaddr_t from, vaddr_t to, size_t size)
{
    struct move move;

    assert_held(&mm->lock);
    move.from = from;
    move.to = to;
    gather_start(&move.gather, mm, move_pages, &move);
    walk_tables(&move.gather, from, from + size);
    mm_flush(mm, from, from + size);
    gather_finish(&move.gather);
}
