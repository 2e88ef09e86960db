/*
 * Messages: datagrams and SOCK_SEQPACKET, whose bytes belong together, and what comes along with bytes
 * (unix(7)): descriptors and the sender's pid. The bytes themselves are in the receiver's ring.
 *
 * A socket may travel in another one's queue. Two that lie in each other's queues would never be freed,
 * and a long row of them would be freed by calls within calls, more than a kernel stack has room for. So
 * a socket in whose queue sockets lie does not travel, and to one that travels none are sent. A connection
 * that was not accepted yet is a part of the socket that listens. Linux lets them, as it has a garbage
 * collector for that, but refuses more than a few levels the same way.
 */
#include "event/poll.h"
#include "ipc/socket.h"
#include "mm/kmalloc.h"
#include "mm/uaccess.h"
#include "sched/task.h"

#define DATAGRAMS_MAX 10                   /* that others may leave in a queue, as net.unix.max_dgram_qlen */
#define MESSAGES_MAX (RING_CAPACITY / 256) /* small ones are not free */

/* Protects which sockets lie in whose queues: in_flight, holding and listener of all. */
static struct mutex flight_lock = MUTEX_INIT(flight_lock);

struct message *message_create(int files)
{
    struct message *message = kzalloc(sizeof(*message) + (size_t)files * sizeof(message->files[0]));

    if (message) {
        list_init(&message->list);
    }
    return message;
}

/* May the sockets among its files travel? flight_lock is held. */
static bool message_may_depart(const struct message *message, const struct socket *to)
{
    const struct socket *whole = to->listener ? to->listener : to;

    assert_held(&flight_lock);
    for (int i = 0; i < message->count; i++) {
        const struct socket *socket = socket_of(message->files[i]);

        if (socket && (socket == to || socket == whole || socket->holding || whole->in_flight)) {
            return false;
        }
    }
    return true;
}

/* Count them, there and back. flight_lock is held. */
static void message_count_sockets(const struct message *message, struct socket *holder, int step)
{
    assert_held(&flight_lock);
    for (int i = 0; i < message->count; i++) {
        struct socket *socket = socket_of(message->files[i]);

        if (socket) {
            socket->in_flight += step;
            holder->holding += step;
            if (holder->listener) {
                holder->listener->holding += step;
            }
        }
    }
}

void message_leave_listener(struct socket *server)
{
    mutex_lock(&flight_lock);
    server->listener->holding -= server->holding;
    server->listener = NULL;
    mutex_unlock(&flight_lock);
}

long message_depart(struct message *message, struct socket *to)
{
    long error = -ETOOMANYREFS;

    mutex_lock(&flight_lock);
    if (message_may_depart(message, to)) {
        message_count_sockets(message, to, 1);
        message->holder = to;
        inode_get(&to->inode);
        error = 0;
    }
    mutex_unlock(&flight_lock);
    return error;
}

/* It is in no queue any more. */
static void message_arrive(struct message *message)
{
    struct socket *holder = message->holder;

    if (holder) {
        mutex_lock(&flight_lock);
        message_count_sockets(message, holder, -1);
        message->holder = NULL;
        mutex_unlock(&flight_lock);
        inode_put(&holder->inode);
    }
}

void message_free(struct message *message)
{
    if (!message) {
        return;
    }
    message_arrive(message);
    for (int i = 0; i < message->count; i++) {
        file_put(message->files[i]);
    }
    kfree(message);
}

void message_push(struct socket *to, struct message *message)
{
    assert_held(&to->lock);
    message->start = to->ring.written;
    list_push_back(&to->messages, &message->list);
    __atomic_store_n(&to->message_count, to->message_count + 1, __ATOMIC_RELEASE);
}

struct message *message_take(struct socket *socket, int flags)
{
    struct message *message = list_first(&socket->messages, struct message, list), *copy;

    assert_held(&socket->lock);
    if (!(flags & MSG_PEEK)) {
        list_remove(&message->list);
        __atomic_store_n(&socket->message_count, socket->message_count - 1, __ATOMIC_RELEASE);
        return message;
    }
    copy = message_create(message->count);
    if (copy) {
        copy->size = message->size;
        copy->pid = message->pid;
        copy->from = message->from;
        for (; copy->count < message->count; copy->count++) {
            copy->files[copy->count] = file_get(message->files[copy->count]);
        }
    }
    return copy;
}

bool message_fits(const struct socket *socket, const struct socket *to, size_t size)
{
    int count = __atomic_load_n(&to->message_count, __ATOMIC_ACQUIRE);
    bool stranger = to->type == SOCK_DGRAM && to->peer != socket && to != socket;

    return count < (stranger ? DATAGRAMS_MAX + 1 : MESSAGES_MAX) && ring_room(&to->ring) >= size;
}

/* All pieces into the ring, or nothing. to->lock is held. */
static long message_put(struct socket *to, struct message *message, const struct socket_io *io)
{
    size_t done = 0, size;
    char __user *base;

    assert_held(&to->lock);
    for (size_t i = 0; i < io->count; i++) {
        ssize_t part = socket_piece(io, i, &base, &size);

        part = part || !size ? part : ring_put(&to->ring, base, size, size);
        if (part < (ssize_t)size || done + size > message->size) { /* or the pieces have grown */
            ring_take_back(&to->ring, done + (part > 0 ? (size_t)part : 0));
            return -EFAULT;
        }
        done += size;
    }
    message->size = done;
    message_push(to, message);
    return 0;
}

/* One attempt: 0, or -EAGAIN when there is no room. */
static long message_try(struct socket *socket, struct socket *to, struct socket_io *io)
{
    long error = -EAGAIN;

    mutex_lock(&to->lock);
    if (socket->type == SOCK_DGRAM && socket_shutdown_of(to) == CLOSED && to != socket) {
        error = -ECONNREFUSED;
    } else if (socket_is_broken(socket, to)) {
        error = -EPIPE;
    } else if (message_fits(socket, to, io->message->size)) {
        struct message *message = io->message;

        error = message_put(to, message, io);
        io->message = error ? message : NULL;
    }
    mutex_unlock(&to->lock);
    return error;
}

/* From here to `to`: io->message is complete. */
static long message_send_to(struct file *file, struct socket *to, struct socket_io *io)
{
    struct socket *socket = file->data;
    struct wait_queue *queue = to->peer == socket ? &socket->writers : &to->writers;
    size_t size = io->message->size;
    long error = message_depart(io->message, to);

    while (!error) {
        error = message_try(socket, to, io);
        if (error != -EAGAIN) {
            break;
        }
        error = socket_wait(file, io->flags, true, queue, WAIT_SOCKET_WRITE, to->inode.number,
                            message_fits(socket, to, size) || socket_is_broken(socket, to));
    }
    if (!error) {
        wake_first(&to->readers, SOCKET_EVENTS_IN);
    } else if (error == -ECONNREFUSED && !io->address) {
        socket_set_peer(socket, NULL); /* it is gone */
    }
    return error;
}

ssize_t message_send(struct file *file, struct socket_io *io)
{
    struct socket *socket = file->data, *to;
    size_t total;
    long error = socket_total(io, &total);

    if (error || total > RING_CAPACITY) {
        return error ? error : -EMSGSIZE;
    }
    to = socket_target(socket, socket->type == SOCK_DGRAM ? io->address : NULL);
    if (is_error(to)) {
        return pointer_error(to);
    }
    if (!io->message) {
        io->message = message_create(0);
    }
    if (!io->message) {
        error = -ENOMEM;
        goto out_put;
    }
    io->message->size = total;
    if (socket_has(socket, SO_PASSCRED) || socket_has(to, SO_PASSCRED)) {
        io->message->pid = current->group->pid;
    }
    socket_get_address(socket, false, &io->message->from);
    error = message_send_to(file, to, io);

out_put:
    inode_put(&to->inode);
    return error ? error : (ssize_t)total;
}

/* Copy the first one out; what there is no room for is lost. socket->lock is held. */
static ssize_t message_get(struct socket *socket, struct socket_io *io)
{
    size_t done = 0, total, size;
    char __user *base;
    long error = 0;

    assert_held(&socket->lock);
    if (list_empty(&socket->messages)) {
        return -EAGAIN;
    }
    io->message = message_take(socket, io->flags);
    if (!io->message) {
        return -ENOMEM;
    }
    total = io->message->size;
    for (size_t i = 0; i < io->count && done < total && !error; i++) {
        error = socket_piece(io, i, &base, &size);
        if (!error && size) {
            ssize_t part = ring_peek(&socket->ring, done, base, size < total - done ? size : total - done);

            error = part < 0 ? part : 0;
            done += part < 0 ? 0 : (size_t)part;
        }
    }
    if (!(io->flags & MSG_PEEK)) {
        ring_drop(&socket->ring, total);
    }
    io->told |= done < total ? MSG_TRUNC : 0;
    if (error) {
        return error;
    }
    return io->flags & MSG_TRUNC ? (ssize_t)total : (ssize_t)done;
}

ssize_t message_receive(struct file *file, struct socket_io *io)
{
    struct socket *socket = file->data;
    ssize_t result;
    long error = 0;

    if (socket->type == SOCK_SEQPACKET && socket_state_of(socket) != SOCKET_CONNECTED) {
        return -ENOTCONN;
    }
    for (;;) {
        int shutdown = socket_shutdown_of(socket); /* before the queue is looked at */

        mutex_lock(&socket->lock);
        result = message_get(socket, io);
        mutex_unlock(&socket->lock);
        if (result != -EAGAIN || shutdown & NO_RECEIVE) {
            break;
        }
        error = -socket_take_error(socket);
        if (!error) {
            error = socket_wait(file, io->flags, false, &socket->readers, WAIT_SOCKET_READ,
                                socket->inode.number,
                                socket->message_count || socket_shutdown_of(socket) & NO_RECEIVE);
        }
        if (error) {
            return error;
        }
    }
    if (result == -EAGAIN) {
        return 0; /* the end */
    }
    if (!(io->flags & MSG_PEEK)) {
        struct socket *peer = socket_target(socket, NULL);

        wake_events(&socket->writers, SOCKET_EVENTS_OUT);
        if (!is_error(peer)) {
            wake_events(&peer->writers, SOCKET_EVENTS_OUT);
            inode_put(&peer->inode);
        }
    }
    if (socket->message_count) {
        wake_next(&socket->readers);
    }
    return result;
}
