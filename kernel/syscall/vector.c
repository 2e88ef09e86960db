/*
 * readv(2), writev(2) and their kind: many pieces of user memory in one call.
 *
 * Together they are one read or write: one datagram, one record of a pipe, and in a file that others append
 * to one place. Where that matters the file has an operation for all of them (file_ops, write_pieces).
 */
#include "event/poll.h"
#include "fs/notify.h"
#include "lib/errno.h"
#include "mm/uaccess.h"
#include "syscall/calls.h"

ssize_t iovec_check(const struct iovec __user *vector, int count)
{
    struct iovec piece;
    size_t total = 0;

    for (int i = 0; i < count; i++) {
        if (get_user(piece, vector + i)) {
            return -EFAULT;
        }
        if ((ssize_t)piece.size < 0) {
            return -EINVAL;
        }
        if (!user_range_ok((void __user *)piece.base, piece.size)) {
            return -EFAULT;
        }
        total = piece.size < TRANSFER_MAX - total ? total + piece.size : TRANSFER_MAX;
    }
    return (ssize_t)total;
}

/* One after the other, until one does not get all that it wants. */
static ssize_t file_transfer_pieces(struct file *file, const struct iovec __user *vector, size_t count, off_t *at,
                                    bool write)
{
    size_t done = 0;
    ssize_t part = 0;

    for (size_t i = 0; i < count; i++) {
        struct iovec piece;

        if (done && !write && !(file_poll(file, NULL) & POLLIN)) {
            break; /* what was read so far is a result: do not wait for more */
        }
        part = iovec_piece(vector, i, done, &piece);
        if (!part && piece.size) {
            part = file_transfer_piece(file, &piece, at, write);
        }
        if (part < 0) {
            break;
        }
        done += (size_t)part;
        if ((size_t)part < piece.size) {
            break;
        }
    }
    return done ? (ssize_t)done : part;
}

static ssize_t file_transfer_vector(struct file *file, const struct iovec __user *vector, int count, off_t *at,
                                    bool write)
{
    ssize_t total = count < 0 || count > IOVEC_MAX ? -EINVAL : iovec_check(vector, count);

    if (total < 0) {
        return total;
    }
    if (write ? !file_writable(file) : !file_readable(file)) {
        return -EBADF;
    }
    if (at && *at > INT64_MAX - total) {
        return -EINVAL;
    }
    if (!total) {
        return 0; /* not even an empty datagram */
    }
    if (write && file->ops->write_pieces) {
        ssize_t done = file->ops->write_pieces(file, vector, (size_t)count, (size_t)total, at);

        notify_place(file->inode, done > 0 ? IN_MODIFY : 0);
        return done;
    }
    if (!write && file->ops->read_pieces) {
        return file->ops->read_pieces(file, vector, (size_t)count, (size_t)total);
    }
    return file_transfer_pieces(file, vector, (size_t)count, at, write);
}

/* At the file's own position (NULL), which one call at a time moves, or at *at. */
static long fd_transfer_vector(int fd, const struct iovec __user *vector, int count, off_t *at, bool write)
{
    struct file *file = fd_get_io(fd);
    bool own = !at && file && file->ops->seek;
    long done = -ESPIPE;

    if (!file) {
        return -EBADF;
    }
    if (own) {
        mutex_lock(&file->position_lock);
        at = &file->position;
    }
    if (!at || file->ops->seek) {
        done = file_transfer_vector(file, vector, count, at, write);
    }
    if (own) {
        mutex_unlock(&file->position_lock);
    }
    file_put(file);
    return done;
}

long sys_readv(int fd, const struct iovec __user *vector, int count)
{
    return fd_transfer_vector(fd, vector, count, NULL, false);
}

long sys_writev(int fd, const struct iovec __user *vector, int count)
{
    return fd_transfer_vector(fd, vector, count, NULL, true);
}

long sys_preadv(int fd, const struct iovec __user *vector, int count, off_t position)
{
    return position < 0 ? -EINVAL : fd_transfer_vector(fd, vector, count, &position, false);
}

long sys_pwritev(int fd, const struct iovec __user *vector, int count, off_t position)
{
    return position < 0 ? -EINVAL : fd_transfer_vector(fd, vector, count, &position, true);
}
