/* Calls on descriptors: read, write, seek, control, poll, and the descriptors themselves. */
#include "event/poll.h"
#include "fs/notify.h"
#include "ipc/pipe.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/kmalloc.h"
#include "mm/mm.h"
#include "mm/uaccess.h"
#include "sched/task.h"
#include "syscall/calls.h"

static inline ssize_t file_operation(struct file *file, uint64_t buffer, size_t size, off_t *position,
                                     bool write)
{
    size = size < TRANSFER_MAX ? size : TRANSFER_MAX;
    if (write) {
        return file->ops->write ? file->ops->write(file, (const char __user *)buffer, size, position) : -EINVAL;
    }
    return file->ops->read ? file->ops->read(file, (char __user *)buffer, size, position) : -EINVAL;
}

/* Of a file that has positions: at its own one (NULL), which one call at a time moves, or at *at. Of these alone
 * inotify(7) tells what is read and written: a pipe's bytes are nobody else's matter. */
static __attribute__((noinline)) ssize_t file_transfer_at(struct file *file, uint64_t buffer, size_t size,
                                                          off_t *at, bool write)
{
    off_t *position = at ? at : &file->position;
    ssize_t done = -EINVAL;

    if (!at) {
        mutex_lock(&file->position_lock);
    }
    if (*position <= INT64_MAX - (off_t)size) {
        done = file_operation(file, buffer, size, position, write);
    }
    if (!at) {
        mutex_unlock(&file->position_lock);
    }
    if (done > 0) {
        notify_place(file->inode, write ? IN_MODIFY : IN_ACCESS);
    }
    return done;
}

/* One piece. */
static inline __attribute__((always_inline)) ssize_t file_transfer(struct file *file, uint64_t buffer,
                                                                   size_t size, off_t *at, bool write)
{
    if (write ? !file_writable(file) : !file_readable(file)) {
        return -EBADF;
    }
    if (!user_range_ok((void __user *)buffer, size)) {
        return -EFAULT;
    }
    if (file->ops->seek) {
        return file_transfer_at(file, buffer, size, at, write);
    }
    return file_operation(file, buffer, size, &file->position, write);
}

ssize_t file_transfer_piece(struct file *file, const struct iovec *piece, off_t *at, bool write)
{
    return file_transfer(file, piece->base, piece->size, at, write);
}

/* The file is held: who shares the table may close it meanwhile. */
static __attribute__((noinline)) long fd_transfer_shared(int fd, uint64_t buffer, size_t size, bool write)
{
    struct file *file = fd_use(current->files, fd, true);
    long done;

    if (!file) {
        return -EBADF;
    }
    done = file_transfer(file, buffer, size, NULL, write);
    fd_done(file, true);
    return done;
}

static inline long fd_transfer(int fd, uint64_t buffer, size_t size, bool write)
{
    const struct files *files = current->files;
    struct file *file;
    long done;

    if (files_shared(files)) {
        return fd_transfer_shared(fd, buffer, size, write);
    }
    file = fd_use(files, fd, false);
    done = file ? file_transfer(file, buffer, size, NULL, write) : -EBADF;
    __asm__ volatile(""); /* no jump to the file's function instead of a call: backtraces show this one, too */
    return done;
}

long sys_read(int fd, char __user *buffer, size_t size)
{
    return fd_transfer(fd, (uint64_t)buffer, size, false);
}

long sys_write(int fd, const char __user *buffer, size_t size)
{
    return fd_transfer(fd, (uint64_t)buffer, size, true);
}

static long fd_transfer_at(int fd, uint64_t buffer, size_t size, off_t position, bool write)
{
    struct file *file = fd_get_io(fd);
    long done;

    if (!file) {
        return -EBADF;
    }
    if (position < 0) {
        done = -EINVAL;
    } else if (!file->ops->seek) {
        done = -ESPIPE;
    } else {
        done = file_transfer(file, buffer, size, &position, write);
    }
    file_put(file);
    return done;
}

long sys_pread64(int fd, char __user *buffer, size_t size, off_t position)
{
    return fd_transfer_at(fd, (uint64_t)buffer, size, position, false);
}

long sys_pwrite64(int fd, const char __user *buffer, size_t size, off_t position)
{
    return fd_transfer_at(fd, (uint64_t)buffer, size, position, true);
}

/* Advice is free to be of no use; but it is about a file. */
long sys_fadvise64(int fd, off_t offset, off_t size, int advice)
{
    enum { POSIX_FADV_NOREUSE = 5 };
    struct file *file = fd_get_io(fd);
    long error = -EBADF;

    (void)offset;
    if (file) {
        error = S_ISFIFO(file->inode->mode) ? -ESPIPE
                : size < 0 || advice < 0 || advice > POSIX_FADV_NOREUSE ? -EINVAL : 0;
    }
    file_put(file);
    return error;
}

long sys_fallocate(int fd, int mode, off_t offset, off_t size)
{
    enum { FALLOC_FL_KEEP_SIZE = 1 };
    struct file *file = fd_get_io(fd);
    struct inode *inode = file ? file->inode : NULL;
    off_t end;
    long error;

    if (!file) {
        return -EBADF;
    }
    if (offset < 0 || size <= 0) {
        error = -EINVAL;
    } else if (mode & ~FALLOC_FL_KEEP_SIZE) {
        error = -EOPNOTSUPP;
    } else if (!file_writable(file)) {
        error = -EBADF;
    } else if (!S_ISREG(inode->mode)) {
        error = S_ISFIFO(inode->mode) ? -ESPIPE : -ENODEV;
    } else if (__builtin_add_overflow(offset, size, &end)) {
        error = -EFBIG;
    } else {
        error = inode->ops->allocate ? inode->ops->allocate(inode, offset, size, mode) : -EOPNOTSUPP;
        notify_place(inode, error ? 0 : IN_MODIFY);
    }
    file_put(file);
    return error;
}

/* Its pages are written from a mapping that is there for this call alone: no second way to copy. */
static ssize_t file_send(struct file *to, struct file *from, off_t position, size_t size)
{
    const size_t skip = (size_t)position & (PAGE_SIZE - 1);
    struct inode *inode = from->inode;
    struct vma_source *source;
    ssize_t done;
    long address;

    if (!S_ISREG(inode->mode) || !inode->ops->source || to->flags & O_APPEND) {
        return -EINVAL;
    }
    if (position >= inode->size || size == 0) {
        return 0;
    }
    if ((off_t)size > inode->size - position) {
        size = (size_t)(inode->size - position);
    }
    source = inode->ops->source(inode, false);
    if (is_error(source)) {
        return pointer_error(source);
    }
    address = mm_map(current->mm, 0, skip + size, PROT_READ, MAP_PRIVATE, source,
                     (uint64_t)position >> PAGE_SHIFT);
    vma_source_put(source);
    if (address < 0) {
        return address;
    }
    done = file_transfer(to, (uint64_t)address + skip, size, NULL, true);
    mm_unmap(current->mm, (vaddr_t)address, skip + size);
    return done;
}

long sys_sendfile(int out, int in, off_t __user *user, size_t size)
{
    struct file *from = fd_get_io(in), *to = fd_get_io(out);
    off_t position = from ? from->position : 0;
    ssize_t done = -EBADF;

    if (!from || !to || !file_readable(from) || !file_writable(to)) {
        goto out;
    }
    if (user && get_user(position, user)) {
        done = -EFAULT;
        goto out;
    }
    if (user && !from->ops->seek) {
        done = -ESPIPE;
        goto out;
    }
    done = position < 0 ? -EINVAL : file_send(to, from, position, size < TRANSFER_MAX ? size : TRANSFER_MAX);
    position += done > 0 ? done : 0;
    if (done > 0) {
        notify_place(from->inode, IN_ACCESS);
    }
    if (user) {
        done = put_user(position, user) ? -EFAULT : done;
    } else if (done > 0) {
        mutex_lock(&from->position_lock);
        from->position = position;
        mutex_unlock(&from->position_lock);
    }
out:
    file_put(from);
    file_put(to);
    return done;
}

/* A table of its own for this (CLOSE_RANGE_UNSHARE) is not to be had. */
long sys_close_range(unsigned first, unsigned last, unsigned flags)
{
    enum { CLOSE_RANGE_CLOEXEC = 4 };

    if (first > last || flags & ~CLOSE_RANGE_CLOEXEC) {
        return -EINVAL;
    }
    for (unsigned fd = first; fd <= last && fd < (unsigned)current->files->capacity; fd++) {
        if (flags) {
            fd_set_close_on_exec((int)fd, true);
        } else {
            fd_close((int)fd);
        }
    }
    return 0;
}

long sys_close(int fd)
{
    return fd_close(fd);
}

long sys_lseek(int fd, off_t offset, int whence)
{
    struct file *file = fd_get_io(fd);
    long result = -EBADF;

    if (file) {
        mutex_lock(&file->position_lock);
        result = file->ops->seek ? file->ops->seek(file, offset, whence) : -ESPIPE;
        mutex_unlock(&file->position_lock);
        file_put(file);
    }
    return result;
}

long sys_ioctl(int fd, unsigned command, uint64_t argument)
{
    struct file *file = fd_get_io(fd);
    long result = -ENOTTY;
    int on;

    if (!file) {
        return -EBADF;
    }
    if (command == FIONBIO) {
        result = get_user(on, (int __user *)argument) ? -EFAULT : 0;
        if (!result) {
            file->flags = (file->flags & ~O_NONBLOCK) | (on ? O_NONBLOCK : 0);
        }
    } else if (command == 0x5450 || command == 0x5451) { /* FIONCLEX, FIOCLEX */
        result = fd_set_close_on_exec(fd, command == 0x5451);
    } else if (file->ops->ioctl) {
        result = file->ops->ioctl(file, command, argument);
    }
    file_put(file);
    return result;
}

static long fd_duplicate(int fd, int minimum, bool close_on_exec)
{
    struct file *file = fd_get(fd);
    long result = file ? fd_install(file, minimum, close_on_exec) : -EBADF;

    if (result < 0) {
        file_put(file);
    }
    return result;
}

long sys_dup(int fd)
{
    return fd_duplicate(fd, 0, false);
}

long sys_dup3(int fd, int to, int flags)
{
    struct file *file;
    long result;

    if (fd == to || flags & ~O_CLOEXEC) {
        return -EINVAL;
    }
    file = fd_get(fd);
    result = file ? fd_replace(file, to, flags & O_CLOEXEC) : -EBADF;
    if (result < 0) {
        file_put(file);
    }
    return result;
}

long sys_dup2(int fd, int to)
{
    if (fd == to) {
        return fd_close_on_exec(fd) < 0 ? -EBADF : to;
    }
    return sys_dup3(fd, to, 0);
}

long sys_fcntl(int fd, int command, uint64_t argument)
{
    enum { CHANGEABLE = O_APPEND | O_NONBLOCK };
    struct file *file = fd_get(fd);
    long result = -EINVAL;

    if (!file) {
        return -EBADF;
    }
    switch (command) {
    case 0: /* F_DUPFD */
    case 1030:
        file_put(file);
        if ((uint32_t)argument >= current->group->limits[RLIMIT_NOFILE].soft) {
            return -EINVAL;
        }
        return fd_duplicate(fd, (int)argument, command == 1030);
    case 1: /* F_GETFD */
        result = fd_close_on_exec(fd);
        break;
    case 2: /* F_SETFD */
        result = fd_set_close_on_exec(fd, argument & 1);
        break;
    case 1031: /* F_SETPIPE_SZ */
    case 1032: /* F_GETPIPE_SZ */
        result = -EBADF;
        if (S_ISFIFO(file->inode->mode) && !(file->flags & O_PATH)) {
            result = command == 1031 ? pipe_set_size(file, argument) : pipe_size(file);
        }
        break;
    case 3: /* F_GETFL; every file has O_LARGEFILE */
        result = file->flags & O_PATH ? file->flags : file->flags | 0100000;
        break;
    case 4: /* F_SETFL */
        if (file->flags & O_PATH) {
            result = -EBADF;
        } else if (!(argument & (O_ASYNC | O_DIRECT))) { /* no SIGIO, and no pipes of packets */
            file->flags = (file->flags & ~CHANGEABLE) | ((int)argument & CHANGEABLE);
            result = 0;
        }
        break;
    default:
        result = file->flags & O_PATH ? -EBADF : fcntl_lock(fd, file, command, (void __user *)argument);
        break;
    }
    file_put(file);
    return result;
}

long sys_pipe2(int __user *fds, int flags)
{
    struct file *ends[2];
    long error;

    if (flags & ~(O_CLOEXEC | O_NONBLOCK)) {
        return -EINVAL;
    }
    error = pipe_create(ends, flags & O_NONBLOCK);
    if (error) {
        return error;
    }
    return fd_install_pair(ends, fds, flags & O_CLOEXEC);
}

long sys_pipe(int __user *fds)
{
    return sys_pipe2(fds, 0);
}
