/*
 * Address spaces. A `struct mm` is shared by the tasks of one process (CLONE_VM).
 *
 * User half of one:
 *     0x400000        program text, data, bss
 *     brk             heap, upwards
 *     mmap_top        mappings, downwards
 *     STACK_TOP       the stack, downwards to its limit
 */
#ifndef MM_MM_H
#define MM_MM_H
#include "arch/paging.h"
#include "lib/mutex.h"
#include "lib/rlimit.h"
#include "mm/vma.h"

#define STACK_TOP 0x7ffffffff000ul
#define MMAP_TOP (STACK_TOP - (1ul << 30))
#define MMAP_MIN 0x10000ul
#define STACK_GUARD (256 * PAGE_SIZE)

/* Where exec has put things: for brk, limits and /proc; a fork copies it. */
struct mm_layout {
    vaddr_t brk_start, brk;
    vaddr_t data_start, data_end, stack_start;
    vaddr_t arg_start, arg_end;
};

struct mm {
    int users;          /* atomic */
    uint64_t id;        /* never another's; see vma_source */
    uint64_t cpus;      /* atomic: the CPUs that have its page tables loaded, used or borrowed */
    struct mutex lock;  /* protects all below; may be taken by a page fault, so the one who
                           holds it touches no user memory. Below it: a file's pages_lock, mm's
                           spinlocks */
    pte_t *pml4;
    struct rb_root vmas;
    struct vma *recent; /* the last one found */
    uint64_t pages;     /* mapped by vmas */
    uint64_t resident;  /* of these, that have a page */
    struct mm_layout layout;
    struct inode *executable; /* set by exec; kept from being written to */
};

struct mm *mm_create(void);        /* empty, one user; NULL without memory */
struct mm *mm_clone(struct mm *mm); /* for fork: copy on write; NULL without memory */
struct mm *mm_get(struct mm *mm);
void mm_put(struct mm *mm); /* the last user frees everything. May sleep. NULL is fine */
/* Load the page tables of `next` (NULL: any will do) on this CPU. */
void mm_switch(struct mm *next);
/* Upcalls, defined in process/exec.c: one more address space runs it, one fewer does. NULL is fine. */
void executable_get(struct inode *inode);
void executable_put(struct inode *inode);

/* Upcall, defined in sched/task.c: the caller's limits by RLIMIT_*; its soft ones bound what it maps. */
const struct rlimit *mm_limits(void);

/* The rest locks mm->lock itself, but for mm_find. */
/* Lengths are rounded up to pages. An address, or -EINVAL, -ENOMEM, -EEXIST. */
long mm_map(struct mm *mm, vaddr_t address, size_t size, int prot, int flags,
            struct vma_source *source, uint64_t offset);
long mm_unmap(struct mm *mm, vaddr_t address, size_t size);
long mm_protect(struct mm *mm, vaddr_t address, size_t size, int prot);
long mm_brk(struct mm *mm, vaddr_t brk);
long mm_remap(struct mm *mm, vaddr_t old, size_t old_size, size_t size, int flags, vaddr_t fixed);
long mm_advise(struct mm *mm, vaddr_t address, size_t size, int advice);
/* Unmap the pages from `first` on of what maps `object` (a file that was cut). */
void mm_zap_object(struct mm *mm, const void *object, uint64_t first);
/* Resolve a fault: 0, -EFAULT (*code: 1 no mapping, 2 no permission), -EIO (SIGBUS), -ENOMEM. */
long mm_fault(struct mm *mm, vaddr_t address, uint64_t error, int *code);
/* By what all know `address` who may have its memory, too: the id of a source and the place in it;
 * or *id is left alone, if nobody has. -EFAULT: a page of its own, and read-only (as Linux). */
long mm_shared_id(struct mm *mm, vaddr_t address, uint64_t *id, uint64_t *place);
/* The physical address behind a user address, its page made if need be and referenced; valid up to the
 * page's end. 0: none, or the mapping does not allow it. */
paddr_t mm_pin(struct mm *mm, vaddr_t address, bool write);

/* The vma that holds `address`, or the next above it; lock held. */
struct vma *mm_find(struct mm *mm, vaddr_t address);
static inline struct vma *vma_next(struct vma *vma)
{
    struct rb_node *node = rb_next(&vma->node);

    return node ? rb_entry(node, struct vma, node) : NULL;
}

/*
 * Between the files of mm; lock held.
 *
 * An entry of level 0 is 0, or it has a page and is present, or it has a page that nobody may use
 * because its mapping is PROT_NONE now: not present, neither for user mode nor for the kernel's copies.
 */
#define PTE_HIDDEN PTE_SOFT1
pte_t *mm_pte(struct mm *mm, vaddr_t address, bool create); /* table.c */
void mm_table_used(pte_t *entry, int change);
void mm_zap(struct mm *mm, vaddr_t start, vaddr_t end);
long mm_copy_range(struct mm *to, struct mm *from, struct vma *vma);
/* Forget what the TLBs of all CPUs hold of the range; changed or freed entries come before. */
void mm_flush(struct mm *mm, vaddr_t start, vaddr_t end);
static inline void mm_flush_all(struct mm *mm)
{
    mm_flush(mm, 0, USER_TOP);
}

/* commit.c: may `mm` have these pages more, in all, as data, and as a promise (which is made)? -ENOMEM */
long mm_charge(struct mm *mm, uint64_t pages, uint64_t data, uint64_t promised);
void mm_apply_protection(struct mm *mm, struct vma *vma, vaddr_t start, vaddr_t end);
uint64_t vma_page_flags(const struct vma *vma); /* not PROT_NONE's */
/* Tables for all pages of a range to move to `to`: -ENOMEM, with nothing changed. table.c */
long mm_reserve_tables(struct mm *mm, vaddr_t from, vaddr_t to, size_t size);
void mm_unreserve_tables(struct mm *mm, vaddr_t from, vaddr_t to, size_t size);
void mm_move_pages(struct mm *mm, vaddr_t from, vaddr_t to, size_t size); /* tables are reserved */
size_t mm_cached_pages(void);
/* Insert/cut; map.c. */
void mm_insert(struct mm *mm, struct vma *vma);
/* Make vma edges at `start` and `end`. The first vma at or above start in *first. -ENOMEM: as before. */
long mm_cut(struct mm *mm, vaddr_t start, vaddr_t end, struct vma **first);
/* Join the vmas from the one before `vma` to the one at `end` where they are alike. */
void mm_merge(struct mm *mm, struct vma *vma, vaddr_t end);
long mm_unmap_locked(struct mm *mm, vaddr_t start, vaddr_t end); /* -ENOMEM: nothing changed */
vaddr_t mm_find_gap(struct mm *mm, size_t size);
bool mm_range_ok(vaddr_t address, size_t size);
bool mm_range_free(struct mm *mm, vaddr_t address, size_t size);
uint64_t mm_mapped(struct mm *mm, vaddr_t start, vaddr_t end); /* pages with a mapping */
#endif
