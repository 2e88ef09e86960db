/* What the boot loader said: memory, command line, initrd. Copied early; valid for ever. */
#ifndef ARCH_BOOT_H
#define ARCH_BOOT_H

#include "lib/types.h"

struct boot_range {
    paddr_t start, end; /* whole pages */
};

/* RAM that is free, in ascending order: no kernel, no initrd, nothing below 1 MiB. */
#define BOOT_RANGES_MAX 32
extern struct boot_range boot_free[BOOT_RANGES_MAX];
extern size_t boot_free_count;
extern paddr_t boot_ram_end;          /* the end of the highest RAM, free or not */
extern struct boot_range boot_initrd; /* whole pages; mm owns page structs for it, too */
extern size_t boot_initrd_size;       /* bytes from boot_initrd.start */

/* Read what the loader left at `info`; panics if it was no multiboot loader. Once, before what is below
 * is used. */
void boot_init(uint32_t magic, paddr_t info);

/*
 * Take whole zeroed pages out of boot_free for good, below 4 GiB where the first page tables
 * reach. For before the page allocator only. 0 if there are none.
 */
paddr_t boot_page_alloc(size_t pages);

extern char boot_command_line[1024];
/*
 * The value of `name=value` on the kernel command line, "" for a bare `name`, NULL if absent.
 * It lasts for ever.
 */
const char *boot_option(const char *name);
/* Its number, brought between `min` and `max`. False: it is absent, or no number, as the log says. */
bool boot_number(const char *name, uint64_t min, uint64_t max, uint64_t *value);

#endif
