/*
 * Calls that change what stat shows: chmod, chown, utimensat; and extended attributes, which no
 * file has here. Everybody is root and may do it, but /proc is made anew by each look at it.
 */
#include "fs/file.h"
#include "fs/notify.h"
#include "lib/errno.h"
#include "mm/uaccess.h"
#include "syscall/calls.h"
#include "syscall/path.h"

struct change {
    enum { CHANGE_MODE, CHANGE_OWNER, CHANGE_TIMES } what;
    mode_t mode;
    uint32_t uid, gid; /* -1: stays */
    const struct timespec *times; /* NULL: both are now */
};

enum { UTIME_NOW = 0x3fffffff, UTIME_OMIT = 0x3ffffffe }; /* as nanoseconds: utimensat(2) */

static bool change_time_ok(const struct timespec *time)
{
    return time->nanoseconds == UTIME_NOW || time->nanoseconds == UTIME_OMIT ||
           (time->nanoseconds >= 0 && time->nanoseconds < SECOND);
}

/* What a time stamp becomes; it has room for the years 1678 to 2262, and keeps to them. */
static ktime_t change_time(const struct timespec *time, ktime_t old, ktime_t now)
{
    const int64_t most = INT64_MAX / SECOND - 1;
    int64_t seconds;

    if (!time || time->nanoseconds == UTIME_NOW) {
        return now;
    }
    if (time->nanoseconds == UTIME_OMIT) {
        return old;
    }
    seconds = time->seconds > most ? most : time->seconds;
    seconds = seconds < -most ? -most : seconds;
    return seconds * SECOND + time->nanoseconds;
}

/* A new owner takes away the bits that would run a program as the owner: chown(2). */
static void change_owner(struct inode *inode, const struct change *change)
{
    enum { SET_UID = 04000, SET_GID = 02000, GROUP_EXEC = 010 };

    assert_held(&inode->lock);
    inode->uid = change->uid == UINT32_MAX ? inode->uid : change->uid;
    inode->gid = change->gid == UINT32_MAX ? inode->gid : change->gid;
    if (!S_ISDIR(inode->mode)) {
        inode->mode &= ~(inode->mode & GROUP_EXEC ? SET_UID | SET_GID : SET_UID);
    }
}

/* What inotify(7) calls it: one time alone is like reading, or like writing. 0: nothing is told. */
static uint32_t change_event(const struct change *change)
{
    if (change->what == CHANGE_OWNER) {
        return change->uid == UINT32_MAX && change->gid == UINT32_MAX ? 0 : IN_ATTRIB;
    }
    if (change->what == CHANGE_TIMES && change->times && change->times[1].nanoseconds == UTIME_OMIT) {
        return IN_ACCESS;
    }
    if (change->what == CHANGE_TIMES && change->times && change->times[0].nanoseconds == UTIME_OMIT) {
        return IN_MODIFY;
    }
    return IN_ATTRIB;
}

/* The reference is taken over; an error pointer is the result. */
static long change_inode(struct inode *inode, const struct change *change)
{
    const ktime_t now = vfs_now();
    long error = 0;

    if (is_error(inode)) {
        return pointer_error(inode);
    }
    mutex_lock(&inode->lock);
    if (change->what == CHANGE_TIMES && change->times &&
        (!change_time_ok(&change->times[0]) || !change_time_ok(&change->times[1]))) {
        error = -EINVAL;
    } else if (inode->device == PROC_DEVICE) {
        error = -EPERM;
    } else if (change->what == CHANGE_TIMES) {
        inode->atime = change_time(change->times, inode->atime, now);
        inode->mtime = change_time(change->times ? change->times + 1 : NULL, inode->mtime, now);
    } else if (change->what == CHANGE_OWNER) {
        change_owner(inode, change);
    } else if (S_ISLNK(inode->mode)) {
        error = -EOPNOTSUPP;
    } else {
        inode->mode = (inode->mode & S_IFMT) | (change->mode & 07777);
    }
    if (!error) {
        inode->ctime = now;
    }
    mutex_unlock(&inode->lock);
    if (!error) {
        notify_place(inode, change_event(change));
    }
    inode_put(inode);
    return error;
}

/* The inode of a descriptor that is open for more than its name. */
static struct inode *change_fd(int fd)
{
    struct file *file = fd_get_io(fd);
    struct inode *inode = file ? inode_get(file->inode) : error_pointer(-EBADF);

    file_put(file);
    return inode;
}

long sys_fchmodat(int dirfd, const char __user *path, mode_t mode)
{
    return change_inode(path_user(dirfd, path, 0), &(struct change){CHANGE_MODE, .mode = mode});
}

long sys_chmod(const char __user *path, mode_t mode)
{
    return sys_fchmodat(AT_FDCWD, path, mode);
}

long sys_fchmod(int fd, mode_t mode)
{
    return change_inode(change_fd(fd), &(struct change){CHANGE_MODE, .mode = mode});
}

long sys_fchownat(int dirfd, const char __user *path, uint32_t uid, uint32_t gid, int flags)
{
    if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) {
        return -EINVAL;
    }
    return change_inode(path_user(dirfd, path, flags),
                        &(struct change){CHANGE_OWNER, .uid = uid, .gid = gid});
}

long sys_chown(const char __user *path, uint32_t uid, uint32_t gid)
{
    return sys_fchownat(AT_FDCWD, path, uid, gid, 0);
}

long sys_lchown(const char __user *path, uint32_t uid, uint32_t gid)
{
    return sys_fchownat(AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW);
}

long sys_fchown(int fd, uint32_t uid, uint32_t gid)
{
    return change_inode(change_fd(fd), &(struct change){CHANGE_OWNER, .uid = uid, .gid = gid});
}

/* No name: the descriptor's file. */
static long change_times(int dirfd, const char __user *path, const struct timespec *times, int flags)
{
    struct inode *inode;

    if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) {
        return -EINVAL;
    }
    if (!path && dirfd != AT_FDCWD) {
        inode = flags ? error_pointer(-EINVAL) : change_fd(dirfd);
    } else {
        inode = path_user(dirfd, path, flags);
    }
    return change_inode(inode, &(struct change){CHANGE_TIMES, .times = times});
}

long sys_utimensat(int dirfd, const char __user *path, const struct timespec __user *user, int flags)
{
    struct timespec times[2];

    if (user && copy_from_user(times, user, sizeof(times))) {
        return -EFAULT;
    }
    if (user && times[0].nanoseconds == UTIME_OMIT && times[1].nanoseconds == UTIME_OMIT) {
        return 0; /* not even the name is looked at */
    }
    return change_times(dirfd, path, user ? times : NULL, flags);
}

/* The older calls count microseconds, or only seconds. */
long sys_futimesat(int dirfd, const char __user *path, const struct timespec __user *user)
{
    struct timespec times[2];

    if (user && copy_from_user(times, user, sizeof(times))) {
        return -EFAULT;
    }
    for (int i = 0; user && i < 2; i++) {
        if (times[i].nanoseconds < 0 || times[i].nanoseconds >= 1000000) {
            return -EINVAL;
        }
        times[i].nanoseconds *= 1000;
    }
    return change_times(dirfd, path, user ? times : NULL, 0);
}

long sys_utimes(const char __user *path, const struct timespec __user *times)
{
    return sys_futimesat(AT_FDCWD, path, times);
}

long sys_utime(const char __user *path, const int64_t __user *user)
{
    int64_t seconds[2];

    if (user && copy_from_user(seconds, user, sizeof(seconds))) {
        return -EFAULT;
    }
    return change_times(AT_FDCWD, path, user ? (struct timespec[]){{seconds[0], 0}, {seconds[1], 0}}
                                             : NULL, 0);
}

/* An inode is there, but it takes no extended attributes; ls and cp go on without. */
static long no_attributes(struct inode *inode)
{
    if (is_error(inode)) {
        return pointer_error(inode);
    }
    inode_put(inode);
    return -EOPNOTSUPP;
}

/* xattr(7): each call by a name, by a link's own name, and by a descriptor. */
#define NO_ATTRIBUTES(call) \
    long sys_##call(const char __user *path) \
    { \
        return no_attributes(path_user(AT_FDCWD, path, 0)); \
    } \
    long sys_l##call(const char __user *path) \
    { \
        return no_attributes(path_user(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW)); \
    } \
    long sys_f##call(int fd) \
    { \
        return no_attributes(change_fd(fd)); \
    }
NO_ATTRIBUTES(setxattr)
NO_ATTRIBUTES(getxattr)
NO_ATTRIBUTES(listxattr)
NO_ATTRIBUTES(removexattr)

/* Files lie in memory and nowhere else: all is where it shall be. */
static long file_sync(int fd, bool any)
{
    struct file *file = fd_get_io(fd);
    long error = -EBADF;

    if (file) {
        error = any || S_ISREG(file->inode->mode) || S_ISDIR(file->inode->mode) ? 0 : -EINVAL;
    }
    file_put(file);
    return error;
}

long sys_fsync(int fd)
{
    return file_sync(fd, false);
}

long sys_fdatasync(int fd)
{
    return file_sync(fd, false);
}

long sys_syncfs(int fd)
{
    return file_sync(fd, true);
}

long sys_sync(void)
{
    return 0;
}
