/* What the calls on sockets share, and control data of sendmsg and recvmsg (cmsg(3), unix(7)). */
#ifndef SYSCALL_CONTROL_H
#define SYSCALL_CONTROL_H
#include "ipc/socket.h"

enum { SOL_SOCKET = 1 };

/* A referenced file that is a socket, or an error pointer. */
struct file *socket_get(int fd);

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

/* The message that goes along: an error pointer, -EINVAL, -EBADF, -EPERM, ... */
struct message *control_from_user(const void __user *control, size_t size);
/* What came along, as far as there is room: descriptors are made. How much was written. */
size_t control_to_user(struct socket_io *io, const struct socket *socket, void __user *control,
                       size_t room);
#endif
