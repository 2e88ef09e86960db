/*
 * Streams: sending and receiving between connected sockets, one piece of memory after the other. What
 * came along with bytes is told with them (struct message).
 */
#include "event/poll.h"
#include "ipc/socket.h"
#include "mm/uaccess.h"
#include "sched/signal.h"

long socket_piece(const struct socket_io *io, size_t i, char __user **base, size_t *size)
{
    struct iovec piece = io->piece;

    if (io->vector && (get_user(piece, io->vector + i) ||
                       !user_range_ok((void __user *)piece.base, piece.size))) {
        return -EFAULT;
    }
    *base = (char __user *)piece.base;
    *size = piece.size;
    return 0;
}

long socket_total(const struct socket_io *io, size_t *total)
{
    char __user *base;
    size_t size;

    *total = 0;
    for (size_t i = 0; i < io->count; i++) {
        if (socket_piece(io, i, &base, &size)) {
            return -EFAULT;
        }
        *total += size;
    }
    return 0;
}

/* Into the ring what there is room for of all pieces, behind `skip` bytes that were put before. */
static ssize_t stream_put_pieces(struct ring *ring, const struct socket_io *io, size_t skip)
{
    size_t done = 0, size;
    char __user *base;

    for (size_t i = 0; i < io->count && ring_room(ring); i++) {
        ssize_t part = socket_piece(io, i, &base, &size);

        if (part == 0 && skip < size) {
            part = ring_put(ring, base + skip, size - skip, 1);
        }
        if (part < 0) {
            return done ? (ssize_t)done : part;
        }
        done += (size_t)part;
        if (skip + (size_t)part < size) {
            break;
        }
        skip -= skip < size ? skip : size;
    }
    return (ssize_t)done;
}

/* How much room a send waits for: small ones do not mix with those of others, as in a pipe. */
static size_t stream_need(size_t total)
{
    return total <= RING_WRITABLE ? total : 1;
}

/* Put what fits into the peer's ring; what goes along goes with the first byte. */
static ssize_t stream_put(struct socket *socket, struct socket_io *io, size_t skip, size_t total)
{
    struct socket *peer = socket->peer;
    struct message *message = io->message;
    ssize_t part = -EPIPE;

    mutex_lock(&peer->lock);
    if (!socket_is_broken(socket, peer)) {
        bool fits = skip || ring_room(&peer->ring) >= stream_need(total);

        if (message && fits && ring_room(&peer->ring)) {
            message_push(peer, message);
        }
        part = fits ? stream_put_pieces(&peer->ring, io, skip) : 0;
        if (fits && part == 0 && skip < total && ring_room(&peer->ring)) {
            part = -EFAULT; /* somebody has made the pieces shorter */
        }
        if (message && part > 0) {
            message->size = (size_t)part;
            io->message = NULL;
        } else if (message && !list_empty(&message->list)) {
            list_remove(&message->list);
            peer->message_count--;
        }
    }
    mutex_unlock(&peer->lock);
    return part;
}

/* All pieces, `total` bytes; nobody else's come between as long as there is room. */
static ssize_t stream_send(struct file *file, struct socket_io *io, size_t total)
{
    struct socket *socket = file->data, *peer = socket->peer;
    size_t done = 0;
    long error = 0;

    do {
        ssize_t part = stream_put(socket, io, done, total);

        if (part > 0) {
            done += (size_t)part;
            wake_first(&peer->readers, SOCKET_EVENTS_IN);
        } else if (part < 0) {
            error = part;
        } else if (done < total) {
            error = socket_wait(file, io->flags, true, &socket->writers, WAIT_SOCKET_WRITE,
                                socket->inode.number,
                                ring_room(&peer->ring) >= (done ? 1 : stream_need(total)) ||
                                    socket_is_broken(socket, peer));
            if (!error) {
                error = -socket_take_error(socket); /* who slept is told of a reset */
            }
        }
    } while (!error && done < total && !(done && signal_pending(current)));
    if (error == -EPIPE && !done && !(io->flags & MSG_NOSIGNAL)) {
        signal_send_self(SIGPIPE);
    }
    return done ? (ssize_t)done : error;
}

/*
 * The bytes at `position` begin a message, which is the call's from now on. False: that does not go with
 * what the call has already got. Descriptors end the call with the bytes they came with. Of a message
 * without any that is not read as a `whole`, the rest is a message, too.
 */
static bool stream_take_message(struct socket *socket, struct socket_io *io, bool first, bool whole)
{
    const struct message *next = list_first(&socket->messages, struct message, list);
    pid_t pid = io->message ? io->message->pid : 0;
    struct message *taken;

    assert_held(&socket->lock);
    if (!first && next->pid != pid && socket_has(socket, SO_PASSCRED)) {
        return false;
    }
    io->ended = next->count > 0;
    taken = message_take(socket, whole || io->ended ? io->flags : MSG_PEEK);
    if (io->message && !io->ended) {
        message_free(taken); /* the same sender, and no files: nothing is closed under the lock */
    } else {
        message_free(io->message);
        io->message = taken;
    }
    return true;
}

/* Take or look at what is there and goes together. */
static ssize_t stream_take(struct socket *socket, struct socket_io *io, char __user *buffer, size_t size)
{
    struct ring *ring = &socket->ring;
    size_t done = 0;

    assert_held(&socket->lock);
    while (done < size && !io->ended) {
        struct message *next;
        size_t ahead = io->flags & MSG_PEEK ? done : 0, limit = size - done, there = ring_used(ring) - ahead;
        ssize_t part;

        next = list_first(&socket->messages, struct message, list);
        if (!list_empty(&socket->messages) && next->start <= ring->read + ahead) {
            there = next->size;
            if (!stream_take_message(socket, io, done == 0 && !io->message, limit >= there)) {
                break;
            }
        } else if (!list_empty(&socket->messages)) {
            there = next->start - ring->read - ahead;
        }
        limit = limit < there ? limit : there;
        if (!limit) {
            break;
        }
        part = io->flags & MSG_PEEK ? ring_peek(ring, ahead, buffer + done, limit)
                                    : ring_take(ring, buffer + done, limit);
        if (part < 0) {
            return done ? (ssize_t)done : part;
        }
        done += (size_t)part;
        next = list_first(&socket->messages, struct message, list); /* it may be another one now */
        if (!list_empty(&socket->messages) && next->start < ring->read) {
            next->size -= ring->read - next->start;
            next->start = ring->read;
        }
        if (io->flags & MSG_PEEK && io->message) {
            break; /* it is still there */
        }
    }
    return (ssize_t)done;
}

/* Bytes, -errno, 0 at the end, or -EAGAIN when more may come. */
static ssize_t stream_receive_some(struct socket *socket, struct socket_io *io, char __user *buffer,
                                   size_t size)
{
    int shutdown = socket_shutdown_of(socket); /* before the ring is looked at */
    bool writable;
    ssize_t part;
    int error;

    mutex_lock(&socket->lock);
    part = stream_take(socket, io, buffer, size);
    writable = !(io->flags & MSG_PEEK) && ring_became_writable(&socket->ring, part);
    mutex_unlock(&socket->lock);
    if (writable) {
        wake_events(&socket->peer->writers, SOCKET_EVENTS_OUT);
    }
    if (ring_used(&socket->ring)) {
        wake_next(&socket->readers);
    }
    if (part != 0 || io->ended || (size == 0 && ring_used(&socket->ring))) {
        return part;
    }
    error = socket_take_error(socket);
    if (error) {
        return -error;
    }
    return shutdown & NO_RECEIVE ? 0 : -EAGAIN;
}

static ssize_t stream_receive(struct file *file, struct socket_io *io, char __user *buffer, size_t size)
{
    struct socket *socket = file->data;
    size_t done = 0;
    long error = 0;

    do { /* once also for no bytes: that waits, too, recv(2) */
        ssize_t part = stream_receive_some(socket, io, buffer + done, size - done);

        if (part > 0) {
            done += (size_t)part;
            if (io->flags & MSG_PEEK || io->ended || !(io->flags & MSG_WAITALL)) {
                break;
            }
        } else if (part != -EAGAIN) {
            error = part;
            break;
        } else {
            error = socket_wait(file, io->flags, false, &socket->readers, WAIT_SOCKET_READ,
                                socket->inode.number,
                                ring_used(&socket->ring) || socket_shutdown_of(socket) & NO_RECEIVE);
        }
    } while (!error && done < size);
    return done ? (ssize_t)done : error;
}

ssize_t stream_transfer(struct file *file, struct socket_io *io, bool send)
{
    char __user *base;
    size_t size;
    ssize_t done = 0, part = 0;

    if (send) {
        part = socket_total(io, &size);
        return part ? part : stream_send(file, io, size);
    }
    for (size_t i = 0; i < io->count; i++) {
        part = socket_piece(io, i, &base, &size);
        if (part == 0) {
            part = stream_receive(file, io, base, size);
            io->flags |= io->flags & MSG_WAITALL ? 0 : MSG_DONTWAIT;
        }
        if (part < 0) {
            break;
        }
        done += part;
        if ((size_t)part < size || io->ended || (io->flags & MSG_PEEK && part > 0)) {
            break;
        }
    }
    return done ? done : part;
}
