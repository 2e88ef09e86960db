/*
 * The sanitized build's checks of memory. Each panics with the address and with who had it:
 *
 *   overflow          the fence behind an object was written to, or its head before it; found when freed
 *   use after free    the pattern in a free object or page is broken; found when it is allocated
 *   double free       what is freed is free
 *
 *   head           32 bytes, ends with the state; while it is free its first word is the slab's link
 *   object         as long as was asked for: FRESH when it is given away, FREED when it is free
 *   fence          up to the end of the room, 16 bytes at least
 *
 * Objects of whole pages have no fence.
 */
#ifdef SANITIZE
#include "mm/alloc_debug.h"

#include "arch/symbols.h"
#include "lib/log.h"
#include "lib/refcount.h"
#include "lib/string.h"
#include "mm/kmalloc.h"

enum { FRESH = 0xa5, FREED = 0x6b, FENCE = 0xbb, FREED_PAGE = 0xdb };

#define STATE_FREE 0x20656572665f5f5ful
#define STATE_USED 0x20646573755f5f5ful

struct head {
    void *link;
    const void *site; /* who allocated it, or freed it; NULL: nobody yet */
    uint64_t size;    /* as it was asked for */
    uint64_t state;   /* a value that nobody writes by accident */
};

_Static_assert(OBJECT_EXTRA == sizeof(struct head) + 16, "a fence of 16 bytes");

/* The first byte that is another one; NULL: none is. */
static const char *first_other(const char *at, const char *end, uint8_t byte)
{
    const uint64_t word = 0x0101010101010101ul * byte;

    while (at < end && *(const uint8_t *)at == byte) {
        bool whole = ((uint64_t)at & 7) == 0 && at + 8 <= end && *(const uint64_t *)at == word;

        at += whole ? 8 : 1;
    }
    return at < end ? at : NULL;
}

static void alloc_report(const char *what, const struct head *head, size_t room, const char *at,
                         const void *site)
{
    const char *object = (const char *)(head + 1);

    panic_begin();
    printk("PANIC: %s at 0x%lx: byte %ld of the %lu bytes at 0x%lx (size class %lu)\n", what,
           (uint64_t)at, at - object, head->size, (uint64_t)object, room);
    symbol_print(head->state == STATE_FREE ? "freed" : "allocated", head->site);
    symbol_print("found", site);
    panic_finish();
}

void object_debug_create(void *object, size_t room)
{
    struct head *head = object;

    *head = (struct head){.state = STATE_FREE};
    memset(head + 1, FREED, room - sizeof(*head));
}

void *object_debug_alloc(void *object, size_t room, size_t size, const void *site)
{
    struct head *head = object;
    char *start = (char *)(head + 1), *end = (char *)object + room;
    const char *other = first_other(start, end, FREED);

    if (head->state != STATE_FREE) {
        alloc_report("written before its start while free", head, room, start - 1, site);
    }
    if (other) {
        alloc_report("use after free: written", head, room, other, site);
    }
    *head = (struct head){.site = site, .size = size, .state = STATE_USED};
    memset(start, FRESH, size);
    memset(start + size, FENCE, (size_t)(end - start) - size);
    return start;
}

void *object_debug_free(void *pointer, size_t room, const void *site)
{
    struct head *head = (struct head *)pointer - 1;
    char *start = pointer, *end = (char *)head + room;
    const char *other;

    if (head->state == STATE_FREE) {
        alloc_report("double free", head, room, start, site);
    }
    if (head->state != STATE_USED) {
        alloc_report("overflow to the front, or none of ours is freed: written", head, room,
                     start - 1, site);
    }
    other = first_other(start + head->size, end, FENCE);
    if (other) {
        alloc_report("overflow: written", head, room, other, site);
    }
    *head = (struct head){.site = site, .size = head->size, .state = STATE_FREE};
    memset(start, FREED, (size_t)(end - start));
    return head;
}

void page_debug_alloc(struct page *page, int order, const void *site)
{
    for (int i = 0; i < 1 << order; i++) {
        char *start = page_to_virt(&page[i]);
        const char *other = page[i].freed_by ? first_other(start, start + PAGE_SIZE, FREED_PAGE)
                                             : NULL;

        if (other) {
            panic_begin();
            printk("PANIC: use after free: written at 0x%lx: byte %ld of a page\n", (uint64_t)other,
                   other - start);
            symbol_print("freed", page[i].freed_by);
            symbol_print("found", site);
            panic_finish();
        }
        page[i].freed_by = NULL;
        memset(start, FRESH, PAGE_SIZE);
    }
}

void page_debug_free(struct page *page, const void *site)
{
    for (int i = 0; i < 1 << page->order; i++) {
        memset(page_to_virt(&page[i]), FREED_PAGE, PAGE_SIZE);
        page[i].freed_by = site;
    }
}

void table_debug_alloc(struct page *page)
{
    const char *start = page_to_virt(page), *other = first_other(start, start + PAGE_SIZE, 0);

    if (other) {
        panic("use after free: written at 0x%lx, in a page table that nobody uses", (uint64_t)other);
    }
}
#endif
