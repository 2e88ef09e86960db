/*
 * Names of sockets, and how two of them come together: bind, listen, connect, accept.
 *
 * connect makes the socket of the server's side at once, joins it to the client's and queues it
 * at the listening one; accept only gives it a file. So a client may send before it is accepted.
 */
#include "event/poll.h"
#include "ipc/socket.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/kmalloc.h"
#include "process/context.h"
#include "sched/task.h"

#define BACKLOG_MAX 4096 /* as Linux's net.core.somaxconn */

/*
 * Protects states, addresses and pending lists of all sockets. It comes first in the order: below
 * it are the file system's locks, while a name is made. Nobody waits for a connection with it.
 */
static struct mutex sockets_lock = MUTEX_INIT(sockets_lock);
static struct list all_bound = LIST_INIT(all_bound);

static bool is_abstract(const struct socket_address *address)
{
    return address->path[0] == '\0';
}

/* The bound socket that has this inode as its name, or this abstract name; or NULL. Each type has abstract names
 * of its own. */
static struct socket *find_bound(const struct inode *name, const struct socket_address *address, int type)
{
    struct socket *socket;

    assert_held(&sockets_lock);
    list_for_each(socket, &all_bound, bound) {
        if (name ? socket->name == name
                 : !socket->name && socket->type == type && socket->address.size == address->size &&
                       memcmp(socket->address.path, address->path, address->size) == 0) {
            return socket;
        }
    }
    return NULL;
}

static void to_string(const struct socket_address *address, char *path)
{
    memcpy(path, address->path, address->size);
    path[address->size] = '\0';
}

/* The inode for a new name in the file system, or an error pointer. */
static struct inode *make_name(const struct socket_address *address)
{
    char path[SOCKET_PATH_MAX + 1];
    struct inode *cwd = cwd_get(), *inode;
    struct place place;
    long error;

    to_string(address, path);
    error = path_parent(cwd, path, &place);
    inode_put(cwd);
    if (error) {
        return error_pointer(error);
    }
    if (place.slash) {
        inode = error_pointer(-ENOENT);
    } else if (!place.directory->ops->create) {
        inode = error_pointer(-EPERM);
    } else {
        inode = place.directory->ops->create(place.directory, place.name,
                                             S_IFSOCK | (0777 & ~current->cwd->umask), 0);
    }
    place_put(&place);
    return is_error(inode) && pointer_error(inode) == -EEXIST ? error_pointer(-EADDRINUSE) : inode;
}

long socket_bind(struct socket *socket, const struct socket_address *address)
{
    struct inode *name = NULL;
    long error = 0;

    mutex_lock(&sockets_lock);
    if (socket->address.size) {
        error = -EINVAL;
    } else if (!is_abstract(address)) {
        name = make_name(address);
        error = is_error(name) ? pointer_error(name) : 0;
    } else if (find_bound(NULL, address, socket->type)) {
        error = -EADDRINUSE;
    }
    if (!error) {
        socket->address = *address;
        socket->name = name;
        list_push_back(&all_bound, &socket->bound);
    }
    mutex_unlock(&sockets_lock);
    return error;
}

long socket_listen(struct socket *socket, int backlog)
{
    long error = 0;

    mutex_lock(&sockets_lock);
    if (socket->type == SOCK_DGRAM) {
        error = -EOPNOTSUPP;
    } else if (!socket->address.size || socket->state == SOCKET_CONNECTED) {
        error = -EINVAL;
    } else {
        socket->backlog = (unsigned)backlog > BACKLOG_MAX ? BACKLOG_MAX : backlog;
        socket->pid = current->group->pid;
        __atomic_store_n(&socket->state, SOCKET_LISTENING, __ATOMIC_RELEASE);
    }
    mutex_unlock(&sockets_lock);
    if (!error) {
        wake_all(&socket->writers); /* there may be more room for those who connect */
    }
    return error;
}

/* Who has this address, referenced; or an error pointer: -EPROTOTYPE: it is of another type. */
static struct socket *find_addressed(const struct socket_address *address, int type)
{
    char path[SOCKET_PATH_MAX + 1];
    struct inode *name = NULL;
    struct socket *socket;

    if (!is_abstract(address)) {
        struct inode *cwd = cwd_get();

        to_string(address, path);
        name = path_lookup(cwd, path, 0);
        inode_put(cwd);
        if (is_error(name)) {
            return (struct socket *)name;
        }
    }
    mutex_lock(&sockets_lock);
    socket = find_bound(name, address, type);
    if (!socket) {
        socket = error_pointer(-ECONNREFUSED);
    } else if (socket->type != type) {
        socket = error_pointer(-EPROTOTYPE);
    } else {
        inode_get(&socket->inode);
    }
    mutex_unlock(&sockets_lock);
    inode_put(name);
    return socket;
}

static bool is_full(const struct socket *listener)
{
    return __atomic_load_n(&listener->pending_count, __ATOMIC_RELAXED) > listener->backlog;
}

static bool socket_listens(const struct socket *socket)
{
    return __atomic_load_n(&socket->state, __ATOMIC_ACQUIRE) == SOCKET_LISTENING &&
           !(__atomic_load_n(&socket->shutdown, __ATOMIC_ACQUIRE) & NO_RECEIVE);
}

/* Join `socket` to `server`, which waits at `listener` from now on. -EAGAIN: too many do. */
static long socket_join(struct socket *socket, struct socket *listener, struct socket *server)
{
    assert_held(&sockets_lock);
    if (!socket_listens(listener)) {
        return -ECONNREFUSED;
    }
    if (is_full(listener)) {
        return -EAGAIN;
    }
    if (socket->state != SOCKET_UNCONNECTED) {
        return socket->state == SOCKET_CONNECTED ? -EISCONN : -EINVAL;
    }
    server->address = listener->address;
    server->peer_pid = current->group->pid;
    socket->peer_pid = listener->pid;
    server->listener = listener; /* nobody has seen it */
    socket_connect_pair(socket, server);
    list_push_back(&listener->pending, &server->pending);
    __atomic_store_n(&listener->pending_count, listener->pending_count + 1, __ATOMIC_RELEASE);
    return 0;
}

/* One attempt. *slept: until there may be room, for another one. */
static long try_connect(const struct file *file, const struct socket_address *address,
                        struct socket *server, bool *slept)
{
    struct socket *listener = find_addressed(address, server->type);
    long error;

    *slept = false;
    if (is_error(listener)) {
        return pointer_error(listener);
    }
    mutex_lock(&sockets_lock);
    error = socket_join(file->data, listener, server);
    mutex_unlock(&sockets_lock);
    if (!error) {
        wake_first(&listener->readers, POLLIN | POLLRDNORM);
    } else if (error == -EAGAIN) {
        error = socket_wait(file, 0, true, &listener->writers, WAIT_CONNECT, listener->inode.number,
                            !is_full(listener) || !socket_listens(listener));
        *slept = !error;
    }
    inode_put(&listener->inode);
    return error;
}

long socket_connect(struct file *file, const struct socket_address *address)
{
    struct socket *socket = file->data, *server;
    bool slept;
    long error;

    if (socket->type == SOCK_DGRAM) {
        return socket_set_peer(socket, address);
    }
    server = socket_create(socket->type);
    if (!server) {
        return -ENOMEM;
    }
    do {
        error = try_connect(file, address, server, &slept);
    } while (slept);
    if (error) {
        inode_put(&server->inode);
    }
    return error;
}

struct socket *socket_target(struct socket *socket, const struct socket_address *address)
{
    struct socket *to = address ? find_addressed(address, socket->type) : NULL;

    if (to && is_error(to)) {
        return to;
    }
    mutex_lock(&sockets_lock);
    if (!to) {
        to = socket->peer;
        if (to) {
            inode_get(&to->inode);
        }
    }
    mutex_unlock(&sockets_lock);
    if (to && address && to->peer && to->peer != socket) { /* it talks with another one alone */
        inode_put(&to->inode);
        return error_pointer(-EPERM);
    }
    return to ? to : error_pointer(-ENOTCONN);
}

long socket_set_peer(struct socket *socket, const struct socket_address *address)
{
    struct socket *peer = address ? socket_target(socket, address) : NULL, *old;

    if (peer && is_error(peer)) {
        return pointer_error(peer);
    }
    mutex_lock(&sockets_lock);
    old = socket->peer;
    socket->peer = peer;
    __atomic_store_n(&socket->state, peer ? SOCKET_CONNECTED : SOCKET_UNCONNECTED, __ATOMIC_RELEASE);
    mutex_unlock(&sockets_lock);
    if (old) {
        inode_put(&old->inode);
    }
    return 0;
}

/* Take the first one that waits at `listener`; NULL: none does. */
static struct socket *take_pending(struct socket *listener)
{
    struct socket *server = NULL;

    mutex_lock(&sockets_lock);
    if (!list_empty(&listener->pending)) {
        server = list_first(&listener->pending, struct socket, pending);
        list_remove(&server->pending);
        __atomic_store_n(&listener->pending_count, listener->pending_count - 1, __ATOMIC_RELEASE);
        message_leave_listener(server);
    }
    mutex_unlock(&sockets_lock);
    return server;
}

struct file *socket_accept(struct file *file, int flags)
{
    struct socket *listener = file->data, *server;
    struct file *accepted;
    long error;

    if (listener->type == SOCK_DGRAM) {
        return error_pointer(-EOPNOTSUPP);
    }
    if (__atomic_load_n(&listener->state, __ATOMIC_ACQUIRE) != SOCKET_LISTENING) {
        return error_pointer(-EINVAL);
    }
    accepted = file_alloc(); /* a connection is not taken only to be dropped */
    if (!accepted) {
        return error_pointer(-ENOMEM);
    }
    while ((server = take_pending(listener)) == NULL) {
        if (!socket_listens(listener)) {
            error = -EINVAL;
            goto out_free;
        }
        error = socket_wait(file, 0, false, &listener->readers, WAIT_ACCEPT, listener->inode.number,
                            listener->pending_count || !socket_listens(listener));
        if (error) {
            goto out_free;
        }
    }
    if (__atomic_load_n(&listener->pending_count, __ATOMIC_RELAXED)) {
        wake_next(&listener->readers);
    }
    wake_events(&listener->writers, 0); /* who connects, not who polls */
    accepted = file_open_in(accepted, &server->inode, O_RDWR | flags);
    inode_put(&server->inode);
    return accepted;

out_free:
    kfree(accepted);
    return error_pointer(error);
}

void socket_unbind(struct socket *socket)
{
    struct socket *server;

    mutex_lock(&sockets_lock);
    list_remove(&socket->bound);
    __atomic_fetch_or(&socket->shutdown, CLOSED, __ATOMIC_RELEASE);
    mutex_unlock(&sockets_lock);
    wake_all(&socket->writers);
    while ((server = take_pending(socket)) != NULL) {
        socket_disconnect(server, true);
        inode_put(&server->inode);
    }
    inode_put(socket->name);
    socket->name = NULL;
}

long socket_get_address(struct socket *socket, bool of_peer, struct socket_address *address)
{
    long error = 0;

    mutex_lock(&sockets_lock);
    if (!of_peer) {
        *address = socket->address;
    } else if (socket->state == SOCKET_CONNECTED) {
        *address = socket->peer->address;
    } else {
        error = -ENOTCONN;
    }
    mutex_unlock(&sockets_lock);
    return error;
}
