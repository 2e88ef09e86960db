/* Kernel stacks: 16 KiB each, below each an unmapped page that catches an overflow. */
#ifndef MM_KSTACK_H
#define MM_KSTACK_H
#include "lib/types.h"
#define KSTACK_SIZE 16384
/* The top (highest address, 16-byte aligned), or 0 without memory. Interrupts on, no spinlock held:
 * other CPUs may have to flush. */
vaddr_t kstack_alloc(void);
void kstack_free(vaddr_t top); /* nobody runs on it any more */
size_t kstack_cached_pages(void); /* held for the next ones */
#endif
