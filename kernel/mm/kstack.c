/*
 * Kernel stacks live in slots of 32 KiB: the lower half of a slot is never mapped. Freed stacks
 * stay mapped for the next task, up to a number; then they are unmapped.
 *
 * Another CPU's TLB may still hold an unmapped stack. Nobody touches it there, so nobody has to
 * be interrupted: the slot is stale, and used again only after all CPUs have flushed, which they
 * do once for many slots.
 */
#include "mm/kstack.h"

#include "arch/cpu.h"
#include "arch/paging.h"
#include "arch/smp.h"
#include "arch/spinlock.h"
#include "lib/string.h"
#include "mm/inject.h"
#include "mm/page.h"

#define SLOT_SIZE (2ul * KSTACK_SIZE)
#define SLOTS 32768
#define CACHE_MAX 32
#define STALE_MAX 64
#define STACK_PAGES (KSTACK_SIZE / PAGE_SIZE)

struct slots {
    uint64_t bits[SLOTS / 64];
    int count;
};

static struct spinlock lock = SPINLOCK_INIT; /* protects all below; before the page allocator */
static vaddr_t cache[CACHE_MAX];
static int cached;
static uint32_t next_slot;
static struct slots free_slots, stale_slots; /* of those below next_slot */

static long slot_take(void)
{
    assert_held(&lock);
    for (uint32_t i = 0; free_slots.count > 0; i++) {
        if (free_slots.bits[i]) {
            int bit = __builtin_ctzl(free_slots.bits[i]);

            free_slots.bits[i] &= free_slots.bits[i] - 1;
            free_slots.count--;
            return i * 64 + bit;
        }
    }
    return next_slot < SLOTS ? (long)next_slot++ : -1;
}

static void flush_kernel(void *unused)
{
    (void)unused;
    write_cr4(read_cr4() & ~(uint64_t)CR4_PGE); /* also global entries: SDM volume 3, 4.10.4.1 */
    write_cr4(read_cr4() | CR4_PGE);
}

/* Make the stale slots usable. The lock is held, and let go meanwhile. */
static void kstack_recycle(void)
{
    static struct slots flushing; /* by one task at a time: the others find nothing stale */
    bool mine = flushing.count == 0 && stale_slots.count > 0;

    assert_held(&lock);
    if (!mine) {
        return;
    }
    flushing = stale_slots;
    memset(&stale_slots, 0, sizeof(stale_slots));
    spin_unlock(&lock);
    preempt_disable();
    flush_kernel(NULL);
    smp_call(cpu_mask(), flush_kernel, NULL);
    preempt_enable();
    spin_lock(&lock);
    for (int i = 0; i < SLOTS / 64; i++) {
        free_slots.bits[i] |= flushing.bits[i];
    }
    free_slots.count += flushing.count;
    flushing.count = 0;
}

static void slot_release(vaddr_t top)
{
    size_t slot = (top - KSTACK_BASE) / SLOT_SIZE - 1;

    assert_held(&lock);
    stale_slots.bits[slot / 64] |= 1ul << (slot % 64);
    stale_slots.count++;
}

/* The pages' numbers come back from the page tables when the stack goes. */
static paddr_t mapped_page(vaddr_t address)
{
    pte_t *table = paging_kernel_pml4;

    for (int level = 3; level > 0; level--) {
        table = phys_to_virt(table[paging_index(address, level)] & PTE_ADDRESS);
    }
    return table[paging_index(address, 0)] & PTE_ADDRESS;
}

static void kstack_unmap(vaddr_t top, unsigned pages)
{
    for (unsigned i = 1; i <= pages; i++) {
        vaddr_t address = top - i * PAGE_SIZE;
        paddr_t page = mapped_page(address);

        paging_map_kernel(address, 0, 0);
        page_put(phys_to_page(page));
    }
    slot_release(top);
}

vaddr_t kstack_alloc(void)
{
    vaddr_t top = 0;
    long slot;

    if (inject_failure(__builtin_return_address(0))) {
        return 0;
    }
    spin_lock(&lock);
    if (cached == 0 && free_slots.count == 0 &&
        (stale_slots.count >= STALE_MAX || next_slot == SLOTS)) {
        kstack_recycle();
    }
    if (cached > 0) {
        top = cache[--cached];
    } else if ((slot = slot_take()) >= 0) {
        top = KSTACK_BASE + ((uint64_t)slot + 1) * SLOT_SIZE;
        for (unsigned i = 1; i <= STACK_PAGES; i++) {
            struct page *page = page_alloc(0);

            if (!page || paging_map_kernel(top - i * PAGE_SIZE, page_to_phys(page),
                                           PTE_WRITE | PTE_NX)) {
                if (page) {
                    page_put(page);
                }
                kstack_unmap(top, i - 1);
                top = 0;
                break;
            }
        }
    }
    spin_unlock(&lock);
    return top;
}

void kstack_free(vaddr_t top)
{
    debug_assert(top > KSTACK_BASE && (top - KSTACK_BASE) % SLOT_SIZE == 0);
    spin_lock(&lock);
    if (cached < CACHE_MAX) {
        cache[cached++] = top;
    } else {
        kstack_unmap(top, STACK_PAGES);
    }
    spin_unlock(&lock);
}

size_t kstack_cached_pages(void)
{
    return (size_t)cached * STACK_PAGES;
}
