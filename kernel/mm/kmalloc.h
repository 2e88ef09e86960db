/* Memory for kernel objects. Not from interrupts, nor with a lock held that an interrupt handler
 * takes. */
#ifndef MM_KMALLOC_H
#define MM_KMALLOC_H
#include "lib/string.h"
#include "lib/types.h"

/* At least 16-byte aligned, contents unknown; NULL without memory or above 4 MiB. Does not sleep. */
void *kmalloc(size_t size);
void kfree(void *pointer); /* NULL is fine */
void kmalloc_init(void); /* after page_init */
size_t kmalloc_cached_pages(void); /* in empty slabs, held for the next objects */

struct kmalloc_class {
    uint32_t size, per_slab, pages_per_slab;
    size_t used, slabs;
};
/* What there is of one size. Without a lock, for /proc. False: `number` is beyond the last one. */
bool kmalloc_class(size_t number, struct kmalloc_class *info);

static inline void *kzalloc(size_t size)
{
    void *pointer = kmalloc(size);

    if (pointer) {
        memset(pointer, 0, size);
    }
    return pointer;
}
#endif
