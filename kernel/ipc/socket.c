/*
 * Connected sockets: sending, receiving, closing each half. Names and connecting: socket_name.c.
 *
 * A sender locks the receiver's ring, so one lock is held at a time. What ends a conversation
 * (shutdown, close) sets bits of `shutdown` under the lock of the ring they are about; who sees
 * a bit and then finds the ring empty knows that nothing more comes.
 */
#include "ipc/socket.h"

#include "event/poll.h"
#include "lib/errno.h"
#include "lib/refcount.h"
#include "mm/uaccess.h"
#include "sched/signal.h"
#include "sched/task.h"

#define EVENTS_IN (POLLIN | POLLRDNORM)
#define EVENTS_OUT (POLLOUT | POLLWRNORM | POLLWRBAND)

static int shutdown_of(const struct socket *socket)
{
    return __atomic_load_n(&socket->shutdown, __ATOMIC_ACQUIRE);
}

static enum socket_state state_of(const struct socket *socket)
{
    return __atomic_load_n(&socket->state, __ATOMIC_ACQUIRE);
}

void socket_connect_pair(struct socket *one, struct socket *other)
{
    inode_get(&one->inode);
    inode_get(&other->inode);
    one->peer = other;
    other->peer = one;
    __atomic_store_n(&one->state, SOCKET_CONNECTED, __ATOMIC_RELEASE);
    __atomic_store_n(&other->state, SOCKET_CONNECTED, __ATOMIC_RELEASE);
}

/* Close halves of `socket`, and wake who has to know. */
static void close_halves(struct socket *socket, int halves)
{
    int events = 0;

    mutex_lock(&socket->lock);
    __atomic_fetch_or(&socket->shutdown, halves, __ATOMIC_RELEASE);
    mutex_unlock(&socket->lock);
    if (halves & NO_RECEIVE) {
        events |= EVENTS_IN | POLLRDHUP;
    }
    if (shutdown_of(socket) == CLOSED) {
        events |= POLLHUP;
    }
    wake_events(&socket->readers, events);
    wake_events(&socket->writers, events);
}

void socket_disconnect(struct socket *socket, bool reset)
{
    struct socket *peer = socket->peer;

    mutex_lock(&socket->lock);
    reset |= ring_used(&socket->ring) > 0;
    __atomic_store_n(&socket->shutdown, CLOSED, __ATOMIC_RELEASE);
    ring_free(&socket->ring);
    mutex_unlock(&socket->lock);
    if (peer) {
        if (reset) {
            __atomic_store_n(&peer->error, ECONNRESET, __ATOMIC_RELEASE);
        }
        close_halves(peer, CLOSED);
        wake_events(&peer->writers, EVENTS_OUT | (reset ? POLLERR : 0));
        socket->peer = NULL;
        inode_put(&peer->inode);
    }
}

long socket_shutdown(struct socket *socket, int how)
{
    struct socket *peer = state_of(socket) == SOCKET_CONNECTED ? socket->peer : NULL;
    int halves;

    if (how < SHUT_RD || how > SHUT_RDWR) {
        return -EINVAL;
    }
    halves = how + 1;
    close_halves(socket, halves);
    if (peer) {
        close_halves(peer, (halves & NO_RECEIVE ? NO_SEND : 0) |
                               (halves & NO_SEND ? NO_RECEIVE : 0));
    }
    return 0;
}

int socket_take_error(struct socket *socket)
{
    return __atomic_exchange_n(&socket->error, 0, __ATOMIC_ACQ_REL);
}

/* The file's flags for file_wait, for one call with these MSG_*. */
static int socket_wait_flags(const struct file *file, int flags)
{
    return flags & MSG_DONTWAIT ? file->flags | O_NONBLOCK : file->flags;
}

/* May nothing more be sent to `peer`? */
static bool is_broken(const struct socket *socket, const struct socket *peer)
{
    return shutdown_of(socket) & NO_SEND || shutdown_of(peer) & NO_RECEIVE;
}

ssize_t socket_send(struct file *file, const char __user *buffer, size_t size, int flags)
{
    struct socket *socket = file->data, *peer;
    size_t done = 0;
    long error = 0;

    if (flags & MSG_OOB) {
        return -EOPNOTSUPP;
    }
    if (state_of(socket) != SOCKET_CONNECTED) {
        return -ENOTCONN;
    }
    peer = socket->peer;
    do {
        ssize_t part;

        mutex_lock(&peer->lock);
        part = is_broken(socket, peer) ? -EPIPE : ring_put(&peer->ring, buffer + done, size - done);
        mutex_unlock(&peer->lock);
        if (part > 0) {
            done += (size_t)part;
            wake_first(&peer->readers, EVENTS_IN);
        } else if (part < 0) {
            error = part;
        } else if (done < size) {
            error = file_wait(socket_wait_flags(file, flags), &socket->writers, WAIT_SOCKET_WRITE,
                              socket->inode.number,
                              ring_room(&peer->ring) || is_broken(socket, peer));
            if (!error) {
                error = -socket_take_error(socket); /* who slept is told of a reset */
            }
        }
    } while (!error && done < size);
    if (error == -EPIPE && !done && !(flags & MSG_NOSIGNAL)) {
        signal_send_self(SIGPIPE);
    }
    return done ? (ssize_t)done : error;
}

/* Take or look at what is there: bytes, -errno, 0 at the end, or -EAGAIN when more may come. */
static ssize_t receive_some(struct socket *socket, char __user *buffer, size_t size, int flags)
{
    int shutdown = shutdown_of(socket); /* before the ring is looked at */
    bool writable;
    ssize_t part;
    int error;

    mutex_lock(&socket->lock);
    part = flags & MSG_PEEK ? ring_peek(&socket->ring, buffer, size)
                            : ring_take(&socket->ring, buffer, size);
    writable = !(flags & MSG_PEEK) && ring_became_writable(&socket->ring, part);
    mutex_unlock(&socket->lock);
    if (writable) {
        wake_events(&socket->peer->writers, EVENTS_OUT);
    }
    if (ring_used(&socket->ring)) {
        wake_next(&socket->readers);
    }
    if (part != 0 || (size == 0 && ring_used(&socket->ring))) {
        return part;
    }
    error = socket_take_error(socket);
    if (error) {
        return -error;
    }
    return shutdown & NO_RECEIVE ? 0 : -EAGAIN;
}

ssize_t socket_receive(struct file *file, char __user *buffer, size_t size, int flags)
{
    struct socket *socket = file->data;
    size_t done = 0;
    long error = 0;

    if (flags & MSG_OOB) {
        return -EOPNOTSUPP;
    }
    if (state_of(socket) != SOCKET_CONNECTED) {
        return -EINVAL;
    }
    do { /* once also for no bytes: that waits, too, recv(2) */
        ssize_t part = receive_some(socket, buffer + done, size - done, flags);

        if (part > 0) {
            done += (size_t)part;
            if (flags & MSG_PEEK || !(flags & MSG_WAITALL)) {
                break;
            }
        } else if (part != -EAGAIN) {
            error = part;
            break;
        } else {
            error = file_wait(socket_wait_flags(file, flags), &socket->readers, WAIT_SOCKET_READ,
                              socket->inode.number,
                              ring_used(&socket->ring) || shutdown_of(socket) & NO_RECEIVE);
        }
    } while (!error && done < size);
    return done ? (ssize_t)done : error;
}

static ssize_t socket_read(struct file *file, char __user *buffer, size_t size, off_t *position)
{
    (void)position;
    return size ? socket_receive(file, buffer, size, 0) : 0;
}

static ssize_t socket_write(struct file *file, const char __user *buffer, size_t size,
                            off_t *position)
{
    (void)position;
    return socket_send(file, buffer, size, 0);
}

static int socket_poll(struct file *file, struct poll_table *table)
{
    struct socket *socket = file->data;
    enum socket_state state;
    int shutdown, events = 0;

    poll_wait(table, &socket->readers);
    poll_wait(table, &socket->writers);
    state = state_of(socket);
    shutdown = shutdown_of(socket);
    if (__atomic_load_n(&socket->error, __ATOMIC_ACQUIRE)) {
        events |= POLLERR;
    }
    if (shutdown == CLOSED || state == SOCKET_UNCONNECTED) {
        events |= POLLHUP;
    }
    if (shutdown & NO_RECEIVE) {
        events |= EVENTS_IN | POLLRDHUP;
    }
    if (ring_used(&socket->ring) || __atomic_load_n(&socket->pending_count, __ATOMIC_RELAXED)) {
        events |= EVENTS_IN;
    }
    if (state == SOCKET_UNCONNECTED ||
        (state == SOCKET_CONNECTED && ring_room(&socket->peer->ring) >= RING_WRITABLE)) {
        events |= EVENTS_OUT;
    }
    return events;
}

static long socket_ioctl(struct file *file, unsigned command, uint64_t argument)
{
    struct socket *socket = file->data;
    int used = (int)ring_used(&socket->ring);

    if (command != FIONREAD) {
        return -ENOTTY;
    }
    if (state_of(socket) == SOCKET_LISTENING) {
        return -EINVAL;
    }
    return copy_to_user((void __user *)argument, &used, sizeof(used));
}

static void socket_release(struct file *file)
{
    socket_unbind(file->data);
    socket_disconnect(file->data, false);
}

static const struct file_ops socket_ops = {
    .read = socket_read, .write = socket_write, .poll = socket_poll, .ioctl = socket_ioctl,
    .release = socket_release,
};

struct socket *socket_of(const struct file *file)
{
    return file->ops == &socket_ops ? file->data : NULL;
}

struct socket *socket_create(void)
{
    static uint64_t next_number = 1;
    struct socket *socket = anonymous_create(sizeof(*socket), S_IFSOCK | 0777, NULL, &socket_ops);

    if (socket) {
        socket->inode.number = __atomic_fetch_add(&next_number, 1, __ATOMIC_RELAXED);
        mutex_init(&socket->lock);
        wait_queue_init(&socket->readers);
        wait_queue_init(&socket->writers);
        list_init(&socket->bound);
        list_init(&socket->pending);
    }
    return socket;
}

struct file *socket_open(int flags)
{
    struct socket *socket = socket_create();

    return socket ? file_open_anonymous(&socket->inode, O_RDWR | flags) : error_pointer(-ENOMEM);
}

long socket_pair(struct file *ends[2], int flags)
{
    struct socket *one, *other;

    ends[0] = socket_open(flags);
    if (is_error(ends[0])) {
        return -ENOMEM;
    }
    ends[1] = socket_open(flags);
    if (is_error(ends[1])) {
        file_put(ends[0]);
        return -ENOMEM;
    }
    one = ends[0]->data;
    other = ends[1]->data;
    one->peer_pid = other->peer_pid = current->group->pid;
    socket_connect_pair(one, other);
    return 0;
}
