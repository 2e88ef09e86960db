/*
 * epoll(7): a set of files to watch, which knows those that are ready.
 *
 * An item is a file and the descriptor it was added by. Its hooks in the file's wait queues put
 * it on the set's ready list, so waiting costs what is ready and not what is watched.
 */
#ifndef EVENT_EPOLL_H
#define EVENT_EPOLL_H
#include "fs/file.h"

/* Besides the events of poll(2): */
#define EPOLLEXCLUSIVE (1u << 28)
#define EPOLLWAKEUP (1u << 29)
#define EPOLLONESHOT (1u << 30)
#define EPOLLET (1u << 31)

enum { EPOLL_CTL_ADD = 1, EPOLL_CTL_DEL = 2, EPOLL_CTL_MOD = 3 };

struct epoll_event {
    uint32_t events;
    uint64_t data;
} __attribute__((packed));

struct file *epoll_open(void); /* or an error pointer */
/*
 * Change what `file`, an epoll, watches. `event` is not used to delete.
 * -EINVAL, -EPERM (no poll operation), -EEXIST, -ENOENT, -ELOOP, -ENOMEM as epoll_ctl(2).
 */
long epoll_control(struct file *file, int operation, int fd, struct file *target,
                   const struct epoll_event *event);
/* Up to `max` events that hold, to user memory; waits until `deadline` for the first. */
long epoll_wait(struct file *file, struct epoll_event __user *events, int max, ktime_t deadline);
#endif
