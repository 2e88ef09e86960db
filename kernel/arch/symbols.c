/* Names of the kernel's functions, from the table that tools/ksyms links in. */
#include "arch/symbols.h"

#include "lib/log.h"

extern const struct {
    uint64_t count;
    struct {
        uint64_t address, name;
    } symbols[];
} ksyms_table;

extern char kernel_rodata_start[];

const char *symbol_find(unsigned long address, unsigned long *offset)
{
    uint64_t low = 0, high = ksyms_table.count;
    const char *names = (const char *)&ksyms_table.symbols[ksyms_table.count];

    while (low < high) {
        uint64_t middle = (low + high) / 2;

        if (ksyms_table.symbols[middle].address <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == 0 || address >= (unsigned long)kernel_rodata_start) {
        return NULL; /* before or behind all functions */
    }
    *offset = address - ksyms_table.symbols[low - 1].address;
    return names + ksyms_table.symbols[low - 1].name;
}

void symbol_print(const char *what, const void *address)
{
    unsigned long offset = 0;
    const char *name = symbol_find((unsigned long)address, &offset);

    printk("  %s: %s+0x%lx [0x%016lx]\n", what, name ? name : "?", offset, (unsigned long)address);
}
