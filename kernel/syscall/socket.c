/* Calls on sockets: the arguments; the work is done in ipc/socket.c and ipc/socket_name.c. */
#include "ipc/socket.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "mm/uaccess.h"
#include "sched/task.h"
#include "syscall/calls.h"

enum { SOCK_TYPE_MASK = 15, SOCK_TYPES = 11, ADDRESS_FAMILIES = 46 };
enum { SOL_SOCKET = 1 };
enum {
    SO_TYPE = 3, SO_ERROR = 4, SO_SNDBUF = 7, SO_RCVBUF = 8, SO_PEERCRED = 17,
    SO_ACCEPTCONN = 30, SO_PROTOCOL = 38, SO_DOMAIN = 39,
};

/* struct sockaddr_un */
struct user_address {
    uint16_t family;
    char path[SOCKET_PATH_MAX];
};
#define FAMILY_SIZE offsetof(struct user_address, path)

struct msghdr {
    void __user *name;
    uint32_t name_size;
    const struct iovec __user *vector;
    size_t count;
    void __user *control;
    size_t control_size;
    int flags;
};

/* A referenced file that is a socket, or an error pointer. */
static struct file *socket_get(int fd)
{
    struct file *file = fd_get_io(fd);

    if (!file || socket_of(file)) {
        return file ? file : error_pointer(-EBADF);
    }
    file_put(file);
    return error_pointer(-ENOTSOCK);
}

/* -EINVAL: not of our family, or without a name. */
static long address_from_user(struct socket_address *address, const void __user *user, int size)
{
    struct user_address from = {0};

    if (size < 0 || (size_t)size > sizeof(from)) {
        return -EINVAL;
    }
    if (copy_from_user(&from, user, (size_t)size)) {
        return -EFAULT;
    }
    if ((size_t)size <= FAMILY_SIZE || from.family != AF_UNIX) {
        return -EINVAL;
    }
    address->size = (size_t)size - FAMILY_SIZE;
    memcpy(address->path, from.path, address->size);
    if (address->path[0]) { /* a path ends at its NUL, if it has one */
        size_t length = 0;

        while (length < address->size && address->path[length]) {
            length++;
        }
        address->size = length;
    }
    return 0;
}

/* As much as fits; *user_size becomes what there would be. */
static long address_to_user(const struct socket_address *address, void __user *user,
                            int __user *user_size)
{
    struct user_address to = {.family = AF_UNIX};
    int room, size = (int)(FAMILY_SIZE + address->size);

    memcpy(to.path, address->path, address->size);
    if (address->size && address->path[0] && address->size < SOCKET_PATH_MAX) {
        size++; /* the terminator */
    }
    if (get_user(room, user_size)) {
        return -EFAULT;
    }
    if (room < 0) {
        return -EINVAL;
    }
    if (copy_to_user(user, &to, (size_t)(room < size ? room : size)) || put_user(size, user_size)) {
        return -EFAULT;
    }
    return 0;
}

/* The flags O_NONBLOCK and O_CLOEXEC are also those of socket(2) and accept4(2). */
static long check_kind(int family, int type, int protocol)
{
    int flags = type & ~SOCK_TYPE_MASK;

    type &= SOCK_TYPE_MASK;
    if (flags & ~(O_NONBLOCK | O_CLOEXEC) || type >= SOCK_TYPES) {
        return -EINVAL;
    }
    if (family != AF_UNIX) {
        return -EAFNOSUPPORT;
    }
    if (protocol && protocol != AF_UNIX) {
        return -EPROTONOSUPPORT;
    }
    return type == SOCK_STREAM ? 0 : -ESOCKTNOSUPPORT;
}

long sys_socket(int family, int type, int protocol)
{
    struct socket *socket;
    long error = check_kind(family, type, protocol);

    if (error) {
        return error;
    }
    socket = socket_create();
    return socket ? fd_install_new(socket_open(socket, type & O_NONBLOCK), type & O_CLOEXEC)
                  : -ENOMEM;
}

long sys_socketpair(int family, int type, int protocol, int __user *fds)
{
    struct file *ends[2];
    long error = check_kind(family, type, protocol);

    error = error ? error : socket_pair(ends, type & O_NONBLOCK);
    return error ? error : fd_install_pair(ends, fds, type & O_CLOEXEC);
}

long sys_bind(int fd, const void __user *user, int size)
{
    struct socket_address address;
    struct file *file = socket_get(fd);
    long error;

    if (is_error(file)) {
        return pointer_error(file);
    }
    error = address_from_user(&address, user, size);
    error = error ? error : socket_bind(socket_of(file), &address);
    file_put(file);
    return error;
}

long sys_listen(int fd, int backlog)
{
    struct file *file = socket_get(fd);
    long error;

    if (is_error(file)) {
        return pointer_error(file);
    }
    error = socket_listen(socket_of(file), backlog);
    file_put(file);
    return error;
}

long sys_connect(int fd, const void __user *user, int size)
{
    struct socket_address address;
    struct file *file = socket_get(fd);
    long error;

    if (is_error(file)) {
        return pointer_error(file);
    }
    error = address_from_user(&address, user, size);
    error = error ? error : socket_connect(file, &address);
    file_put(file);
    return error;
}

long sys_accept4(int fd, void __user *user, int __user *user_size, int flags)
{
    struct socket_address address;
    struct file *file, *accepted;
    long error = 0, result;

    if (flags & ~(O_NONBLOCK | O_CLOEXEC)) {
        return -EINVAL;
    }
    file = socket_get(fd);
    if (is_error(file)) {
        return pointer_error(file);
    }
    result = fd_reserve(flags & O_CLOEXEC); /* first: a connection is not taken only to be dropped */
    if (result < 0) {
        file_put(file);
        return result;
    }
    accepted = socket_accept(file, flags & O_NONBLOCK);
    file_put(file);
    if (!is_error(accepted) && user) {
        error = socket_get_address(socket_of(accepted), true, &address);
        error = error ? error : address_to_user(&address, user, user_size);
        if (error) {
            file_put(accepted);
            accepted = error_pointer(error);
        }
    }
    return fd_settle(result, accepted);
}

long sys_accept(int fd, void __user *user, int __user *user_size)
{
    return sys_accept4(fd, user, user_size, 0);
}

static long get_name(int fd, bool of_peer, void __user *user, int __user *user_size)
{
    struct socket_address address;
    struct file *file = socket_get(fd);
    long error;

    if (is_error(file)) {
        return pointer_error(file);
    }
    error = socket_get_address(socket_of(file), of_peer, &address);
    file_put(file);
    return error ? error : address_to_user(&address, user, user_size);
}

long sys_getsockname(int fd, void __user *user, int __user *user_size)
{
    return get_name(fd, false, user, user_size);
}

long sys_getpeername(int fd, void __user *user, int __user *user_size)
{
    return get_name(fd, true, user, user_size);
}

long sys_shutdown(int fd, int how)
{
    struct file *file = socket_get(fd);
    long error;

    if (is_error(file)) {
        return pointer_error(file);
    }
    error = socket_shutdown(socket_of(file), how);
    file_put(file);
    return error;
}

/* The pieces one after the other; only the first waits, unless all of it is to be sent or read. */
static ssize_t socket_transfer(struct file *file, const struct iovec __user *vector, size_t count,
                               int flags, bool send)
{
    ssize_t done = 0, part = 0;
    long error;

    if (count > IOVEC_MAX) {
        return -EMSGSIZE;
    }
    error = iovec_check(vector, (int)count);
    if (error) {
        return error;
    }
    for (size_t i = 0; i < count; i++) {
        struct iovec piece;

        if (get_user(piece, vector + i) ||
            !user_range_ok((void __user *)piece.base, piece.size)) { /* written to since */
            part = -EFAULT;
        } else if (send) {
            part = socket_send(file, (const char __user *)piece.base, piece.size, flags);
        } else {
            part = socket_receive(file, (char __user *)piece.base, piece.size, flags);
            flags |= flags & MSG_WAITALL ? 0 : MSG_DONTWAIT;
        }
        if (part < 0) {
            break;
        }
        done += part;
        if ((size_t)part < piece.size || (flags & MSG_PEEK && part > 0)) {
            break;
        }
    }
    return done ? done : part;
}

long sys_sendto(int fd, const char __user *buffer, size_t size, int flags,
                const void __user *address, int address_size)
{
    struct file *file = socket_get(fd);
    long result;

    if (is_error(file)) {
        return pointer_error(file);
    }
    size = size < TRANSFER_MAX ? size : TRANSFER_MAX;
    result = !user_range_ok(buffer, size) ? -EFAULT
             : address && address_size    ? socket_of(file)->state == SOCKET_CONNECTED ? -EISCONN
                                                                                      : -EOPNOTSUPP
                                          : socket_send(file, buffer, size, flags);
    file_put(file);
    return result;
}

long sys_recvfrom(int fd, char __user *buffer, size_t size, int flags, void __user *address,
                  int __user *address_size)
{
    struct file *file = socket_get(fd);
    long result;
    int none = 0;

    if (is_error(file)) {
        return pointer_error(file);
    }
    size = size < TRANSFER_MAX ? size : TRANSFER_MAX;
    result = user_range_ok(buffer, size) ? socket_receive(file, buffer, size, flags) : -EFAULT;
    file_put(file);
    if (result >= 0 && address && copy_to_user(address_size, &none, sizeof(none))) {
        result = -EFAULT; /* the sender of a stream is known: no address is told */
    }
    return result;
}

long sys_sendmsg(int fd, const struct msghdr __user *user, int flags)
{
    struct msghdr message;
    struct file *file = socket_get(fd);
    long result;

    if (is_error(file)) {
        return pointer_error(file);
    }
    if (get_user(message, user)) {
        result = -EFAULT;
    } else if (message.control_size) {
        result = -EOPNOTSUPP; /* descriptors are not passed */
    } else if (message.name && message.name_size) {
        result = socket_of(file)->state == SOCKET_CONNECTED ? -EISCONN : -EOPNOTSUPP;
    } else {
        result = socket_transfer(file, message.vector, message.count, flags, true);
    }
    file_put(file);
    return result;
}

long sys_recvmsg(int fd, struct msghdr __user *user, int flags)
{
    struct msghdr message;
    struct file *file = socket_get(fd);
    long result;

    if (is_error(file)) {
        return pointer_error(file);
    }
    result = get_user(message, user)
                 ? -EFAULT
                 : socket_transfer(file, message.vector, message.count, flags, false);
    if (result >= 0) {
        message.name_size = 0;
        message.control_size = 0;
        message.flags = 0;
        result = copy_to_user(user, &message, sizeof(message)) ? -EFAULT : result;
    }
    file_put(file);
    return result;
}

/* -ENOPROTOOPT for an option that is not there. */
static long get_option(struct socket *socket, int option, int *value)
{
    switch (option) {
    case SO_TYPE: *value = SOCK_STREAM; return 0;
    case SO_DOMAIN: *value = AF_UNIX; return 0;
    case SO_PROTOCOL: *value = 0; return 0;
    case SO_ERROR: *value = socket_take_error(socket); return 0;
    case SO_SNDBUF:
    case SO_RCVBUF: *value = RING_CAPACITY; return 0;
    case SO_ACCEPTCONN: *value = socket->state == SOCKET_LISTENING; return 0;
    default: return -ENOPROTOOPT;
    }
}

long sys_getsockopt(int fd, int level, int option, void __user *user, int __user *user_size)
{
    struct file *file = socket_get(fd);
    int value[3], room, size = option == SO_PEERCRED ? 12 : 4;
    long error;

    if (is_error(file)) {
        return pointer_error(file);
    }
    if (level != SOL_SOCKET) {
        error = -EOPNOTSUPP;
    } else if (get_user(room, user_size)) {
        error = -EFAULT;
    } else if (room < 0) {
        error = -EINVAL;
    } else if (option == SO_PEERCRED) {
        /* pid, uid, gid; all users are root, nobody is -1. */
        value[0] = socket_of(file)->peer_pid;
        value[1] = value[2] = value[0] ? 0 : -1;
        error = 0;
    } else {
        error = get_option(socket_of(file), option, value);
    }
    file_put(file);
    if (!error) {
        size = room < size ? room : size;
        error = copy_to_user(user, value, (size_t)size) || put_user(size, user_size) ? -EFAULT : 0;
    }
    return error;
}

/* The sizes of buffers may be asked for; they stay what they are. */
long sys_setsockopt(int fd, int level, int option, const void __user *user, int size)
{
    struct file *file = socket_get(fd);
    int value;

    if (is_error(file)) {
        return pointer_error(file);
    }
    file_put(file);
    if (level != SOL_SOCKET) {
        return -EOPNOTSUPP;
    }
    if (size < (int)sizeof(value)) {
        return -EINVAL;
    }
    if (get_user(value, (const int __user *)user)) {
        return -EFAULT;
    }
    return option == SO_SNDBUF || option == SO_RCVBUF ? 0 : -ENOPROTOOPT;
}
