/*
 * The x86-64 page table format, and the kernel's half of every address space.
 *
 * The upper 256 entries of each pml4 are copies of paging_kernel_pml4's, all filled at boot, so
 * that later kernel mappings appear everywhere by themselves.
 */
#ifndef ARCH_PAGING_H
#define ARCH_PAGING_H

#include "lib/types.h"

#define PAGE_SHIFT 12
#define PAGE_SIZE (1ul << PAGE_SHIFT)

#define USER_TOP 0x00007ffffffff000ul /* the last page stays free: sysret and its canonical rip */
#define DIRECT_MAP_BASE 0xffff888000000000ul
#define KSTACK_BASE 0xffffc90000000000ul
#define KERNEL_BASE 0xffffffff80000000ul

#define PTE_PRESENT (1ul << 0)
#define PTE_WRITE (1ul << 1)
#define PTE_USER (1ul << 2)
#define PTE_WRITE_THROUGH (1ul << 3)
#define PTE_CACHE_OFF (1ul << 4)
#define PTE_ACCESSED (1ul << 5)
#define PTE_DIRTY (1ul << 6)
#define PTE_LARGE (1ul << 7)
#define PTE_GLOBAL (1ul << 8)
#define PTE_SOFT1 (1ul << 9) /* for mm to use */
#define PTE_NX (1ul << 63)
#define PTE_ADDRESS 0x000ffffffffff000ul

static inline void *phys_to_virt(paddr_t address)
{
    return (void *)(address + DIRECT_MAP_BASE);
}

/* The way back: of what lies in the direct map, not in the kernel image. */
static inline paddr_t virt_to_phys(const void *pointer)
{
    return (vaddr_t)pointer - DIRECT_MAP_BASE;
}

/* Index into the table of a level: 0 is the page table, 3 the pml4. */
static inline unsigned int paging_index(vaddr_t address, int level)
{
    return address >> (PAGE_SHIFT + 9 * level) & 511;
}

extern pte_t *paging_kernel_pml4; /* through the direct map */

/* Build and load the kernel's final tables: W^X image, NX direct map. Once, at boot: it uses
 * boot_page_alloc(). Panics without memory. */
void paging_init(void);

/* Where page table pages come from; boot_page_alloc at first, mm sets its own. 0: none left. */
extern paddr_t (*paging_table_alloc)(void);

/*
 * Map or (flags 0) unmap one kernel page, flushing it on this CPU. -ENOMEM if no page for a table.
 * The caller keeps others from the same range.
 */
int paging_map_kernel(vaddr_t address, paddr_t page, uint64_t flags);

/* Can the kernel read this address of its own half? By the tables in CR3, also early, and if they are
 * damaged. Any context. */
bool paging_is_mapped(vaddr_t address);

/* The direct map's pointer to device registers, mapped uncached now if they were not. At boot: nothing
 * keeps others from the tables. */
void *paging_map_device(paddr_t address, size_t size);

#endif
