/*
 * A pipe: a ring of bytes between its readers and its writers.
 *
 * The mutex is held while copying, not while sleeping; conditions of sleepers are looked at
 * without it and checked again under it.
 */
#include "ipc/pipe.h"

#include "event/poll.h"
#include "ipc/ring.h"
#include "lib/errno.h"
#include "lib/refcount.h"
#include "mm/kmalloc.h"
#include "mm/uaccess.h"
#include "sched/signal.h"
#include "sched/wait.h"

_Static_assert(PIPE_BUF <= RING_WRITABLE, "a writer waits for no more room than wakes it");

struct pipe {
    struct inode inode; /* of both ends; the pipe lives as long as it */
    struct mutex lock;  /* protects the ring; before mm->lock, for user copies */
    struct ring ring;
    int readers, writers; /* atomic: open files of each end */
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

static ssize_t pipe_write(struct file *file, const char __user *buffer, size_t size,
                          off_t *position)
{
    struct pipe *pipe = file->data;
    size_t done = 0;

    (void)position;
    while (done < size || size == 0) {
        /* A small write waits until all of it fits. */
        size_t need = size <= PIPE_BUF ? size : 1;
        ssize_t part = 0;
        long error;

        if (__atomic_load_n(&pipe->readers, __ATOMIC_ACQUIRE) == 0) {
            signal_send_self(SIGPIPE);
            return done ? (ssize_t)done : -EPIPE;
        }
        if (size == 0) {
            return 0;
        }
        mutex_lock(&pipe->lock);
        if (ring_room(&pipe->ring) >= need) {
            part = ring_put(&pipe->ring, buffer + done, size - done);
        }
        mutex_unlock(&pipe->lock);
        if (part < 0) {
            return done ? (ssize_t)done : part;
        }
        if (part > 0) {
            done += (size_t)part;
            wake_events(&pipe->read_queue, POLLIN | POLLRDNORM);
            continue;
        }
        error = file_wait(file->flags, &pipe->write_queue, WAIT_PIPE_WRITE, pipe->inode.number,
                          ring_room(&pipe->ring) >= need || pipe->readers == 0);
        if (error) {
            return done ? (ssize_t)done : error;
        }
    }
    return (ssize_t)done;
}

static int pipe_poll(struct file *file, struct poll_table *table)
{
    struct pipe *pipe = file->data;
    int events = 0;

    if (file_readable(file)) {
        poll_wait(table, &pipe->read_queue);
        events |= ring_used(&pipe->ring) > 0 ? POLLIN | POLLRDNORM : 0;
        events |= pipe->writers == 0 ? POLLHUP : 0;
    }
    if (file_writable(file)) {
        poll_wait(table, &pipe->write_queue);
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
    }
    if (file_writable(file)) {
        __atomic_fetch_add(&pipe->writers, 1, __ATOMIC_ACQ_REL);
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
    .open = pipe_open, .read = pipe_read, .write = pipe_write, .poll = pipe_poll,
    .ioctl = pipe_ioctl, .release = pipe_release,
};

long pipe_create(struct file *ends[2], int flags)
{
    static uint64_t next_number = 1;
    struct pipe *pipe = anonymous_create(sizeof(*pipe), S_IFIFO | 0600, &pipe_inode_ops, &pipe_ops);

    if (!pipe) {
        return -ENOMEM;
    }
    pipe->inode.number = __atomic_fetch_add(&next_number, 1, __ATOMIC_RELAXED);
    mutex_init(&pipe->lock);
    wait_queue_init(&pipe->read_queue);
    wait_queue_init(&pipe->write_queue);
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
