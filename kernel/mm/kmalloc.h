/* Memory for kernel objects. Not from interrupts. */
#ifndef MM_KMALLOC_H
#define MM_KMALLOC_H
#include "lib/string.h"
#include "lib/types.h"

/* At least 16-byte aligned; NULL without memory or above 4 MiB. */
void *kmalloc(size_t size);
void kfree(void *pointer); /* NULL is fine */
void kmalloc_init(void);
size_t kmalloc_cached_pages(void); /* in empty slabs, held for the next objects */

/* What there is of one size. False: `number` is beyond the last one. */
struct kmalloc_class {
    uint32_t size, per_slab, pages_per_slab;
    size_t used, slabs;
};
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
