/*
 * Layer 3: waiting for descriptors without stopping the thread.
 *
 * Each waiter lies on its coroutine's stack and hangs in a list; the run loop polls them all at
 * once. Reads and writes ask poll(2) first and take no more than cannot block, so they do not
 * need O_NONBLOCK: a terminal or pipe may be shared with programs that would not expect it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

enum {
    SYS_read = 0, SYS_write = 1, SYS_close = 3, SYS_poll = 7, SYS_connect = 42, SYS_sendto = 44,
    SYS_recvfrom = 45, SYS_getsockopt = 55, SYS_fcntl = 72, SYS_ppoll = 271, SYS_accept4 = 288,
};
enum { NO_WAIT = 0x40, SOCKET = 1, SOCKET_ERROR = 4, CLOSE_ON_EXEC = 02000000 };

#define WRITE_PART 4096ul /* PIPE_BUF: what a writable pipe takes without blocking, pipe(7) */

struct fd_wait {
    struct co_list link;
    struct co *co;
    struct pollfd *fds;
    int count;
    int closed; /* one of them, by co_close, maybe after another one had woken the waiter */
};

static _Thread_local struct co_list waits;
static _Thread_local int descriptors; /* in all waits */
static _Thread_local struct pollfd *polled;
static _Thread_local int polled_capacity;

int io_waiting(void)
{
    return descriptors;
}

/* Room to poll `count` descriptors, and the helper threads' one. */
static int reserve(int count)
{
    int wanted = polled_capacity ? polled_capacity : 16;
    struct pollfd *grown;

    if (count < polled_capacity) {
        return 0;
    }
    while (wanted <= count) {
        wanted *= 2;
    }
    grown = realloc(polled, (size_t)wanted * sizeof(*polled));
    if (!grown) {
        return -ENOMEM;
    }
    polled = grown;
    polled_capacity = wanted;
    return 0;
}

void io_release(void)
{
    if (descriptors == 0) {
        free(polled);
        polled = NULL;
        polled_capacity = 0;
    }
}

static long poll_until(struct pollfd *fds, int count, int64_t deadline)
{
    struct {
        int64_t seconds, nanoseconds;
    } time;
    int64_t wait = 0;

    if (deadline > 0) {
        wait = deadline - co_now();
        wait = wait < 0 ? 0 : wait;
    }
    time.seconds = wait / 1000000000;
    time.nanoseconds = wait % 1000000000;
    return co_call(SYS_ppoll, (long)fds, count, deadline == CO_NEVER ? 0 : (long)&time, 0, 8, 0);
}

void io_poll(int64_t deadline)
{
//@lab 6 poll begin
    int count = 0, jobs = blocking_descriptor();
    struct co_list *node;
    struct pollfd alone, *fds = polled ? polled : &alone;

    if (!waits.next) {
        list_init(&waits);
    }
    for (node = waits.next; node != &waits; node = node->next) {
        struct fd_wait *wait = CO_ENTRY(node, struct fd_wait, link);

        memcpy(&fds[count], wait->fds, (size_t)wait->count * sizeof(*fds));
        count += wait->count;
    }
    if (jobs >= 0) {
        fds[count] = (struct pollfd){.fd = jobs, .events = POLLIN};
    }
    if (poll_until(fds, count + (jobs >= 0), deadline) <= 0) {
        return;
    }
    if (jobs >= 0 && fds[count].revents) {
        blocking_finished();
    }
    count = 0;
    for (node = waits.next; node != &waits; node = node->next) {
        struct fd_wait *wait = CO_ENTRY(node, struct fd_wait, link);
        int ready = 0;

        for (int i = 0; i < wait->count; i++) {
            wait->fds[i].revents = fds[count + i].revents;
            ready += wait->fds[i].revents != 0;
        }
        count += wait->count;
        if (ready) {
            loop_wake(wait->co, ready);
        }
    }
//@lab 6 poll stub
//|     /* Lab 6, step 4: it sleeps until the next timer, and sees no descriptor. */
//|     poll_until(NULL, 0, deadline);
//@lab 6 poll end
}

static int poll_now(struct pollfd *fds, int count)
{
    long ready;

    do {
        ready = co_call(SYS_poll, (long)fds, count, 0, 0, 0, 0);
    } while (ready == -EINTR);
    return (int)ready;
}

/* Park until io_poll finds one of them ready: how many there are, or an error. */
static int park(struct pollfd *fds, int count, int64_t deadline)
{
    struct fd_wait wait = {.co = co_current, .fds = fds, .count = count};
//@lab 6 park begin
    int result;

    if (reserve(descriptors + count)) {
        return -ENOMEM;
    }
    if (!waits.next) {
        list_init(&waits);
    }
    list_add_last(&waits, &wait.link);
    descriptors += count;
    result = loop_park("fd", count ? fds[0].fd : -1, deadline);
    descriptors -= count;
    list_take(&wait.link);
    return wait.closed ? -EBADF : result;
//@lab 6 park stub
//|
//|     (void)wait, (void)deadline, (void)reserve; /* Lab 6, step 3: nobody parks yet */
//|     return -ENOSYS;
//@lab 6 park end
}

int co_poll(struct pollfd *fds, int count, int64_t deadline)
{
    int result;

    if (!loop_here()) {
        return -EPERM;
    }
    result = poll_now(fds, count);
    if (result == 0 && deadline != 0) {
        result = park(fds, count, deadline);
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
 * Come back when a read or write would not block: 0, or an error. Who was parked looks again:
 * another waiter, which ran first, may have taken what there was.
 */
static int usable(int fd, short events)
{
//@lab 6 usable begin
    static _Thread_local unsigned at_once;
    struct pollfd one = {.fd = fd, .events = events};
    int result;

    if (!loop_here()) {
        return -EPERM;
    }
    if (fd < 0) {
        return -EBADF;
    }
    if (++at_once % POLL_EVERY == 0) { /* always ready must not mean always running */
        result = co_yield_now();
        if (result < 0) {
            return result;
        }
    }
    while ((result = poll_now(&one, 1)) == 0) {
        result = park(&one, 1, CO_NEVER);
        if (result < 0) {
            return result;
        }
    }
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

/* The socket is ours alone while it connects: O_NONBLOCK may be set for so long. */
int co_connect(int fd, const void *address, unsigned size)
{
    long flags = co_call(SYS_fcntl, fd, F_GETFL, 0, 0, 0, 0), result;
    int error = 0, length = sizeof(error), events;

    if (!loop_here()) {
        return -EPERM;
    }
    if (flags < 0) {
        return (int)flags;
    }
    co_call(SYS_fcntl, fd, F_SETFL, flags | O_NONBLOCK, 0, 0, 0);
    while ((result = co_call(SYS_connect, fd, (long)address, size, 0, 0, 0)) == -EAGAIN) {
        result = co_sleep(1000000); /* a full backlog of a local socket: nothing to poll for */
        if (result < 0) {
            break;
        }
    }
    if (result == -EINPROGRESS || result == -EINTR) {
        events = co_wait_fd(fd, POLLOUT, CO_NEVER);
        result = events < 0 ? events
                            : co_call(SYS_getsockopt, fd, SOCKET, SOCKET_ERROR, (long)&error,
                                      (long)&length, 0);
        result = result ? result : -error;
    }
    co_call(SYS_fcntl, fd, F_SETFL, flags, 0, 0, 0);
    return (int)result;
}

int co_close(int fd)
{
    struct co_list *node;

    for (node = waits.next; node && node != &waits; node = node->next) {
        struct fd_wait *wait = CO_ENTRY(node, struct fd_wait, link);

        for (int i = 0; i < wait->count; i++) {
            if (wait->fds[i].fd == fd) {
                wait->closed = 1;
                loop_wake(wait->co, -EBADF);
            }
        }
    }
    return (int)co_call(SYS_close, fd, 0, 0, 0, 0, 0);
}
