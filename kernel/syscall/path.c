/* Calls on names: open, stat, directories, links. */
#include "fs/device.h"
#include "fs/file.h"
#include "fs/tmpfs.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/kmalloc.h"
#include "mm/uaccess.h"
#include "process/context.h"
#include "process/exec.h"
#include "sched/task.h"
#include "syscall/calls.h"

#define AT_FDCWD (-100)
#define AT_SYMLINK_NOFOLLOW 0x100
#define AT_EMPTY_PATH 0x1000

/* A path from user space, to be freed; or an error pointer. */
static char *path_from_user(const char __user *user)
{
    char *path = kmalloc(PATH_MAX);
    long length = path ? strncpy_from_user(path, user, PATH_MAX) : -ENOMEM;

    if (length < 0) {
        kfree(path);
        return error_pointer(length);
    }
    return path;
}

/* Where a relative path starts: a referenced inode, or an error pointer. */
static struct inode *base_of(int dirfd)
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

static struct inode *lookup_user(int dirfd, const char __user *user, int flags)
{
    char *path = path_from_user(user);
    struct inode *base, *inode;

    if (is_error(path)) {
        return (struct inode *)path;
    }
    base = path[0] == '/' ? inode_get(vfs_root()) : base_of(dirfd);
    inode = is_error(base) ? base : path_lookup(base, path, flags);
    if (!is_error(base)) {
        inode_put(base);
    }
    kfree(path);
    return inode;
}

/* The directory of the last component, and its name. */
static struct inode *parent_user(const char __user *user, char *name, bool *slash)
{
    char *path = path_from_user(user);
    struct inode *base, *inode;

    if (is_error(path)) {
        return (struct inode *)path;
    }
    base = cwd_get();
    inode = path_parent(base, path, name, slash);
    inode_put(base);
    kfree(path);
    return inode;
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
    fd = fd_reserve(flags & O_CLOEXEC); /* first: without one, nothing is made and nothing is cut */
    if (fd < 0) {
        kfree(path);
        return fd;
    }
    base = path[0] == '/' ? inode_get(vfs_root()) : base_of(dirfd);
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

/* struct stat of x86-64, asm/stat.h. */
struct user_stat {
    uint64_t dev, ino, nlink;
    uint32_t mode, uid, gid, padding;
    uint64_t rdev;
    int64_t size, blksize, blocks;
    struct timespec atime, mtime, ctime;
    int64_t unused[3];
};

static struct timespec to_timespec(ktime_t time)
{
    return (struct timespec){time / 1000000000, time % 1000000000};
}

static long put_stat(struct inode *inode, void __user *result)
{
    struct user_stat s = {
        .dev = inode->device, .ino = inode->number, .nlink = inode->links, .mode = inode->mode,
        .uid = inode->uid, .gid = inode->gid, .rdev = inode->rdev, .size = inode->size,
        .blksize = 4096,
        .blocks = S_ISREG(inode->mode) ? inode->size / 512 + (inode->size % 512 != 0) : 0,
        .atime = to_timespec(inode->atime), .mtime = to_timespec(inode->mtime),
        .ctime = to_timespec(inode->ctime),
    };

    return copy_to_user(result, &s, sizeof(s));
}

long sys_newfstatat(int dirfd, const char __user *path, void __user *result, int flags)
{
    struct inode *inode;
    long error;
    char first = 1;

    if (flags & AT_EMPTY_PATH && (!path || (get_user(first, path) == 0 && first == 0))) {
        inode = base_of(dirfd);
    } else {
        inode = lookup_user(dirfd, path, flags & AT_SYMLINK_NOFOLLOW ? LOOKUP_NOFOLLOW : 0);
    }
    if (is_error(inode)) {
        return pointer_error(inode);
    }
    error = put_stat(inode, result);
    inode_put(inode);
    return error;
}

long sys_stat(const char __user *path, void __user *result)
{
    return sys_newfstatat(AT_FDCWD, path, result, 0);
}

long sys_lstat(const char __user *path, void __user *result)
{
    return sys_newfstatat(AT_FDCWD, path, result, AT_SYMLINK_NOFOLLOW);
}

long sys_fstat(int fd, void __user *result)
{
    struct file *file = fd_get(fd);
    long error = file ? put_stat(file->inode, result) : -EBADF;

    file_put(file);
    return error;
}

long sys_access(const char __user *path, int mode)
{
    struct inode *inode = mode & ~7 ? error_pointer(-EINVAL) : lookup_user(AT_FDCWD, path, 0);
    long error;

    if (is_error(inode)) {
        return pointer_error(inode);
    }
    /* Root may read and write all, but execute only what somebody may. */
    error = mode & 1 && !S_ISDIR(inode->mode) && !(inode->mode & 0111) ? -EACCES : 0;
    inode_put(inode);
    return error;
}

long sys_truncate(const char __user *path, off_t size)
{
    struct inode *inode = size < 0 ? error_pointer(-EINVAL) : lookup_user(AT_FDCWD, path, 0);
    long error;

    if (is_error(inode)) {
        return pointer_error(inode);
    }
    error = S_ISDIR(inode->mode) ? -EISDIR : inode_truncate(inode, size);
    inode_put(inode);
    return error;
}

long sys_ftruncate(int fd, off_t size)
{
    struct file *file = fd_get_io(fd);
    long error = !file ? -EBADF : size < 0 || !file_writable(file) || !file->inode->ops->truncate
                 ? -EINVAL : file->inode->ops->truncate(file->inode, size);

    file_put(file);
    return error;
}

long sys_getcwd(char __user *buffer, size_t size)
{
    char *path = kmalloc(PATH_MAX);
    struct inode *cwd = cwd_get();
    long length = path ? path_of(cwd, path, PATH_MAX) : -ENOMEM;

    if (length >= 0) {
        length = (size_t)length + 1 > size ? -ERANGE
                 : copy_to_user(buffer, path, (size_t)length + 1) ? -EFAULT : length + 1;
    }
    inode_put(cwd);
    kfree(path);
    return length;
}

long sys_chdir(const char __user *path)
{
    struct inode *inode = lookup_user(AT_FDCWD, path, 0);

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

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

long sys_mkdir(const char __user *path, mode_t mode)
{
    char name[NAME_MAX + 1];
    bool slash;
    struct inode *directory = parent_user(path, name, &slash), *made;

    if (is_error(directory)) {
        return pointer_error(directory);
    }
    made = is_dots(name) ? error_pointer(-EEXIST) : !directory->ops->create ? error_pointer(-EPERM)
           : directory->ops->create(directory, name,
                                    S_IFDIR | (mode & 01777 & ~current->cwd->umask), 0);
    inode_put(directory);
    if (is_error(made)) {
        return pointer_error(made);
    }
    inode_put(made);
    return 0;
}

static long path_remove(const char __user *path, bool want_directory)
{
    char name[NAME_MAX + 1];
    bool slash;
    struct inode *directory = parent_user(path, name, &slash);
    long error;

    if (is_error(directory)) {
        return pointer_error(directory);
    }
    if (is_dots(name)) {
        error = !want_directory ? -EISDIR : name[1] ? -ENOTEMPTY : -EINVAL;
    } else if (!directory->ops->unlink) {
        error = -EPERM;
    } else {
        error = directory->ops->unlink(directory, name, want_directory);
        error = slash && !want_directory && error == 0 ? -ENOTDIR : error;
    }
    inode_put(directory);
    return error;
}

long sys_unlink(const char __user *path)
{
    return path_remove(path, false);
}

long sys_rmdir(const char __user *path)
{
    return path_remove(path, true);
}

long sys_rename(const char __user *old, const char __user *path)
{
    char old_name[NAME_MAX + 1], name[NAME_MAX + 1];
    bool slash;
    struct inode *from = parent_user(old, old_name, &slash), *to;
    long error;

    if (is_error(from)) {
        return pointer_error(from);
    }
    to = parent_user(path, name, &slash);
    error = is_error(to) ? pointer_error(to) : is_dots(old_name) || is_dots(name) ? -EBUSY
            : from->ops != to->ops || from->device != to->device ? -EXDEV
            : from->ops->rename ? from->ops->rename(from, old_name, to, name, 0) : -EPERM;
    if (!is_error(to)) {
        inode_put(to);
    }
    inode_put(from);
    return error;
}

long sys_link(const char __user *old, const char __user *path)
{
    char name[NAME_MAX + 1];
    bool slash;
    struct inode *target = lookup_user(AT_FDCWD, old, LOOKUP_NOFOLLOW), *directory;
    long error;

    if (is_error(target)) {
        return pointer_error(target);
    }
    directory = parent_user(path, name, &slash);
    error = is_error(directory) ? pointer_error(directory) : S_ISDIR(target->mode) ? -EPERM
            : is_dots(name) ? -EEXIST : !directory->ops->link ? -EPERM
            : directory->ops->link(directory, name, target);
    if (!is_error(directory)) {
        inode_put(directory);
    }
    inode_put(target);
    return error;
}

long sys_symlink(const char __user *user_target, const char __user *path)
{
    char name[NAME_MAX + 1], *target = path_from_user(user_target);
    bool slash;
    struct inode *directory;
    long error;

    if (is_error(target)) {
        return pointer_error(target);
    }
    directory = parent_user(path, name, &slash);
    error = is_error(directory) ? pointer_error(directory) : !*target ? -ENOENT
            : is_dots(name) ? -EEXIST : !directory->ops->symlink ? -EPERM
            : directory->ops->symlink(directory, name, target);
    if (!is_error(directory)) {
        inode_put(directory);
    }
    kfree(target);
    return error;
}

long sys_readlink(const char __user *path, char __user *buffer, int size)
{
    struct inode *inode = size <= 0 ? error_pointer(-EINVAL)
                                             : lookup_user(AT_FDCWD, path, LOOKUP_NOFOLLOW);
    char *text = kmalloc(PATH_MAX);
    long length;

    if (is_error(inode)) {
        kfree(text);
        return pointer_error(inode);
    }
    length = !text ? -ENOMEM : S_ISLNK(inode->mode) && inode->ops->readlink
             ? inode->ops->readlink(inode, text, PATH_MAX) : -EINVAL;
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
    struct inode *directory = lookup_user(AT_FDCWD, target, 0);
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
