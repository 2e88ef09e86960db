/*
 * mmap, munmap, mprotect, brk: changes to the areas (areas.c). (mremap: remap.c; madvise: advise.c.)
 *
 * Ranges are cut at their edges first (split), so that the work is done on whole vmas. All
 * errors are those of the man pages.
 */
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/kmalloc.h"
#include "mm/mm.h"

/* Cut `vma` in two at `address`, inside it. -ENOMEM. */
static long vma_split(struct mm *mm, struct vma *vma, vaddr_t address)
{
    struct vma *upper = mm->areas < AREAS_MAX ? kmalloc(sizeof(*upper)) : NULL;

    assert_held(&mm->lock);
    if (!upper) {
        return -ENOMEM;
    }
    *upper = *vma;
    upper->start = address;
    upper->offset += (address - vma->start) >> PAGE_SHIFT;
    vma_source_get(upper->source);
    vma->end = address;
    mm_insert_part(mm, vma, upper);
    return 0;
}

static bool vma_mergeable(const struct vma *low, const struct vma *high)
{
    return low->end == high->start && low->prot == high->prot && low->flags == high->flags &&
           low->source == high->source &&
           (!low->source || low->offset + ((low->end - low->start) >> PAGE_SHIFT) == high->offset);
}

void mm_merge(struct mm *mm, struct vma *vma, vaddr_t end)
{
    struct vma *next;

    assert_held(&mm->lock);
    vma = vma->below ? vma->below : vma;
    while (vma->start < end && (next = vma->above)) {
        if (vma_mergeable(vma, next)) {
            mm->pages += vma_pages(next);
            vma->end = next->end;
            mm_remove(mm, next);
            vma->touched |= next->touched;
            vma_source_put(next->source);
            kfree(next);
        } else {
            vma = next;
        }
    }
}

long mm_cut(struct mm *mm, vaddr_t start, vaddr_t end, struct vma **first)
{
    struct vma *vma = mm_find(mm, start);
    long error = 0;

    assert_held(&mm->lock);
    if (vma && vma->start < start) {
        error = vma_split(mm, vma, start);
        if (error) {
            return error;
        }
        vma = vma->above;
    }
    *first = vma;
    while (vma && vma->end < end) {
        vma = vma->above;
    }
    if (vma && vma->start < end && vma->end > end) {
        error = vma_split(mm, vma, end);
    }
    if (error) {
        mm_merge(mm, *first, start);
    }
    return error;
}

long mm_unmap_locked(struct mm *mm, vaddr_t start, vaddr_t end)
{
    uint64_t promised = 0;
    struct vma *vma;
    long error = mm_cut(mm, start, end, &vma);

    assert_held(&mm->lock);
    if (error) {
        return error;
    }
    while (vma && vma->start < end) {
        struct vma *next = vma->above;

        promised += vma_promise(vma, vma_pages(vma));
        if (vma->touched) {
            mm_zap(mm, vma->start, vma->end);
        }
        mm_remove(mm, vma);
        vma_source_put(vma->source);
        kfree(vma);
        vma = next;
    }
    commit_give(promised);
    return 0;
}

bool mm_range_ok(vaddr_t address, size_t size)
{
    return size <= USER_TOP && address <= USER_TOP - size;
}

bool mm_range_free(struct mm *mm, vaddr_t address, size_t size)
{
    struct vma *vma = mm_find(mm, address);

    assert_held(&mm->lock);
    return !vma || vma->start >= address + size;
}

uint64_t mm_mapped(struct mm *mm, vaddr_t start, vaddr_t end)
{
    uint64_t pages = 0;

    assert_held(&mm->lock);
    for (struct vma *vma = mm_find(mm, start); vma && vma->start < end; vma = vma->above) {
        pages += ((vma->end < end ? vma->end : end) - (vma->start > start ? vma->start : start)) >>
                 PAGE_SHIFT;
    }
    return pages;
}

/* Choose the address, or check the caller's; and say what comes next there, or is replaced. */
static inline long map_place(struct mm *mm, vaddr_t *address, size_t size, int flags, struct vma **above)
{
    assert_held(&mm->lock);
    if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
        if (*address & (PAGE_SIZE - 1)) {
            return -EINVAL;
        }
        if (!mm_range_ok(*address, size)) {
            return -ENOMEM;
        }
        if (*address < MMAP_MIN) {
            return -EPERM;
        }
        *above = mm_find(mm, *address);
        return flags & MAP_FIXED_NOREPLACE && *above && (*above)->start < *address + size ? -EEXIST : 0;
    }
    *address = align_down(*address, PAGE_SIZE);
    if (*address >= MMAP_MIN && mm_range_ok(*address, size)) {
        *above = mm_find(mm, *address);
        if (!*above || (*above)->start >= *address + size) {
            return 0;
        }
    }
    *address = mm_find_gap(mm, size, above);
    return *address ? 0 : -ENOMEM;
}

/* Not placed yet. NULL without memory. */
static struct vma *vma_create(size_t length, int prot, int flags, struct vma_source *source,
                              uint64_t offset)
{
    struct vma *vma = kmalloc(sizeof(*vma));

    if (vma) { /* the rest is set when it is placed */
        vma->end = length;
        vma->prot = prot;
        vma->flags = flags & VMA_FLAGS;
        vma->touched = false;
        vma->source = vma_source_get(source);
        vma->offset = offset;
    }
    return vma;
}

/* `vma` becomes part of `mm`. What MAP_FIXED replaces goes when nothing else can fail. (Inline: one of
 * the calls that programs make most.) */
static inline __attribute__((always_inline)) long map_locked(struct mm *mm, struct vma *vma,
                                                             vaddr_t address, int flags)
{
    const size_t length = vma->end;
    uint64_t pages = length >> PAGE_SHIFT, promise, replaced = 0;
    struct vma *above;
    long error = mm->areas > AREAS_MAX ? -ENOMEM : map_place(mm, &address, length, flags, &above);

    if (error) {
        return error;
    }
    if (flags & MAP_FIXED && above && above->start < address + length) {
        replaced = mm_mapped(mm, address, address + length);
    }
    promise = vma_promise(vma, pages);
    error = mm_charge(mm, pages - replaced, vma_is_data(vma->prot, vma->flags) ? pages : 0, promise);
    if (error) {
        return error;
    }
    error = replaced ? mm_unmap_locked(mm, address, address + length) : 0;
    if (error) {
        commit_give(promise);
        return error;
    }
    vma->start = address;
    vma->end = address + length;
    mm_insert(mm, vma, replaced ? mm_find(mm, address) : above);
    mm_merge(mm, vma, vma->end);
    return (long)address;
}

static void vma_free(struct vma *vma)
{
    if (vma) {
        vma_source_put(vma->source);
        kfree(vma);
    }
}

long mm_map(struct mm *mm, vaddr_t address, size_t size, int prot, int flags,
            struct vma_source *source, uint64_t offset)
{
    size_t length = align_up(size, PAGE_SIZE);
    struct vma *vma;
    long result;

    if (size == 0) {
        return -EINVAL;
    }
    if (length < size || length > USER_TOP) {
        return -ENOMEM;
    }
    if (source && offset > (INT64_MAX - length) >> PAGE_SHIFT) {
        return -EOVERFLOW; /* no file has such an end */
    }
    vma = vma_create(length, prot, flags, source, offset);
    if (!vma) {
        return -ENOMEM;
    }
    mutex_lock(&mm->lock);
    result = map_locked(mm, vma, address, flags);
    mutex_unlock(&mm->lock);
    if (result < 0) {
        vma_free(vma);
    }
    return result;
}

long mm_unmap(struct mm *mm, vaddr_t address, size_t size)
{
    size_t length = align_up(size, PAGE_SIZE);
    long error;

    if (address & (PAGE_SIZE - 1)) {
        return -EINVAL;
    }
    if (length == 0 || !mm_range_ok(address, length)) {
        return -EINVAL;
    }
    mutex_lock(&mm->lock);
    error = mm_unmap_locked(mm, address, address + length);
    mutex_unlock(&mm->lock);
    return error;
}

static long protect_vma(struct mm *mm, struct vma *vma, int prot)
{
    const uint64_t pages = vma_pages(vma), promised = vma_promise(vma, pages);
    const bool data = vma_is_data(prot, vma->flags) && !vma_is_data(vma->prot, vma->flags);
    const bool promise = vma_is_promise(prot, vma->flags);

    assert_held(&mm->lock);
    if (prot & PROT_WRITE && vma->flags & VMA_READ_ONLY) {
        return -EACCES;
    }
    if ((data || (promise && !promised)) &&
        mm_charge(mm, 0, data ? pages : 0, promise && !promised ? pages : 0)) {
        return -ENOMEM;
    }
    if (!promise) {
        commit_give(promised);
    }
    vma->prot = prot;
    if (vma->touched) {
        mm_apply_protection(mm, vma, vma->start, vma->end);
    }
    return 0;
}

/* Upwards as far as there is a mapping that allows it, as Linux does; then it says why not further. */
static long protect_locked(struct mm *mm, vaddr_t start, vaddr_t end, int prot)
{
    struct vma *first, *vma;
    vaddr_t at = start;
    long error;

    assert_held(&mm->lock);
    if (prot & PROT_GROWSDOWN) {
        vma = mm_find(mm, start);
        if (!vma || vma->start >= end) {
            return -ENOMEM;
        }
        if (!(vma->flags & MAP_GROWSDOWN)) {
            return -EINVAL;
        }
        at = start = vma->start;
    }
    error = mm_cut(mm, start, end, &first);
    if (error) {
        return error;
    }
    for (vma = first; !error && at < end; vma = vma->above) {
        if (!vma || vma->start > at) {
            error = -ENOMEM;
            break;
        }
        at = vma->end;
        error = protect_vma(mm, vma, prot & (PROT_READ | PROT_WRITE | PROT_EXEC));
    }
    if (first) {
        mm_merge(mm, first, end);
    }
    return error;
}

long mm_protect(struct mm *mm, vaddr_t address, size_t size, int prot)
{
    size_t length = align_up(size, PAGE_SIZE);
    long error;

    if (address & (PAGE_SIZE - 1)) {
        return -EINVAL;
    }
    if (size == 0) {
        return 0;
    }
    if (length == 0 || !mm_range_ok(address, length)) {
        return -ENOMEM;
    }
    if (prot & ~(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM | PROT_GROWSDOWN)) {
        return -EINVAL; /* also PROT_GROWSUP: nothing does */
    }
    mutex_lock(&mm->lock);
    error = protect_locked(mm, address, address + length, prot);
    mutex_unlock(&mm->lock);
    return error;
}

static long brk_locked(struct mm *mm, vaddr_t brk)
{
    vaddr_t old = align_up(mm->layout.brk, PAGE_SIZE), top = align_up(brk, PAGE_SIZE);

    assert_held(&mm->lock);
    if (brk < mm->layout.brk_start || !mm_range_ok(brk, PAGE_SIZE) ||
        brk - mm->layout.brk_start + (mm->layout.data_end - mm->layout.data_start) > mm_limits()[RLIMIT_DATA].soft) {
        return -ENOMEM;
    }
    if (top > old) {
        const int flags = MAP_PRIVATE | mm->lock_future;
        struct vma *vma = vma_create(top - old, PROT_READ | PROT_WRITE, flags, NULL, 0);
        long result = vma ? map_locked(mm, vma, old, MAP_FIXED_NOREPLACE) : -ENOMEM;

        if (result < 0) {
            kfree(vma);
        }
        return result;
    }
    return top < old ? mm_unmap_locked(mm, top, old) : 0;
}

long mm_brk(struct mm *mm, vaddr_t brk)
{
    vaddr_t old;
    long result;
    bool populate;

    mutex_lock(&mm->lock);
    old = mm->layout.brk;
    if (brk_locked(mm, brk) >= 0) {
        mm->layout.brk = brk;
    }
    result = (long)mm->layout.brk;
    populate = mm->lock_future & MAP_POPULATE;
    mutex_unlock(&mm->lock);
    if (populate) {
        mm_populate(mm, old, (vaddr_t)result);
    }
    return result;
}
