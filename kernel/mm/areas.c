/*
 * The areas (vmas) of an address space: a tree by address, in which a gap is found without a walk.
 *
 * Each area knows the gap below it, and the largest of those in the tree from it on. So the way to
 * the highest gap that is large enough leads down the tree once: to the right where one is there, else
 * to the left.
 */
#include "lib/log.h"
#include "mm/mm.h"

static struct vma *area_of(struct rb_node *node)
{
    return node ? rb_entry(node, struct vma, node) : NULL;
}

/* Where a gap below `vma` ends: a stack has room to grow. */
static vaddr_t gap_end(const struct vma *vma)
{
    vaddr_t end = vma->start;

    if (vma->flags & MAP_GROWSDOWN) {
        end -= end > STACK_GUARD ? STACK_GUARD : 0;
    }
    return end < MMAP_TOP ? end : MMAP_TOP;
}

/* Measure the gap between the neighbours again. Either may be missing. */
static void gap_set(const struct vma *below, struct vma *above)
{
    if (above) {
        vaddr_t start = below ? below->end : MMAP_MIN, end = gap_end(above);

        above->gap = start < end ? end - start : 0;
    }
}

static void gap_sum(struct rb_node *node)
{
    struct vma *vma = area_of(node);
    const struct vma *left = area_of(vma->node.left), *right = area_of(vma->node.right);
    uint64_t largest = vma->gap;

    if (left && left->largest_gap > largest) {
        largest = left->largest_gap;
    }
    if (right && right->largest_gap > largest) {
        largest = right->largest_gap;
    }
    vma->largest_gap = largest;
}

/* Something has changed at `node`, and so for all whose trees it is in. NULL is fine. */
static void gap_changed(struct rb_node *node)
{
    for (; node; node = node->parent) {
        gap_sum(node);
    }
}

/* They are neighbours now. Either may be missing. */
static void areas_join(struct mm *mm, struct vma *below, struct vma *above)
{
    if (below) {
        below->above = above;
    }
    if (above) {
        above->below = below;
    } else {
        mm->highest = below;
    }
    gap_set(below, above);
}

/* The place in the tree between two neighbours: below the one that has no child on that side. */
static inline struct rb_node **areas_place(struct mm *mm, struct vma *below, struct vma *above,
                                           struct rb_node **parent)
{
    if (below && !below->node.right) {
        *parent = &below->node;
        return &below->node.right;
    }
    *parent = above ? &above->node : NULL; /* the leftmost of what is to the right of `below` */
    return above ? &above->node.left : &mm->vmas.node;
}

void mm_insert(struct mm *mm, struct vma *vma, struct vma *above)
{
    struct vma *below = above ? above->below : mm->highest;
    struct rb_node *parent, **link = areas_place(mm, below, above, &parent);

    debug_assert((!below || below->end <= vma->start) && (!above || vma->end <= above->start));
    areas_join(mm, below, vma);
    areas_join(mm, vma, above);
    rb_insert_summed(&mm->vmas, &vma->node, parent, link, gap_sum);
    gap_changed(&vma->node); /* `above` is above it in the tree, too, or was rotated down */
    mm->pages += vma_pages(vma);
    mm->areas++;
}

void mm_insert_part(struct mm *mm, struct vma *vma, struct vma *upper)
{
    struct vma *above = vma->above;
    struct rb_node *parent, **link = areas_place(mm, vma, above, &parent);

    assert_held(&mm->lock);
    debug_assert(vma->end == upper->start);
    areas_join(mm, upper, above);
    areas_join(mm, vma, upper);
    upper->largest_gap = 0;
    rb_insert_summed(&mm->vmas, &upper->node, parent, link, gap_sum);
}

void mm_remove(struct mm *mm, struct vma *vma)
{
    assert_held(&mm->lock);
    areas_join(mm, vma->below, vma->above);
    gap_changed(rb_remove_summed(&mm->vmas, &vma->node, gap_sum)); /* on the way to the root is vma->above */
    mm->pages -= vma_pages(vma);
    mm->areas--;
    if (mm->recent == vma) {
        mm->recent = NULL;
    }
}

void mm_resize(struct mm *mm, struct vma *vma, vaddr_t start, vaddr_t end)
{
    assert_held(&mm->lock);
    mm->pages -= vma_pages(vma);
    vma->start = start;
    vma->end = end;
    mm->pages += vma_pages(vma);
    gap_set(vma->below, vma);
    gap_set(vma, vma->above);
    gap_changed(&vma->node);
    if (vma->above) {
        gap_changed(&vma->above->node);
    }
}

struct vma *mm_find(struct mm *mm, vaddr_t address)
{
    struct rb_node *node = mm->vmas.node;
    struct vma *found = mm->recent;

    if (found && address >= found->start && address < found->end) {
        return found;
    }
    found = NULL;
    while (node) {
        struct vma *vma = area_of(node);

        if (address < vma->end) {
            found = vma;
            if (address >= vma->start) {
                mm->recent = vma;
                break;
            }
            node = node->left;
        } else {
            node = node->right;
        }
    }
    return found;
}

vaddr_t mm_find_gap(struct mm *mm, size_t size, struct vma **above)
{
    struct vma *vma = area_of(mm->vmas.node), *right;
    vaddr_t top = mm->highest ? mm->highest->end : MMAP_MIN;

    assert_held(&mm->lock);
    if (top < MMAP_TOP && MMAP_TOP - top >= size) {
        *above = NULL;
        return MMAP_TOP - size;
    }
    if (!vma || vma->largest_gap < size) {
        return 0;
    }
    for (;;) {
        right = area_of(vma->node.right);
        if (right && right->largest_gap >= size) {
            vma = right;
        } else if (vma->gap >= size) {
            *above = vma;
            return gap_end(vma) - size;
        } else {
            vma = area_of(vma->node.left);
        }
    }
}
