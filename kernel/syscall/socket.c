/* Calls on sockets: the arguments; the work is done in ipc/socket.c and ipc/socket_name.c. */
#include "ipc/socket.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "mm/uaccess.h"
#include "sched/task.h"
#include "syscall/calls.h"
#include "syscall/control.h"

enum { SOCK_TYPE_MASK = 15, SOCK_TYPES = 11, ADDRESS_FAMILIES = 46 };

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

struct file *socket_get(int fd)
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
    return type == SOCK_STREAM || type == SOCK_DGRAM || type == SOCK_SEQPACKET ? 0 : -ESOCKTNOSUPPORT;
}

long sys_socket(int family, int type, int protocol)
{
    long error = check_kind(family, type, protocol);

    if (error) {
        return error;
    }
    return fd_install_new(socket_open(type & SOCK_TYPE_MASK, type & O_NONBLOCK), type & O_CLOEXEC);
}

long sys_socketpair(int family, int type, int protocol, int __user *fds)
{
    struct file *ends[2];
    long error = check_kind(family, type, protocol);

    if (error) {
        return error;
    }
    error = socket_pair(ends, type & SOCK_TYPE_MASK, type & O_NONBLOCK);
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
    uint16_t family;
    long error;

    if (socket_of(file)->type == SOCK_DGRAM && size >= (int)sizeof(family) &&
        !copy_from_user(&family, user, sizeof(family)) && family == AF_UNSPEC) {
        return socket_set_peer(socket_of(file), NULL);
    }
    error = address_from_user(&address, user, size);
    return error ? error : socket_connect(file, &address);
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

static long send_user(struct file *file, struct socket_io *io, const void __user *name, int name_size)
{
    struct socket_address address;
    long result = 0;

    if (name && name_size) {
        result = address_from_user(&address, name, name_size);
        io->address = &address;
    }
    if (!result) {
        result = socket_send(file, io);
    }
    message_free(io->message);
    return result;
}

/* One piece of user memory, as long as Linux takes it. -EFAULT. */
static long io_from_buffer(struct socket_io *io, const char __user *buffer, size_t size, int flags)
{
    size = size < TRANSFER_MAX ? size : TRANSFER_MAX;
    *io = (struct socket_io){.piece = {(uint64_t)buffer, size}, .count = 1, .flags = flags};
    return user_range_ok(buffer, size) ? 0 : -EFAULT;
}

long sys_sendto(int fd, const char __user *buffer, size_t size, int flags,
                const void __user *address, int address_size)
{
    struct socket_io io;
    long error = io_from_buffer(&io, buffer, size, flags);

    return with_socket(file, fd, error ? error : send_user(file, &io, address, address_size));
}

/* From whom it is; of a stream that is known, and told as no address. */
static long sender_to_user(const struct socket_io *io, struct socket *socket, void __user *user,
                           int __user *user_size)
{
    int none = 0;

    if (socket->type != SOCK_DGRAM || !io->message || !io->message->from.size) {
        return put_user(none, user_size);
    }
    return address_to_user(&io->message->from, user, user_size);
}

static long receive_user(struct file *file, struct socket_io *io, void __user *address,
                         int __user *address_size)
{
    long result = socket_receive(file, io);
    long error = result >= 0 && address ? sender_to_user(io, socket_of(file), address, address_size) : 0;

    message_free(io->message);
    return error ? error : result;
}

long sys_recvfrom(int fd, char __user *buffer, size_t size, int flags, void __user *address,
                  int __user *address_size)
{
    struct socket_io io;
    long error = io_from_buffer(&io, buffer, size, flags);

    return with_socket(file, fd, error ? error : receive_user(file, &io, address, address_size));
}

/* What is to be moved, from a msghdr that was copied. */
static long io_from_message(struct socket_io *io, const struct msghdr *message, int flags)
{
    ssize_t total;

    *io = (struct socket_io){.vector = message->vector, .count = message->count, .flags = flags};
    if (message->count > IOVEC_MAX) {
        return -EMSGSIZE;
    }
    total = iovec_check(message->vector, (int)message->count);
    return total < 0 ? total : 0;
}

static long send_message(struct file *file, const struct msghdr __user *user, int flags)
{
    struct msghdr message;
    struct socket_io io;
    long error;

    if (get_user(message, user)) {
        return -EFAULT;
    }
    error = io_from_message(&io, &message, flags);
    if (!error && message.control && message.control_size) {
        io.message = control_from_user(message.control, message.control_size);
        error = is_error(io.message) ? pointer_error(io.message) : 0;
    }
    return error ? error : send_user(file, &io, message.name, (int)message.name_size);
}

long sys_sendmsg(int fd, const struct msghdr __user *user, int flags)
{
    return with_socket(file, fd, send_message(file, user, flags));
}

/* The name's size and all that was received beside the bytes. */
static long message_to_user(struct socket_io *io, struct socket *socket, struct msghdr *message,
                            struct msghdr __user *user)
{
    long error = 0;

    if (message->name) {
        error = sender_to_user(io, socket, message->name, (int __user *)&user->name_size);
    }
    message->control_size = control_to_user(io, socket, message->control, message->control_size);
    if (error || put_user(message->control_size, &user->control_size) ||
        put_user(io->told | (io->flags & MSG_CMSG_CLOEXEC), &user->flags)) {
        return -EFAULT;
    }
    return 0;
}

static long receive_message(struct file *file, struct msghdr __user *user, int flags)
{
    struct msghdr message;
    struct socket_io io;
    long result;

    if (get_user(message, user)) {
        return -EFAULT;
    }
    result = io_from_message(&io, &message, flags);
    if (result) {
        return result;
    }
    result = socket_receive(file, &io);
    if (result >= 0) {
        long error = message_to_user(&io, socket_of(file), &message, user);

        result = error ? error : result;
    }
    message_free(io.message);
    return result;
}

long sys_recvmsg(int fd, struct msghdr __user *user, int flags)
{
    return with_socket(file, fd, receive_message(file, user, flags));
}
