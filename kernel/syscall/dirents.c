/* getdents64(2): the entries of a directory, with "." and ".." before what the file system has. */
#include "fs/file.h"
#include "fs/notify.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/kmalloc.h"
#include "mm/uaccess.h"
#include "syscall/calls.h"

struct dirents {
    char *buffer;
    size_t size, used;
    off_t shift;
    bool full;
};

/* struct linux_dirent64, getdents(2). */
static bool add_dirent(void *context, const char *name, uint64_t number, mode_t mode, off_t next)
{
    struct dirents *d = context;
    size_t length = strlen(name), size = align_up(19 + length + 1, 8);
    char *at = d->buffer + d->used;

    if (size > d->size - d->used) {
        d->full = true;
        return false;
    }
    memset(at, 0, size);
    *(uint64_t *)at = number;
    *(int64_t *)(at + 8) = next + d->shift;
    *(uint16_t *)(at + 16) = (uint16_t)size;
    at[18] = (char)((mode & S_IFMT) >> 12);
    memcpy(at + 19, name, length);
    d->used += size;
    return true;
}

long sys_getdents64(int fd, void __user *buffer, unsigned size)
{
    struct file *file = fd_get_io(fd);
    struct dirents d = {.size = size < 32768 ? size : 32768};
    struct inode *inode;
    off_t position;
    long result = 0;

    if (!file) {
        return -EBADF;
    }
    inode = file->inode;
    d.buffer = S_ISDIR(inode->mode) ? kmalloc(d.size + 1) : NULL;
    if (!d.buffer) {
        file_put(file);
        return S_ISDIR(inode->mode) ? -ENOMEM : -ENOTDIR;
    }
    mutex_lock(&file->position_lock);
    position = file->position;
    if (position == 0 && add_dirent(&d, ".", inode->number, S_IFDIR, 1)) {
        position = 1;
    }
    if (position == 1) {
        struct inode *parent = path_step(inode, "..");

        if (!is_error(parent)) {
            position += add_dirent(&d, "..", parent->number, S_IFDIR, 2);
            inode_put(parent);
        }
    }
    d.shift = 2;
    if (position >= 2) {
        result = inode->ops->iterate(inode, position - 2, add_dirent, &d);
    }
    if (!result && d.used == 0 && d.full) {
        result = -EINVAL;
    } else if (!result && d.used && copy_to_user(buffer, d.buffer, d.used)) {
        result = -EFAULT;
    } else if (!result) {
        for (size_t at = 0; at < d.used; at += *(uint16_t *)(d.buffer + at + 16)) {
            file->position = *(int64_t *)(d.buffer + at + 8);
        }
        result = (long)d.used;
    }
    mutex_unlock(&file->position_lock);
    if (result >= 0) {
        notify_place(inode, IN_ACCESS);
    }
    file_put(file);
    kfree(d.buffer);
    return result;
}
