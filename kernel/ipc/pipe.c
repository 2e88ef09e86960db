/*
 * A pipe: a ring of bytes between its readers and its writers. A FIFO, fifo(7), is a name: while it is
 * open, there is one pipe behind it.
 *
 * The mutex is held while copying, not while sleeping; conditions of sleepers are looked at
 * without it and checked again under it.
 */
#include "ipc/pipe.h"

#include "event/poll.h"
#include "fs/tmpfs.h"
#include "ipc/ring.h"
#include "lib/errno.h"
#include "lib/refcount.h"
#include "mm/kmalloc.h"
#include "mm/uaccess.h"
#include "sched/signal.h"
#include "sched/wait.h"

_Static_assert(RING_CAPACITY == PIPE_SIZE_MAX, "/proc/sys/fs/pipe-max-size says so");
_Static_assert(PIPE_BUF <= RING_WRITABLE, "a writer waits for no more room than wakes it");

struct pipe {
    struct inode inode; /* of both ends; the pipe lives as long as it */
    struct mutex lock;  /* protects the ring; before mm->lock, for user copies */
    struct ring ring;
    int readers, writers; /* atomic: open files of each end */
    uint64_t opened[2];   /* how often each end was opened, as file->flags have it; atomic */
    int users;            /* open files of a FIFO; the lock of its inode */
    struct wait_queue read_queue, write_queue;
};

static ssize_t pipe_read(struct file *file, char __user *buffer, size_t size, off_t *position)
{
    struct pipe *pipe = file->data;

    (void)position;
    if (size == 0) {
        return 0;
    }
    for (;;) {
        long error;

        if (ring_used(&pipe->ring) > 0) {
            bool writable;
            ssize_t done;

            mutex_lock(&pipe->lock);
            done = ring_take(&pipe->ring, buffer, size);
            writable = ring_became_writable(&pipe->ring, done);
            mutex_unlock(&pipe->lock);
            if (writable) {
                wake_events(&pipe->write_queue, POLLOUT | POLLWRNORM);
            }
            if (ring_used(&pipe->ring) > 0) {
                wake_next(&pipe->read_queue);
            }
            if (done != 0) {
                return done;
            }
        }
        if (__atomic_load_n(&pipe->writers, __ATOMIC_ACQUIRE) == 0) {
            if (ring_used(&pipe->ring) == 0) {
                return 0;
            }
            continue; /* the last writer wrote before it left */
        }
        error = file_wait(file->flags, &pipe->read_queue, WAIT_PIPE_READ, pipe->inode.number,
                          ring_used(&pipe->ring) > 0 || pipe->writers == 0);
        if (error) {
            return error;
        }
    }
}

/* Into the ring what there is room for of all pieces, behind `skip` bytes that were put before; or -errno. */
static __attribute__((noinline)) ssize_t pipe_put_pieces(struct ring *ring, const struct iovec __user *vector,
                                                         size_t count, size_t total, size_t skip, size_t need)
{
    const bool whole = need == total;
    size_t done = 0;
    ssize_t part = -EFAULT; /* somebody has made the pieces shorter */

    if (ring_room(ring) < need) {
        return 0;
    }
    for (size_t i = 0; i < count && skip + done < total; i++) {
        struct iovec piece;

        part = iovec_piece(vector, i, 0, &piece);
        if (part == 0 && skip < piece.size) {
            part = ring_put(ring, (const char __user *)piece.base + skip, piece.size - skip, 1);
        }
        if (part < 0) {
            break;
        }
        done += (size_t)part;
        if (skip + (size_t)part < piece.size) {
            break;
        }
        skip -= skip < piece.size ? skip : piece.size;
        part = -EFAULT;
    }
    if (part < 0 && whole && done < need) { /* all of it or nothing */
        ring_take_back(ring, done);
        done = 0;
    }
    return done ? (ssize_t)done : part;
}

/* `size` bytes of a buffer, or of the pieces of a vector: the other one is NULL. */
static inline __attribute__((always_inline)) ssize_t pipe_send(struct file *file, const char __user *buffer,
                                                               const struct iovec __user *vector, size_t count,
                                                               size_t size)
{
    struct pipe *pipe = file->data;
    size_t done = 0;
    /* A small write waits until all of it fits. */
    const size_t need = size <= PIPE_BUF ? size : 1;

    for (;;) {
        ssize_t part;
        long error;

        if (__atomic_load_n(&pipe->readers, __ATOMIC_ACQUIRE) == 0 && size > 0) {
            signal_send_self(SIGPIPE);
            return done ? (ssize_t)done : -EPIPE;
        }
        mutex_lock(&pipe->lock);
        part = vector ? pipe_put_pieces(&pipe->ring, vector, count, size, done, need)
                      : ring_put(&pipe->ring, buffer + done, size - done, need);
        mutex_unlock(&pipe->lock);
        if (part < 0) {
            return done ? (ssize_t)done : part;
        }
        if (part > 0) {
            done += (size_t)part;
            wake_first(&pipe->read_queue, POLLIN | POLLRDNORM);
        }
        if (done == size || (done && signal_pending(current))) { /* who reads may be fast: we never wait then */
            return (ssize_t)done;
        }
        error = file_wait(file->flags, &pipe->write_queue, WAIT_PIPE_WRITE, pipe->inode.number,
                          ring_room(&pipe->ring) >= need || pipe->readers == 0);
        if (error) {
            return done ? (ssize_t)done : error;
        }
    }
}

static ssize_t pipe_write(struct file *file, const char __user *buffer, size_t size,
                          off_t *position)
{
    (void)position;
    return pipe_send(file, buffer, NULL, 0, size);
}

static ssize_t pipe_write_pieces(struct file *file, const struct iovec __user *vector, size_t count, size_t total,
                                 off_t *position)
{
    (void)position;
    return pipe_send(file, NULL, vector, count, total);
}

long pipe_size(struct file *file)
{
    struct pipe *pipe = file->data;

    return (long)(RING_CAPACITY - pipe->ring.withheld);
}

long pipe_set_size(struct file *file, uint64_t wish)
{
    struct pipe *pipe = file->data;
    size_t size = PAGE_SIZE;
    long result = -EBUSY;

    if (wish > RING_CAPACITY) {
        return wish > 1ul << 31 ? -EINVAL : -EPERM;
    }
    while (size < wish) {
        size *= 2;
    }
    mutex_lock(&pipe->lock);
    if (ring_used(&pipe->ring) <= size) {
        pipe->ring.withheld = RING_CAPACITY - size;
        result = (long)size;
    }
    mutex_unlock(&pipe->lock);
    wake_events(&pipe->write_queue, POLLOUT | POLLWRNORM); /* if it has grown */
    return result;
}

static __attribute__((noinline)) void pipe_hook(struct file *file, struct poll_table *table)
{
    struct pipe *pipe = file->data;

    if (file_readable(file)) {
        poll_wait(table, &pipe->read_queue);
    }
    if (file_writable(file)) {
        poll_wait(table, &pipe->write_queue);
    }
}

static int pipe_poll(struct file *file, struct poll_table *table)
{
    struct pipe *pipe = file->data;
    int events = 0;

    if (table) {
        pipe_hook(file, table);
    }
    if (file_readable(file)) {
        events |= ring_used(&pipe->ring) > 0 ? POLLIN | POLLRDNORM : 0;
        /* A FIFO's reader may be here before the first writer: nobody has left it then. */
        events |= pipe->writers == 0 && file->position != (off_t)pipe->opened[O_WRONLY] ? POLLHUP : 0;
    }
    if (file_writable(file)) {
        events |= ring_room(&pipe->ring) >= RING_WRITABLE ? POLLOUT | POLLWRNORM : 0;
        events |= pipe->readers == 0 ? POLLERR : 0;
    }
    return events;
}

static long pipe_ioctl(struct file *file, unsigned command, uint64_t argument)
{
    struct pipe *pipe = file->data;
    int used = (int)ring_used(&pipe->ring);

    if (command != FIONREAD) {
        return -ENOTTY;
    }
    return copy_to_user((void __user *)argument, &used, sizeof(used));
}

static long pipe_open(struct file *file)
{
    struct pipe *pipe = file->data;

    if (file_readable(file)) {
        __atomic_fetch_add(&pipe->readers, 1, __ATOMIC_ACQ_REL);
        __atomic_fetch_add(&pipe->opened[O_RDONLY], 1, __ATOMIC_ACQ_REL);
    }
    if (file_writable(file)) {
        __atomic_fetch_add(&pipe->writers, 1, __ATOMIC_ACQ_REL);
        __atomic_fetch_add(&pipe->opened[O_WRONLY], 1, __ATOMIC_ACQ_REL);
    }
    return 0;
}

static void pipe_release(struct file *file)
{
    struct pipe *pipe = file->data;

    if (file_readable(file) && ref_put(&pipe->readers)) {
        wake_events(&pipe->write_queue, POLLERR);
    }
    if (file_writable(file) && ref_put(&pipe->writers)) {
        wake_events(&pipe->read_queue, POLLHUP);
    }
}

static void pipe_free(struct inode *inode)
{
    struct pipe *pipe = inode->data;

    ring_free(&pipe->ring);
    kfree(pipe);
}

static const struct inode_ops pipe_inode_ops = {.release = pipe_free};
static const struct file_ops pipe_ops = {
    .open = pipe_open, .read = pipe_read, .write = pipe_write, .write_pieces = pipe_write_pieces, .poll = pipe_poll,
    .ioctl = pipe_ioctl, .release = pipe_release,
};

static void pipe_init(struct pipe *pipe)
{
    mutex_init(&pipe->lock);
    wait_queue_init(&pipe->read_queue);
    wait_queue_init(&pipe->write_queue);
}

/* The pipe behind a FIFO that nobody has open; its own inode is not used. NULL: no memory. */
static struct pipe *fifo_pipe(void)
{
    struct pipe *pipe = kzalloc(sizeof(*pipe));

    if (pipe) {
        pipe_init(pipe);
    }
    return pipe;
}

/* The last who has the FIFO open takes the pipe away, with what is in it. */
static void fifo_put(struct inode *inode, struct pipe *pipe)
{
    mutex_lock(&inode->lock);
    if (--pipe->users == 0) {
        inode->data = NULL;
        ring_free(&pipe->ring);
        kfree(pipe);
    }
    mutex_unlock(&inode->lock);
}

static void fifo_release(struct file *file)
{
    pipe_release(file);
    fifo_put(file->inode, file->data);
}

/* Wait for the other end, which may come and go before we look: so its openings are counted. */
static long fifo_wait(struct file *file, struct pipe *pipe, const uint64_t seen[2])
{
    const bool reads = file_readable(file);
    const int other = reads ? O_WRONLY : O_RDONLY;

    return wait_event_interruptible(reads ? &pipe->read_queue : &pipe->write_queue, WAIT_FIFO_OPEN,
                                    file->inode->number,
                                    __atomic_load_n(&pipe->opened[other], __ATOMIC_ACQUIRE) != seen[other]);
}

static long fifo_open(struct file *file)
{
    struct inode *inode = file->inode;
    const bool reads = file_readable(file), writes = file_writable(file);
    struct pipe *pipe;
    uint64_t seen[2];
    bool alone;
    long error = 0;

    mutex_lock(&inode->lock);
    pipe = inode->data ? inode->data : fifo_pipe();
    if (!pipe) {
        mutex_unlock(&inode->lock);
        return -ENOMEM;
    }
    inode->data = file->data = pipe;
    pipe->users++;
    pipe->inode.number = inode->number;
    seen[O_RDONLY] = pipe->opened[O_RDONLY];
    seen[O_WRONLY] = pipe->opened[O_WRONLY];
    alone = !(reads && writes) && (reads ? pipe->writers : pipe->readers) == 0;
    if (alone && writes && file->flags & O_NONBLOCK) {
        mutex_unlock(&inode->lock);
        fifo_put(inode, pipe);
        return -ENXIO;
    }
    file->position = alone && reads ? (off_t)seen[O_WRONLY] : -1; /* for pipe_poll */
    pipe_open(file);
    mutex_unlock(&inode->lock);
    wake_all(&pipe->read_queue);
    wake_all(&pipe->write_queue);
    if (alone && !(file->flags & O_NONBLOCK)) {
        error = fifo_wait(file, pipe, seen);
    }
    if (error) {
        fifo_release(file);
    }
    return error;
}

static const struct file_ops fifo_ops = {
    .open = fifo_open, .read = pipe_read, .write = pipe_write, .write_pieces = pipe_write_pieces, .poll = pipe_poll,
    .ioctl = pipe_ioctl, .release = fifo_release,
};

const struct file_ops *fifo_file_ops(void)
{
    return &fifo_ops;
}

long pipe_create(struct file *ends[2], int flags)
{
    static uint64_t next_number = 1;
    struct pipe *pipe = anonymous_create(sizeof(*pipe), S_IFIFO | 0600, &pipe_inode_ops, &pipe_ops);

    if (!pipe) {
        return -ENOMEM;
    }
    pipe->inode.number = __atomic_fetch_add(&next_number, 1, __ATOMIC_RELAXED);
    pipe_init(pipe);
    ends[0] = file_open_inode(&pipe->inode, O_RDONLY | flags);
    if (is_error(ends[0])) {
        goto out_pipe;
    }
    ends[1] = file_open_inode(&pipe->inode, O_WRONLY | flags);
    if (is_error(ends[1])) {
        goto out_reader;
    }
    inode_put(&pipe->inode); /* the files hold it now */
    return 0;

out_reader:
    file_put(ends[0]);
out_pipe:
    inode_put(&pipe->inode);
    return -ENOMEM;
}
