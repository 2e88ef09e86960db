/*
 * Sockets as files, and closing each half. Names and connecting: socket_name.c.
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
        events |= SOCKET_EVENTS_IN | POLLRDHUP;
    }
    if (socket_shutdown_of(socket) == CLOSED) {
        events |= POLLHUP;
    }
    wake_events(&socket->readers, events);
    wake_events(&socket->writers, events);
}

void socket_disconnect(struct socket *socket, bool reset)
{
    struct socket *peer = socket->peer;

    mutex_lock(&socket->lock);
    reset |= ring_used(&socket->ring) > 0 || socket->message_count;
    __atomic_store_n(&socket->shutdown, CLOSED, __ATOMIC_RELEASE);
    ring_free(&socket->ring);
    while (!list_empty(&socket->messages)) {
        struct message *message = message_take(socket, 0);

        mutex_unlock(&socket->lock); /* it may close other sockets */
        message_free(message);
        mutex_lock(&socket->lock);
    }
    mutex_unlock(&socket->lock);
    wake_all(&socket->writers); /* who sends datagrams to it */
    if (socket->type == SOCK_DGRAM) {
        socket_set_peer(socket, NULL);
    } else if (peer) {
        if (reset) {
            __atomic_store_n(&peer->error, ECONNRESET, __ATOMIC_RELEASE);
        }
        close_halves(peer, CLOSED);
        wake_events(&peer->writers, SOCKET_EVENTS_OUT | (reset ? POLLERR : 0));
        socket->peer = NULL;
        inode_put(&peer->inode);
    }
}

long socket_shutdown(struct socket *socket, int how)
{
    bool tells = socket_state_of(socket) == SOCKET_CONNECTED && socket->type != SOCK_DGRAM;
    struct socket *peer = tells ? socket->peer : NULL;
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

ssize_t socket_send(struct file *file, struct socket_io *io)
{
    struct socket *socket = file->data;
    long error;

    if (io->flags & MSG_OOB) {
        return -EOPNOTSUPP;
    }
    if (socket->type != SOCK_STREAM) {
        return message_send(file, io);
    }
    if (io->address) { /* the other end is known */
        return socket_state_of(socket) == SOCKET_CONNECTED ? -EISCONN : -EOPNOTSUPP;
    }
    if (socket_state_of(socket) != SOCKET_CONNECTED) {
        return -ENOTCONN;
    }
    if (socket_has(socket, SO_PASSCRED) || socket_has(socket->peer, SO_PASSCRED)) {
        io->message = io->message ? io->message : message_create(0);
        if (!io->message) {
            return -ENOMEM;
        }
        io->message->pid = current->group->pid;
    }
    error = io->message ? message_depart(io->message, socket->peer) : 0;
    return error ? error : stream_transfer(file, io, true);
}

ssize_t socket_receive(struct file *file, struct socket_io *io)
{
    struct socket *socket = file->data;

    if (io->flags & MSG_OOB) {
        return -EOPNOTSUPP;
    }
    if (socket->type != SOCK_STREAM) {
        return message_receive(file, io);
    }
    if (socket_state_of(socket) != SOCKET_CONNECTED) {
        return -EINVAL;
    }
    return stream_transfer(file, io, false);
}

static ssize_t socket_read(struct file *file, char __user *buffer, size_t size, off_t *position)
{
    struct socket_io io = {.piece = {(uint64_t)buffer, size}, .count = 1};
    ssize_t result;

    (void)position;
    if (!size) {
        return 0;
    }
    result = socket_receive(file, &io);
    message_free(io.message);
    return result;
}

static ssize_t socket_write(struct file *file, const char __user *buffer, size_t size,
                            off_t *position)
{
    struct socket_io io = {.piece = {(uint64_t)buffer, size}, .count = 1};
    ssize_t result = socket_send(file, &io);

    (void)position;
    message_free(io.message);
    return result;
}

static ssize_t socket_read_pieces(struct file *file, const struct iovec __user *vector, size_t count, size_t total)
{
    struct socket_io io = {.vector = vector, .count = count};
    ssize_t result = socket_receive(file, &io);

    (void)total;
    message_free(io.message);
    return result;
}

static ssize_t socket_write_pieces(struct file *file, const struct iovec __user *vector, size_t count,
                                   size_t total, off_t *position)
{
    struct socket_io io = {.vector = vector, .count = count};
    ssize_t result = socket_send(file, &io);

    (void)total, (void)position;
    message_free(io.message);
    return result;
}

/* Can something be sent without waiting? To a datagram's peer that has another one, nobody can tell. */
static bool socket_is_writable(struct socket *socket, enum socket_state state)
{
    struct socket *peer;
    bool fits;

    if (state != SOCKET_CONNECTED) {
        return state == SOCKET_UNCONNECTED;
    }
    if (socket->type == SOCK_STREAM) {
        return ring_room(&socket->peer->ring) >= RING_WRITABLE;
    }
    peer = socket_target(socket, NULL);
    if (is_error(peer)) {
        return true;
    }
    fits = peer->peer != socket || message_fits(socket, peer, RING_WRITABLE);
    inode_put(&peer->inode);
    return fits;
}

static int socket_poll(struct file *file, struct poll_table *table)
{
    struct socket *socket = file->data;
    enum socket_state state;
    int shutdown, events = 0;

    poll_wait(table, &socket->readers);
    poll_wait(table, &socket->writers);
    state = socket_state_of(socket);
    shutdown = socket_shutdown_of(socket);
    if (__atomic_load_n(&socket->error, __ATOMIC_ACQUIRE)) {
        events |= POLLERR;
    }
    if (shutdown == CLOSED || (state == SOCKET_UNCONNECTED && socket->type != SOCK_DGRAM)) {
        events |= POLLHUP;
    }
    if (shutdown & NO_RECEIVE) {
        events |= SOCKET_EVENTS_IN | POLLRDHUP;
    }
    if (ring_used(&socket->ring) || __atomic_load_n(&socket->message_count, __ATOMIC_RELAXED) ||
        __atomic_load_n(&socket->pending_count, __ATOMIC_RELAXED)) {
        events |= SOCKET_EVENTS_IN;
    }
    if (socket_is_writable(socket, state)) {
        events |= SOCKET_EVENTS_OUT;
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
    if (socket_state_of(socket) == SOCKET_LISTENING) {
        return -EINVAL;
    }
    if (socket->type == SOCK_DGRAM) { /* of the first one */
        mutex_lock(&socket->lock);
        used = used ? (int)list_first(&socket->messages, struct message, list)->size : 0;
        mutex_unlock(&socket->lock);
    }
    return copy_to_user((void __user *)argument, &used, sizeof(used));
}

static void socket_release(struct file *file)
{
    socket_unbind(file->data);
    socket_disconnect(file->data, false);
}

static const struct file_ops socket_ops = {
    .read = socket_read, .write = socket_write, .read_pieces = socket_read_pieces,
    .write_pieces = socket_write_pieces, .poll = socket_poll, .ioctl = socket_ioctl, .release = socket_release,
};

struct socket *socket_of(const struct file *file)
{
    return file->ops == &socket_ops ? file->data : NULL;
}

struct socket *socket_create(int type)
{
    static uint64_t next_number = 1;
    struct socket *socket = anonymous_create(sizeof(*socket), S_IFSOCK | 0777, NULL, &socket_ops);

    if (socket) {
        socket->type = type;
        list_init(&socket->messages);
        socket->inode.number = __atomic_fetch_add(&next_number, 1, __ATOMIC_RELAXED);
        mutex_init(&socket->lock);
        wait_queue_init(&socket->readers);
        wait_queue_init(&socket->writers);
        list_init(&socket->bound);
        list_init(&socket->pending);
    }
    return socket;
}

struct file *socket_open(int type, int flags)
{
    struct socket *socket = socket_create(type);

    return socket ? file_open_anonymous(&socket->inode, O_RDWR | flags) : error_pointer(-ENOMEM);
}

long socket_pair(struct file *ends[2], int type, int flags)
{
    struct socket *one, *other;

    ends[0] = socket_open(type, flags);
    if (is_error(ends[0])) {
        return -ENOMEM;
    }
    ends[1] = socket_open(type, flags);
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
