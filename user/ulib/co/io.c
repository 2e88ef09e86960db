/*
 * Layer 3: waiting for descriptors without stopping the thread.
 *
 * Whoever would block stands in line for the descriptor and parks; the run loop asks the kernel for
 * all of them at once and wakes whose turn it is. Reads and writes ask poll(2) first and take no
 * more than cannot block, so they do not need O_NONBLOCK: a terminal or pipe may be shared with
 * programs that would not expect it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>

#include "interest.h"

enum { NO_WAIT = 0x40, SOCKET = 1, SOCKET_ERROR = 4, CLOSE_ON_EXEC = 02000000 };

#define WRITE_PART 4096ul /* PIPE_BUF: what a writable pipe takes without blocking, pipe(7) */
#define EVENTS 64         /* told at once; the rest in the next round */

static _Thread_local int parked; /* descriptors that somebody is parked for */

int io_waiting(void)
{
    return parked;
}

void io_poll(int64_t deadline)
{
//@lab 6 poll begin
    struct epoll_event events[EVENTS];
    int count = set_wait(events, EVENTS, deadline); /* below 0: a signal came, nobody is ready */

    for (int i = 0; i < count; i++) {
        int fd = events[i].data.fd, ready = (int)events[i].events, taken = 0;
        struct co_list *waits = waits_of(fd);

        if (fd == HELPERS) {
            blocking_finished();
        }
        for (struct co_list *node = waits ? waits->next : NULL; node != waits; node = node->next) {
            struct fd_wait *wait = CO_ENTRY(node, struct fd_wait, link);
            int seen = ready & (wait->events | POLLERR | POLLHUP);

            if (seen && !(wait->takes && seen & taken)) { /* one may take, all may look */
                taken |= wait->takes ? seen : 0;
                loop_wake(wait->co, 0);
            }
        }
    }
//@lab 6 poll stub
//|     struct epoll_event none; /* Lab 6, step 4: it sleeps until the next timer, and wakes nobody */
//|
//|     set_wait(&none, 1, deadline);
//@lab 6 poll end
}

/* Ask without waiting: how many are ready, or an error. */
static int poll_now(struct pollfd *fds, int count)
{
    long ready;

    do {
        ready = co_call(SYS_poll, (long)fds, count, 0, 0, 0, 0);
    } while (ready == -EINTR);
    return (int)ready;
}

/* Park until io_poll finds one of them ready: 0, or an error. The caller stands in line for each. */
static int park(struct fd_wait *waits, int count, int64_t deadline)
{
//@lab 6 park begin
    int result = 0;

    for (int i = 0; i < count && result == 0; i++) {
        result = wait_arm(&waits[i]);
    }
    if (result == 0) {
        parked += count;
        result = loop_park("fd", count ? waits[0].fd : -1, deadline);
        parked -= count;
    }
    return result;
//@lab 6 park stub
//|     (void)waits, (void)count, (void)deadline; /* Lab 6, step 3: nobody parks yet */
//|     return -ENOSYS;
//@lab 6 park end
}

/* Wait in all lines at once until one of them is ready. */
static int poll_parked(struct pollfd *fds, int count, struct fd_wait *waits, int64_t deadline)
{
    int used = 0, result = 0;

    for (int i = 0; i < count && result == 0; i++) {
        if (fds[i].fd >= 0) { /* poll(2): others are left out */
            waits[used] = (struct fd_wait){.fd = fds[i].fd, .events = fds[i].events};
            result = wait_begin(&waits[used++]);
        }
    }
    while (result == 0) {
        result = park(waits, used, deadline);
        result = result ? result : poll_now(fds, count);
    }
    while (used > 0) {
        result = wait_end(&waits[--used], result);
    }
    return result;
}

int co_poll(struct pollfd *fds, int count, int64_t deadline)
{
    struct fd_wait few[4], *waits = few;
    int result;

    if (!loop_here()) {
        return -EPERM;
    }
    result = poll_now(fds, count);
    if (result != 0 || deadline == 0) {
        return result;
    }
    if (count > 4 && !(waits = malloc((size_t)count * sizeof(*waits)))) {
        return -ENOMEM;
    }
    result = poll_parked(fds, count, waits, deadline);
    if (waits != few) {
        free(waits);
    }
    return result == -ETIMEDOUT ? 0 : result;
}

int co_wait_fd(int fd, short events, int64_t deadline)
{
    struct pollfd one = {.fd = fd, .events = events};
    int result = fd < 0 ? -EBADF : co_poll(&one, 1, deadline);

    if (result == 0) {
        return -ETIMEDOUT;
    }
    return result < 0 ? result : one.revents & POLLNVAL ? -EBADF : one.revents;
}

/*
 * Come back when a read or write would not block: 0, or an error. First come, first served: whoever
 * was woken keeps its place in the line until it has looked itself.
 */
static int usable(int fd, short events)
{
//@lab 6 usable begin
    static _Thread_local unsigned at_once;
    struct fd_wait wait = {.fd = fd, .events = events, .takes = 1};
    struct pollfd one = {.fd = fd, .events = events};
    int result;

    if (!loop_here()) {
        return -EPERM;
    }
    result = wait_begin(&wait);
    if (result == 0 && ++at_once % POLL_EVERY == 0) {
        result = co_yield_now(); /* always ready must not mean always running */
    }
    while (result == 0 && (!wait_is_first(&wait) || (result = poll_now(&one, 1)) == 0)) {
        result = park(&wait, 1, CO_NEVER);
    }
    result = wait_end(&wait, result);
    return result < 0 ? result : one.revents & POLLNVAL ? -EBADF : 0;
//@lab 6 usable stub
//|     (void)fd, (void)events; /* Lab 6, step 2: at once, and the call behind it waits, with all */
//|     return 0;
//@lab 6 usable end
}

/* What a call that would block gives on a descriptor of either kind. */
static int must_wait(long result)
{
    return result == -EAGAIN || result == -EINTR;
}

ssize_t co_read(int fd, void *buffer, size_t size)
{
    for (;;) {
        long result = usable(fd, POLLIN);

        if (result < 0) {
            return result;
        }
        result = co_call(SYS_recvfrom, fd, (long)buffer, (long)size, NO_WAIT, 0, 0);
        if (result == -ENOTSOCK || result == -ENOSYS) {
            result = co_call(SYS_read, fd, (long)buffer, (long)size, 0, 0, 0);
        }
        if (!must_wait(result)) {
            return result;
        }
    }
}

ssize_t co_write(int fd, const void *buffer, size_t size)
{
    const char *bytes = buffer;
    size_t done = 0;

    while (done < size) {
        size_t left = size - done;
        long result = usable(fd, POLLOUT);

        if (result < 0) {
            return done ? (ssize_t)done : result;
        }
        result = co_call(SYS_sendto, fd, (long)(bytes + done), (long)left, NO_WAIT, 0, 0);
        if (result == -ENOTSOCK || result == -ENOSYS) {
//@lab 6 write begin
            left = left < WRITE_PART ? left : WRITE_PART;
//@lab 6 write stub
//|             /* Lab 6, step 5: a pipe may take less than all at once */
//@lab 6 write end
            result = co_call(SYS_write, fd, (long)(bytes + done), (long)left, 0, 0, 0);
        }
        if (result >= 0) {
            done += (size_t)result;
        } else if (!must_wait(result)) {
            return done ? (ssize_t)done : result;
        }
    }
    return (ssize_t)done;
}

int co_accept(int fd, void *address, unsigned *size)
{
    for (;;) {
        long result = usable(fd, POLLIN);

        if (result < 0) {
            return (int)result;
        }
        result = co_call(SYS_accept4, fd, (long)address, (long)size, CLOSE_ON_EXEC, 0, 0);
        if (!must_wait(result)) {
            return (int)result;
        }
    }
}

/* Until the address has answered; in line for the socket. */
static long connect_parked(struct fd_wait *wait, const void *address, unsigned size)
{
    struct pollfd one = {.fd = wait->fd, .events = POLLOUT};
    int error = 0, length = sizeof(error);
    long result;

    while ((result = co_call(SYS_connect, wait->fd, (long)address, size, 0, 0, 0)) == -EAGAIN) {
        result = co_sleep(1000000); /* a full backlog of a local socket: nothing to poll for */
        if (result < 0 || wait->error) {
            return result;
        }
    }
    if (result != -EINPROGRESS && result != -EINTR) {
        return result;
    }
    while ((result = poll_now(&one, 1)) == 0) {
        result = park(wait, 1, CO_NEVER);
        if (result < 0) {
            return result;
        }
    }
    result = co_call(SYS_getsockopt, wait->fd, SOCKET, SOCKET_ERROR, (long)&error, (long)&length, 0);
    return result ? result : -error;
}

/* The socket is ours alone while it connects: O_NONBLOCK may be set for so long. */
int co_connect(int fd, const void *address, unsigned size)
{
    struct fd_wait wait = {.fd = fd, .events = POLLOUT, .takes = 1};
    long flags = co_call(SYS_fcntl, fd, F_GETFL, 0, 0, 0, 0), result;

    if (!loop_here()) {
        return -EPERM;
    }
    if (flags < 0) {
        return (int)flags;
    }
    result = wait_begin(&wait);
    if (result == 0) {
        co_call(SYS_fcntl, fd, F_SETFL, flags | O_NONBLOCK, 0, 0, 0);
        result = connect_parked(&wait, address, size);
        if (wait.error == 0) { /* or the number is another file's by now */
            co_call(SYS_fcntl, fd, F_SETFL, flags, 0, 0, 0);
        }
    }
    return wait_end(&wait, (int)result);
}

int co_close(int fd)
{
    waits_fail(fd, -EBADF);
    return (int)co_call(SYS_close, fd, 0, 0, 0, 0, 0);
}
