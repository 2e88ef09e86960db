/* What is mapped in a process (maps), and how much of it is there, and whose it is (smaps); proc(5). */
#include "fs/file.h"
#include "lib/errno.h"
#include "mm/kmalloc.h"
#include "mm/mm.h"
#include "mm/page.h"
#include "procfs/files.h"
#include "sched/task.h"

/* Pages of an area. A page is shared if it is mapped more than once; of those who share it each has a part. */
struct residence {
    uint64_t all, clean[2], dirty[2], referenced; /* [1]: shared */
    uint64_t parts;                               /* in bytes */
};

/* How often the page is mapped. Its source, which has it for whoever maps it next, holds a reference, too. */
static uint64_t page_mappings(const struct vma *vma, vaddr_t at, const struct page *page)
{
    struct page *of_source = NULL;

    if (vma->source) {
        of_source = vma->source->ops->get_page(vma->source, vma->offset + ((at - vma->start) >> PAGE_SHIFT));
    }
    if (of_source && !is_error(of_source)) {
        page_put(of_source);
    }
    return (uint64_t)page->references - (of_source == page);
}

static void residence_add(struct residence *residence, const struct vma *vma, vaddr_t at, pte_t entry)
{
    const uint64_t mappings = page_mappings(vma, at, phys_to_page(entry & PTE_ADDRESS));

    residence->all++;
    residence->referenced += !!(entry & PTE_ACCESSED);
    if (entry & PTE_DIRTY) {
        residence->dirty[mappings > 1]++;
    } else {
        residence->clean[mappings > 1]++;
    }
    residence->parts += PAGE_SIZE / (mappings ? mappings : 1);
}

static void show_residence(struct proc_text *text, struct mm *mm, const struct vma *vma)
{
    struct residence residence = {.all = 0};
    const pte_t *entry;

    for (vaddr_t at = vma->start; (entry = mm_next_page(mm, &at, vma->end)) != NULL; at += PAGE_SIZE) {
        residence_add(&residence, vma, at, *entry);
    }
    proc_print(text, "Size:           %8lu kB\nKernelPageSize: %8lu kB\nRss:            %8lu kB\nPss:            %8lu kB\n"
               "Shared_Clean:   %8lu kB\nShared_Dirty:   %8lu kB\nPrivate_Clean:  %8lu kB\nPrivate_Dirty:  %8lu kB\n"
               "Referenced:     %8lu kB\nLocked:         %8lu kB\n",
               vma_pages(vma) * 4, PAGE_SIZE / 1024, residence.all * 4, residence.parts / 1024,
               residence.clean[1] * 4, residence.dirty[1] * 4, residence.clean[0] * 4, residence.dirty[0] * 4,
               residence.referenced * 4, vma->flags & MAP_LOCKED ? residence.parts / 1024 : 0);
}

static void show_area(struct proc_text *text, struct mm *mm, const struct vma *vma, char *path)
{
    struct inode *inode = vma->source ? vma->source->ops->object(vma->source) : NULL;
    long length = inode ? path_of(inode, path, PATH_MAX) : 0;
    const char *name = "";

    if (length > 0) {
        name = path;
    } else if (length == -ERANGE) {
        name = "(a longer path)";
    } else if (vma->start <= mm->layout.stack_start && vma->end > mm->layout.stack_start) {
        name = "[stack]";
    } else if (vma->end > mm->layout.brk_start && vma->start <= mm->layout.brk && !inode) {
        name = "[heap]";
    }
    proc_print(text, "%08lx-%08lx %c%c%c%c %08lx 00:00 %-10lu %s\n", vma->start, vma->end,
               vma->prot & PROT_READ ? 'r' : '-',
               vma->prot & PROT_WRITE ? 'w' : '-',
               vma->prot & PROT_EXEC ? 'x' : '-',
               vma->flags & MAP_SHARED ? 's' : 'p',
               vma->offset * PAGE_SIZE, inode ? inode->number : 0, name);
}

static void show_areas(struct proc_text *text, struct task *task, bool with_residence)
{
    struct mm *mm = task_mm(task);
    char *path = kmalloc(PATH_MAX);

    text->error = path ? 0 : -ENOMEM;
    if (mm && path) {
        mutex_lock(&mm->lock);
        for (struct vma *vma = mm_find(mm, 0); vma; vma = vma->above) {
            show_area(text, mm, vma, path);
            if (with_residence) {
                show_residence(text, mm, vma);
            }
        }
        mutex_unlock(&mm->lock);
    }
    kfree(path);
    mm_put(mm);
}

void show_maps(struct proc_text *text, struct task *task)
{
    show_areas(text, task, false);
}

void show_smaps(struct proc_text *text, struct task *task)
{
    show_areas(text, task, true);
}
