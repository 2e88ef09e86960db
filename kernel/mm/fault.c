/*
 * Page faults: demand-zero, copy on write, pages of files, and the stack that grows.
 *
 * A page whose count is one belongs to this mapping alone, so a write may take it as it is;
 * otherwise it is copied. Pages that a source holds are never alone in that sense.
 */
#include "arch/cpu.h"
#include "arch/percpu.h"
#include "arch/trap.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/signum.h"
#include "mm/mm.h"
#include "mm/page.h"

/* The stack's vma may reach down to `address` if its limit and the next vma allow it; never to 0. */
static bool grow_stack(struct mm *mm, struct vma *vma, vaddr_t address)
{
    vaddr_t start = align_down(address, PAGE_SIZE);
    uint64_t pages = (vma->start - start) >> PAGE_SHIFT;

    assert_held(&mm->lock);
    if (!(vma->flags & MAP_GROWSDOWN) || start < MMAP_MIN ||
        vma->end - start > mm_limits()[RLIMIT_STACK].soft ||
        (vma->below && vma->below->end + STACK_GUARD > start) ||
        mm_charge(mm, pages, 0, vma_promise(vma, pages))) {
        return false;
    }
    mm_resize(mm, vma, start, vma->end);
    return true;
}

static struct page *copy_of(struct page *page)
{
    struct page *copy = page_alloc(0);

    if (copy) {
        page_copy(page_to_virt(copy), page_to_virt(page));
    }
    return copy;
}

/* A page for an entry that has none, with the entry's flags. NULL: *error says why. */
static struct page *make_page(struct vma *vma, vaddr_t address, bool write, uint64_t *flags,
                              long *error)
{
    struct page *page, *copy;

    *error = -ENOMEM;
    if (!vma->source) {
//@lab 1 zero begin
        return page_alloc_zeroed();
//@lab 1 zero stub
//|         panic("lab 1: give an anonymous page to 0x%lx (labs/1/README.md, step 3)", address);
//@lab 1 zero end
    }
    page = vma->source->ops->get_page(vma->source,
                                      vma->offset + ((address - vma->start) >> PAGE_SHIFT));
    if (is_error(page)) {
        *error = pointer_error(page);
        return NULL;
    }
    if (vma->flags & MAP_SHARED) {
        return page;
    }
    if (!write) {
        *flags &= ~PTE_WRITE;
        return page;
    }
    copy = copy_of(page);
    page_put(page);
    return copy;
}

static long fault_new(struct mm *mm, struct vma *vma, vaddr_t address, pte_t *entry, bool write)
{
//@lab 1 fault begin
    uint64_t flags = vma_page_flags(vma);
    long error;
    struct page *page = make_page(vma, address, write, &flags, &error);

    if (!page) {
        return error;
    }
    *entry = page_to_phys(page) | flags | PTE_ACCESSED | (write ? PTE_DIRTY : 0);
    mm_table_used(entry, 1);
    mm->resident++;
    return 0;
//@lab 1 fault stub
//|     /* Use make_page, and mm_table_used and mm->resident to count what you fill in. */
//|     (void)make_page;
//|     panic("lab 1: fill the entry %p of 0x%lx, mm %p, vma %p, write %d (labs/1/README.md, step 3)",
//|           (void *)entry, address, (void *)mm, (void *)vma, write);
//@lab 1 fault end
}

static long fault_write(struct mm *mm, struct vma *vma, vaddr_t address, pte_t *entry)
{
//@lab 1 fault-write begin
    struct page *page = phys_to_page(*entry & PTE_ADDRESS);
    uint64_t flags = vma_page_flags(vma) | PTE_ACCESSED | PTE_DIRTY;

    if (!(vma->flags & MAP_SHARED) && __atomic_load_n(&page->references, __ATOMIC_ACQUIRE) != 1) {
        struct page *copy = copy_of(page);

        if (!copy) {
            return -ENOMEM;
        }
        *entry = page_to_phys(copy) | flags;
        mm_flush(mm, address, address + PAGE_SIZE); /* other threads may read the old page */
        page_put(page);
        return 0;
    }
    *entry = page_to_phys(page) | flags;
    invlpg(address); /* another CPU that still holds the old entry comes here and finds the new */
    return 0;
//@lab 1 fault-write stub
//|     (void)copy_of;
//|     panic("lab 1: let 0x%lx be written, entry %p, mm %p, vma %p (labs/1/README.md, step 3)", address,
//|           (void *)entry, (void *)mm, (void *)vma);
//@lab 1 fault-write end
}

/*
 * The page is there. If the entries of all levels permit what faulted (SDM volume 3, 4.6), another
 * thread was first, or this CPU's TLB was behind. Otherwise the instruction would fault for ever.
 */
static void fault_check(struct mm *mm, vaddr_t address, uint64_t error)
{
    const pte_t need = PTE_PRESENT | (error & FAULT_WRITE ? PTE_WRITE : 0) |
                       (error & FAULT_USER ? PTE_USER : 0);
    const pte_t *table = mm->pml4;

    for (int level = 3; level >= 0; level--) {
        pte_t entry = table[paging_index(address, level)];

        if ((entry & need) != need || (error & FAULT_EXEC && entry & PTE_NX)) {
            panic("page fault 0x%lx at 0x%lx: the entry 0x%lx of level %d forbids what its vma allows",
                  error, address, entry, level);
        }
        table = phys_to_virt(entry & PTE_ADDRESS);
    }
}

static long fault_locked(struct mm *mm, vaddr_t address, uint64_t error, int *code)
{
    struct vma *vma = mm_find(mm, address); /* none ends above USER_TOP */
    bool write = error & FAULT_WRITE;
    int need = write ? PROT_WRITE : error & FAULT_EXEC ? PROT_EXEC : PROT_READ;
    pte_t *entry;

    assert_held(&mm->lock);
    *code = SEGV_MAPERR;
    if (!vma || (address < vma->start && !grow_stack(mm, vma, address))) {
        return -EFAULT;
    }
    *code = SEGV_ACCERR;
    if (!(vma->prot & need) && !(need == PROT_READ && vma->prot)) {
        return -EFAULT;
    }
    vma->touched = true;
    entry = mm_pte(mm, address, true);
    if (!entry) {
        return -ENOMEM;
    }
    if (!*entry) {
        return fault_new(mm, vma, align_down(address, PAGE_SIZE), entry, write);
    }
    if (write && !(*entry & PTE_WRITE)) {
        return fault_write(mm, vma, align_down(address, PAGE_SIZE), entry);
    }
    fault_check(mm, address, error);
    invlpg(address);
    return 0;
}

long mm_fault(struct mm *mm, vaddr_t address, uint64_t error, int *code)
{
    long result;

    mutex_lock(&mm->lock);
    result = fault_locked(mm, address, error, code);
    mutex_unlock(&mm->lock);
    return result;
}

paddr_t mm_pin(struct mm *mm, vaddr_t address, bool write)
{
    uint64_t error = FAULT_USER | (write ? FAULT_WRITE : 0);
    pte_t *entry;
    paddr_t page = 0;
    int code;

    if (address >= USER_TOP) {
        return 0;
    }
    mutex_lock(&mm->lock);
    entry = mm_pte(mm, address, false);
    if (!entry || !(*entry & PTE_PRESENT) || (write && !(*entry & PTE_WRITE))) {
        entry = fault_locked(mm, address, error, &code) ? NULL : mm_pte(mm, address, false);
    }
    if (entry && *entry & PTE_PRESENT) {
        page = *entry & PTE_ADDRESS;
        page_get(phys_to_page(page));
    }
    mutex_unlock(&mm->lock);
    return page ? page + (address & (PAGE_SIZE - 1)) : 0;
}

/* True: resolved or dealt with. A copy under a spinlock may not wait for a page: it gets -EFAULT. */
bool mm_page_fault(struct trap_frame *frame, vaddr_t address, uint64_t error)
{
    struct mm *mm = this_cpu(active_mm);
    bool user = trap_from_user(frame);
    int code = SEGV_MAPERR;
    long result = -EFAULT;

    if (mm && (user || this_cpu(preempt_count) == 0)) {
        result = mm_fault(mm, address, error, &code);
    }
    if (result == -ENOMEM) {
        signal_user_fault(frame, SIGKILL, SI_USER, address); /* in a call, too: -EFAULT would be a lie */
    }
    if (result == 0 || !user) {
        return result == 0;
    }
    if (result == -EIO) {
        signal_user_fault(frame, SIGBUS, BUS_ADRERR, address);
    } else if (result != -ENOMEM) {
        signal_user_fault(frame, SIGSEGV, code, address);
    }
    return true;
}
