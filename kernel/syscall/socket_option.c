/* Options of sockets (socket(7)): one table. */
#include "lib/errno.h"
#include "mm/uaccess.h"
#include "syscall/calls.h"
#include "syscall/control.h"

enum {
    SO_DEBUG = 1, SO_REUSEADDR = 2, SO_TYPE = 3, SO_ERROR = 4, SO_DONTROUTE = 5, SO_BROADCAST = 6,
    SO_SNDBUF = 7, SO_RCVBUF = 8, SO_KEEPALIVE = 9, SO_PEERCRED = 17, SO_RCVTIMEO = 20,
    SO_SNDTIMEO = 21, SO_ACCEPTCONN = 30, SO_PROTOCOL = 38, SO_DOMAIN = 39,
};

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

static void option_type(struct socket *socket, int *values)
{
    values[0] = socket->type;
}

/*
 * Options of level SOL_SOCKET. The sizes of buffers may be asked for; they stay what they are. What is
 * marked `is_flag` is kept, as on Linux, where most of them mean something to networks alone.
 */
static const struct socket_option {
    int number, value; /* what it always is, if no function says it */
    void (*get)(struct socket *socket, int *values);
    int count; /* of values, if it is not one */
    bool may_set, is_flag, is_time;
} options[] = {
    {SO_DEBUG, .is_flag = true},
    {SO_REUSEADDR, .is_flag = true},
    {SO_DONTROUTE, .is_flag = true},
    {SO_BROADCAST, .is_flag = true},
    {SO_KEEPALIVE, .is_flag = true},
    {SO_PASSCRED, .is_flag = true},
    {SO_RCVTIMEO, .is_time = true},
    {SO_SNDTIMEO, .is_time = true},
    {SO_TYPE, .get = option_type},
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
    union { int values[3]; int64_t times[2]; } told = {{option ? option->value : 0}};
    int room, size = sizeof(told.values[0]);

    if (get_user(room, user_size)) {
        return -EFAULT;
    }
    if (room < 0) {
        return -EINVAL;
    }
    if (!option) {
        return -ENOPROTOOPT;
    }
    if (option->get) {
        option->get(socket, told.values);
        size *= option->count ? option->count : 1;
    } else if (option->is_flag) {
        told.values[0] = socket_has(socket, option->number);
    } else if (option->is_time) {
        ktime_t time = socket->timeouts[option->number == SO_SNDTIMEO];

        told.times[0] = time / SECOND;
        told.times[1] = time % SECOND / 1000;
        size = sizeof(told.times);
    }
    size = room < size ? room : size;
    return copy_to_user(user, &told, (size_t)size) || put_user(size, user_size) ? -EFAULT : 0;
}

long sys_getsockopt(int fd, int level, int option, void __user *user, int __user *user_size)
{
    return with_socket(file, fd,
                       level == SOL_SOCKET ? option_to_user(socket_of(file), option_find(option),
                                                            user, user_size)
                                           : -EOPNOTSUPP);
}

/* SO_RCVTIMEO and SO_SNDTIMEO: a timeval, 0 for ever. */
static long option_set_time(struct socket *socket, int number, const void __user *user, int size)
{
    int64_t time[2];
    ktime_t duration;

    if (size < (int)sizeof(time)) {
        return -EINVAL;
    }
    if (copy_from_user(time, user, sizeof(time))) {
        return -EFAULT;
    }
    if (time[1] < 0 || time[1] >= 1000000) {
        return -EDOM;
    }
    duration = time[0] < 0 ? 1 : time_duration(time[0], time[1] * 1000); /* before now: do not wait */
    __atomic_store_n(&socket->timeouts[number == SO_SNDTIMEO], duration, __ATOMIC_RELAXED);
    return 0;
}

static long option_set(struct socket *socket, int level, const struct socket_option *option,
                       const void __user *user, int size)
{
    int value;

    if (level != SOL_SOCKET) {
        return -EOPNOTSUPP;
    }
    if (option && option->is_time) {
        return option_set_time(socket, option->number, user, size);
    }
    if (size < (int)sizeof(value)) {
        return -EINVAL;
    }
    if (copy_from_user(&value, user, sizeof(value))) {
        return -EFAULT;
    }
    if (option && option->is_flag) {
        uint32_t bit = 1u << option->number;

        if (value) {
            __atomic_fetch_or(&socket->options, bit, __ATOMIC_RELAXED);
        } else {
            __atomic_fetch_and(&socket->options, ~bit, __ATOMIC_RELAXED);
        }
        return 0;
    }
    return option && option->may_set ? 0 : -ENOPROTOOPT;
}

long sys_setsockopt(int fd, int level, int option, const void __user *user, int size)
{
    return with_socket(file, fd, option_set(socket_of(file), level, option_find(option), user, size));
}
