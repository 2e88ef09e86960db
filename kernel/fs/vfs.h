/*
 * Inodes and paths: what a name leads to.
 *
 * There is no separate name cache: a directory's inode knows its entries (tmpfs) or makes them
 * up (procfs), and knows its parent. Mounting hangs another root over a directory inode.
 * `inode->lock` orders before nothing but the page allocator and user copies (docs/locking.md).
 */
#ifndef FS_VFS_H
#define FS_VFS_H
#include "lib/list.h"
#include "lib/mutex.h"
#include "lib/types.h"

struct file;
struct inode;
struct vma_source;

/* File types and permission bits as in stat(2), inode(7). */
enum {
    S_IFMT = 0170000, S_IFSOCK = 0140000, S_IFLNK = 0120000, S_IFREG = 0100000,
    S_IFBLK = 0060000, S_IFDIR = 0040000, S_IFCHR = 0020000, S_IFIFO = 0010000,
};
#define S_ISDIR(mode) (((mode) & S_IFMT) == S_IFDIR)
#define S_ISREG(mode) (((mode) & S_IFMT) == S_IFREG)
#define S_ISLNK(mode) (((mode) & S_IFMT) == S_IFLNK)
#define S_ISCHR(mode) (((mode) & S_IFMT) == S_IFCHR)
#define S_ISFIFO(mode) (((mode) & S_IFMT) == S_IFIFO)

#define NAME_MAX 255
#define PATH_MAX 4096
#define SYMLINK_MAX_DEPTH 40 /* path_resolution(7) */

/* Called for each directory entry; false means "no more, keep the position". */
typedef bool (*dir_emit_t)(void *context, const char *name, uint64_t number, mode_t mode,
                           off_t next_position);

struct inode_ops {
    /* A referenced inode, or an error pointer. `directory->lock` is held. */
    struct inode *(*lookup)(struct inode *directory, const char *name);
    struct inode *(*create)(struct inode *directory, const char *name, mode_t mode, uint64_t dev);
    struct inode *(*symlink)(struct inode *directory, const char *name, const char *target);
    long (*link)(struct inode *directory, const char *name, struct inode *target);
    long (*unlink)(struct inode *directory, const char *name, bool want_directory);
    long (*rename)(struct inode *from, const char *old_name, struct inode *to,
                   const char *new_name);
    long (*readlink)(struct inode *inode, char *buffer, size_t size);
    long (*truncate)(struct inode *inode, off_t size);
    long (*iterate)(struct inode *directory, off_t position, dir_emit_t emit, void *context);
    /* The pages of a regular file, for mmap and exec; referenced, or an error pointer. */
    struct vma_source *(*source)(struct inode *inode);
    /* The last reference is gone. */
    void (*release)(struct inode *inode);
};

struct inode {
    int references; /* atomic */
    mode_t mode;
    uint32_t links;   /* lock */
    uint64_t number;
    uint64_t device;  /* of the file system */
    uint64_t rdev;    /* of a device node */
    off_t size;       /* lock */
    ktime_t atime, mtime, ctime; /* since 1970; lock */
    struct mutex lock;
    const struct inode_ops *ops;
    const struct file_ops *file_ops;
    struct inode *parent;  /* directories: "..", not counted; itself at a root */
    struct inode *mounted; /* the root that covers this directory */
    struct inode *covers;  /* a mounted root: the directory under it */
    void *data;            /* the file system's own */
};

/* Set the fields that all file systems share; one reference for the caller. */
void inode_init(struct inode *inode, mode_t mode, const struct inode_ops *ops,
                const struct file_ops *file_ops);
struct inode *inode_get(struct inode *inode);
void inode_put(struct inode *inode);

/* Flags of path_lookup. */
enum { LOOKUP_NOFOLLOW = 1 };

/*
 * Walk `path` from `base` (or the root when it starts with '/'). Follows mounts and symbolic
 * links. Returns a referenced inode or an error pointer: -ENOENT, -ENOTDIR, -ELOOP,
 * -ENAMETOOLONG, -EACCES never (all is root). May sleep.
 */
struct inode *path_lookup(struct inode *base, const char *path, int flags);
/*
 * Walk to the directory that holds the last component, and copy that component to `name`
 * (NAME_MAX + 1 bytes; "." when the path is a root). Returns as path_lookup.
 */
struct inode *path_parent(struct inode *base, const char *path, char *name);
/* The absolute path of a directory. Returns its length without the terminator, or -ERANGE. */
long path_of(struct inode *directory, char *buffer, size_t size);

/* Mount `root` over the directory at `path`. Returns 0, -EBUSY when something is there. */
long vfs_mount(const char *path, struct inode *root);
struct inode *vfs_root(void);
void vfs_init(struct inode *root);
#endif
