/*
 * mlock, mlockall: memory whose pages are there before they are touched, and stay. Nothing here is ever
 * swapped out, so a lock is a mark on the areas (MAP_LOCKED) and a first touch of all their pages: who
 * has a deadline meets no page fault after it. Everybody is root: RLIMIT_MEMLOCK limits nobody.
 */
#include "lib/errno.h"
#include "mm/mm.h"
#include "mm/page.h"

/* Where the area at *at ends, or the next above: then *at becomes its start. 0: there is none. */
static vaddr_t lock_next_area(struct mm *mm, vaddr_t *at, bool *write)
{
    struct vma *vma;
    vaddr_t end = 0;

    mutex_lock(&mm->lock);
    vma = mm_find(mm, *at);
    if (vma) {
        *at = vma->start > *at ? vma->start : *at;
        end = vma->end;
        *write = vma->prot & PROT_WRITE && !(vma->flags & MAP_SHARED); /* else a later write would copy */
    }
    mutex_unlock(&mm->lock);
    return end;
}

long mm_populate(struct mm *mm, vaddr_t start, vaddr_t end)
{
    vaddr_t at = start, stop;
    bool write;
    long error = 0;

    while (at < end && (stop = lock_next_area(mm, &at, &write))) {
        for (; at < stop && at < end; at += PAGE_SIZE) {
            paddr_t page = mm_caller_is_killed() ? 0 : mm_pin(mm, at, write);

            if (!page) {
                error = -ENOMEM;
                at = stop; /* all of it is PROT_NONE, or memory is short, or the task is to end */
                break;
            }
            page_put(phys_to_page(page));
        }
    }
    return error;
}

/* Upwards as far as there is a mapping, as Linux does. */
static long lock_mark(struct mm *mm, vaddr_t start, vaddr_t end, bool locked)
{
    struct vma *first, *vma;
    vaddr_t at = start;
    long error = mm_cut(mm, start, end, &first);

    assert_held(&mm->lock);
    if (error) {
        return error;
    }
    for (vma = first; at < end; vma = vma->above) {
        if (!vma || vma->start > at) {
            error = -ENOMEM;
            break;
        }
        vma->flags = locked ? vma->flags | MAP_LOCKED : vma->flags & ~MAP_LOCKED;
        at = vma->end;
    }
    if (first) {
        mm_merge(mm, first, end);
    }
    return error;
}

long mm_lock_range(struct mm *mm, vaddr_t address, size_t size, bool locked, bool touch)
{
    vaddr_t start = align_down(address, PAGE_SIZE), end = align_up(address + size, PAGE_SIZE);
    long error;

    if (address + size < address || end < start) {
        return -EINVAL;
    }
    mutex_lock(&mm->lock);
    error = lock_mark(mm, start, end, locked);
    mutex_unlock(&mm->lock);
    return !error && locked && touch ? mm_populate(mm, start, end) : error;
}

void mm_lock_all(struct mm *mm, int flags)
{
    const bool touch = flags && !(flags & MCL_ONFAULT);

    mutex_lock(&mm->lock);
    mm->lock_future = 0;
    if (flags & MCL_FUTURE) {
        mm->lock_future = touch ? MAP_LOCKED | MAP_POPULATE : MAP_LOCKED;
    }
    for (struct vma *vma = mm_find(mm, 0); vma && (!flags || flags & MCL_CURRENT); vma = vma->above) {
        vma->flags = flags ? vma->flags | MAP_LOCKED : vma->flags & ~MAP_LOCKED;
    }
    mutex_unlock(&mm->lock);
    if (touch && flags & MCL_CURRENT) {
        mm_populate(mm, 0, USER_TOP); /* as far as it goes */
    }
}

uint64_t mm_locked_pages(struct mm *mm, vaddr_t start, vaddr_t end)
{
    uint64_t pages = 0;

    mutex_lock(&mm->lock);
    for (struct vma *vma = mm_find(mm, start); vma && vma->start < end; vma = vma->above) {
        pages += vma->flags & MAP_LOCKED ? vma_pages(vma) : 0;
    }
    mutex_unlock(&mm->lock);
    return pages;
}
