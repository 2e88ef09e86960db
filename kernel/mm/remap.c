/*
 * mremap: a mapping that grows, shrinks or moves. A move is prepared until nothing can fail any more:
 * either all of it happens or nothing.
 */
#include "lib/errno.h"
#include "mm/kmalloc.h"
#include "mm/mm.h"

enum { MREMAP_MAYMOVE = 1, MREMAP_FIXED = 2, MREMAP_DONTUNMAP = 4 };

/* `pages` more of what `vma` is; `replaced` others go. */
static long charge_like(struct mm *mm, const struct vma *vma, uint64_t pages, uint64_t replaced)
{
    return mm_charge(mm, pages > replaced ? pages - replaced : 0,
                     vma_is_data(vma->prot, vma->flags) ? pages : 0,
                     vma_promise(vma, pages));
}

/* All of [old, old + old_size) has moved and is one vma. What was promised for it stays so for the new
 * one, but for what that is shorter. */
static void unmap_moved(struct mm *mm, struct vma *vma, size_t size)
{
    const size_t old_size = vma->end - vma->start;

    if (size < old_size) {
        commit_give(vma_promise(vma, (old_size - size) >> PAGE_SHIFT));
    }
    vma->flags |= MAP_NORESERVE;
    mm_unmap_locked(mm, vma->start, vma->end);
}

static long remap_move(struct mm *mm, struct vma *vma, vaddr_t old, size_t old_size, size_t size,
                       int flags, vaddr_t to)
{
    const bool keeps = flags & MREMAP_DONTUNMAP, fixed = flags & MREMAP_FIXED;
    const size_t moved_size = size < old_size ? size : old_size;
    const uint64_t grown = (keeps ? size : size - moved_size) >> PAGE_SHIFT;
    struct vma *moved = kmalloc(sizeof(*moved)), *left = NULL, *above;
    long error = -ENOMEM;

    if (!moved) {
        return -ENOMEM;
    }
    *moved = *vma;
    moved->offset += (old - vma->start) >> PAGE_SHIFT;
    if (mm->areas >= AREAS_MAX || charge_like(mm, moved, grown, fixed ? mm_mapped(mm, to, to + size) : 0)) {
        goto out_free;
    }
    if (!fixed) {
        to = mm_find_gap(mm, size, &above);
    }
    if (!to || mm_reserve_tables(mm, old, to, moved_size)) {
        goto out_charge;
    }
    if (!keeps && mm_cut(mm, old, old + old_size, &left)) {
        goto out_tables;
    }
    if (fixed && mm_unmap_locked(mm, to, to + size)) {
        goto out_cut;
    }
    moved->start = to;
    moved->end = to + size;
    vma_source_get(moved->source);
    mm_insert(mm, moved, mm_find(mm, to));
    mm_move_pages(mm, old, to, moved_size);
    if (left) {
        unmap_moved(mm, left, size);
    }
    return (long)to;
out_cut:
    if (left) {
        mm_merge(mm, left, old + old_size);
    }
out_tables:
    mm_unreserve_tables(mm, old, to, moved_size);
out_charge:
    commit_give(vma_promise(moved, grown));
out_free:
    kfree(moved);
    return error;
}

static long remap_locked(struct mm *mm, vaddr_t old, size_t old_size, size_t size, int flags,
                         vaddr_t fixed)
{
    struct vma *vma = mm_find(mm, old);
    const bool moves = flags & (MREMAP_FIXED | MREMAP_DONTUNMAP);

    if (!vma || vma->start > old || vma->end - old < old_size) {
        return -EFAULT;
    }
    if (size <= old_size && !moves) {
        long error = size < old_size ? mm_unmap_locked(mm, old + size, old + old_size) : 0;

        return error ? error : (long)old;
    }
    if (!moves && vma->end == old + old_size && mm_range_ok(old, size) &&
        mm_range_free(mm, vma->end, size - old_size)) {
        const uint64_t grown = (size - old_size) >> PAGE_SHIFT;

        if (charge_like(mm, vma, grown, 0)) {
            return -ENOMEM;
        }
        mm_resize(mm, vma, vma->start, old + size);
        return (long)old;
    }
    return flags & MREMAP_MAYMOVE ? remap_move(mm, vma, old, old_size, size, flags, fixed) : -ENOMEM;
}

long mm_remap(struct mm *mm, vaddr_t old, size_t old_size, size_t size, int flags, vaddr_t fixed)
{
    const bool moves = flags & (MREMAP_FIXED | MREMAP_DONTUNMAP);
    long result;

    old_size = align_up(old_size, PAGE_SIZE);
    size = align_up(size, PAGE_SIZE);
    if (old & (PAGE_SIZE - 1) || size == 0 || old_size == 0 ||
        flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP) ||
        (moves && !(flags & MREMAP_MAYMOVE)) || (flags & MREMAP_DONTUNMAP && size != old_size) ||
        ((flags & MREMAP_FIXED) &&
         (fixed & (PAGE_SIZE - 1) || fixed < MMAP_MIN || !mm_range_ok(fixed, size) ||
          (fixed < old + old_size && old < fixed + size)))) {
        return -EINVAL;
    }
    if (!mm_range_ok(old, old_size)) {
        return -EFAULT;
    }
    mutex_lock(&mm->lock);
    result = remap_locked(mm, old, old_size, size, flags, fixed);
    mutex_unlock(&mm->lock);
    if (result > 0 && size > old_size && mm_locked_pages(mm, (vaddr_t)result, (vaddr_t)result + size)) {
        mm_populate(mm, (vaddr_t)result + old_size, (vaddr_t)result + size);
    }
    return result;
}
