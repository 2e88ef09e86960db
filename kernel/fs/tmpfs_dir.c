/*
 * tmpfs, the directories: names in a hash table, and in a list by age for readdir.
 *
 * One lock for all changes of names in all tmpfs instances: a rename touches two directories and must
 * not let a directory move below itself, and names change rarely. Looking a name up takes the
 * directory's own lock alone. An entry owns a reference to its inode. A removed directory is `dead`:
 * nothing can be made in it any more.
 */
#include "fs/file.h"
#include "fs/notify.h"
#include "fs/tmpfs.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/kmalloc.h"

#define BUCKETS 32

struct entry {
    struct list by_hash, by_age;
    struct inode *inode;
    uint64_t age; /* where readdir goes on */
    uint32_t hash;
    char name[];
};

struct tmpfs_directory {
    struct spinlock lock; /* of the buckets; who changes them has names_lock, too. Above parent_lock */
    struct list buckets[BUCKETS], by_age;
    uint64_t next_age;
    bool dead;
};

/* Protects every struct tmpfs_directory, the `links` and parents of tmpfs inodes. Below it: the lock of
 * a directory, parent_lock and the allocator. */
static struct mutex names_lock = MUTEX_INIT(names_lock);

struct tmpfs_directory *tmpfs_directory_create(void)
{
    struct tmpfs_directory *directory = kzalloc(sizeof(*directory));

    if (directory) {
        spin_init(&directory->lock);
        for (int i = 0; i < BUCKETS; i++) {
            list_init(&directory->buckets[i]);
        }
        list_init(&directory->by_age);
        directory->next_age = 1;
    }
    return directory;
}

static void directory_release(struct inode *inode)
{
    kfree(inode->data);
    kfree(inode);
}

static uint32_t name_hash(const char *name)
{
    uint32_t hash = 5381;

    while (*name) {
        hash = hash * 33 + (unsigned char)*name++;
    }
    return hash;
}

/* names_lock is held, or the directory's lock. */
static struct entry *entry_find(struct inode *inode, const char *name)
{
    struct tmpfs_directory *directory = inode->data;
    uint32_t hash = name_hash(name);
    struct entry *entry;

    list_for_each(entry, &directory->buckets[hash % BUCKETS], by_hash) {
        if (entry->hash == hash && strcmp(entry->name, name) == 0) {
            return entry;
        }
    }
    return NULL;
}

static struct entry *entry_create(const char *name)
{
    size_t size = strlen(name) + 1;
    struct entry *entry = kmalloc(sizeof(*entry) + size);

    if (entry) {
        memcpy(entry->name, name, size);
        entry->hash = name_hash(name);
    }
    return entry;
}

/* Say to `inode`, which is in the directory, whether somebody watches that. */
static void inode_mark(struct inode *inode, const struct inode *directory)
{
    assert_held(&names_lock);
    if (directory->watched & WATCHED_ITSELF) {
        __atomic_fetch_or(&inode->watched, WATCHED_IN_PLACE, __ATOMIC_RELAXED);
    } else if (inode->watched) {
        __atomic_fetch_and(&inode->watched, ~WATCHED_IN_PLACE, __ATOMIC_RELAXED);
    }
}

/* Hang `target`, whose reference is taken over, into the directory. */
static void entry_insert(struct inode *inode, struct entry *entry, struct inode *target)
{
    struct tmpfs_directory *directory = inode->data;

    assert_held(&names_lock);
    entry->inode = target;
    entry->age = directory->next_age++;
    assert_held(&directory->lock);
    list_push_back(&directory->buckets[entry->hash % BUCKETS], &entry->by_hash);
    list_push_back(&directory->by_age, &entry->by_age);
    inode->size++;
    inode->mtime = inode->ctime = vfs_now();
    inode_set_parent(target, inode, entry->name);
    inode_mark(target, inode);
    if (S_ISDIR(target->mode)) {
        inode->links++;
    }
}

/* Take the entry out and return its inode with the entry's reference. The entry goes when the inode has
 * forgotten its name: inode_set_parent. */
static struct inode *entry_remove(struct inode *inode, struct entry *entry)
{
    struct inode *target = entry->inode;

    assert_held(&names_lock);
    assert_held(&((struct tmpfs_directory *)inode->data)->lock);
    list_remove(&entry->by_hash);
    list_remove(&entry->by_age);
    inode->size--;
    inode->mtime = inode->ctime = target->ctime = vfs_now();
    if (S_ISDIR(target->mode)) {
        inode->links--;
    }
    return target;
}

/* For a change: of one directory, or of two. names_lock is held. */
static void directories_lock(struct inode *one, struct inode *other)
{
    struct tmpfs_directory *first = one->data, *second = other->data;

    assert_held(&names_lock);
    spin_lock(first < second ? &first->lock : &second->lock);
    if (first != second) {
        spin_lock(first < second ? &second->lock : &first->lock);
    }
}

static void directories_unlock(struct inode *one, struct inode *other)
{
    struct tmpfs_directory *first = one->data, *second = other->data;

    spin_unlock(&first->lock);
    if (first != second) {
        spin_unlock(&second->lock);
    }
}

static struct inode *tmpfs_lookup(struct inode *inode, const char *name)
{
    struct tmpfs_directory *directory = inode->data;
    struct inode *found = error_pointer(-ENOENT);
    struct entry *entry;

    spin_lock(&directory->lock);
    entry = entry_find(inode, name);
    if (entry) {
        found = inode_get(entry->inode);
    }
    spin_unlock(&directory->lock);
    return found;
}

/* Give `target` a name, its first one or `another`; its reference is taken over, or kept on error. */
static long add_name(struct inode *directory, const char *name, struct inode *target, bool another)
{
    struct entry *entry = entry_create(name);
    long error = 0;

    if (!entry) {
        return -ENOMEM;
    }
    mutex_lock(&names_lock);
    if (((struct tmpfs_directory *)directory->data)->dead) {
        error = -ENOENT;
    } else if (entry_find(directory, name)) {
        error = -EEXIST;
    } else if (another && target->links == 0) {
        error = -ENOENT; /* its last name was taken away meanwhile, or it is only open: link(2) */
    } else if (!S_ISCHR(target->mode) && !tmpfs_free_pages()) { /* a terminal may come: it goes again */
        error = -ENOSPC;
    } else {
        directories_lock(directory, directory);
        entry_insert(directory, entry, target);
        directories_unlock(directory, directory);
        if (another) {
            __atomic_fetch_add(&target->links, 1, __ATOMIC_RELAXED);
            target->ctime = vfs_now();
            notify_inode(target, IN_ATTRIB);
        }
        notify_name(directory, IN_CREATE, name, target, 0);
    }
    mutex_unlock(&names_lock);
    if (error) {
        kfree(entry);
    }
    return error;
}

static struct inode *tmpfs_create(struct inode *directory, const char *name, mode_t mode,
                                  uint64_t rdev)
{
    struct inode *inode = tmpfs_inode_create(directory->device, mode, rdev);
    long error;

    if (!inode) {
        return error_pointer(-ENOMEM);
    }
    if (directory->mode & S_ISGID) { /* what is made in it is of its group, and so on below */
        inode->gid = directory->gid;
        inode->mode |= S_ISDIR(mode) ? S_ISGID : 0;
    }
    error = add_name(directory, name, inode_get(inode), false);
    if (error) {
        inode_put(inode);
        inode_put(inode);
        return error_pointer(error);
    }
    return inode;
}

static long tmpfs_symlink(struct inode *directory, const char *name, const char *target)
{
    struct inode *inode = tmpfs_inode_create(directory->device, S_IFLNK | 0777, 0);
    long error = inode ? tmpfs_set_target(inode, target) : -ENOMEM;

    if (!error) {
        error = add_name(directory, name, inode, false);
    }
    if (error) {
        inode_put(inode);
    }
    return error;
}

static long tmpfs_link(struct inode *directory, const char *name, struct inode *target)
{
    long error;

    if (target->device != directory->device) {
        return -EXDEV;
    }
    error = add_name(directory, name, inode_get(target), true);
    if (error) {
        inode_put(target);
    }
    return error;
}

static bool directory_empty(const struct inode *inode)
{
    return list_empty(&((struct tmpfs_directory *)inode->data)->by_age);
}

/* May `target` be taken away by unlink (or rmdir, or a rename over it)? 0: it will be, and a
 * directory can no longer be mounted on. */
static long check_removal(struct inode *target, bool want_directory)
{
    if (!S_ISDIR(target->mode)) {
        return want_directory ? -ENOTDIR : 0;
    }
    if (!want_directory) {
        return -EISDIR;
    }
    if (!target->mounted && !directory_empty(target)) {
        return -ENOTEMPTY;
    }
    return inode_retire(target) ? 0 : -EBUSY;
}

/* Remove a checked entry; the caller puts what comes back after unlocking. */
static struct inode *remove_entry(struct inode *directory, struct entry *entry)
{
    struct inode *target = entry_remove(directory, entry);

    if (S_ISDIR(target->mode)) {
        ((struct tmpfs_directory *)target->data)->dead = true;
    } else {
        __atomic_fetch_sub(&target->links, 1, __ATOMIC_RELAXED);
    }
    if (target->name == entry->name && target->links == 0 && directory->watched & WATCHED_ITSELF) {
        inode_orphan(target, entry);
        return target;
    }
    if (target->name == entry->name) {
        inode_set_parent(target, S_ISDIR(target->mode) ? directory : NULL, NULL);
    }
    kfree(entry);
    return target;
}

/* `target` has lost a name; told under names_lock, so that who watches hears of names in the order of their
 * changes. */
static void notify_removed(struct inode *target)
{
    if (!S_ISDIR(target->mode)) {
        notify_inode(target, IN_ATTRIB);
    }
}

/* Its end is told before that of its name, if it is the end: the caller has the only reference. */
static void notify_end(struct inode *target)
{
    if (unlikely(target->watched & WATCHED_ITSELF) && !target->links &&
        __atomic_load_n(&target->references, __ATOMIC_ACQUIRE) == 1) {
        inotify_forget(target);
    }
}

static long tmpfs_unlink(struct inode *directory, const char *name, bool want_directory)
{
    struct inode *target = NULL;
    struct entry *entry;
    long error;

    mutex_lock(&names_lock);
    entry = entry_find(directory, name);
    error = entry ? check_removal(entry->inode, want_directory) : -ENOENT;
    if (!error) {
        directories_lock(directory, directory);
        target = remove_entry(directory, entry);
        directories_unlock(directory, directory);
        notify_removed(target);
        notify_end(target);
        notify_name(directory, IN_DELETE, name, target, 0);
    }
    mutex_unlock(&names_lock);
    inode_put(target);
    return error;
}

static bool is_inside(struct inode *inode, const struct inode *above)
{
    for (; inode; inode = inode->parent) {
        if (inode == above) {
            return true;
        }
    }
    return false;
}

/* What stands against renaming `old` to the name of `over` (or NULL) in `to`? */
static long check_rename(struct inode *to, const struct entry *old, const struct entry *over,
                         bool no_replace)
{
    if (((struct tmpfs_directory *)to->data)->dead) {
        return -ENOENT;
    }
    if (over && no_replace) {
        return -EEXIST;
    }
    if (old->inode->mounted) {
        return -EBUSY;
    }
    if (S_ISDIR(old->inode->mode) && is_inside(to, old->inode)) {
        return -EINVAL;
    }
    return over && over->inode != old->inode
               ? check_removal(over->inode, S_ISDIR(old->inode->mode))
               : 0;
}

static void notify_moved(struct inode *from, const struct entry *old, struct inode *to, const struct entry *fresh)
{
    uint32_t cookie = inotify_cookie();

    notify_name(from, IN_MOVED_FROM, old->name, fresh->inode, cookie);
    notify_name(to, IN_MOVED_TO, fresh->name, fresh->inode, cookie);
}

static long tmpfs_rename(struct inode *from, const char *old_name, struct inode *to,
                         const char *new_name, unsigned flags)
{
    struct entry *fresh = entry_create(new_name), *old, *over;
    struct inode *replaced = NULL;
    long error;

    if (!fresh) {
        return -ENOMEM;
    }
    mutex_lock(&names_lock);
    old = entry_find(from, old_name);
    over = entry_find(to, new_name);
    error = old ? check_rename(to, old, over, flags & RENAME_NOREPLACE) : -ENOENT;
    /* Two names of one file: nothing happens, rename(2). */
    if (!error && !(over && over->inode == old->inode)) {
        directories_lock(from, to); /* at no moment there is neither name */
        if (over) {
            replaced = remove_entry(to, over);
        }
        entry_insert(to, fresh, entry_remove(from, old));
        directories_unlock(from, to);
        notify_moved(from, old, to, fresh);
        if (replaced) {
            notify_removed(replaced);
        }
        notify_inode(fresh->inode, IN_MOVE_SELF);
        fresh = old;
    }
    mutex_unlock(&names_lock);
    inode_put(replaced);
    kfree(fresh);
    return error;
}

static long tmpfs_iterate(struct inode *inode, off_t position, dir_emit_t emit, void *context)
{
    struct tmpfs_directory *directory = inode->data;
    struct entry *entry;

    mutex_lock(&names_lock);
    list_for_each(entry, &directory->by_age, by_age) {
        if (entry->age > (uint64_t)position &&
            !emit(context, entry->name, entry->inode->number, entry->inode->mode,
                  (off_t)entry->age)) {
            break;
        }
    }
    mutex_unlock(&names_lock);
    return 0;
}

static void tmpfs_mark(struct inode *inode)
{
    struct tmpfs_directory *directory = inode->data;
    struct entry *entry;

    mutex_lock(&names_lock);
    list_for_each(entry, &directory->by_age, by_age) {
        inode_mark(entry->inode, inode);
    }
    mutex_unlock(&names_lock);
}

const struct inode_ops tmpfs_directory_ops = {
    .lookup = tmpfs_lookup, .create = tmpfs_create, .symlink = tmpfs_symlink,
    .link = tmpfs_link, .unlink = tmpfs_unlink, .rename = tmpfs_rename,
    .iterate = tmpfs_iterate, .mark = tmpfs_mark, .release = directory_release,
};
