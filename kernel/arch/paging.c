/* The kernel's page tables: the image by W^X, all RAM without execution, devices uncached. */
#include "arch/paging.h"

#include "arch/boot.h"
#include "arch/cpu.h"
#include "lib/errno.h"
#include "lib/log.h"

extern char kernel_text_start[], kernel_rodata_start[], kernel_data_start[], kernel_end[];

static paddr_t boot_table(void)
{
    return boot_page_alloc(1);
}

paddr_t (*paging_table_alloc)(void) = boot_table;
pte_t *paging_kernel_pml4;

/* The entry for `address` at `level`, with the tables above made if missing; NULL: no memory. */
static pte_t *kernel_entry(vaddr_t address, int level)
{
    pte_t *table = paging_kernel_pml4;

    for (int at = 3; at > level; at--) {
        pte_t *entry = &table[paging_index(address, at)];

        if (!(*entry & PTE_PRESENT)) {
            paddr_t fresh = paging_table_alloc();

            if (!fresh) {
                return NULL;
            }
            *entry = fresh | PTE_PRESENT | PTE_WRITE;
        }
        table = phys_to_virt(*entry & PTE_ADDRESS);
    }
    return &table[paging_index(address, level)];
}

static void map_range(vaddr_t address, paddr_t page, size_t size, uint64_t flags, int level)
{
    size_t step = PAGE_SIZE << (9 * level);

    for (size_t at = 0; at < size; at += step) {
        pte_t *entry = kernel_entry(address + at, level);

        if (!entry) {
            panic("no memory for the kernel's page tables");
        }
        *entry = (page + at) | flags | PTE_PRESENT | PTE_GLOBAL | (level ? PTE_LARGE : 0);
    }
}

static void map_image(char *start, char *end, uint64_t flags)
{
    map_range((vaddr_t)start, (vaddr_t)start - KERNEL_BASE, (size_t)(end - start), flags, 0);
}

void paging_init(void)
{
    int level = cpu_features.huge_1g ? 2 : 1;
    size_t step = PAGE_SIZE << (9 * level);

    paging_kernel_pml4 = phys_to_virt(boot_page_alloc(1));
    map_image(kernel_text_start, kernel_rodata_start, 0);
    map_image(kernel_rodata_start, kernel_data_start, PTE_NX);
    map_image(kernel_data_start, kernel_end, PTE_NX | PTE_WRITE);
    map_range(DIRECT_MAP_BASE, 0, align_up(boot_ram_end, step), PTE_NX | PTE_WRITE, level);
    if (!kernel_entry(KSTACK_BASE, 2)) {
        panic("no memory for the kernel stacks' table");
    }
    write_cr3(virt_to_phys(paging_kernel_pml4));
}

int paging_map_kernel(vaddr_t address, paddr_t page, uint64_t flags)
{
    pte_t *entry = kernel_entry(address, 0);

    debug_assert(address >= DIRECT_MAP_BASE && align_down(address | page, PAGE_SIZE) == (address | page));
    if (!entry) {
        return -ENOMEM;
    }
    *entry = flags ? page | flags | PTE_PRESENT | PTE_GLOBAL : 0;
    invlpg(address);
    return 0;
}

bool paging_is_mapped(vaddr_t address)
{
    paddr_t table = read_cr3();
    pte_t entry;

    if (address < DIRECT_MAP_BASE) {
        return false;
    }
    for (int level = 3; level >= 0; level--) {
        table &= PTE_ADDRESS;
        if (boot_ram_end && table >= boot_ram_end) {
            return false; /* no table is there: this one is damaged */
        }
        entry = ((pte_t *)phys_to_virt(table))[paging_index(address, level)];
        if (!(entry & PTE_PRESENT) || (level && entry & PTE_LARGE)) {
            break;
        }
        table = entry;
    }
    return entry & PTE_PRESENT;
}

void *paging_map_device(paddr_t address, size_t size)
{
    size_t step = PAGE_SIZE << 9;

    for (paddr_t at = align_down(address, step); at < address + size; at += step) {
        pte_t *entry = kernel_entry(DIRECT_MAP_BASE + at, 2);

        if (entry && !(*entry & PTE_LARGE)) {
            entry = kernel_entry(DIRECT_MAP_BASE + at, 1);
            if (entry && !(*entry & PTE_PRESENT)) {
                *entry = at | PTE_PRESENT | PTE_WRITE | PTE_NX | PTE_LARGE | PTE_CACHE_OFF |
                         PTE_WRITE_THROUGH | PTE_GLOBAL;
            }
        }
    }
    return phys_to_virt(address);
}
