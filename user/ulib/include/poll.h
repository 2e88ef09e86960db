#ifndef ULIB_POLL_H
#define ULIB_POLL_H
struct pollfd {
    int fd;
    short events, revents;
};
enum { POLLIN = 1, POLLOUT = 4, POLLERR = 8, POLLHUP = 16, POLLNVAL = 32 };
int poll(struct pollfd *fds, unsigned long count, int timeout);
#endif
