/*
 * Inodes: reference counts, parents and mounts.
 *
 * A mount lasts for ever (there is no umount), so `mounted` and `covers` may be followed
 * without a lock once they are seen.
 */
#include "fs/vfs.h"

#include "arch/clock.h"
#include "arch/spinlock.h"
#include "lib/errno.h"
#include "lib/refcount.h"
#include "lib/string.h"
#include "mm/kmalloc.h"

#define MOUNTS_MAX 1024 /* as they are never undone, each keeps its memory */

/* Protects every inode's `parent` and `mounted`, and the end of directories; a leaf. */
static struct spinlock parent_lock = SPINLOCK_INIT;
static struct inode *root;
static struct inode *mounted[MOUNTS_MAX]; /* parent_lock; one that is there stays */
static int mounts;                        /* parent_lock */

ktime_t vfs_now(void)
{
    return clock_now() + clock_realtime_offset;
}

void inode_init(struct inode *inode, mode_t mode, const struct inode_ops *ops,
                const struct file_ops *file_ops)
{
    memset(inode, 0, sizeof(*inode));
    inode->references = 1;
    inode->mode = mode;
    inode->links = S_ISDIR(mode) ? 2 : 1;
    inode->atime = inode->mtime = inode->ctime = vfs_now();
    inode->ops = ops;
    inode->file_ops = file_ops;
    mutex_init(&inode->lock);
}

struct inode *inode_get(struct inode *inode)
{
    ref_get(&inode->references);
    return inode;
}

void inode_put(struct inode *inode)
{
    /* A loop, not recursion: a chain of removed directories may be any length. */
    while (inode && ref_put(&inode->references)) {
        struct inode *parent = S_ISDIR(inode->mode) || inode->orphan ? inode->parent : NULL;

        if (unlikely(inode->watched & WATCHED_ITSELF)) {
            inotify_forget(inode);
        }
        kfree(inode->orphan);
        inode->ops->release(inode);
        inode = parent;
    }
}

/* One more of a kind, 1 for writers and -1 for programs, if there is none of the other. */
static long inode_count(struct inode *inode, int kind)
{
    int now = __atomic_load_n(&inode->writers, __ATOMIC_RELAXED);

    do {
        if (now * kind < 0) {
            return -ETXTBSY;
        }
    } while (!__atomic_compare_exchange_n(&inode->writers, &now, now + kind, true,
                                          __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
    return 0;
}

long inode_get_write(struct inode *inode)
{
    return inode_count(inode, 1);
}

void inode_put_write(struct inode *inode)
{
    __atomic_fetch_sub(&inode->writers, 1, __ATOMIC_RELEASE);
}

long inode_get_run(struct inode *inode)
{
    return inode_count(inode, -1);
}

void inode_put_run(struct inode *inode)
{
    __atomic_fetch_add(&inode->writers, 1, __ATOMIC_RELEASE);
}

void inode_set_parent(struct inode *inode, struct inode *parent, const char *name)
{
    struct inode *old;

    assert(!inode->orphan);
    if (S_ISDIR(inode->mode) && parent) {
        inode_get(parent);
    }
    spin_lock(&parent_lock);
    old = inode->parent;
    inode->parent = parent;
    inode->name = name;
    spin_unlock(&parent_lock);
    if (S_ISDIR(inode->mode)) {
        inode_put(old);
    }
}

void inode_orphan(struct inode *inode, void *memory)
{
    if (!S_ISDIR(inode->mode)) {
        inode_get(inode->parent);
    }
    spin_lock(&parent_lock);
    inode->orphan = memory;
    spin_unlock(&parent_lock);
}

struct inode *inode_place(struct inode *inode, char name[NAME_MAX + 1], bool *gone)
{
    struct inode *parent;

    spin_lock(&parent_lock);
    parent = inode->name ? inode->parent : NULL;
    if (parent) {
        inode_get(parent);
        strlcpy(name, inode->name, NAME_MAX + 1);
    }
    *gone = inode->orphan;
    spin_unlock(&parent_lock);
    return parent;
}

/* The directory above, across mounts, referenced; the root is its own. NULL for a lost file. */
static struct inode *inode_parent(struct inode *inode)
{
    struct inode *parent;

    while (inode->covers) {
        inode = inode->covers;
    }
    spin_lock(&parent_lock);
    parent = inode->parent;
    if (!parent && S_ISDIR(inode->mode)) {
        parent = inode;
    }
    if (parent) {
        inode_get(parent);
    }
    spin_unlock(&parent_lock);
    return parent;
}

struct inode *path_step(struct inode *directory, const char *name)
{
    struct inode *child;

    if (!S_ISDIR(directory->mode)) {
        return error_pointer(-ENOTDIR);
    }
    if (strcmp(name, ".") == 0) {
        return inode_get(directory);
    }
    child = strcmp(name, "..") == 0 ? inode_parent(directory)
                                    : directory->ops->lookup(directory, name);
    while (!is_error(child) && child->mounted) {
        struct inode *top = inode_get(child->mounted);

        inode_put(child);
        child = top;
    }
    return child;
}

struct find_name {
    uint64_t number;
    char *name;
    bool found;
};

static bool find_name(void *context, const char *name, uint64_t number, mode_t mode, off_t next)
{
    struct find_name *find = context;

    (void)mode, (void)next;
    if (number == find->number) {
        strlcpy(find->name, name, NAME_MAX + 1);
        find->found = true;
    }
    return !find->found;
}

/* The path is built from its end, one component for each step up. */
long path_of(struct inode *inode, char *buffer, size_t size)
{
    size_t at = size - 1;
    char name[NAME_MAX + 1];
    long result = 0;

    if (size < 2) {
        return -ERANGE;
    }
    buffer[at] = '\0';
    inode_get(inode);
    while (inode != root) {
        struct inode *parent = inode_parent(inode), *below = inode;
        struct find_name find = {.name = name};

        while (below->covers) {
            below = below->covers;
        }
        find.number = below->number;
        if (parent && S_ISDIR(parent->mode)) {
            parent->ops->iterate(parent, 0, find_name, &find);
        }
        inode_put(inode);
        if (parent && parent->mounted) {
            inode = inode_get(parent->mounted);
            inode_put(parent);
        } else {
            inode = parent;
        }
        if (!find.found || strlen(name) + 1 > at) {
            result = find.found ? -ERANGE : -ENOENT;
            break;
        }
        at -= strlen(name);
        memcpy(buffer + at, name, strlen(name));
        buffer[--at] = '/';
    }
    inode_put(inode);
    if (result) {
        return result;
    }
    if (at == size - 1) {
        buffer[--at] = '/';
    }
    memmove(buffer, buffer + at, size - at);
    return (long)(size - at - 1);
}

bool inode_retire(struct inode *directory)
{
    bool retired;

    spin_lock(&parent_lock);
    retired = !directory->mounted;
    if (retired) {
        directory->links = 0;
    }
    spin_unlock(&parent_lock);
    return retired;
}

long vfs_mount(struct inode *directory, struct inode *mounted_root)
{
    long result = 0;

    if (!S_ISDIR(directory->mode)) {
        return -ENOTDIR;
    }
    if (!directory->ops->create) {
        return -EPERM; /* in /proc: the next lookup gives another inode, without the mount */
    }
    spin_lock(&parent_lock);
    if (directory->mounted || directory->covers || directory == root) {
        result = -EBUSY;
    } else if (directory->links == 0) {
        result = -ENOENT; /* removed: nobody can come here any more */
    } else if (mounts == MOUNTS_MAX) {
        result = -ENOSPC;
    } else {
        mounted_root->covers = inode_get(directory);
        directory->mounted = inode_get(mounted_root);
        __atomic_store_n(&mounted[mounts++], mounted_root, __ATOMIC_RELEASE);
    }
    spin_unlock(&parent_lock);
    return result;
}

struct inode *vfs_root(void)
{
    return root;
}

void vfs_init(struct inode *new_root)
{
    root = new_root;
}

struct inode *vfs_mounted(int i)
{
    if (i == 0) {
        return root;
    }
    return i <= MOUNTS_MAX ? __atomic_load_n(&mounted[i - 1], __ATOMIC_ACQUIRE) : NULL;
}
