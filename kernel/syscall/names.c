/*
 * Calls on the tree of names: mkdir, unlink, rename, link, symlink, readlink.
 *
 * Each is one function that takes a directory's descriptor, and older calls without one. A slash
 * behind a name says that it is a directory's: nothing else gets, loses or changes such a name.
 */
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/kmalloc.h"
#include "mm/uaccess.h"
#include "process/context.h"
#include "sched/task.h"
#include "syscall/calls.h"
#include "syscall/path.h"

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* May something be made here? -EEXIST before all; -ENOENT where no directory is made but a slash asks for one. */
static long place_check_new(const struct place *place, bool makes_directory)
{
    struct inode *old = path_step(place->directory, place->name);

    if (!is_error(old)) {
        inode_put(old);
        return -EEXIST;
    }
    if (pointer_error(old) != -ENOENT || (place->slash && !makes_directory)) {
        return pointer_error(old);
    }
    return 0;
}

/* What stands against an old name that a slash follows? */
static long place_check_slash(const struct place *place)
{
    struct inode *inode = place->slash ? path_step(place->directory, place->name) : NULL;
    long error = 0;

    if (is_error(inode)) {
        return pointer_error(inode);
    }
    if (inode && !S_ISDIR(inode->mode)) {
        error = -ENOTDIR;
    }
    inode_put(inode);
    return error;
}

/* Make an inode of `mode`, which has its type. */
static long place_create(int dirfd, const char __user *path, mode_t mode, uint64_t rdev)
{
    struct place place;
    struct inode *made;
    long error = place_user(dirfd, path, &place);

    if (error) {
        return error;
    }
    error = place_check_new(&place, S_ISDIR(mode));
    if (!error && !place.directory->ops->create) {
        error = -EPERM;
    }
    if (!error) {
        made = place.directory->ops->create(place.directory, place.name,
                                            mode & ~current->cwd->umask, rdev);
        if (is_error(made)) {
            error = pointer_error(made);
        } else {
            inode_put(made);
        }
    }
    place_put(&place);
    return error;
}

long sys_mkdirat(int dirfd, const char __user *path, mode_t mode)
{
    return place_create(dirfd, path, S_IFDIR | (mode & 01777), 0);
}

long sys_mkdir(const char __user *path, mode_t mode)
{
    return sys_mkdirat(AT_FDCWD, path, mode);
}

long sys_mknodat(int dirfd, const char __user *path, mode_t mode, unsigned device)
{
    mode |= mode & S_IFMT ? 0 : S_IFREG;
    if (S_ISDIR(mode)) {
        return -EPERM;
    }
    if (!S_ISREG(mode) && !S_ISCHR(mode) && !S_ISFIFO(mode)) {
        return -EINVAL;
    }
    return place_create(dirfd, path, mode & (S_IFMT | 07777), S_ISCHR(mode) ? device : 0);
}

long sys_mknod(const char __user *path, mode_t mode, unsigned device)
{
    return sys_mknodat(AT_FDCWD, path, mode, device);
}

long sys_unlinkat(int dirfd, const char __user *path, int flags)
{
    const bool want_directory = flags & AT_REMOVEDIR;
    struct place place;
    long error = flags & ~AT_REMOVEDIR ? -EINVAL : place_user(dirfd, path, &place);

    if (error) {
        return error;
    }
    if (is_dots(place.name)) {
        error = place.name[1] ? -ENOTEMPTY : -EINVAL;
        error = want_directory ? error : -EISDIR;
        goto out;
    }
    if (!place.directory->ops->unlink) {
        error = -EPERM;
        goto out;
    }
    error = place_check_slash(&place);
    if (error) {
        goto out;
    }
    error = place.directory->ops->unlink(place.directory, place.name, want_directory);
out:
    place_put(&place);
    return error;
}

long sys_unlink(const char __user *path)
{
    return sys_unlinkat(AT_FDCWD, path, 0);
}

long sys_rmdir(const char __user *path)
{
    return sys_unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

/* A new name with a slash is a directory's: so what moves must be one. */
static long rename_check(const struct place *from, const struct place *to, unsigned flags)
{
    struct inode *old;
    long error = 0;

    if (from->directory->ops != to->directory->ops ||
        from->directory->device != to->directory->device) {
        return -EXDEV;
    }
    if (is_dots(from->name)) {
        return -EBUSY;
    }
    if (is_dots(to->name)) {
        return flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
    }
    if (!from->directory->ops->rename) {
        return -EPERM;
    }
    if (from->slash || to->slash) {
        old = path_step(from->directory, from->name);
        if (is_error(old)) {
            return pointer_error(old);
        }
        error = S_ISDIR(old->mode) ? 0 : -ENOTDIR;
        inode_put(old);
    }
    return error;
}

/* No file system here can exchange two names, or leave a whiteout: then it is -EINVAL. */
long sys_renameat2(int old_dirfd, const char __user *old, int dirfd, const char __user *path,
                   unsigned flags)
{
    struct place from, to;
    long error = flags & ~RENAME_NOREPLACE ? -EINVAL : place_user(old_dirfd, old, &from);

    if (error) {
        return error;
    }
    error = place_user(dirfd, path, &to);
    if (error) {
        goto out_from;
    }
    error = rename_check(&from, &to, flags);
    if (!error) {
        error = from.directory->ops->rename(from.directory, from.name, to.directory, to.name, flags);
    }
    place_put(&to);
out_from:
    place_put(&from);
    return error;
}

long sys_renameat(int old_dirfd, const char __user *old, int dirfd, const char __user *path)
{
    return sys_renameat2(old_dirfd, old, dirfd, path, 0);
}

long sys_rename(const char __user *old, const char __user *path)
{
    return sys_renameat2(AT_FDCWD, old, AT_FDCWD, path, 0);
}

long sys_linkat(int old_dirfd, const char __user *old, int dirfd, const char __user *path, int flags)
{
    struct inode *target;
    struct place place;
    long error;

    if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) {
        return -EINVAL;
    }
    target = path_user(old_dirfd, old, (flags & AT_EMPTY_PATH) |
                                       (flags & AT_SYMLINK_FOLLOW ? 0 : AT_SYMLINK_NOFOLLOW));
    if (is_error(target)) {
        return pointer_error(target);
    }
    error = place_user(dirfd, path, &place);
    if (error) {
        goto out_target;
    }
    error = place_check_new(&place, false);
    if (error) {
        goto out_place;
    }
    if (target->device != place.directory->device) {
        error = -EXDEV;
    } else if (S_ISDIR(target->mode) || !place.directory->ops->link) {
        error = -EPERM;
    } else {
        error = place.directory->ops->link(place.directory, place.name, target);
    }
out_place:
    place_put(&place);
out_target:
    inode_put(target);
    return error;
}

long sys_link(const char __user *old, const char __user *path)
{
    return sys_linkat(AT_FDCWD, old, AT_FDCWD, path, 0);
}

long sys_symlinkat(const char __user *user_target, int dirfd, const char __user *path)
{
    char *target = path_from_user(user_target);
    struct place place;
    long error;

    if (is_error(target)) {
        return pointer_error(target);
    }
    error = *target ? place_user(dirfd, path, &place) : -ENOENT;
    if (error) {
        goto out_target;
    }
    error = place_check_new(&place, false);
    if (!error) {
        error = place.directory->ops->symlink
                    ? place.directory->ops->symlink(place.directory, place.name, target) : -EPERM;
    }
    place_put(&place);
out_target:
    kfree(target);
    return error;
}

long sys_symlink(const char __user *target, const char __user *path)
{
    return sys_symlinkat(target, AT_FDCWD, path);
}

/* An empty name is a symbolic link that was opened with O_PATH; another file is -ENOENT then. */
long sys_readlinkat(int dirfd, const char __user *path, char __user *buffer, int size)
{
    struct inode *inode = size <= 0 ? error_pointer(-EINVAL)
                          : path_user(dirfd, path, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH);
    char *text = kmalloc(PATH_MAX), first = 0;
    long length;

    if (is_error(inode)) {
        kfree(text);
        return pointer_error(inode);
    }
    if (!text) {
        length = -ENOMEM;
    } else if (S_ISLNK(inode->mode) && inode->ops->readlink) {
        length = inode->ops->readlink(inode, text, PATH_MAX);
    } else {
        length = get_user(first, path) || first ? -EINVAL : -ENOENT;
    }
    if (length > size) {
        length = size;
    }
    if (length > 0 && copy_to_user(buffer, text, (size_t)length)) {
        length = -EFAULT;
    }
    inode_put(inode);
    kfree(text);
    return length;
}

long sys_readlink(const char __user *path, char __user *buffer, int size)
{
    return sys_readlinkat(AT_FDCWD, path, buffer, size);
}
