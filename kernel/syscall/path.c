/* Calls on paths: open, the working directory, exec, mount; and how the others find what a name means. */
#include "fs/device.h"
#include "fs/file.h"
#include "fs/notify.h"
#include "fs/tmpfs.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/kmalloc.h"
#include "mm/uaccess.h"
#include "process/context.h"
#include "process/exec.h"
#include "sched/task.h"
#include "syscall/calls.h"
#include "syscall/path.h"

char *path_from_user(const char __user *user)
{
    char *path = kmalloc(PATH_MAX);
    long length = path ? strncpy_from_user(path, user, PATH_MAX) : -ENOMEM;

    if (length < 0) {
        kfree(path);
        return error_pointer(length);
    }
    return path;
}

struct inode *path_base(int dirfd)
{
    struct file *file;
    struct inode *inode;

    if (dirfd == AT_FDCWD) {
        return cwd_get();
    }
    file = fd_get(dirfd);
    if (!file) {
        return error_pointer(-EBADF);
    }
    inode = inode_get(file->inode);
    file_put(file);
    return inode;
}

/* Where a path starts. */
static struct inode *path_start(int dirfd, const char *path)
{
    return path[0] == '/' ? inode_get(vfs_root()) : path_base(dirfd);
}

struct inode *path_user(int dirfd, const char __user *user, int flags)
{
    char *path = path_from_user(user);
    struct inode *base, *inode;

    if (is_error(path)) {
        return (struct inode *)path;
    }
    base = inode = path_start(dirfd, path);
    if (is_error(base) || (!*path && flags & AT_EMPTY_PATH)) {
        goto out;
    }
    inode = path_lookup(base, path, flags & AT_SYMLINK_NOFOLLOW ? LOOKUP_NOFOLLOW : 0);
    inode_put(base);
out:
    kfree(path);
    return inode;
}

long place_user(int dirfd, const char __user *user, struct place *place)
{
    char *path = path_from_user(user);
    struct inode *base;
    long error;

    if (is_error(path)) {
        return pointer_error(path);
    }
    base = path_start(dirfd, path);
    if (is_error(base)) {
        error = pointer_error(base);
        goto out;
    }
    error = path_parent(base, path, place);
    inode_put(base);
out:
    kfree(path);
    return error;
}

long sys_openat(int dirfd, const char __user *user, int flags, mode_t mode)
{
    char *path = path_from_user(user);
    struct inode *base;
    struct file *file;
    long fd;

    if (is_error(path)) {
        return pointer_error(path);
    }
    if (flags & O_CREAT && flags & O_DIRECTORY && !(flags & O_PATH)) { /* what would it be? */
        kfree(path);
        return -EINVAL;
    }
    fd = fd_reserve(flags & O_CLOEXEC); /* first: without one, nothing is made and nothing is cut */
    if (fd < 0) {
        kfree(path);
        return fd;
    }
    base = path_start(dirfd, path);
    file = is_error(base) ? (struct file *)base
                          : file_open_path(base, path, flags, mode & ~current->cwd->umask);
    if (!is_error(base)) {
        inode_put(base);
    }
    kfree(path);
    return fd_settle(fd, file);
}

long sys_open(const char __user *path, int flags, mode_t mode)
{
    return sys_openat(AT_FDCWD, path, flags, mode);
}

long sys_creat(const char __user *path, mode_t mode)
{
    return sys_openat(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

long sys_truncate(const char __user *path, off_t size)
{
    struct inode *inode = size < 0 ? error_pointer(-EINVAL) : path_user(AT_FDCWD, path, 0);
    long error;

    if (is_error(inode)) {
        return pointer_error(inode);
    }
    error = S_ISDIR(inode->mode) ? -EISDIR : inode_truncate(inode, size);
    if (!error) {
        notify_place(inode, IN_MODIFY);
    }
    inode_put(inode);
    return error;
}

long sys_ftruncate(int fd, off_t size)
{
    struct file *file = fd_get_io(fd);
    long error = -EINVAL;

    if (!file) {
        return -EBADF;
    }
    if (size >= 0 && file_writable(file) && file->inode->ops->truncate) {
        error = file->inode->ops->truncate(file->inode, size);
    }
    if (!error) {
        notify_place(file->inode, IN_MODIFY);
    }
    file_put(file);
    return error;
}

long sys_getcwd(char __user *buffer, size_t size)
{
    char *path = kmalloc(PATH_MAX);
    struct inode *cwd = cwd_get();
    long length = path ? path_of(cwd, path, PATH_MAX) : -ENOMEM;

    if (length >= 0) {
        length++; /* the terminator */
        if ((size_t)length > size) {
            length = -ERANGE;
        } else if (copy_to_user(buffer, path, (size_t)length)) {
            length = -EFAULT;
        }
    }
    inode_put(cwd);
    kfree(path);
    return length;
}

/* The reference is taken over; an error pointer is the result. */
static long path_enter(struct inode *inode)
{
    if (is_error(inode)) {
        return pointer_error(inode);
    }
    if (!S_ISDIR(inode->mode)) {
        inode_put(inode);
        return -ENOTDIR;
    }
    cwd_set(inode);
    return 0;
}

long sys_chdir(const char __user *path)
{
    return path_enter(path_user(AT_FDCWD, path, 0));
}

long sys_fchdir(int fd)
{
    return path_enter(fd == AT_FDCWD ? error_pointer(-EBADF) : path_base(fd));
}

/* There is one root for all. */
long sys_chroot(const char __user *path)
{
    struct inode *inode = path_user(AT_FDCWD, path, 0);

    if (is_error(inode)) {
        return pointer_error(inode);
    }
    inode_put(inode);
    return -EPERM;
}

long sys_umask(mode_t mask)
{
    return (long)__atomic_exchange_n(&current->cwd->umask, mask & 0777, __ATOMIC_RELAXED);
}

long sys_execve(const char __user *user, uint64_t argv, uint64_t envp)
{
    char *path = path_from_user(user);
    struct inode *base;
    long error;

    if (is_error(path)) {
        return pointer_error(path);
    }
    base = cwd_get();
    error = exec_program(base, path, argv, envp);
    inode_put(base);
    kfree(path);
    return error;
}

static long mount_new(struct inode *directory, const char *type)
{
    bool devices = strcmp(type, "devtmpfs") == 0;
    struct inode *root;
    long error;

    if (!devices && strcmp(type, "tmpfs") != 0) {
        return -ENODEV;
    }
    root = tmpfs_create_root(devices ? 0755 : 01777);
    if (!root) {
        return -ENOMEM;
    }
    error = vfs_mount(directory, root);
    if (!error && devices) {
        device_fill(root); /* not before: a root with names in it would not go away again */
    }
    inode_put(root);
    return error;
}

long sys_mount(const char __user *source, const char __user *target, const char __user *user_type)
{
    struct inode *directory = path_user(AT_FDCWD, target, 0);
    char type[16];
    long error;

    (void)source;
    if (is_error(directory)) {
        return pointer_error(directory);
    }
    error = strncpy_from_user(type, user_type, sizeof(type));
    if (error == -ENAMETOOLONG) {
        error = -ENODEV;
    } else if (error >= 0) {
        error = mount_new(directory, type);
    }
    inode_put(directory);
    return error;
}
