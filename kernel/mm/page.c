/*
 * Pages for the kernel: the buddy allocator under a lock, and a short stack of free pages for
 * each CPU, since single pages come and go all the time.
 */
#include "mm/page.h"

#include "arch/boot.h"
#include "arch/spinlock.h"
#include "lib/log.h"
#include "lib/refcount.h"
#include "lib/string.h"
#include "mm/alloc_debug.h"
#include "mm/buddy.h"
#include "mm/inject.h"
#include "trace/trace.h"

#define CACHE_MAX 64
#define BATCH_ORDER 4
#define CACHE_BATCH (1 << BATCH_ORDER)

struct page *page_array;
static struct spinlock buddy_lock = SPINLOCK_INIT; /* protects buddy; a leaf */
static struct buddy buddy;
static size_t total_pages;

static struct page_cache {
    int count; /* the CPU's own, with preemption off */
    struct page *pages[CACHE_MAX];
} caches[CPU_MAX];

void page_zero(void *page)
{
    size_t words = PAGE_SIZE / 8;

    __asm__ volatile("rep stosq" : "+D"(page), "+c"(words) : "a"(0ul) : "memory");
}

void page_copy(void *to, const void *from)
{
    size_t words = PAGE_SIZE / 8;

    __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
}

static __attribute__((noinline)) void page_refill(struct page_cache *cache)
{
    struct page *block;

    spin_lock(&buddy_lock);
    while (cache->count < CACHE_BATCH && (block = buddy_alloc(&buddy, 0, BATCH_ORDER)) != NULL) {
        const int pages = 1 << block->order;

        for (int i = 0; i < pages; i++) {
            block[i].order = 0;
            cache->pages[cache->count++] = &block[i];
        }
    }
    spin_unlock(&buddy_lock);
}

static __attribute__((noinline)) void page_drain(struct page_cache *cache)
{
    spin_lock(&buddy_lock);
    while (cache->count > CACHE_MAX - CACHE_BATCH) {
        buddy_free(&buddy, cache->pages[--cache->count], 0);
    }
    spin_unlock(&buddy_lock);
}

struct page *page_alloc(int order)
{
    struct page *page = NULL;

    debug_assert(order >= 0 && order <= PAGE_ORDER_MAX);
    if (inject_failure(__builtin_return_address(0))) {
        return NULL;
    }
    preempt_disable();
    if (order == 0) {
        struct page_cache *cache = &caches[this_cpu(id)];

        if (cache->count == 0) {
            page_refill(cache);
        }
        if (cache->count > 0) {
            page = cache->pages[--cache->count];
        }
    } else {
        spin_lock(&buddy_lock);
        page = buddy_alloc(&buddy, order, order);
        spin_unlock(&buddy_lock);
    }
    preempt_enable();
    if (page) {
        page_debug_alloc(page, order, __builtin_return_address(0));
        page->references = 1;
        page->used = 0;
    }
    return page;
}

void page_free(struct page *page)
{
    debug_assert(!page->free);
    page_debug_free(page, __builtin_return_address(0));
    preempt_disable();
    if (page->order == 0) {
        struct page_cache *cache = &caches[this_cpu(id)];

        if (cache->count == CACHE_MAX) {
            page_drain(cache);
        }
        cache->pages[cache->count++] = page;
    } else {
        spin_lock(&buddy_lock);
        buddy_free(&buddy, page, page->order);
        spin_unlock(&buddy_lock);
    }
    preempt_enable();
}

size_t page_free_count(void)
{
    size_t count = buddy.free_pages;

    for (uint32_t i = 0; i < cpu_count; i++) {
        count += (size_t)caches[i].count;
    }
    return count;
}

size_t page_total_count(void)
{
    return total_pages;
}

void page_free_range(paddr_t start, paddr_t end)
{
    debug_assert(align_down(start | end, PAGE_SIZE) == (start | end));
    for (; start < end; start += PAGE_SIZE) {
        spin_lock(&buddy_lock);
        buddy_free(&buddy, phys_to_page(start), 0);
        total_pages++;
        spin_unlock(&buddy_lock);
    }
}

static paddr_t page_table_alloc(void)
{
    struct page *page = page_alloc_zeroed();

    return page ? page_to_phys(page) : 0;
}

/* Free whole aligned blocks: page by page would take millions of steps on a large machine. */
static void page_add_range(paddr_t start, paddr_t end)
{
    while (start < end) {
        int order = PAGE_ORDER_MAX;
        size_t size;

        while ((start & ((PAGE_SIZE << order) - 1)) || start + (PAGE_SIZE << order) > end) {
            order--;
        }
        size = PAGE_SIZE << order;
        buddy_free(&buddy, phys_to_page(start), order);
        total_pages += size >> PAGE_SHIFT;
        start += size;
    }
}

void page_init(void)
{
    size_t count = boot_ram_end >> PAGE_SHIFT;
    size_t bytes = align_up(count * sizeof(struct page), PAGE_SIZE);
    paddr_t start = 0;

    for (size_t i = 0; i < boot_free_count && !start; i++) {
        if (boot_free[i].end - boot_free[i].start > bytes) {
            start = boot_free[i].start;
            boot_free[i].start += bytes;
        }
    }
    if (!start) {
        panic("no room for %zu page structures", count);
    }
    page_array = phys_to_virt(start);
    for (size_t at = 0; at < bytes; at += PAGE_SIZE) {
        page_zero((char *)page_array + at);
    }
    buddy_init(&buddy, page_array, count);
    for (size_t i = 0; i < boot_free_count; i++) {
        page_add_range(boot_free[i].start, boot_free[i].end);
    }
    paging_table_alloc = page_table_alloc;
    printk("memory: %zu MiB free of %lu MiB\n", page_free_count() >> 8, boot_ram_end >> 20);
}

void *trace_memory(size_t size)
{
    int order = 0;
    struct page *pages;

    while (PAGE_SIZE << order < size) {
        order++;
    }
    pages = page_alloc(order);
    return pages ? memset(page_to_virt(pages), 0, size) : NULL;
}
