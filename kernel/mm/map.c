/*
 * mmap, munmap, mprotect, brk, mremap, madvise: changes to the list of vmas.
 *
 * Ranges are cut at their edges first (split), so that the work is done on whole vmas. All
 * errors are those of the man pages.
 */
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/kmalloc.h"
#include "mm/mm.h"

void mm_insert(struct mm *mm, struct vma *vma)
{
    struct rb_node **link = &mm->vmas.node, *parent = NULL;

    while (*link) {
        parent = *link;
        link = vma->start < rb_entry(parent, struct vma, node)->start ? &parent->left
                                                                      : &parent->right;
    }
    rb_insert(&mm->vmas, &vma->node, parent, link);
    mm->pages += (vma->end - vma->start) >> PAGE_SHIFT;
}

static void remove(struct mm *mm, struct vma *vma)
{
    rb_remove(&mm->vmas, &vma->node);
    mm->pages -= (vma->end - vma->start) >> PAGE_SHIFT;
    if (mm->recent == vma) {
        mm->recent = NULL;
    }
}

/* Cut `vma` in two at `address`, inside it. -ENOMEM. */
static long split(struct mm *mm, struct vma *vma, vaddr_t address)
{
    struct vma *upper = kmalloc(sizeof(*upper));

    if (!upper) {
        return -ENOMEM;
    }
    *upper = *vma;
    upper->start = address;
    upper->offset += (address - vma->start) >> PAGE_SHIFT;
    vma_source_get(upper->source);
    mm->pages -= (vma->end - address) >> PAGE_SHIFT;
    vma->end = address;
    mm_insert(mm, upper);
    return 0;
}

static bool mergeable(const struct vma *low, const struct vma *high)
{
    return low->end == high->start && low->prot == high->prot && low->flags == high->flags &&
           low->source == high->source &&
           (!low->source || low->offset + ((low->end - low->start) >> PAGE_SHIFT) == high->offset);
}

/* Join the vmas from the one before `start` to the one at `end` where they are alike. */
static void merge(struct mm *mm, vaddr_t start, vaddr_t end)
{
    struct vma *vma = mm_find(mm, start ? start - 1 : 0), *next;

    while (vma && vma->start <= end && (next = vma_next(vma))) {
        if (mergeable(vma, next)) {
            vaddr_t limit = next->end;

            remove(mm, next);
            mm->pages += (limit - vma->end) >> PAGE_SHIFT;
            vma->end = limit;
            vma_source_put(next->source);
            kfree(next);
        } else {
            vma = next;
        }
    }
}

/* Make vma edges at `start` and `end`. The first vma at or above start in *first. -ENOMEM: as before. */
static long cut(struct mm *mm, vaddr_t start, vaddr_t end, struct vma **first)
{
    struct vma *vma = mm_find(mm, start);
    long error = 0;

    if (vma && vma->start < start) {
        error = split(mm, vma, start);
        if (error) {
            return error;
        }
        vma = vma_next(vma);
    }
    *first = vma;
    while (vma && vma->end < end) {
        vma = vma_next(vma);
    }
    if (vma && vma->start < end && vma->end > end) {
        error = split(mm, vma, end);
    }
    if (error) {
        merge(mm, start, start);
    }
    return error;
}

long mm_unmap_locked(struct mm *mm, vaddr_t start, vaddr_t end)
{
    struct vma *vma;
    long error = cut(mm, start, end, &vma);

    if (error) {
        return error;
    }
    while (vma && vma->start < end) {
        struct vma *next = vma_next(vma);

        mm_zap(mm, vma->start, vma->end);
        remove(mm, vma);
        vma_source_put(vma->source);
        kfree(vma);
        vma = next;
    }
    return 0;
}

static bool range_ok(vaddr_t address, size_t size)
{
    return size <= USER_TOP && address <= USER_TOP - size;
}

/* The highest gap below MMAP_TOP. 0: none. */
vaddr_t mm_find_gap(struct mm *mm, size_t size)
{
    vaddr_t top = MMAP_TOP;
    struct vma *vma = mm_find(mm, top - 1);
    struct rb_node *node;

    if (vma && vma->start < top) {
        top = vma->start;
    }
    node = vma ? rb_prev(&vma->node) : rb_last(&mm->vmas);
    for (; node; node = rb_prev(node)) {
        struct vma *below = rb_entry(node, struct vma, node);

        if (below->end <= top && top - below->end >= size) {
            return top - size;
        }
        top = below->start < top ? below->start : top;
    }
    return top >= size + MMAP_MIN ? top - size : 0;
}

static bool range_free(struct mm *mm, vaddr_t address, size_t size)
{
    struct vma *vma = mm_find(mm, address);

    return !vma || vma->start >= address + size;
}

static long place(struct mm *mm, vaddr_t *address, size_t size, int flags)
{
    if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
        if (*address & (PAGE_SIZE - 1)) {
            return -EINVAL;
        }
        if (!range_ok(*address, size)) {
            return -ENOMEM;
        }
        if (*address < MMAP_MIN) {
            return -EPERM;
        }
        if (flags & MAP_FIXED_NOREPLACE) {
            return range_free(mm, *address, size) ? 0 : -EEXIST;
        }
        return mm_unmap_locked(mm, *address, *address + size);
    }
    *address = align_down(*address, PAGE_SIZE);
    if (*address < MMAP_MIN || !range_ok(*address, size) || !range_free(mm, *address, size)) {
        *address = mm_find_gap(mm, size);
    }
    return *address ? 0 : -ENOMEM;
}

long mm_map(struct mm *mm, vaddr_t address, size_t size, int prot, int flags,
            struct vma_source *source, uint64_t offset)
{
    size_t length = align_up(size, PAGE_SIZE);
    struct vma *vma;
    long error;

    if (size == 0) {
        return -EINVAL;
    }
    if (length < size || length > USER_TOP) {
        return -ENOMEM;
    }
    vma = kmalloc(sizeof(*vma));
    if (!vma) {
        return -ENOMEM;
    }
    mutex_lock(&mm->lock);
    error = mm->pages + (length >> PAGE_SHIFT) > mm->limit_pages ? -ENOMEM
                                                                 : place(mm, &address, length, flags);
    if (!error) {
        *vma = (struct vma){.start = address, .end = address + length, .prot = prot,
                            .flags = flags & (MAP_SHARED | MAP_PRIVATE | MAP_GROWSDOWN |
                                              VMA_READ_ONLY),
                            .source = vma_source_get(source), .offset = offset};
        mm_insert(mm, vma);
        merge(mm, address, address + length);
        vma = NULL;
    }
    mutex_unlock(&mm->lock);
    kfree(vma);
    return error ? error : (long)address;
}

long mm_unmap(struct mm *mm, vaddr_t address, size_t size)
{
    size_t length = align_up(size, PAGE_SIZE);
    long error;

    if (address & (PAGE_SIZE - 1) || length == 0 || !range_ok(address, length)) {
        return -EINVAL;
    }
    mutex_lock(&mm->lock);
    error = mm_unmap_locked(mm, address, address + length);
    mutex_unlock(&mm->lock);
    return error;
}

/* Is [start, end) mapped without a hole? Lock held. */
static bool covered(struct mm *mm, vaddr_t start, vaddr_t end)
{
    struct vma *vma = mm_find(mm, start);

    while (vma && vma->start <= start && start < end) {
        start = vma->end;
        vma = vma_next(vma);
    }
    return start >= end;
}

long mm_protect(struct mm *mm, vaddr_t address, size_t size, int prot)
{
    size_t length = align_up(size, PAGE_SIZE);
    vaddr_t end = address + length;
    struct vma *vma;
    long error;

    if (address & (PAGE_SIZE - 1) || prot & ~(PROT_READ | PROT_WRITE | PROT_EXEC)) {
        return -EINVAL;
    }
    if (length == 0) {
        return size ? -ENOMEM : 0;
    }
    if (!range_ok(address, length)) {
        return -ENOMEM;
    }
    mutex_lock(&mm->lock);
    error = covered(mm, address, end) ? cut(mm, address, end, &vma) : -ENOMEM;
    if (!error) {
        for (; vma && vma->start < end; vma = vma_next(vma)) {
            if (prot & PROT_WRITE && vma->flags & VMA_READ_ONLY) {
                error = -EACCES;
                break;
            }
            vma->prot = prot;
            mm_write_protect(mm, vma, vma->start, vma->end);
        }
        merge(mm, address, end);
    }
    mutex_unlock(&mm->lock);
    return error;
}

long mm_brk(struct mm *mm, vaddr_t brk)
{
    vaddr_t old = align_up(mm->brk, PAGE_SIZE), top = align_up(brk, PAGE_SIZE);
    long result;

    if (brk < mm->brk_start || !range_ok(brk, PAGE_SIZE) ||
        brk - mm->brk_start > mm->limit_data) {
        return (long)mm->brk;
    }
    if (top > old) {
        result = mm_map(mm, old, top - old, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_FIXED_NOREPLACE, NULL, 0);
        if (result < 0) {
            return (long)mm->brk;
        }
    } else if (top < old && mm_unmap(mm, top, old - top)) {
        return (long)mm->brk;
    }
    mm->brk = brk;
    return (long)brk;
}

enum { MREMAP_MAYMOVE = 1, MREMAP_FIXED = 2 };

static long remap_locked(struct mm *mm, vaddr_t old, size_t old_size, size_t size, int flags,
                         vaddr_t fixed)
{
    struct vma *vma = mm_find(mm, old), *moved, *first;
    vaddr_t to = fixed;
    long error;

    if (!vma || vma->start > old || vma->end < old + old_size) {
        return -EFAULT;
    }
    if (size <= old_size && !(flags & MREMAP_FIXED)) {
        error = size < old_size ? mm_unmap_locked(mm, old + size, old + old_size) : 0;
        return error ? error : (long)old;
    }
    if (mm->pages + ((size - old_size) >> PAGE_SHIFT) > mm->limit_pages) {
        return -ENOMEM;
    }
    if (!(flags & MREMAP_FIXED) && vma->end == old + old_size &&
        range_ok(old, size) && range_free(mm, vma->end, size - old_size)) {
        mm->pages += (size - old_size) >> PAGE_SHIFT;
        vma->end = old + size;
        return (long)old;
    }
    if (!(flags & MREMAP_MAYMOVE)) {
        return -ENOMEM;
    }
    if (flags & MREMAP_FIXED) {
        error = mm_unmap_locked(mm, to, to + size);
        if (error) {
            return error;
        }
    } else {
        to = mm_find_gap(mm, size);
    }
    moved = kmalloc(sizeof(*moved));
    if (!to || !moved || cut(mm, old, old + old_size, &first)) {
        kfree(moved);
        return -ENOMEM;
    }
    *moved = *first;
    moved->start = to;
    moved->end = to + size;
    vma_source_get(moved->source);
    mm_insert(mm, moved);
    mm_move_pages(mm, old, to, old_size < size ? old_size : size);
    mm_unmap_locked(mm, old, old + old_size);
    return (long)to;
}

long mm_remap(struct mm *mm, vaddr_t old, size_t old_size, size_t size, int flags, vaddr_t fixed)
{
    long result;

    old_size = align_up(old_size, PAGE_SIZE);
    size = align_up(size, PAGE_SIZE);
    if (old & (PAGE_SIZE - 1) || size == 0 || flags & ~3 || old_size == 0 ||
        ((flags & MREMAP_FIXED) &&
         (!(flags & MREMAP_MAYMOVE) || fixed & (PAGE_SIZE - 1) || fixed < MMAP_MIN ||
          !range_ok(fixed, size) || (fixed < old + old_size && old < fixed + size)))) {
        return -EINVAL;
    }
    if (!range_ok(old, old_size) || size > USER_TOP) {
        return -EFAULT;
    }
    mutex_lock(&mm->lock);
    result = remap_locked(mm, old, old_size, size, flags, fixed);
    mutex_unlock(&mm->lock);
    return result;
}

long mm_advise(struct mm *mm, vaddr_t address, size_t size, int advice)
{
    vaddr_t end = align_up(address + size, PAGE_SIZE);
    long error = 0;

    if (address & (PAGE_SIZE - 1) || size > USER_TOP || end < address || advice < 0 || (advice > 4 && advice < 8) ||
        advice > 25) {
        return -EINVAL;
    }
    mutex_lock(&mm->lock);
    if (!covered(mm, address, end)) {
        error = -ENOMEM;
    }
    if (advice == 4) { /* MADV_DONTNEED: read again, they are zero or the file's */
        for (struct vma *vma = mm_find(mm, address); vma && vma->start < end; vma = vma_next(vma)) {
            mm_zap(mm, vma->start > address ? vma->start : address,
                   vma->end < end ? vma->end : end);
        }
    }
    mutex_unlock(&mm->lock);
    return error;
}
