/* Sources of pages behind mappings: files and shared anonymous memory. */
#ifndef MM_VMA_H
#define MM_VMA_H
#include "arch/paging.h"
#include "lib/rbtree.h"
#include "lib/refcount.h"
#include "lib/types.h"

struct page;
struct vma_source;

struct vma_source_ops {
    /* The page at `index` of the source, referenced; -EIO: beyond its end; -ENOMEM. */
    struct page *(*get_page)(struct vma_source *source, uint64_t index);
    /* Is it there already? Missing: yes. */
    bool (*has_page)(struct vma_source *source, uint64_t index);
    void (*release)(struct vma_source *source);
    /* What it belongs to (an inode, for /proc/PID/maps), or NULL. */
    void *(*object)(struct vma_source *source);
};

struct vma_source {
    int references; /* atomic */
    const struct vma_source_ops *ops;
    uint64_t id; /* of the memory that it gives; never another's, even when that memory is gone */
};

/* For an `id`: a multiple of 4 that nobody has had. Any context. */
uint64_t mm_new_id(void);

static inline void vma_source_init(struct vma_source *source, const struct vma_source_ops *ops,
                                   uint64_t id)
{
    source->references = 1;
    source->ops = ops;
    source->id = id;
}

static inline struct vma_source *vma_source_get(struct vma_source *source)
{
    if (source) {
        ref_get(&source->references);
    }
    return source;
}

static inline void vma_source_put(struct vma_source *source)
{
    if (source && ref_put(&source->references)) {
        source->ops->release(source);
    }
}

enum { PROT_READ = 1, PROT_WRITE = 2, PROT_EXEC = 4, PROT_SEM = 8, PROT_GROWSDOWN = 0x1000000 };
enum {
    MAP_SHARED = 1, MAP_PRIVATE = 2, MAP_SHARED_VALIDATE = 3, MAP_FIXED = 0x10, MAP_ANONYMOUS = 0x20,
    MAP_GROWSDOWN = 0x100, MAP_LOCKED = 0x2000, MAP_NORESERVE = 0x4000, MAP_POPULATE = 0x8000,
    MAP_STACK = 0x20000, MAP_HUGETLB = 0x40000,
    MAP_FIXED_NOREPLACE = 0x100000,
    /* Ours: a shared mapping of a file opened for reading; mprotect must not allow writing. */
    VMA_READ_ONLY = 0x10000000,
    VMA_NO_FORK = 0x20000000, VMA_WIPE_ON_FORK = 0x40000000, /* ours, too: madvise(2) */
    VMA_OURS = VMA_READ_ONLY | VMA_NO_FORK | VMA_WIPE_ON_FORK,
    VMA_FLAGS = MAP_SHARED | MAP_PRIVATE | MAP_GROWSDOWN | MAP_LOCKED | MAP_NORESERVE | VMA_OURS,
};
enum { MCL_CURRENT = 1, MCL_FUTURE = 2, MCL_ONFAULT = 4 }; /* mlockall(2) */
/* madvise(2): asm-generic/mman-common.h */
enum {
    MADV_NORMAL, MADV_DONTNEED = 4, MADV_FREE = 8, MADV_DONTFORK = 10, MADV_DOFORK,
    MADV_NOHUGEPAGE = 15, MADV_WIPEONFORK = 18, MADV_KEEPONFORK,
    MADV_POPULATE_READ = 22, MADV_POPULATE_WRITE, MADV_DONTNEED_LOCKED,
};

/* A range of an address space with one kind of memory behind it. */
struct vma {
    struct rb_node node; /* in mm->vmas, by start */
    struct vma *below, *above; /* its neighbours */
    vaddr_t start, end;
    int prot;  /* PROT_* */
    int flags; /* of VMA_FLAGS */
    bool touched; /* a page was asked for: there may be entries, or tables, to look through */
    struct vma_source *source; /* referenced; NULL: anonymous private memory */
    uint64_t offset;           /* pages into the source at `start` */
    uint64_t gap, largest_gap; /* below it; of those in the tree from its node on: areas.c */
};

/* shared.c. Memory that tasks share by MAP_SHARED | MAP_ANONYMOUS, with one reference; `promised`: it
 * is a promise (commit.c), made here. An error pointer: -ENOMEM. */
struct vma_source *vma_source_anonymous(uint64_t pages, bool promised);

static inline uint64_t vma_pages(const struct vma *vma)
{
    return (vma->end - vma->start) >> PAGE_SHIFT;
}

/* What RLIMIT_DATA limits. */
static inline bool vma_is_data(int prot, int flags)
{
    return prot & PROT_WRITE && !(flags & (MAP_SHARED | MAP_GROWSDOWN));
}

/* May it need more memory than it has now? commit.c */
static inline bool vma_is_promise(int prot, int flags)
{
    return prot & PROT_WRITE && !(flags & (MAP_SHARED | MAP_NORESERVE));
}

/* How much of a promise `pages` of it are. */
static inline uint64_t vma_promise(const struct vma *vma, uint64_t pages)
{
    return vma_is_promise(vma->prot, vma->flags) ? pages : 0;
}

/* How much memory is promised: commit.c. Any context. */
bool commit_take(uint64_t pages); /* false: too much in all */
bool commit_request(uint64_t pages); /* the same for one request: no more than there is memory */
void commit_give(uint64_t pages);
void commit_figures(uint64_t *promised, uint64_t *limit); /* pages, for /proc/meminfo */

#endif
