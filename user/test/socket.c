/* Stream sockets of this machine: pairs, names, connecting, and how conversations end. */
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "asleep.h"

static int pair[2];

static void make_pair(int flags)
{
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | flags, 0, pair) == 0);
}

static int events_of(int fd, int asked)
{
    struct pollfd p = {fd, (short)asked, 0};

    CHECK(poll(&p, 1, 0) >= 0);
    return p.revents;
}

#define ALL (POLLIN | POLLOUT | POLLRDHUP)

static void pair_carries_bytes_both_ways(void)
{
    char a[4], b[4], text[8];
    struct iovec out[2] = {{"abc", 3}, {"def", 3}}, in[2] = {{a, 4}, {b, 4}};
    struct stat st;
    int waiting = 0;

    make_pair(0);
    CHECK(write(pair[0], "there", 5) == 5 && read(pair[1], text, 8) == 5);
    CHECK(memcmp(text, "there", 5) == 0);
    CHECK(writev(pair[1], out, 2) == 6);
    CHECK(ioctl(pair[0], FIONREAD, &waiting) == 0 && waiting == 6);
    CHECK(readv(pair[0], in, 2) == 6 && memcmp(a, "abcd", 4) == 0 && memcmp(b, "ef", 2) == 0);
    CHECK(read(pair[0], text, 0) == 0 && write(pair[0], text, 0) == 0);
    CHECK(fstat(pair[0], &st) == 0 && S_ISSOCK(st.st_mode));
    CHECK_ERROR(lseek(pair[0], 0, SEEK_SET), ESPIPE);
}

static void full_socket_refuses_until_it_is_read(void)
{
    static char block[4096];
    long written = 0, got, taken = 0;

    make_pair(SOCK_NONBLOCK);
    CHECK_ERROR(read(pair[0], block, 1), EAGAIN);
    CHECK(events_of(pair[0], ALL) == POLLOUT);
    while ((got = write(pair[0], block, sizeof(block))) > 0) {
        written += got;
    }
    CHECK(got == -1 && errno == EAGAIN && written >= 65536);
    CHECK(events_of(pair[0], ALL) == 0 && events_of(pair[1], ALL) == ALL - POLLRDHUP);
    CHECK_ERROR(send(pair[0], block, 1, MSG_DONTWAIT), EAGAIN);
    while ((got = read(pair[1], block, sizeof(block))) > 0) {
        taken += got;
    }
    CHECK(taken == written && events_of(pair[0], ALL) == POLLOUT);
}

static void peek_leaves_and_waitall_waits(void)
{
    char text[8] = "";
    pid_t child;

    make_pair(0);
    CHECK(send(pair[0], "abc", 3, 0) == 3);
    CHECK(recv(pair[1], text, 8, MSG_PEEK) == 3 && recv(pair[1], text, 2, MSG_PEEK) == 2);
    child = fork();
    if (child == 0) {
        CHECK(recv(pair[1], text, 6, MSG_WAITALL) == 6 && memcmp(text, "abcdef", 6) == 0);
        close(pair[0]);
        CHECK(recv(pair[1], text, 6, MSG_WAITALL) == 2); /* the end comes first */
        _exit(0);
    }
    wait_until_asleep(child);
    CHECK(send(pair[0], "defgh", 5, 0) == 5);
    close(pair[0]);
    CHECK(ends_well(child));
    make_pair(0);
    CHECK_ERROR(recv(pair[0], text, 1, MSG_DONTWAIT), EAGAIN);
}

static void messages_gather_and_scatter(void)
{
    char a[2], b[8];
    struct iovec out[3] = {{"one", 3}, {"", 0}, {"two", 3}}, in[2] = {{a, 2}, {b, 8}};
    struct msghdr message = {.msg_iov = out, .msg_iovlen = 3};

    make_pair(0);
    CHECK(sendmsg(pair[0], &message, 0) == 6);
    message = (struct msghdr){.msg_iov = in, .msg_iovlen = 2, .msg_flags = 99};
    CHECK(recvmsg(pair[1], &message, 0) == 6);
    CHECK(memcmp(a, "on", 2) == 0 && memcmp(b, "etwo", 4) == 0);
    CHECK(message.msg_flags == 0 && message.msg_controllen == 0);
    message.msg_iovlen = 5000;
    CHECK_ERROR(sendmsg(pair[0], &message, 0), EMSGSIZE);
}

static void each_half_is_shut_down(void)
{
    char text[8];

    signal(SIGPIPE, SIG_IGN);
    make_pair(0);
    CHECK(write(pair[0], "last", 4) == 4 && shutdown(pair[0], SHUT_WR) == 0);
    CHECK(events_of(pair[1], ALL) == ALL);
    CHECK(read(pair[1], text, 8) == 4 && read(pair[1], text, 8) == 0);
    CHECK_ERROR(write(pair[0], "x", 1), EPIPE);
    CHECK(write(pair[1], "back", 4) == 4 && read(pair[0], text, 8) == 4);
    CHECK(shutdown(pair[0], SHUT_RD) == 0);
    CHECK_ERROR(write(pair[1], "x", 1), EPIPE);
    CHECK(read(pair[0], text, 8) == 0);
    CHECK(events_of(pair[0], ALL) == (ALL | POLLHUP) && events_of(pair[1], ALL) == (ALL | POLLHUP));
    CHECK_ERROR(shutdown(pair[0], 3), EINVAL);
}

static void broken_socket_sends_a_signal_unless_told(void)
{
    pid_t child;
    int status;

    make_pair(0);
    close(pair[1]);
    CHECK_ERROR(send(pair[0], "x", 1, MSG_NOSIGNAL), EPIPE);
    child = fork();
    if (child == 0) {
        write(pair[0], "x", 1);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && (status & 0x7f) == SIGPIPE);
}

static void closing_ends_or_resets(void)
{
    char text[8];
    int error = 0;
    socklen_t size = sizeof(error);

    make_pair(0);
    CHECK(write(pair[0], "last", 4) == 4);
    close(pair[0]);
    CHECK(events_of(pair[1], ALL) == (ALL | POLLHUP));
    CHECK(read(pair[1], text, 8) == 4 && read(pair[1], text, 8) == 0);
    make_pair(0);
    CHECK(write(pair[0], "unread", 6) == 6 && write(pair[1], "last", 4) == 4);
    close(pair[1]);
    CHECK(events_of(pair[0], ALL) == (ALL | POLLHUP | POLLERR));
    CHECK(read(pair[0], text, 8) == 4);
    CHECK_ERROR(read(pair[0], text, 8), ECONNRESET);
    CHECK(read(pair[0], text, 8) == 0); /* told once */
    make_pair(0);
    CHECK(write(pair[0], "unread", 6) == 6);
    close(pair[1]);
    CHECK(getsockopt(pair[0], SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == ECONNRESET);
    CHECK(getsockopt(pair[0], SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0);
}

static void sleepers_see_the_end(void)
{
    static char block[4096];
    pid_t reader, writer;

    make_pair(0);
    reader = fork();
    if (reader == 0) {
        close(pair[1]);
        CHECK(read(pair[0], block, 1) == 0);
        _exit(0);
    }
    wait_until_asleep(reader);
    close(pair[0]);
    close(pair[1]);
    CHECK(ends_well(reader));
    make_pair(0);
    writer = fork();
    if (writer == 0) {
        signal(SIGPIPE, SIG_IGN);
        close(pair[1]);
        while (write(pair[0], block, sizeof(block)) > 0) {
        }
        CHECK(errno == ECONNRESET); /* what it wrote was not read */
        _exit(0);
    }
    close(pair[0]);
    wait_until_asleep(writer);
    close(pair[1]);
    CHECK(ends_well(writer));
}

static void got_it(int signal)
{
    (void)signal;
}

static void signal_interrupts_a_receiver(void)
{
    struct sigaction action = {.sa_handler = got_it};
    char byte;
    pid_t child;

    make_pair(0);
    sigaction(SIGUSR1, &action, NULL);
    child = fork();
    if (child == 0) {
        CHECK_ERROR(recv(pair[0], &byte, 1, 0), EINTR);
        _exit(0);
    }
    wait_until_asleep(child);
    kill(child, SIGUSR1);
    CHECK(ends_well(child));
}

/* A name of this process: a path, or an abstract one. */
static socklen_t name_for(struct sockaddr_un *address, int abstract)
{
    char *path = address->sun_path + abstract;

    memset(address, 0, sizeof(*address));
    address->sun_family = AF_UNIX;
    snprintf(path, 100, "%stest-socket-%d", abstract ? "" : "/tmp/", getpid());
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)abstract + strlen(path));
}

static struct sockaddr_un name;
static socklen_t name_size;
#define NAME ((struct sockaddr *)&name), name_size

static int listener(int abstract, int backlog, int flags)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | flags, 0);

    name_size = name_for(&name, abstract);
    CHECK(fd >= 0 && bind(fd, NAME) == 0 && listen(fd, backlog) == 0);
    return fd;
}

static int client(int flags)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | flags, 0);

    CHECK(fd >= 0);
    return fd;
}

static void path_names_a_server(void)
{
    int server = listener(0, 5, 0), one = client(0), accepted, other;
    struct sockaddr_un got;
    socklen_t size = sizeof(got);
    struct ucred peer;
    char text[8];
    struct stat st;

    CHECK(stat(name.sun_path, &st) == 0 && S_ISSOCK(st.st_mode));
    CHECK_ERROR(open(name.sun_path, O_RDWR), ENXIO);
    CHECK(connect(one, NAME) == 0 && write(one, "early", 5) == 5);
    accepted = accept(server, (struct sockaddr *)&got, &size);
    CHECK(accepted >= 0 && size == 2 && got.sun_family == AF_UNIX); /* a client has no name */
    CHECK(read(accepted, text, 8) == 5);
    CHECK(write(accepted, "late", 4) == 4 && read(one, text, 8) == 4);
    size = sizeof(got);
    CHECK(getpeername(one, (struct sockaddr *)&got, &size) == 0 && size == name_size + 1);
    CHECK(strcmp(got.sun_path, name.sun_path) == 0);
    size = 4; /* too small: cut, and told */
    CHECK(getsockname(accepted, (struct sockaddr *)&got, &size) == 0 && size == name_size + 1);
    size = sizeof(peer);
    CHECK(getsockopt(one, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid == getpid());
    CHECK(size == sizeof(peer) && peer.uid == getuid());
    other = client(0);
    CHECK_ERROR(bind(other, NAME), EADDRINUSE);
    close(server);
    CHECK_ERROR(connect(other, NAME), ECONNREFUSED); /* the name stays, nobody listens */
    CHECK(unlink(name.sun_path) == 0);
    CHECK_ERROR(connect(other, NAME), ENOENT);
    CHECK(write(one, "still", 5) == 5 && read(accepted, text, 8) == 5);
}

static void abstract_name_goes_with_its_socket(void)
{
    int server = listener(1, 5, 0), one = client(0), other = client(0);
    struct sockaddr_un got;
    socklen_t size = sizeof(got);

    CHECK(connect(one, NAME) == 0 && getpeername(one, (struct sockaddr *)&got, &size) == 0);
    CHECK(size == name_size && memcmp(got.sun_path, name.sun_path, size - 2) == 0);
    CHECK_ERROR(bind(other, NAME), EADDRINUSE);
    close(server);
    CHECK_ERROR(connect(other, NAME), ECONNREFUSED);
    close(listener(1, 5, 0));
}

static void full_backlog_makes_clients_wait(void)
{
    int server = listener(1, 0, SOCK_NONBLOCK), one = client(0);
    pid_t child;

    CHECK_ERROR(accept(server, NULL, NULL), EAGAIN);
    CHECK(events_of(server, ALL) == 0 && connect(one, NAME) == 0);
    CHECK(events_of(server, ALL) == POLLIN);
    CHECK_ERROR(connect(client(SOCK_NONBLOCK), NAME), EAGAIN);
    child = fork();
    if (child == 0) {
        int late = client(0);
        char text[8];

        CHECK(connect(late, NAME) == 0 && read(late, text, 8) == 5);
        _exit(0);
    }
    wait_until_asleep(child);
    CHECK(accept(server, NULL, NULL) >= 0);
    while (events_of(server, POLLIN) == 0) {
        usleep(1000);
    }
    CHECK(write(accept(server, NULL, NULL), "hello", 5) == 5 && ends_well(child));
}

static void closing_the_listener_resets_who_waits(void)
{
    int server = listener(1, 0, 0), one = client(0);
    pid_t child;
    char byte;

    CHECK(connect(one, NAME) == 0 && write(one, "x", 1) == 1);
    child = fork();
    if (child == 0) {
        close(server);
        CHECK_ERROR(connect(client(0), NAME), ECONNREFUSED);
        _exit(0);
    }
    wait_until_asleep(child);
    close(server);
    CHECK(ends_well(child));
    CHECK_ERROR(read(one, &byte, 1), ECONNRESET);
    CHECK_ERROR(send(one, "x", 1, MSG_NOSIGNAL), EPIPE);
}

static void accept_gives_the_flags_it_is_told(void)
{
    int server = listener(1, 5, SOCK_NONBLOCK), fd;

    CHECK(connect(client(0), NAME) == 0 && connect(client(0), NAME) == 0);
    fd = accept(server, NULL, NULL);
    CHECK(!(fcntl(fd, F_GETFL) & O_NONBLOCK) && fcntl(fd, F_GETFD) == 0);
    fd = accept4(server, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK && fcntl(fd, F_GETFD) == FD_CLOEXEC);
    CHECK_ERROR(accept4(server, NULL, NULL, 1), EINVAL);
}

static void connection_waits_for_a_descriptor(void)
{
    int server = listener(1, 5, 0), one = client(0), spare = dup(server);
    struct rlimit limit = {(unsigned long)spare + 1, (unsigned long)spare + 1};

    CHECK(connect(one, NAME) == 0 && setrlimit(RLIMIT_NOFILE, &limit) == 0);
    CHECK_ERROR(accept(server, NULL, NULL), EMFILE);
    close(spare);
    CHECK(accept(server, NULL, NULL) == spare);
}

static void wrong_calls(void)
{
    int server = listener(1, 5, 0), fd = client(0), file = open("/dev/null", O_RDWR);
    struct sockaddr_un bad = {.sun_family = 77};
    char byte;

    make_pair(0);
    CHECK_ERROR(listen(file, 1), ENOTSOCK);
    CHECK_ERROR(accept(99, NULL, NULL), EBADF);
    CHECK_ERROR(listen(fd, 1), EINVAL); /* it has no name */
    CHECK_ERROR(accept(fd, NULL, NULL), EINVAL);
    CHECK_ERROR(send(fd, "x", 1, 0), ENOTCONN);
    CHECK_ERROR(recv(fd, &byte, 1, 0), EINVAL);
    CHECK_ERROR(getpeername(fd, (struct sockaddr *)&bad, &name_size), ENOTCONN);
    CHECK(events_of(fd, ALL) == (POLLOUT | POLLHUP));
    CHECK_ERROR(connect(fd, (struct sockaddr *)&bad, sizeof(bad)), EINVAL);
    name_size = name_for(&name, 1);
    CHECK_ERROR(connect(pair[0], NAME), EISCONN);
    CHECK_ERROR(sendto(pair[0], "x", 1, 0, NAME), EISCONN);
    CHECK_ERROR(bind(server, NAME), EINVAL);
    CHECK_ERROR(connect(server, NAME), EINVAL);
    CHECK_ERROR(socket(100, SOCK_STREAM, 0), EAFNOSUPPORT);
    CHECK_ERROR(socket(AF_UNIX, 99, 0), EINVAL);
    CHECK_ERROR(socket(AF_UNIX, 4, 0), ESOCKTNOSUPPORT);
    CHECK_ERROR(socket(AF_UNIX, SOCK_STREAM, 7), EPROTONOSUPPORT);
}

static void options(void)
{
    int server = listener(1, 5, 0), value = 0;
    socklen_t size = sizeof(value);

    CHECK(getsockopt(server, SOL_SOCKET, SO_ACCEPTCONN, &value, &size) == 0 && value == 1);
    CHECK(getsockopt(server, SOL_SOCKET, SO_TYPE, &value, &size) == 0 && value == SOCK_STREAM);
    CHECK(getsockopt(server, SOL_SOCKET, SO_DOMAIN, &value, &size) == 0 && value == AF_UNIX);
    CHECK(getsockopt(server, SOL_SOCKET, SO_SNDBUF, &value, &size) == 0 && value >= 4096);
    CHECK(setsockopt(server, SOL_SOCKET, SO_RCVBUF, &value, size) == 0);
    CHECK_ERROR(setsockopt(server, SOL_SOCKET, SO_RCVBUF, &value, 1), EINVAL);
    CHECK_ERROR(getsockopt(server, SOL_SOCKET, 9999, &value, &size), ENOPROTOOPT);
    CHECK_ERROR(getsockopt(server, 4242, SO_TYPE, &value, &size), EOPNOTSUPP);
}

static void much_data_arrives_in_order(void)
{
    static unsigned char block[5000];
    unsigned sum = 0, at = 0;
    pid_t child;
    long got;

    make_pair(0);
    child = fork();
    if (child == 0) {
        for (int i = 0; i < 400; i++) {
            for (size_t j = 0; j < sizeof(block); j++) {
                block[j] = (unsigned char)(at++ % 251);
            }
            CHECK(write(pair[0], block, sizeof(block)) == sizeof(block));
        }
        _exit(0);
    }
    close(pair[0]);
    while ((got = read(pair[1], block, 3001)) > 0) {
        for (long j = 0; j < got; j++) {
            CHECK(block[j] == at++ % 251);
        }
        sum += (unsigned)got;
    }
    CHECK(got == 0 && sum == 400 * sizeof(block) && ends_well(child));
}

int main(void)
{
    static const struct test tests[] = {
        TEST(pair_carries_bytes_both_ways), TEST(full_socket_refuses_until_it_is_read),
        TEST(peek_leaves_and_waitall_waits), TEST(messages_gather_and_scatter),
        TEST(each_half_is_shut_down), TEST(broken_socket_sends_a_signal_unless_told),
        TEST(closing_ends_or_resets), TEST(sleepers_see_the_end),
        TEST(signal_interrupts_a_receiver),
        TEST(path_names_a_server), TEST(abstract_name_goes_with_its_socket),
        TEST(full_backlog_makes_clients_wait), TEST(closing_the_listener_resets_who_waits),
        TEST(accept_gives_the_flags_it_is_told), TEST(connection_waits_for_a_descriptor),
        TEST(wrong_calls), TEST(options), TEST(much_data_arrives_in_order),
    };

    return RUN_TESTS(tests);
}
