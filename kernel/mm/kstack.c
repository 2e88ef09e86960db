/*
 * Kernel stacks live in slots of 32 KiB: the lower half of a slot is never mapped. Freed stacks
 * stay mapped for the next task, up to a number; a freed slot's number is kept at its stack's
 * top, or in a list of numbers once it is unmapped.
 */
#include "mm/kstack.h"

#include "arch/paging.h"
#include "arch/spinlock.h"
#include "mm/page.h"

#define SLOT_SIZE (2ul * KSTACK_SIZE)
#define SLOTS 32768
#define CACHE_MAX 32
#define STACK_PAGES (KSTACK_SIZE / PAGE_SIZE)

static struct spinlock lock = SPINLOCK_INIT; /* protects all below; before the page allocator */
static vaddr_t cache[CACHE_MAX];
static int cached;
static uint32_t next_slot;
static uint64_t free_slots[SLOTS / 64]; /* unmapped slots below next_slot */
static int free_slot_count;

static long slot_take(void)
{
    if (free_slot_count == 0) {
        return next_slot < SLOTS ? (long)next_slot++ : -1;
    }
    for (uint32_t i = 0;; i++) {
        if (free_slots[i]) {
            int bit = __builtin_ctzl(free_slots[i]);

            free_slots[i] &= free_slots[i] - 1;
            free_slot_count--;
            return i * 64 + bit;
        }
    }
}

static void slot_release(vaddr_t top)
{
    size_t slot = (top - KSTACK_BASE) / SLOT_SIZE - 1;

    free_slots[slot / 64] |= 1ul << (slot % 64);
    free_slot_count++;
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

static void unmap(vaddr_t top, unsigned pages)
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

    spin_lock(&lock);
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
                unmap(top, i - 1);
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
    spin_lock(&lock);
    if (cached < CACHE_MAX) {
        cache[cached++] = top;
    } else {
        unmap(top, STACK_PAGES);
    }
    spin_unlock(&lock);
}

size_t kstack_cached_pages(void)
{
    return (size_t)cached * STACK_PAGES;
}
