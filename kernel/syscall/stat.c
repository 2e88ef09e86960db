/* Calls that tell what a file is: stat, statx, access, statfs. */
#include "fs/file.h"
#include "fs/tmpfs.h"
#include "lib/errno.h"
#include "mm/page.h"
#include "mm/uaccess.h"
#include "syscall/calls.h"
#include "syscall/path.h"

/* struct stat of x86-64, asm/stat.h. */
struct user_stat {
    uint64_t dev, ino, nlink;
    uint32_t mode, uid, gid, padding;
    uint64_t rdev;
    int64_t size, blksize, blocks;
    struct timespec atime, mtime, ctime;
    int64_t unused[3];
};

/* Nanoseconds count up from the second before, also before 1970. */
static struct timespec to_timespec(ktime_t time)
{
    int64_t seconds = time / SECOND - (time % SECOND < 0);

    return (struct timespec){seconds, time - seconds * SECOND};
}

static int64_t stat_blocks(const struct inode *inode)
{
    return S_ISREG(inode->mode) ? inode->size / 512 + (inode->size % 512 != 0) : 0;
}

static long put_stat(struct inode *inode, void __user *result)
{
    struct user_stat s = {
        .dev = inode->device, .ino = inode->number, .nlink = inode->links, .mode = inode->mode,
        .uid = inode->uid, .gid = inode->gid, .rdev = inode->rdev, .size = inode->size,
        .blksize = PAGE_SIZE, .blocks = stat_blocks(inode), .atime = to_timespec(inode->atime),
        .mtime = to_timespec(inode->mtime), .ctime = to_timespec(inode->ctime),
    };

    return copy_to_user(result, &s, sizeof(s));
}

enum { STAT_FLAGS = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE };

/* What is asked about; with AT_EMPTY_PATH, no name at all is an empty one. */
static struct inode *stat_inode(int dirfd, const char __user *path, int flags)
{
    if (flags & ~STAT_FLAGS) {
        return error_pointer(-EINVAL);
    }
    return !path && flags & AT_EMPTY_PATH ? path_base(dirfd) : path_user(dirfd, path, flags);
}

long sys_newfstatat(int dirfd, const char __user *path, void __user *result, int flags)
{
    struct inode *inode = stat_inode(dirfd, path, flags);
    long error;

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

/* struct statx, linux/stat.h. */
struct statx_time {
    int64_t seconds;
    uint32_t nanoseconds, padding;
};

struct user_statx {
    uint32_t mask, blksize;
    uint64_t attributes;
    uint32_t nlink, uid, gid;
    uint16_t mode, padding;
    uint64_t ino, size, blocks, attributes_mask;
    struct statx_time atime, btime, ctime, mtime;
    uint32_t rdev[2], dev[2]; /* major, minor */
    uint64_t unused[14];
};
_Static_assert(sizeof(struct user_statx) == 256, "as Linux has it");

static struct statx_time to_statx_time(ktime_t time)
{
    struct timespec t = to_timespec(time);

    return (struct statx_time){t.seconds, (uint32_t)t.nanoseconds, 0};
}

/* The basic statistics, whatever `mask` asks for: statx(2) allows more, and less. */
long sys_statx(int dirfd, const char __user *path, int flags, unsigned mask, void __user *result)
{
    enum { STATX_BASIC_STATS = 0x7ff };
    const bool bad = mask >> 31 || (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE;
    struct inode *inode = bad ? error_pointer(-EINVAL) : stat_inode(dirfd, path, flags);
    struct user_statx s;
    long error;

    if (is_error(inode)) {
        return pointer_error(inode);
    }
    s = (struct user_statx){
        .mask = STATX_BASIC_STATS, .blksize = PAGE_SIZE, .nlink = inode->links, .uid = inode->uid,
        .gid = inode->gid, .mode = (uint16_t)inode->mode, .ino = inode->number,
        .size = (uint64_t)inode->size, .blocks = (uint64_t)stat_blocks(inode),
        .atime = to_statx_time(inode->atime), .mtime = to_statx_time(inode->mtime),
        .ctime = to_statx_time(inode->ctime),
        .rdev = {device_major(inode->rdev), device_minor(inode->rdev)},
        .dev = {device_major(inode->device), device_minor(inode->device)},
    };
    error = copy_to_user(result, &s, sizeof(s));
    inode_put(inode);
    return error;
}

/* Root may read and write all, but execute only what somebody may. */
long sys_faccessat2(int dirfd, const char __user *path, int mode, int flags)
{
    const bool bad = mode & ~7 || flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH);
    struct inode *inode = bad ? error_pointer(-EINVAL) : path_user(dirfd, path, flags);
    long error;

    if (is_error(inode)) {
        return pointer_error(inode);
    }
    error = mode & 1 && !S_ISDIR(inode->mode) && !(inode->mode & 0111) ? -EACCES : 0;
    inode_put(inode);
    return error;
}

long sys_faccessat(int dirfd, const char __user *path, int mode)
{
    return sys_faccessat2(dirfd, path, mode, 0);
}

long sys_access(const char __user *path, int mode)
{
    return sys_faccessat2(AT_FDCWD, path, mode, 0);
}

/* The kind of file system, linux/magic.h. */
static uint32_t statfs_type(const struct inode *inode)
{
    enum { PROC = 0x9fa0, TMPFS = 0x01021994, PIPES = 0x50495045, SOCKETS = 0x534f434b, ANONYMOUS = 0x09041934 };

    if (inode->device) {
        return inode->device == PROC_DEVICE ? PROC : TMPFS;
    }
    if (S_ISFIFO(inode->mode)) {
        return PIPES;
    }
    return S_ISSOCK(inode->mode) ? SOCKETS : ANONYMOUS;
}

/* struct statfs of x86-64, asm/statfs.h. Files lie in memory: its pages are the blocks. */
static long put_statfs(const struct inode *inode, void __user *result)
{
    enum { ST_VALID = 0x20 };
    const bool stores = inode->device && inode->device != PROC_DEVICE;
    const uint64_t total = stores ? page_total_count() : 0;
    const uint64_t free = stores ? tmpfs_free_pages() : 0;
    struct {
        int64_t type, block_size;
        uint64_t blocks, free, available, files, free_files, id;
        int64_t name_max, fragment_size, flags, spare[4];
    } s = {
        .type = statfs_type(inode), .block_size = PAGE_SIZE, .blocks = total,
        .free = free, .available = free, .files = total, .free_files = free, .id = inode->device,
        .name_max = NAME_MAX, .fragment_size = PAGE_SIZE, .flags = ST_VALID,
    };

    return copy_to_user(result, &s, sizeof(s));
}

long sys_statfs(const char __user *path, void __user *result)
{
    struct inode *inode = path_user(AT_FDCWD, path, 0);
    long error;

    if (is_error(inode)) {
        return pointer_error(inode);
    }
    error = put_statfs(inode, result);
    inode_put(inode);
    return error;
}

long sys_fstatfs(int fd, void __user *result)
{
    struct file *file = fd_get(fd);
    long error = file ? put_statfs(file->inode, result) : -EBADF;

    file_put(file);
    return error;
}
