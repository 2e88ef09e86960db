/* Pipes, sockets, epoll, poll, timers and futexes when memory runs out. */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>

#include "inject.h"

#define PAGE 4096
#define MANY 200

static int fds[2], other[2], set, server;
static char data[40000], got[40000], *fresh;

static void setup_data(void)
{
    for (size_t i = 0; i < sizeof(data); i++) {
        data[i] = (char)(i * 7 + i / 256);
    }
    fresh = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(fresh != MAP_FAILED);
}

static void setup_pipe(void)
{
    setup_data();
    CHECK(pipe2(fds, O_NONBLOCK) == 0);
}

static void setup_pair(void)
{
    setup_data();
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    fds[0] ^= fds[1], fds[1] ^= fds[0], fds[0] ^= fds[1];
}

/* What is there now is `size` bytes of what was written, from `from` on. */
static void check_arrived(long from, long size)
{
    long there = 0, part;

    while ((part = read(fds[0], got + there, sizeof(got) - (size_t)there)) > 0) {
        there += part;
    }
    CHECK(there == size && memcmp(got, data + from, (size_t)size) == 0);
}

static long run_pipe(void)
{
    return pipe(other);
}

static void check_pipe(long result)
{
    CHECK(result < 0 || (write(other[1], "x", 1) == 1 && read(other[0], got, 2) == 1));
}

static const struct operation piped = {"pipe", NULL, run_pipe, check_pipe, 0};
SWEEP(piped)

static long run_write(void)
{
    return write(fds[1], data, 30000);
}

static void check_write(long result)
{
    check_arrived(0, result < 0 ? 0 : result);
    CHECK(write(fds[1], data, 5000) == 5000);
    check_arrived(0, 5000);
}

static const struct operation pipe_written = {"write to a pipe", setup_pipe, run_write, check_write, 0};
SWEEP(pipe_written)

static const struct operation socket_written = {"write to a socket", setup_pair, run_write, check_write,
                                                0};
SWEEP(socket_written)

static void setup_pipe_full(void)
{
    setup_pipe();
    CHECK(write(fds[1], data, 30000) == 30000);
}

static void setup_pair_full(void)
{
    setup_pair();
    CHECK(write(fds[1], data, 30000) == 30000);
}

/* To pages that are not there. What was not read is still to be read. */
static long run_read(void)
{
    syscall(SYS_madvise, fresh, 65536, MADV_DONTNEED);
    return read(fds[0], fresh, 30000);
}

static void check_read(long result)
{
    CHECK(result < 0 || memcmp(fresh, data, (size_t)result) == 0);
    check_arrived(result < 0 ? 0 : result, 30000 - (result < 0 ? 0 : result));
}

static const struct operation pipe_read = {"read from a pipe", setup_pipe_full, run_read, check_read,
                                           MAY_DIE};
SWEEP(pipe_read)

static const struct operation socket_read = {"read from a socket", setup_pair_full, run_read,
                                             check_read, MAY_DIE};
SWEEP(socket_read)

static long run_pair(void)
{
    return socketpair(AF_UNIX, SOCK_STREAM, 0, other);
}

static void check_pair(long result)
{
    CHECK(result < 0 || (write(other[1], "x", 1) == 1 && read(other[0], got, 2) == 1));
}

static const struct operation paired = {"socketpair", NULL, run_pair, check_pair, 0};
SWEEP(paired)

static struct sockaddr_un address = {.sun_family = AF_UNIX};

static long run_bind(void)
{
    server = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (server >= 0 && (bind(server, (struct sockaddr *)&address, sizeof(address)) ||
                        listen(server, 3))) {
        close(server);
        errno = ENOMEM;
        return -1;
    }
    return server;
}

/* A socket's file may be there when listen failed, not when bind did: both work again. */
static void check_bind(long result)
{
    if (result < 0) {
        unlink("a");
        CHECK(run_bind() >= 0);
    }
    other[0] = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(connect(other[0], (struct sockaddr *)&address, sizeof(address)) == 0);
}

static void setup_path(void)
{
    strcpy(address.sun_path, "a");
}

static const struct operation bound = {"bind to a path", setup_path, run_bind, check_bind, 0};
SWEEP(bound)

static void setup_name(void)
{
    memcpy(address.sun_path, "\0inject", 8);
}

static const struct operation bound_name = {"bind to a name", setup_name, run_bind, check_bind, 0};
SWEEP(bound_name)

static void setup_server(void)
{
    setup_name();
    CHECK(run_bind() >= 0);
}

static long run_connect(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address))) {
        CHECK(errno == ENOMEM);
        close(fd);
        errno = ENOMEM;
        return -1;
    }
    return fd;
}

static void check_connect(long result)
{
    int fd = accept(server, NULL, NULL);

    CHECK((fd >= 0) == (result >= 0));
    CHECK(fd < 0 || (write((int)result, "x", 1) == 1 && read(fd, got, 2) == 1));
}

static const struct operation connected = {"connect", setup_server, run_connect, check_connect, 0};
SWEEP(connected)

static void setup_accept(void)
{
    setup_server();
    other[0] = (int)run_connect();
    CHECK(other[0] >= 0 && write(other[0], "hello", 5) == 5);
}

static long run_accept(void)
{
    return accept(server, NULL, NULL);
}

/* It has failed: the connection waits on. */
static void check_accept(long result)
{
    int fd = result < 0 ? accept(server, NULL, NULL) : (int)result;

    CHECK(fd >= 0 && read(fd, got, 9) == 5 && memcmp(got, "hello", 5) == 0);
    CHECK_ERROR(accept(server, NULL, NULL), EAGAIN);
}

static const struct operation accepted = {"accept", setup_accept, run_accept, check_accept, 0};
SWEEP(accepted)

static void setup_accept_more(void)
{
    setup_accept();
    inject_fill_table();
}

static long run_accept_more(void)
{
    return inject_beyond_table(run_accept);
}

static const struct operation accepted_more = {"accept with a full table", setup_accept_more,
                                               run_accept_more, check_accept, 0};
SWEEP(accepted_more)

static long run_options(void)
{
    int value = 65536;
    socklen_t size = sizeof(value);

    return setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &value, sizeof(value)) ||
           getsockopt(fds[0], SOL_SOCKET, SO_TYPE, &value, &size) ? -1 : 0;
}

static const struct operation options = {"socket options", setup_pair, run_options, NULL, 0};
SWEEP(options)

static long run_epoll(void)
{
    return epoll_create1(0);
}

static const struct operation epoll_made = {"epoll_create", NULL, run_epoll, NULL, 0};
SWEEP(epoll_made)

static struct epoll_event watched = {.events = EPOLLIN};

static void setup_epoll(void)
{
    setup_pipe();
    set = epoll_create1(0);
    CHECK(set >= 0 && write(fds[1], "x", 1) == 1);
}

static long run_watch(void)
{
    return epoll_ctl(set, EPOLL_CTL_ADD, fds[0], &watched);
}

static void check_watch(long result)
{
    CHECK(epoll_wait(set, &watched, 1, 0) == (result == 0));
    CHECK(epoll_ctl(set, EPOLL_CTL_DEL, fds[0], &watched) == result || errno == ENOENT);
    CHECK(run_watch() == 0 && epoll_wait(set, &watched, 1, 0) == 1);
}

static const struct operation epoll_added = {"epoll_ctl", setup_epoll, run_watch, check_watch, 0};
SWEEP(epoll_added)

static void setup_nested(void)
{
    setup_epoll();
    CHECK(run_watch() == 0);
    fds[0] = set;
    set = epoll_create1(0);
}

static const struct operation epoll_nested = {"epoll_ctl of a set", setup_nested, run_watch,
                                              check_watch, 0};
SWEEP(epoll_nested)

/* One that is watched is ready, and it sleeps for the others' sake first. */
static long run_epoll_wait(void)
{
    struct epoll_event events[4];

    return epoll_wait(set, events, 4, 1);
}

static void check_epoll_wait(long result)
{
    CHECK(result < 0 || result == 1);
    CHECK(epoll_wait(set, &watched, 1, 0) == 1);
}

static void setup_epoll_wait(void)
{
    setup_epoll();
    CHECK(run_watch() == 0);
}

static const struct operation epoll_waited = {"epoll_wait", setup_epoll_wait, run_epoll_wait,
                                              check_epoll_wait, 0};
SWEEP(epoll_waited)

static int timer;

static void setup_timer(void)
{
    const struct itimerspec soon = {{0, 0}, {0, 5000000}};

    setup_pipe();
    timer = timerfd_create(CLOCK_MONOTONIC, 0);
    CHECK(timer >= 0 && timerfd_settime(timer, 0, &soon, NULL) == 0);
}

static long run_poll(void)
{
    static struct pollfd many[MANY];

    for (int i = 0; i < MANY; i++) {
        many[i] = (struct pollfd){i == MANY - 1 ? timer : fds[0], POLLIN, 0};
    }
    return poll(many, MANY, 60000);
}

static void check_one(long result)
{
    CHECK(result < 0 || result == 1);
}

static const struct operation polled = {"poll of many", setup_timer, run_poll, check_one, 0};
SWEEP(polled)

static void setup_select(void)
{
    setup_timer();
    for (int i = 100; i < 100 + MANY; i++) {
        CHECK(dup2(fds[0], i) == i);
    }
}

static long run_select(void)
{
    fd_set reads = {0};

    for (int i = 100; i < 100 + MANY; i++) {
        reads.__bits[i / 64] |= 1ul << i % 64;
    }
    reads.__bits[timer / 64] |= 1ul << timer % 64;
    return select(100 + MANY, &reads, NULL, NULL, NULL);
}

static const struct operation selected = {"select of many", setup_select, run_select, check_one, 0};
SWEEP(selected)

static long run_eventfd(void)
{
    return eventfd(5, 0);
}

static void check_eventfd(long result)
{
    unsigned long value;

    CHECK(result < 0 || (read((int)result, &value, 8) == 8 && value == 5));
}

static const struct operation event = {"eventfd", NULL, run_eventfd, check_eventfd, 0};
SWEEP(event)

static long run_timerfd(void)
{
    const struct itimerspec soon = {{0, 0}, {0, 1000}};
    int fd = timerfd_create(CLOCK_MONOTONIC, 0);

    if (fd >= 0 && timerfd_settime(fd, 0, &soon, NULL)) {
        close(fd);
        return -1;
    }
    return fd;
}

static void check_timerfd(long result)
{
    unsigned long value;

    CHECK(result < 0 || (read((int)result, &value, 8) == 8 && value == 1));
}

static const struct operation timed = {"timerfd", NULL, run_timerfd, check_timerfd, 0};
SWEEP(timed)

static long run_signalfd(void)
{
    unsigned long mask = 1;

    return syscall(SYS_signalfd4, -1, &mask, 8, 0, 0, 0);
}

static const struct operation signals = {"signalfd", NULL, run_signalfd, NULL, 0};
SWEEP(signals)

static long run_inotify(void)
{
    int error;

    set = inotify_init1(IN_NONBLOCK);
    if (set >= 0 && inotify_add_watch(set, ".", IN_CREATE | IN_DELETE) != 1) {
        error = errno;
        close(set);
        errno = error;
        return -1;
    }
    return set;
}

static const struct operation inotify = {"inotify", NULL, run_inotify, NULL, 0};
SWEEP(inotify)

static void setup_event(void)
{
    CHECK(run_inotify() >= 0);
}

static long run_event(void)
{
    int fd = open("watched", O_CREAT | O_WRONLY, 0600);

    return fd < 0 ? fd : close(fd);
}

/* What there is no memory for is told of as what does not fit into the queue. */
static void check_event(long result)
{
    struct inotify_event event;

    if (result == 0) {
        CHECK(read(set, got, sizeof(got)) >= (long)sizeof(event));
        memcpy(&event, got, sizeof(event));
        CHECK((event.mask == IN_CREATE && event.len == 16) || (event.mask == IN_Q_OVERFLOW && event.wd == -1));
        CHECK(unlink("watched") == 0);
    }
}

static const struct operation event_told = {"an event of inotify", setup_event, run_event, check_event, 0};
SWEEP(event_told)

/* A pseudo-terminal and its other end, and away with both. */
static long run_pty(void)
{
    int off = 0, master = open("/dev/ptmx", O_RDWR | O_NOCTTY), terminal, error;

    if (master < 0) {
        return -1;
    }
    CHECK(ioctl(master, 0x40045431, &off) == 0); /* TIOCSPTLCK */
    terminal = ioctl(master, 0x5441, O_RDWR | O_NOCTTY); /* TIOCGPTPEER */
    error = errno;
    close(terminal);
    close(master);
    errno = error;
    return terminal < 0 ? -1 : 0;
}

static const struct operation terminals = {"a pseudo-terminal", NULL, run_pty, NULL, 0};
SWEEP(terminals)

static void setup_file_and_pipe(void)
{
    setup_pipe();
    server = open("sent", O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(server >= 0 && write(server, data, 30000) == 30000 && unlink("sent") == 0);
}

static long run_sendfile(void)
{
    long at = 0;

    return syscall(SYS_sendfile, fds[1], server, &at, 30000l);
}

static const struct operation file_sent = {"sendfile", setup_file_and_pipe, run_sendfile, check_write, MAY_DIE};
SWEEP(file_sent)

static long pages_before;

static long free_pages(void)
{
    long machine[14]; /* sysinfo: the time, three loads, its memory, what is free of it */

    CHECK(syscall(SYS_sysinfo, machine) == 0);
    return machine[5] / 4096;
}

static long run_fallocate(void)
{
    pages_before = free_pages();
    return syscall(SYS_fallocate, server, 0l, 10000l, 60000l);
}

/* Made or not, what was in the file is there; and if not, there is no more of it (but for a table or two). */
static void check_fallocate(long result)
{
    CHECK(lseek(server, 0, SEEK_END) == (result < 0 ? 30000 : 70000));
    CHECK(syscall(SYS_pread64, server, got, 30000l, 0l) == 30000 && memcmp(got, data, 30000) == 0);
    CHECK(result >= 0 || free_pages() >= pages_before - 4);
}

static const struct operation allocated = {"fallocate", setup_file_and_pipe, run_fallocate, check_fallocate, 0};
SWEEP(allocated)

int main(void)
{
    static const struct test tests[] = {
        SWEPT(piped), SWEPT(pipe_written), SWEPT(socket_written), SWEPT(pipe_read),
        SWEPT(socket_read), SWEPT(paired), SWEPT(bound), SWEPT(bound_name), SWEPT(connected),
        SWEPT(accepted), SWEPT(accepted_more), SWEPT(options), SWEPT(epoll_made), SWEPT(epoll_added), SWEPT(epoll_nested),
        SWEPT(epoll_waited), SWEPT(polled), SWEPT(selected), SWEPT(event), SWEPT(timed),
        SWEPT(signals), SWEPT(inotify), SWEPT(event_told), SWEPT(terminals), SWEPT(file_sent), SWEPT(allocated),
    };

    return RUN_TESTS(tests);
}
