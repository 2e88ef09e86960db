/*
 * What a program tells of its memory (madvise), and what it is told of it (mincore). A hint changes
 * nothing here; what promises something (pages that are gone, a fork that does not have them) is
 * done, or refused.
 */
#include "lib/errno.h"
#include "mm/mm.h"

/* As a Linux without KSM and huge pages has it. */
static bool advise_is_known(int advice)
{
    switch (advice) {
    case MADV_NORMAL ... MADV_DONTNEED:
    case MADV_FREE:
    case MADV_DONTFORK:
    case MADV_DOFORK:
    case MADV_NOHUGEPAGE ... MADV_DONTNEED_LOCKED:
        return true;
    default:
        return false;
    }
}

/* Only memory that is in no file can be forgotten, and no locked one. */
static bool advise_fits(const struct vma *vma, int advice)
{
    switch (advice) {
    case MADV_DONTNEED:
        return !(vma->flags & MAP_LOCKED);
    case MADV_FREE:
    case MADV_WIPEONFORK:
        return !vma->source;
    case MADV_POPULATE_READ:
        return vma->prot;
    case MADV_POPULATE_WRITE:
        return vma->prot & PROT_WRITE;
    default:
        return true;
    }
}

/* Which flags an area has then. */
static int advise_flags(int flags, int advice)
{
    switch (advice) {
    case MADV_DONTFORK:
        return flags | VMA_NO_FORK;
    case MADV_DOFORK:
        return flags & ~VMA_NO_FORK;
    case MADV_WIPEONFORK:
        return flags | VMA_WIPE_ON_FORK;
    case MADV_KEEPONFORK:
        return flags & ~VMA_WIPE_ON_FORK;
    default:
        return flags;
    }
}

/* Area by area, also behind holes, up to one that does not fit. */
static long advise_locked(struct mm *mm, vaddr_t start, vaddr_t end, int advice)
{
    const bool zap = advice == MADV_DONTNEED || advice == MADV_DONTNEED_LOCKED;
    const bool marks = advise_flags(0, advice) || ~advise_flags(~0, advice);
    struct vma *first = mm_find(mm, start);
    vaddr_t covered = start;
    long error = marks ? mm_cut(mm, start, end, &first) : 0;

    assert_held(&mm->lock);
    if (error) {
        return error; /* `first` may be one with the area below again */
    }
    for (struct vma *vma = first; vma && vma->start < end; vma = vma->above) {
        const vaddr_t from = vma->start > start ? vma->start : start;
        const vaddr_t to = vma->end < end ? vma->end : end;

        if (!advise_fits(vma, advice)) {
            error = -EINVAL;
            break;
        }
        covered = covered >= from ? to : covered; /* without a hole up to there */
        vma->flags = advise_flags(vma->flags, advice);
        if (zap) { /* read again, they are zero or the file's */
            mm_zap(mm, from, to);
        }
    }
    if (marks && first) {
        mm_merge(mm, first, end);
    }
    return !error && covered < end ? -ENOMEM : error;
}

long mm_advise(struct mm *mm, vaddr_t address, size_t size, int advice)
{
    vaddr_t end = align_up(address + size, PAGE_SIZE);
    long error;

    if (address & (PAGE_SIZE - 1) || size > USER_TOP || end < address || !advise_is_known(advice)) {
        return -EINVAL;
    }
    mutex_lock(&mm->lock);
    error = advise_locked(mm, address, end, advice);
    mutex_unlock(&mm->lock);
    if (!error && (advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE)) {
        error = mm_populate(mm, address, end) ? -EFAULT : 0;
    }
    return error;
}

/* Touching it would make no page: it is mapped, or its file has it (it may be another process's doing). */
static bool page_is_present(struct mm *mm, const struct vma *vma, vaddr_t at)
{
    const pte_t *entry = mm_pte(mm, at, false);
    bool (*has_page)(struct vma_source *, uint64_t) = vma->source ? vma->source->ops->has_page : NULL;

    if ((entry && *entry) || !vma->source) {
        return entry && *entry;
    }
    return !has_page || has_page(vma->source, vma->offset + ((at - vma->start) >> PAGE_SHIFT));
}

size_t mm_present(struct mm *mm, vaddr_t start, uint8_t *there, size_t count)
{
    const struct vma *vma;
    size_t done = 0;

    mutex_lock(&mm->lock);
    vma = mm_find(mm, start);
    while (vma && vma->start <= start && start < vma->end && done < count) {
        there[done++] = page_is_present(mm, vma, start);
        start += PAGE_SIZE;
    }
    mutex_unlock(&mm->lock);
    return done;
}
