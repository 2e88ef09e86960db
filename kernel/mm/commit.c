/*
 * How much may be mapped: the limits of getrlimit(2), and how much memory the machine promises
 * (docs/memory.md).
 *
 * A mapping costs nothing until it is touched, so more may be promised than there is: most programs
 * never touch all they ask for, and after a fork two have one memory. But a promise that cannot be
 * kept ends in a killed process, where -ENOMEM could have been handled. So one request is refused if
 * it is above all of the memory, as on Linux, and all promises together stay below a multiple of it.
 *
 * A promise is what a program may fill without asking again: private and writable memory, or shared
 * and anonymous. Address space is none: what cannot be written (until mprotect allows it), what the
 * program says it will hardly use (MAP_NORESERVE) and the stacks of threads (MAP_STACK), whose size is
 * a limit.
 */
#include "lib/errno.h"
#include "mm/mm.h"
#include "mm/page.h"

#define COMMIT_FACTOR 16

static uint64_t promised; /* pages; atomic */

bool commit_take(uint64_t pages)
{
    if (__atomic_add_fetch(&promised, pages, __ATOMIC_RELAXED) <= page_total_count() * COMMIT_FACTOR) {
        return true;
    }
    commit_give(pages);
    return false;
}

bool commit_request(uint64_t pages)
{
    return pages <= page_total_count() && commit_take(pages);
}

void commit_give(uint64_t pages)
{
    __atomic_sub_fetch(&promised, pages, __ATOMIC_RELAXED);
}

void commit_figures(uint64_t *pages, uint64_t *limit)
{
    *pages = __atomic_load_n(&promised, __ATOMIC_RELAXED);
    *limit = page_total_count() * COMMIT_FACTOR;
}

/* Counted only when somebody set the limit. */
static __attribute__((noinline)) uint64_t data_pages(struct mm *mm)
{
    uint64_t pages = 0;

    for (struct vma *vma = mm_find(mm, 0); vma; vma = vma->above) {
        pages += vma_is_data(vma->prot, vma->flags) ? vma_pages(vma) : 0;
    }
    return pages;
}

long mm_charge(struct mm *mm, uint64_t pages, uint64_t data, uint64_t promise)
{
    const struct rlimit *limits = mm_limits();

    assert_held(&mm->lock);
    if ((pages && mm->pages + pages > limits[RLIMIT_AS].soft >> PAGE_SHIFT) ||
        (data && limits[RLIMIT_DATA].soft != UINT64_MAX &&
         data_pages(mm) + data > limits[RLIMIT_DATA].soft >> PAGE_SHIFT)) {
        return -ENOMEM;
    }
    return promise && !commit_request(promise) ? -ENOMEM : 0;
}
