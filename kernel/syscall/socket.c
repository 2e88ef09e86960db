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

/* What `call` gives for `file`, the socket at descriptor `fd`; or why that is none. */
#define with_socket(file, fd, call)                             \
    ({                                                          \
        struct file *file = socket_get(fd);                     \
        long with_result = pointer_error(file);                 \
                                                                \
        if (!is_error(file)) {                                  \
            with_result = (call);                               \
            file_put(file);                                     \
        }                                                       \
        with_result;                                            \
    })

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
    long error = check_kind(family, type, protocol);

    if (error) {
        return error;
    }
    return fd_install_new(socket_open(type & O_NONBLOCK), type & O_CLOEXEC);
}

long sys_socketpair(int family, int type, int protocol, int __user *fds)
{
    struct file *ends[2];
    long error = check_kind(family, type, protocol);

    if (error) {
        return error;
    }
    error = socket_pair(ends, type & O_NONBLOCK);
    if (error) {
        return error;
    }
    return fd_install_pair(ends, fds, type & O_CLOEXEC);
}

static long bind_user(struct file *file, const void __user *user, int size)
{
    struct socket_address address;
    long error = address_from_user(&address, user, size);

    if (error) {
        return error;
    }
    return socket_bind(socket_of(file), &address);
}

long sys_bind(int fd, const void __user *user, int size)
{
    return with_socket(file, fd, bind_user(file, user, size));
}

long sys_listen(int fd, int backlog)
{
    return with_socket(file, fd, socket_listen(socket_of(file), backlog));
}

static long connect_user(struct file *file, const void __user *user, int size)
{
    struct socket_address address;
    long error = address_from_user(&address, user, size);

    if (error) {
        return error;
    }
    return socket_connect(file, &address);
}

long sys_connect(int fd, const void __user *user, int size)
{
    return with_socket(file, fd, connect_user(file, user, size));
}

static long name_to_user(struct file *file, bool of_peer, void __user *user, int __user *user_size)
{
    struct socket_address address;
    long error = socket_get_address(socket_of(file), of_peer, &address);

    if (error) {
        return error;
    }
    return address_to_user(&address, user, user_size);
}

long sys_getsockname(int fd, void __user *user, int __user *user_size)
{
    return with_socket(file, fd, name_to_user(file, false, user, user_size));
}

long sys_getpeername(int fd, void __user *user, int __user *user_size)
{
    return with_socket(file, fd, name_to_user(file, true, user, user_size));
}

static long accept_user(struct file *file, void __user *user, int __user *user_size, int flags)
{
    long fd = fd_reserve(flags & O_CLOEXEC); /* first: a connection is not taken only to be dropped */
    struct file *accepted;
    long error;

    if (fd < 0) {
        return fd;
    }
    accepted = socket_accept(file, flags & O_NONBLOCK);
    if (!is_error(accepted) && user) {
        error = name_to_user(accepted, true, user, user_size);
        if (error) {
            file_put(accepted);
            accepted = error_pointer(error);
        }
    }
    return fd_settle(fd, accepted);
}

long sys_accept4(int fd, void __user *user, int __user *user_size, int flags)
{
    if (flags & ~(O_NONBLOCK | O_CLOEXEC)) {
        return -EINVAL;
    }
    return with_socket(file, fd, accept_user(file, user, user_size, flags));
}

long sys_accept(int fd, void __user *user, int __user *user_size)
{
    return sys_accept4(fd, user, user_size, 0);
}

long sys_shutdown(int fd, int how)
{
    return with_socket(file, fd, socket_shutdown(socket_of(file), how));
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

/* A stream's other end is known: data cannot be sent to another one. */
static long refuse_address(struct file *file)
{
    return socket_of(file)->state == SOCKET_CONNECTED ? -EISCONN : -EOPNOTSUPP;
}

static long send_user(struct file *file, const char __user *buffer, size_t size, int flags,
                      bool to_address)
{
    size = size < TRANSFER_MAX ? size : TRANSFER_MAX;
    if (!user_range_ok(buffer, size)) {
        return -EFAULT;
    }
    if (to_address) {
        return refuse_address(file);
    }
    return socket_send(file, buffer, size, flags);
}

long sys_sendto(int fd, const char __user *buffer, size_t size, int flags,
                const void __user *address, int address_size)
{
    return with_socket(file, fd, send_user(file, buffer, size, flags, address && address_size));
}

static long receive_user(struct file *file, char __user *buffer, size_t size, int flags)
{
    size = size < TRANSFER_MAX ? size : TRANSFER_MAX;
    return user_range_ok(buffer, size) ? socket_receive(file, buffer, size, flags) : -EFAULT;
}

long sys_recvfrom(int fd, char __user *buffer, size_t size, int flags, void __user *address,
                  int __user *address_size)
{
    long result = with_socket(file, fd, receive_user(file, buffer, size, flags));
    int none = 0;

    if (result >= 0 && address && copy_to_user(address_size, &none, sizeof(none))) {
        result = -EFAULT; /* the sender of a stream is known: no address is told */
    }
    return result;
}

static long send_message(struct file *file, const struct msghdr __user *user, int flags)
{
    struct msghdr message;

    if (get_user(message, user)) {
        return -EFAULT;
    }
    if (message.control_size) {
        return -EOPNOTSUPP; /* descriptors are not passed */
    }
    if (message.name && message.name_size) {
        return refuse_address(file);
    }
    return socket_transfer(file, message.vector, message.count, flags, true);
}

long sys_sendmsg(int fd, const struct msghdr __user *user, int flags)
{
    return with_socket(file, fd, send_message(file, user, flags));
}

static long receive_message(struct file *file, struct msghdr __user *user, int flags)
{
    struct msghdr message;
    long result;

    if (get_user(message, user)) {
        return -EFAULT;
    }
    result = socket_transfer(file, message.vector, message.count, flags, false);
    if (result < 0) {
        return result;
    }
    message.name_size = 0;
    message.control_size = 0;
    message.flags = 0;
    return copy_to_user(user, &message, sizeof(message)) ? -EFAULT : result;
}

long sys_recvmsg(int fd, struct msghdr __user *user, int flags)
{
    return with_socket(file, fd, receive_message(file, user, flags));
}

static void option_error(struct socket *socket, int *values)
{
    values[0] = socket_take_error(socket);
}

static void option_listens(struct socket *socket, int *values)
{
    values[0] = socket->state == SOCKET_LISTENING;
}

/* pid, uid, gid; all users are root, nobody is -1. */
static void option_peer(struct socket *socket, int *values)
{
    values[0] = socket->peer_pid;
    values[1] = values[2] = values[0] ? 0 : -1;
}

/* Options of level SOL_SOCKET. The sizes of buffers may be asked for; they stay what they are. */
static const struct socket_option {
    int number, value; /* what it always is, if no function says it */
    void (*get)(struct socket *socket, int *values);
    int count; /* of values, if it is not one */
    bool may_set;
} options[] = {
    {SO_TYPE, .value = SOCK_STREAM},
    {SO_DOMAIN, .value = AF_UNIX},
    {SO_PROTOCOL, .value = 0},
    {SO_SNDBUF, .value = RING_CAPACITY, .may_set = true},
    {SO_RCVBUF, .value = RING_CAPACITY, .may_set = true},
    {SO_ERROR, .get = option_error},
    {SO_ACCEPTCONN, .get = option_listens},
    {SO_PEERCRED, .get = option_peer, .count = 3},
};

/* NULL: there is no such option. */
static const struct socket_option *option_find(int number)
{
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        if (options[i].number == number) {
            return &options[i];
        }
    }
    return NULL;
}

static long option_to_user(struct socket *socket, const struct socket_option *option,
                           void __user *user, int __user *user_size)
{
    int values[3], room, size;

    if (get_user(room, user_size)) {
        return -EFAULT;
    }
    if (room < 0) {
        return -EINVAL;
    }
    if (!option) {
        return -ENOPROTOOPT;
    }
    values[0] = option->value;
    if (option->get) {
        option->get(socket, values);
    }
    size = (option->count ? option->count : 1) * (int)sizeof(values[0]);
    size = room < size ? room : size;
    return copy_to_user(user, values, (size_t)size) || put_user(size, user_size) ? -EFAULT : 0;
}

long sys_getsockopt(int fd, int level, int option, void __user *user, int __user *user_size)
{
    return with_socket(file, fd,
                       level == SOL_SOCKET ? option_to_user(socket_of(file), option_find(option),
                                                            user, user_size)
                                           : -EOPNOTSUPP);
}

static long option_set(int level, const struct socket_option *option, const int __user *user, int size)
{
    int value;

    if (level != SOL_SOCKET) {
        return -EOPNOTSUPP;
    }
    if (size < (int)sizeof(value)) {
        return -EINVAL;
    }
    if (get_user(value, user)) {
        return -EFAULT;
    }
    return option && option->may_set ? 0 : -ENOPROTOOPT;
}

long sys_setsockopt(int fd, int level, int option, const void __user *user, int size)
{
    return with_socket(file, fd, option_set(level, option_find(option), user, size));
}
