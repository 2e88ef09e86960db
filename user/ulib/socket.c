/* Sockets, and what waits for many files: system calls as C functions. */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>

#include "internal.h"

#define MASK_SIZE 8 /* of a signal set, as the kernel sees it */

ssize_t readv(int fd, const struct iovec *vector, int count)
{
    return CALL3(readv, fd, vector, count);
}

ssize_t writev(int fd, const struct iovec *vector, int count)
{
    return CALL3(writev, fd, vector, count);
}

int socket(int family, int type, int protocol) { return (int)CALL3(socket, family, type, protocol); }
int socketpair(int family, int type, int protocol, int fds[2])
{
    return (int)CALL4(socketpair, family, type, protocol, fds);
}

int bind(int fd, const struct sockaddr *address, socklen_t size)
{
    return (int)CALL3(bind, fd, address, size);
}

int listen(int fd, int backlog) { return (int)CALL2(listen, fd, backlog); }
int connect(int fd, const struct sockaddr *address, socklen_t size)
{
    return (int)CALL3(connect, fd, address, size);
}

int accept(int fd, struct sockaddr *address, socklen_t *size)
{
    return (int)CALL3(accept, fd, address, size);
}

int accept4(int fd, struct sockaddr *address, socklen_t *size, int flags)
{
    return (int)CALL4(accept4, fd, address, size, flags);
}

int shutdown(int fd, int how) { return (int)CALL2(shutdown, fd, how); }
int getsockname(int fd, struct sockaddr *address, socklen_t *size)
{
    return (int)CALL3(getsockname, fd, address, size);
}

int getpeername(int fd, struct sockaddr *address, socklen_t *size)
{
    return (int)CALL3(getpeername, fd, address, size);
}

ssize_t sendto(int fd, const void *buffer, size_t size, int flags, const struct sockaddr *address,
               socklen_t address_size)
{
    return CALL6(sendto, fd, buffer, size, flags, address, address_size);
}

ssize_t recvfrom(int fd, void *buffer, size_t size, int flags, struct sockaddr *address,
                 socklen_t *address_size)
{
    return CALL6(recvfrom, fd, buffer, size, flags, address, address_size);
}

ssize_t send(int fd, const void *buffer, size_t size, int flags)
{
    return sendto(fd, buffer, size, flags, NULL, 0);
}

ssize_t recv(int fd, void *buffer, size_t size, int flags)
{
    return recvfrom(fd, buffer, size, flags, NULL, NULL);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    return CALL3(sendmsg, fd, message, flags);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags) { return CALL3(recvmsg, fd, message, flags); }
int getsockopt(int fd, int level, int option, void *value, socklen_t *size)
{
    return (int)CALL6(getsockopt, fd, level, option, value, size, 0);
}

int setsockopt(int fd, int level, int option, const void *value, socklen_t size)
{
    return (int)CALL6(setsockopt, fd, level, option, value, size, 0);
}

/* The kernel changes the time; the caller of these does not expect it to. */
int ppoll(struct pollfd *fds, unsigned long count, const struct timespec *timeout,
          const sigset_t *mask)
{
    struct timespec time = timeout ? *timeout : (struct timespec){0, 0};

    return (int)CALL6(ppoll, fds, count, timeout ? &time : NULL, mask, MASK_SIZE, 0);
}

int select(int count, fd_set *reads, fd_set *writes, fd_set *errors, struct timeval *timeout)
{
    return (int)CALL6(select, count, reads, writes, errors, timeout, 0);
}

int pselect(int count, fd_set *reads, fd_set *writes, fd_set *errors,
            const struct timespec *timeout,
            const sigset_t *mask)
{
    struct timespec time = timeout ? *timeout : (struct timespec){0, 0};
    struct {
        const sigset_t *mask;
        size_t size;
    } sized = {mask, MASK_SIZE};

    return (int)CALL6(pselect6, count, reads, writes, errors, timeout ? &time : NULL, &sized);
}

int epoll_create(int size) { return (int)CALL1(epoll_create, size); }
int epoll_create1(int flags) { return (int)CALL1(epoll_create1, flags); }
int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
    return (int)CALL4(epoll_ctl, epoll, operation, fd, event);
}

int epoll_wait(int epoll, struct epoll_event *events, int max, int timeout)
{
    return (int)CALL4(epoll_wait, epoll, events, max, timeout);
}

int epoll_pwait(int epoll, struct epoll_event *events, int max, int timeout, const sigset_t *mask)
{
    return (int)CALL6(epoll_pwait, epoll, events, max, timeout, mask, MASK_SIZE);
}

int epoll_pwait2(int epoll, struct epoll_event *events, int max, const struct timespec *timeout,
                 const sigset_t *mask)
{
    return (int)CALL6(epoll_pwait2, epoll, events, max, timeout, mask, MASK_SIZE);
}

int inotify_init(void) { return (int)CALL0(inotify_init); }
int inotify_init1(int flags) { return (int)CALL1(inotify_init1, flags); }
int inotify_add_watch(int fd, const char *path, uint32_t mask)
{
    return (int)CALL3(inotify_add_watch, fd, path, mask);
}

int inotify_rm_watch(int fd, int wd) { return (int)CALL2(inotify_rm_watch, fd, wd); }
int eventfd(unsigned count, int flags) { return (int)CALL2(eventfd2, count, flags); }
int eventfd_read(int fd, eventfd_t *value) { return CALL3(read, fd, value, 8) == 8 ? 0 : -1; }
int eventfd_write(int fd, eventfd_t value) { return CALL3(write, fd, &value, 8) == 8 ? 0 : -1; }

int timerfd_create(clockid_t clock, int flags) { return (int)CALL2(timerfd_create, clock, flags); }
int timerfd_gettime(int fd, struct itimerspec *time) { return (int)CALL2(timerfd_gettime, fd, time); }
int timerfd_settime(int fd, int flags, const struct itimerspec *time, struct itimerspec *old)
{
    return (int)CALL4(timerfd_settime, fd, flags, time, old);
}
