/* Address spaces: made, copied, switched and taken down. */
#include "mm/mm.h"

#include "arch/cpu.h"
#include "arch/percpu.h"
#include "arch/smp.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/kmalloc.h"
#include "mm/page.h"

struct mm *mm_create(void)
{
    struct mm *mm = kzalloc(sizeof(*mm));
    struct page *page = mm ? page_alloc(0) : NULL;

    if (!page) {
        kfree(mm);
        return NULL;
    }
    mm->users = 1;
    mm->id = mm_new_id();
    mm->pml4 = page_to_virt(page);
    memset(mm->pml4, 0, PAGE_SIZE / 2);
    memcpy(mm->pml4 + 256, paging_kernel_pml4 + 256, PAGE_SIZE / 2);
    return mm;
}

struct mm *mm_clone(struct mm *from)
{
    struct mm *mm = mm_create();
    bool failed = false;

    if (!mm) {
        return NULL;
    }
    mutex_lock(&from->lock);
    for (struct vma *old = mm_find(from, 0); old && !failed; old = old->above) {
        struct vma *vma;

        if (old->flags & VMA_NO_FORK) {
            continue;
        }
        vma = kmalloc(sizeof(*vma));
        if (!vma || !commit_take(vma_promise(old, vma_pages(old)))) {
            kfree(vma);
            failed = true;
            break;
        }
        *vma = *old;
        vma->flags &= ~MAP_LOCKED; /* fork(2): locks are not inherited */
        vma_source_get(vma->source);
        mm_insert(mm, vma, NULL); /* they come from the lowest to the highest */
        failed = vma->touched && !(vma->flags & VMA_WIPE_ON_FORK) && mm_copy_range(mm, from, vma) != 0;
    }
    mm->layout = from->layout;
    mm->secret = from->secret;
    mm->executable = from->executable;
    executable_get(mm->executable);
//@lab 1 flush begin
    mm_flush_all(from); /* its pages are read-only now */
//@lab 1 flush stub
//|     /* Lab 1, step 4: the CPUs still know the old, writable entries. */
//@lab 1 flush end
    mutex_unlock(&from->lock);
    if (failed) {
        mm_put(mm);
        return NULL;
    }
    return mm;
}

/* Give back page tables that this CPU has borrowed. */
static void mm_unload(void *mm)
{
    if (this_cpu(active_mm) == mm) {
        mm_switch(NULL);
    }
}

struct mm *mm_get(struct mm *mm)
{
    ref_get(&mm->users);
    return mm;
}

void mm_put(struct mm *mm)
{
    struct vma *vma;

    if (!mm || !ref_put(&mm->users)) {
        return;
    }
    preempt_disable();
    mm_unload(mm);
    smp_call(__atomic_load_n(&mm->cpus, __ATOMIC_SEQ_CST), mm_unload, mm); /* idle CPUs have it */
    preempt_enable();
    executable_put(mm->executable);
    while ((vma = mm->highest)) {
        mm->highest = vma->below;
        if (vma->touched) {
            mm_zap(mm, vma->start, vma->end);
        }
        commit_give(vma_promise(vma, vma_pages(vma)));
        vma_source_put(vma->source);
        kfree(vma);
    }
    page_put(virt_to_page(mm->pml4));
    kfree(mm);
}

void mm_switch(struct mm *next)
{
    struct mm *prev = this_cpu(active_mm);
    uint64_t bit = 1ul << this_cpu(id);

    debug_assert(this_cpu(preempt_count) > 0 || !irq_enabled());
    /* In this order: whoever changes an entry and then sees no bit knows that the tables will be
     * loaded after the change. */
    if (next) {
        __atomic_fetch_or(&next->cpus, bit, __ATOMIC_SEQ_CST);
    }
    this_cpu(active_mm) = next;
    write_cr3(virt_to_phys(next ? next->pml4 : paging_kernel_pml4));
    if (prev) {
        __atomic_fetch_and(&prev->cpus, ~bit, __ATOMIC_SEQ_CST);
    }
}

void mm_zap_object(struct mm *mm, const void *object, uint64_t first)
{
    mutex_lock(&mm->lock);
    for (struct vma *vma = mm_find(mm, 0); vma; vma = vma->above) {
        vaddr_t start = vma->start;

        if (!vma->source || vma->source->ops->object(vma->source) != object) {
            continue;
        }
        if (first > vma->offset) {
            start += (first - vma->offset) << PAGE_SHIFT;
        }
        if (start < vma->end) {
            mm_zap(mm, start, vma->end);
        }
    }
    mutex_unlock(&mm->lock);
}

long mm_shared_id(struct mm *mm, vaddr_t address, uint64_t *id, uint64_t *place)
{
    struct vma *vma;
    long error = -EFAULT;

    mutex_lock(&mm->lock);
    vma = mm_find(mm, address);
    if (!vma || vma->start > address) {
        goto out;
    }
    /* A private page that cannot be written to is the file's. */
    if (vma->source && (vma->flags & MAP_SHARED || !(vma->prot & PROT_WRITE))) {
        *id = vma->source->id;
        *place = address - vma->start + (vma->offset << PAGE_SHIFT);
    } else if (!(vma->prot & PROT_WRITE)) {
        goto out;
    }
    error = 0;
out:
    mutex_unlock(&mm->lock);
    return error;
}

uint64_t mm_new_id(void)
{
    static uint64_t last;

    return __atomic_add_fetch(&last, 4, __ATOMIC_RELAXED);
}
