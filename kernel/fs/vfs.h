/*
 * Inodes and paths: what a name leads to.
 *
 * There is no separate name cache: a directory's inode knows its entries (tmpfs) or makes them
 * up (procfs), and knows its parent. Mounting hangs another root over a directory inode.
 */
#ifndef FS_VFS_H
#define FS_VFS_H
#include "lib/list.h"
#include "lib/mutex.h"
#include "lib/types.h"

struct file;
struct file_ops;
struct inode;
struct vma_source;
struct watch;

/* File types and permission bits as in stat(2), inode(7). */
enum {
    S_IFMT = 0170000, S_IFSOCK = 0140000, S_IFLNK = 0120000, S_IFREG = 0100000,
    S_IFBLK = 0060000, S_IFDIR = 0040000, S_IFCHR = 0020000, S_IFIFO = 0010000,
    S_ISGID = 02000,
};
#define S_ISDIR(mode) (((mode) & S_IFMT) == S_IFDIR)
#define S_ISREG(mode) (((mode) & S_IFMT) == S_IFREG)
#define S_ISLNK(mode) (((mode) & S_IFMT) == S_IFLNK)
#define S_ISCHR(mode) (((mode) & S_IFMT) == S_IFCHR)
#define S_ISSOCK(mode) (((mode) & S_IFMT) == S_IFSOCK)
#define S_ISFIFO(mode) (((mode) & S_IFMT) == S_IFIFO)

#define RENAME_NOREPLACE 1u /* rename(2) */
#define PROC_DEVICE 0x1000 /* inode->device in /proc, whose inodes are made by each look-up */
#define NAME_MAX 255
#define PATH_MAX 4096
#define SYMLINK_MAX 40 /* followed in one walk, path_resolution(7) */

/* Called for each directory entry; false means "no room, keep the position". */
typedef bool (*dir_emit_t)(void *context, const char *name, uint64_t number, mode_t mode,
                           off_t next_position);

/* A missing operation gives the error in brackets. Directories lock themselves. */
struct inode_ops {
    /* A referenced inode, or an error pointer. */
    struct inode *(*lookup)(struct inode *directory, const char *name);
    struct inode *(*create)(struct inode *directory, const char *name, mode_t mode,
                            uint64_t rdev); /* [-EPERM] */
    long (*symlink)(struct inode *directory, const char *name, const char *target);
    long (*link)(struct inode *directory, const char *name, struct inode *target);
    long (*unlink)(struct inode *directory, const char *name, bool want_directory);
    long (*rename)(struct inode *from, const char *old_name, struct inode *to,
                   const char *new_name, unsigned flags);
    long (*readlink)(struct inode *inode, char *buffer, size_t size); /* length; [-EINVAL] */
    /* Of a link that leads to an inode itself: that one, referenced, or an error pointer; NULL: the
     * text leads on. Missing: so it does always. */
    struct inode *(*target)(struct inode *inode);
    long (*truncate)(struct inode *inode, off_t size);                /* [-EINVAL] */
    /* fallocate(2): memory for all of the range, which ends below 2^63; the file grows to hold it, or keeps
     * its size. [-EOPNOTSUPP] */
    long (*allocate)(struct inode *inode, off_t offset, off_t size, bool keep_size);
    /* Entries from `position` (0 at first) without "." and "..", until emit says false. */
    long (*iterate)(struct inode *directory, off_t position, dir_emit_t emit, void *context);
    /* Say to the inodes of all entries, in `watched`, whether the directory is watched now. [not said] */
    void (*mark)(struct inode *directory);
    /* The pages of a regular file, for mmap and exec; referenced, or an error pointer [-ENODEV].
     * `writes`: as long as it is there, the file counts as open for writing. */
    struct vma_source *(*source)(struct inode *inode, bool writes);
    /* The last reference is gone: free what is behind `data`, and the inode. */
    void (*release)(struct inode *inode);
};

struct inode {
    int references; /* atomic */
    mode_t mode;    /* the permission bits: lock */
    uint32_t uid, gid;
    uint32_t links; /* the file system's directory lock */
    int writers;    /* atomic: who may write to it; negative: who runs it as a program */
    int locks;      /* atomic: how many of locks.c's are on it */
    uint8_t watched; /* atomic, WATCHED_*: who is told what happens to it; a byte is compared at once */
    uint64_t number;
    uint64_t device; /* of the file system */
    uint64_t rdev;   /* of a device node */
    off_t size;      /* the file system's own */
    ktime_t atime, mtime, ctime; /* since 1970; torn reads cannot happen on 64 bits */
    struct mutex lock;           /* one writer of the contents at a time; before mm->lock */
    const struct inode_ops *ops;
    const struct file_ops *file_ops; /* what opening gives */
    struct inode *parent;  /* parent_lock. A directory holds a reference to its own, a root none. */
                           /* Of a file: where it was linked last, or NULL. */
    const char *name;      /* parent_lock: its name there, as long as the entry is there; or NULL */
    void *orphan;          /* set once: the memory of `name`, when its last entry is gone. See inode_orphan */
    struct watch *watches; /* event/inotify.c: on this inode */
    struct inode *mounted; /* the root that covers this directory; set once, parent_lock */
    struct inode *covers;  /* a mounted root: the directory under it */
    void *data;            /* the file system's own */
};

/* inode->watched. */
enum {
    WATCHED_ITSELF = 1,   /* there are watches on it: set and cleared with them */
    WATCHED_IN_PLACE = 2, /* the directory where it is was watched: the file system's lock of names */
};

/* Set the fields that all file systems share; one reference for the caller. */
void inode_init(struct inode *inode, mode_t mode, const struct inode_ops *ops,
                const struct file_ops *file_ops);
struct inode *inode_get(struct inode *inode);
void inode_put(struct inode *inode); /* NULL is fine */
/* Change where `inode` hangs, and under which name (or NULL), which is kept until this is called again; keeps
 * the references of directories right. */
void inode_set_parent(struct inode *inode, struct inode *parent, const char *name);
/*
 * The last name of `inode` is gone, from a directory that is watched: as who watches it is still told what
 * happens to the file, the inode keeps its parent, referenced, and `name`, which lies in `memory`, taken over.
 */
void inode_orphan(struct inode *inode, void *memory);
/* The directory where `inode` hangs, referenced, and its name there, copied; *gone: it was there. Or NULL. */
struct inode *inode_place(struct inode *inode, char name[NAME_MAX + 1], bool *gone);
/*
 * A file is written to or run, not both: each side keeps the other one out while it lasts
 * (ETXTBSY in open(2) and execve(2)). 0 or -ETXTBSY.
 */
long inode_get_write(struct inode *inode);
void inode_put_write(struct inode *inode);
long inode_get_run(struct inode *inode);
void inode_put_run(struct inode *inode);
/* An empty directory is being removed: its links become 0. False: something is mounted there. */
bool inode_retire(struct inode *directory);
/* Upcall, defined in event/inotify.c: nobody has the inode any more, or the caller alone. Tell that it was deleted,
 * if it has no name, and take its watches away. */
void inotify_forget(struct inode *inode);
/* CLOCK_REALTIME, for time stamps. */
ktime_t vfs_now(void);

enum { LOOKUP_NOFOLLOW = 1 }; /* do not follow a symbolic link at the end */

/*
 * Walk `path` from `base` (or the root when it starts with '/'). Follows mounts and symbolic
 * links. Returns a referenced inode or an error pointer: -ENOENT, -ENOTDIR, -ELOOP,
 * -ENAMETOOLONG, -ENOMEM. May sleep.
 */
struct inode *path_lookup(struct inode *base, const char *path, int flags);
/* Where a name is to be made or taken away. */
struct place {
    struct inode *directory; /* referenced */
    bool slash;              /* a slash follows the name: it is a directory's */
    char name[NAME_MAX + 1]; /* "." for the root */
};
/* Walk to the directory of the last component. 0, then place_put gives it back; or as path_lookup,
 * and only `slash` is told. */
long path_parent(struct inode *base, const char *path, struct place *place);
static inline void place_put(struct place *place)
{
    inode_put(place->directory);
}
/* One component under a directory: ".", ".." and mounts included. Error pointer as above. */
struct inode *path_step(struct inode *directory, const char *name);
/* The absolute path of an inode. Its length without the terminator, -ERANGE, or -ENOENT. */
long path_of(struct inode *inode, char *buffer, size_t size);

/*
 * Mount `root` over the directory, for ever. -ENOTDIR, -EBUSY when something is there, -ENOENT for
 * one that was removed, -EPERM where nothing can be, -ENOSPC for too many.
 */
long vfs_mount(struct inode *directory, struct inode *root);
struct inode *vfs_root(void);
/* The root of mount `i`, the first of all is the tree's; NULL: there are no more. Not referenced: it stays. */
struct inode *vfs_mounted(int i);
void vfs_init(struct inode *root);

/* Read up to `size` bytes at `offset` of a regular file into kernel memory. The count or -errno. */
long inode_read(struct inode *inode, void *buffer, size_t size, off_t offset);
#endif
