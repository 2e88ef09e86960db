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
#include "mm/page.h"
#include "mm/vma.h"

#define STACK_TOP 0x7ffffffff000ul
#define MMAP_TOP (STACK_TOP - (1ul << 30))
#define MMAP_MIN 0x10000ul
/* How many areas an address space has at most: vm.max_map_count, as Linux starts with. */
#define AREAS_MAX 65530
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
    struct vma *highest;
    struct vma *recent; /* the last one found */
    uint64_t pages;     /* mapped by vmas */
    uint64_t resident;  /* of these, that have a page */
    int areas;          /* vmas; AREAS_MAX */
    int lock_future;    /* MAP_* for what is mapped next, by mlockall(MCL_FUTURE) */
    bool secret;        /* prctl(PR_SET_DUMPABLE, 0): a signal that ends it leaves no image; no lock */
    struct mm_layout layout;
    struct inode *executable; /* set by exec; kept from being written to */
};

struct mm *mm_create(void);        /* empty, one user; NULL without memory */
struct mm *mm_clone(struct mm *mm); /* for fork: copy on write; NULL without memory */
/* One user more: the same mm. The caller has one already, or tasks_lock, which keeps a task's. */
struct mm *mm_get(struct mm *mm);
void mm_put(struct mm *mm); /* the last user frees everything. May sleep. NULL is fine */
/* Load the page tables of `next` (NULL: the kernel's alone) on this CPU. Preemption or interrupts
 * off. */
void mm_switch(struct mm *next);
/* Upcalls, defined in process/exec.c: one more address space runs it, one fewer does. NULL is fine. */
void executable_get(struct inode *inode);
void executable_put(struct inode *inode);

/* Upcall, defined in sched/task.c: the caller's limits by RLIMIT_*; the soft ones bound what it maps. */
const struct rlimit *mm_limits(void);
/* Upcall, defined in sched/task.c: has the caller got SIGKILL? Then nobody waits for what it does. */
bool mm_caller_is_killed(void);

/* The rest locks mm->lock itself, but for mm_find. May sleep; no lock is held. */
/*
 * As mmap(2), munmap(2), mprotect(2), brk(2), mremap(2), madvise(2); lengths are rounded up to pages.
 * mm_map takes a reference of its own to `source`, whose page `offset` is the first one. The address,
 * or -EINVAL, -ENOMEM, -EPERM (below MMAP_MIN), -EEXIST, -EOVERFLOW (offset).
 */
long mm_map(struct mm *mm, vaddr_t address, size_t size, int prot, int flags,
            struct vma_source *source, uint64_t offset);
/* 0, -EINVAL, -ENOMEM; mm_protect also -EACCES: a shared mapping of a file opened for reading. */
long mm_unmap(struct mm *mm, vaddr_t address, size_t size);
long mm_protect(struct mm *mm, vaddr_t address, size_t size, int prot);
/* Where the heap ends then: where it did before if it cannot be changed so. */
long mm_brk(struct mm *mm, vaddr_t brk);
/* The address where it is now, or -EINVAL, -EFAULT (not mapped), -ENOMEM; nothing is changed then. */
long mm_remap(struct mm *mm, vaddr_t old, size_t old_size, size_t size, int flags, vaddr_t fixed);
/* advise.c. 0, -EINVAL, -EFAULT (no page), -ENOMEM: there are holes, but what is mapped has followed. */
long mm_advise(struct mm *mm, vaddr_t address, size_t size, int advice);
/* As mincore(2): for each page of one area from `start` on, at most `count` of them, 1 or 0. How many; 0: nothing
 * is mapped at `start`. */
size_t mm_present(struct mm *mm, vaddr_t start, uint8_t *there, size_t count);
/* lock.c. As mlock, munlock: 0, -EINVAL (beyond all addresses), -ENOMEM (a hole, or no memory). `touch`: make
 * the pages now. */
long mm_lock_range(struct mm *mm, vaddr_t address, size_t size, bool locked, bool touch);
void mm_lock_all(struct mm *mm, int flags);      /* MCL_*; 0: munlockall */
uint64_t mm_locked_pages(struct mm *mm, vaddr_t start, vaddr_t end);  /* of vmas that are partly there, all */
/* Make the pages of what is mapped in the range, as a first touch would. -ENOMEM: not all of them. */
long mm_populate(struct mm *mm, vaddr_t start, vaddr_t end);
/* Forget the pages from `first` on of what maps `object` (a file that was cut): a fault then gets
 * -EIO. */
void mm_zap_object(struct mm *mm, const void *object, uint64_t first);
/* Resolve a fault; `error` as the CPU has it (FAULT_*). 0, -EFAULT (*code: SEGV_MAPERR, SEGV_ACCERR),
 * -EIO (SIGBUS), -ENOMEM. */
long mm_fault(struct mm *mm, vaddr_t address, uint64_t error, int *code);
/* The name by which all who share the memory at `address` know it: the id of its source, and the
 * place there in bytes. 0; *id and *place stay as they are for memory of one's own. -EFAULT: nothing
 * is mapped, or memory of one's own that is read-only (as Linux). */
long mm_shared_id(struct mm *mm, vaddr_t address, uint64_t *id, uint64_t *place);
/* The physical address behind a user address, its page made if need be and referenced; valid up to the
 * page's end. 0: none, or the mapping does not allow it. */
paddr_t mm_pin(struct mm *mm, vaddr_t address, bool write);

/* The vma that holds `address`, or the next above it, or NULL; lock held. */
struct vma *mm_find(struct mm *mm, vaddr_t address);

/*
 * Between the files of mm; lock held.
 *
 * An entry of level 0 is 0, or it has a page and is present, or it has a page that nobody may use
 * because its mapping is PROT_NONE now: not present, neither for user mode nor for the kernel's copies.
 */
#define PTE_HIDDEN PTE_SOFT1
/* table.c. The entry of level 0; NULL: there is no table, and none is to be made or there is no
 * memory. */
pte_t *mm_pte(struct mm *mm, vaddr_t address, bool create);
/* The first page at *at or above, which moves there; NULL: there is none below `end`. Where no tables are, it
 * costs little. mm->lock is held. */
pte_t *mm_next_page(struct mm *mm, vaddr_t *at, vaddr_t end);
/* The table of `entry` has so many more entries that are not 0: told by whoever fills or empties one. */
static inline void mm_table_used(pte_t *entry, int change)
{
    virt_to_page(entry)->used = (uint16_t)(virt_to_page(entry)->used + change);
}
/* Take out and put all pages in the range, and tables that are empty then. It flushes. */
void mm_zap(struct mm *mm, vaddr_t start, vaddr_t end);
/* Give `to` the pages of a vma of `from`; both may only read them, unless it is a shared one. The
 * caller flushes `from`. -ENOMEM: `to` has some of them. */
long mm_copy_range(struct mm *to, struct mm *from, struct vma *vma);
/* Forget what the TLBs of all CPUs hold of the range; changed entries come before, freed pages after.
 * Interrupts on, no spinlock held. */
void mm_flush(struct mm *mm, vaddr_t start, vaddr_t end);
static inline void mm_flush_all(struct mm *mm)
{
    mm_flush(mm, 0, USER_TOP);
}

/* commit.c: may `mm` have these pages more, in all, as data, and as a promise? 0: the promise is
 * made, and commit_give ends it; the caller counts the rest. -ENOMEM. */
long mm_charge(struct mm *mm, uint64_t pages, uint64_t data, uint64_t promised);
/* Give the pages that are there the vma's protection; a private one that others have, too, stays
 * read-only. It flushes. */
void mm_apply_protection(struct mm *mm, struct vma *vma, vaddr_t start, vaddr_t end);
/* Of an entry; not for PROT_NONE. */
static inline uint64_t vma_page_flags(const struct vma *vma)
{
    return PTE_PRESENT | PTE_USER | (vma->prot & PROT_WRITE ? PTE_WRITE : 0) |
           (vma->prot & PROT_EXEC ? 0 : PTE_NX);
}
/* Tables for all pages of a range to move to `to`, so that the move cannot fail: -ENOMEM, with nothing
 * changed. mm_unreserve_tables: it does not move after all. */
long mm_reserve_tables(struct mm *mm, vaddr_t from, vaddr_t to, size_t size);
void mm_unreserve_tables(struct mm *mm, vaddr_t from, vaddr_t to, size_t size);
void mm_move_pages(struct mm *mm, vaddr_t from, vaddr_t to, size_t size); /* tables are reserved */
size_t mm_cached_pages(void); /* tables, kept for the next ones; no lock is needed */
/* areas.c. Nothing is mapped where the vma is; its promise is made. `above` is the one that comes next, or
 * NULL. */
void mm_insert(struct mm *mm, struct vma *vma, struct vma *above);
/* `upper` was the upper part of `vma`, so no gap changes: cheap also beside many. */
void mm_insert_part(struct mm *mm, struct vma *vma, struct vma *upper);
void mm_remove(struct mm *mm, struct vma *vma); /* the caller frees it */
void mm_resize(struct mm *mm, struct vma *vma, vaddr_t start, vaddr_t end); /* into free space alone */
/* The highest one below MMAP_TOP, and the vma above it, or NULL. 0: none. */
vaddr_t mm_find_gap(struct mm *mm, size_t size, struct vma **above);
/* map.c. */
/* Make vma edges at `start` and `end`. The first vma at or above start, or NULL, in *first. -ENOMEM: as
 * before. */
long mm_cut(struct mm *mm, vaddr_t start, vaddr_t end, struct vma **first);
/* Join the vmas from the one before `vma` to the one at `end` where they are alike. */
void mm_merge(struct mm *mm, struct vma *vma, vaddr_t end);
long mm_unmap_locked(struct mm *mm, vaddr_t start, vaddr_t end); /* -ENOMEM: nothing changed */
/* Does the range end below USER_TOP? Is nothing mapped there? */
bool mm_range_ok(vaddr_t address, size_t size);
bool mm_range_free(struct mm *mm, vaddr_t address, size_t size);
uint64_t mm_mapped(struct mm *mm, vaddr_t start, vaddr_t end); /* pages with a mapping */
#endif
