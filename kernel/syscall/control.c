/*
 * Control data of sendmsg and recvmsg: descriptors on their way from one process to another, and who
 * sends. All users are root, so nobody is more than the pid that he has.
 */
#include "syscall/control.h"

#include "mm/uaccess.h"
#include "sched/task.h"

enum { SCM_RIGHTS = 1, SCM_CREDENTIALS };
#define CONTROL_MAX 10240 /* of all that is sent along; Linux's optmem_max is of that size */
#define NOBODY 65534u

struct header { /* struct cmsghdr */
    size_t size; /* with this header; the next one begins at a multiple of 8 */
    int level, type;
};

struct credentials {
    pid_t pid;
    uint32_t uid, gid;
};

static size_t control_align(size_t size)
{
    return (size + 7) & ~7ul;
}

static long control_take_files(struct message *message, const int __user *fds, size_t size)
{
    for (size_t i = 0; i < size / sizeof(*fds); i++) {
        struct file *file;
        int fd;

        if (message->count == MESSAGE_FILES) {
            return -EINVAL;
        }
        if (copy_from_user(&fd, fds + i, sizeof(fd))) {
            return -EFAULT;
        }
        file = fd_get(fd);
        if (!file) {
            return -EBADF;
        }
        message->files[message->count++] = file;
    }
    return 0;
}

static long control_take_sender(struct message *message, const void __user *user, size_t size)
{
    struct credentials who;

    if (size != sizeof(who)) {
        return -EINVAL;
    }
    if (copy_from_user(&who, user, sizeof(who))) {
        return -EFAULT;
    }
    if (who.pid != current->group->pid || who.uid || who.gid) {
        return -EPERM;
    }
    message->pid = who.pid;
    return 0;
}

static long control_take(struct message *message, const char __user *control, size_t size)
{
    for (size_t at = 0; at + sizeof(struct header) <= size;) {
        struct header header;
        long error = -EINVAL;

        if (copy_from_user(&header, control + at, sizeof(header))) {
            return -EFAULT;
        }
        if (header.size < sizeof(header) || header.size > size - at) {
            return -EINVAL;
        }
        if (header.level == SOL_SOCKET && header.type == SCM_RIGHTS) {
            error = control_take_files(message, (const int __user *)(control + at + sizeof(header)),
                                       header.size - sizeof(header));
        } else if (header.level == SOL_SOCKET && header.type == SCM_CREDENTIALS) {
            error = control_take_sender(message, control + at + sizeof(header),
                                        header.size - sizeof(header));
        } else if (header.level != SOL_SOCKET) {
            error = 0; /* not for this kind of sockets */
        }
        if (error) {
            return error;
        }
        at += control_align(header.size);
    }
    return 0;
}

struct message *control_from_user(const void __user *control, size_t size)
{
    struct message *message;
    long error;

    if (size > CONTROL_MAX) {
        return error_pointer(-ENOBUFS);
    }
    message = message_create(MESSAGE_FILES);
    if (!message) {
        return error_pointer(-ENOMEM);
    }
    error = control_take(message, control, size);
    if (error) {
        message_free(message);
        return error_pointer(error);
    }
    return message;
}

/* One header with its data, cut off where the room ends; how much room it took. */
static size_t control_put(struct socket_io *io, char __user *control, size_t room, int type,
                          const void *data, size_t size)
{
    struct header header = {sizeof(header) + size, SOL_SOCKET, type};

    if (room < header.size) {
        io->told |= MSG_CTRUNC;
        return 0;
    }
    if (copy_to_user(control, &header, sizeof(header)) ||
        copy_to_user(control + sizeof(header), data, size)) {
        return 0;
    }
    return control_align(header.size) < room ? control_align(header.size) : room;
}

/* Descriptors for the files, as many as fit. */
static size_t control_put_files(struct socket_io *io, char __user *control, size_t room)
{
    const struct message *message = io->message;
    int fds[MESSAGE_FILES], count = 0;
    size_t space = room < sizeof(struct header) ? 0 : (room - sizeof(struct header)) / sizeof(fds[0]);

    while (count < message->count && (size_t)count < space) {
        long fd = fd_install_new(file_get(message->files[count]), io->flags & MSG_CMSG_CLOEXEC);

        if (fd < 0) {
            break;
        }
        fds[count++] = (int)fd;
    }
    if (count < message->count) {
        io->told |= MSG_CTRUNC;
    }
    if (!count) {
        return 0;
    }
    return control_put(io, control, room, SCM_RIGHTS, fds, (size_t)count * sizeof(fds[0]));
}

size_t control_to_user(struct socket_io *io, const struct socket *socket, void __user *control,
                       size_t room)
{
    const struct message *message = io->message;
    struct credentials who = {0, NOBODY, NOBODY};
    size_t used = 0;

    if (socket_has(socket, SO_PASSCRED)) {
        if (message && message->pid) {
            who = (struct credentials){message->pid, 0, 0};
        }
        used = control_put(io, control, room, SCM_CREDENTIALS, &who, sizeof(who));
    }
    if (message && message->count) {
        used += control_put_files(io, (char __user *)control + used, room - used);
    }
    return used;
}
