/* Datagrams, SOCK_SEQPACKET, and what comes along with bytes: descriptors and who sends. */
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "asleep.h"

static int pair[2];

static void make_pair(int type)
{
    CHECK(socketpair(AF_UNIX, type, 0, pair) == 0);
}

static int events_of(int fd)
{
    struct pollfd p = {fd, POLLIN | POLLOUT, 0};

    CHECK(poll(&p, 1, 0) >= 0);
    return p.revents;
}

static struct sockaddr_un named(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    strcpy(address.sun_path, name);
    unlink(name);
    return address;
}

static int bound(int type, const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, type, 0);

    CHECK(fd >= 0 && bind(fd, (const void *)address, sizeof(*address)) == 0);
    return fd;
}

static void bounds_are_kept(int type)
{
    struct iovec out[2] = {{"abc", 3}, {"def", 3}};
    char text[8] = "", more[8] = "";
    struct iovec in[2] = {{text, 2}, {more, 2}};
    struct msghdr message = {.msg_iov = out, .msg_iovlen = 2};
    int waiting;

    make_pair(type);
    CHECK(send(pair[0], "one", 3, 0) == 3 && write(pair[0], "three", 5) == 5);
    CHECK(sendmsg(pair[0], &message, 0) == 6);
    CHECK(ioctl(pair[1], FIONREAD, &waiting) == 0 && waiting == (type == SOCK_DGRAM ? 3 : 14));
    CHECK(recv(pair[1], text, 8, MSG_PEEK) == 3 && recv(pair[1], text, 2, MSG_PEEK | MSG_TRUNC) == 3);
    CHECK(read(pair[1], text, 8) == 3 && memcmp(text, "one", 3) == 0);
    CHECK(read(pair[1], text, 2) == 2 && memcmp(text, "th", 2) == 0); /* the rest is lost */
    message = (struct msghdr){.msg_iov = in, .msg_iovlen = 2};
    CHECK(recvmsg(pair[1], &message, 0) == 4 && message.msg_flags == MSG_TRUNC);
    CHECK(memcmp(text, "ab", 2) == 0 && memcmp(more, "cd", 2) == 0);
    CHECK_ERROR(recv(pair[1], text, 8, MSG_DONTWAIT), EAGAIN);
    CHECK(send(pair[0], "", 0, 0) == 0 && send(pair[0], "x", 1, 0) == 1);
    CHECK(events_of(pair[1]) == (POLLIN | POLLOUT));
    CHECK(recv(pair[1], text, 8, 0) == 0 && recv(pair[1], text, 8, 0) == 1);
    CHECK(events_of(pair[1]) == POLLOUT);
}

static void datagrams_keep_their_bounds(void)
{
    bounds_are_kept(SOCK_DGRAM);
}

static void packets_in_sequence_keep_them_too(void)
{
    char c;

    bounds_are_kept(SOCK_SEQPACKET);
    CHECK(close(pair[0]) == 0 && read(pair[1], &c, 1) == 0);
    CHECK_ERROR(write(pair[1], "x", 1), EPIPE); /* and no signal */
}

static void datagrams_have_addresses(void)
{
    struct sockaddr_un a = named("packets.a"), b = named("packets.b"), from = {0}, none = named("packets.none");
    int one = bound(SOCK_DGRAM, &a), other = bound(SOCK_DGRAM, &b), stranger = socket(AF_UNIX, SOCK_DGRAM, 0);
    int stream = socket(AF_UNIX, SOCK_STREAM, 0);
    socklen_t size = sizeof(from);
    char c;

    CHECK(sendto(one, "1", 1, 0, (void *)&b, sizeof(b)) == 1);
    CHECK(recvfrom(other, &c, 1, 0, (void *)&from, &size) == 1 && c == '1');
    CHECK(size == offsetof(struct sockaddr_un, sun_path) + 10 && strcmp(from.sun_path, "packets.a") == 0);
    CHECK(sendto(stranger, "2", 1, 0, (void *)&b, sizeof(b)) == 1);
    size = sizeof(from);
    CHECK(recvfrom(other, &c, 1, 0, (void *)&from, &size) == 1 && c == '2' && size == 0);
    CHECK_ERROR(send(stranger, "x", 1, 0), ENOTCONN);
    CHECK_ERROR(sendto(stranger, "x", 1, 0, (void *)&none, sizeof(none)), ENOENT);
    CHECK_ERROR(connect(stream, (void *)&b, sizeof(b)), EPROTOTYPE);
    CHECK(connect(one, (void *)&b, sizeof(b)) == 0 && send(one, "3", 1, 0) == 1);
    CHECK(read(other, &c, 1) == 1 && c == '3');
    CHECK_ERROR(sendto(other, "x", 1, 0, (void *)&from, 1), EINVAL);
    CHECK_ERROR(sendto(stranger, "x", 1, 0, (void *)&a, sizeof(a)), EPERM); /* it has a peer */
    CHECK_ERROR(connect(stranger, (void *)&a, sizeof(a)), EPERM);
    CHECK_ERROR(listen(one, 1), EOPNOTSUPP);
    CHECK_ERROR(accept(one, NULL, NULL), EOPNOTSUPP);
    close(other);
    CHECK_ERROR(send(one, "x", 1, 0), ECONNREFUSED); /* its name is there, nobody has it */
    CHECK_ERROR(send(one, "x", 1, 0), ENOTCONN);
    CHECK_ERROR(sendto(one, "x", 1, 0, (void *)&b, sizeof(b)), ECONNREFUSED);
    CHECK(sendto(stranger, "4", 1, 0, (void *)&a, sizeof(a)) == 1 && read(one, &c, 1) == 1);
    unlink("packets.a");
    unlink("packets.b");
}

static void peers_of_datagrams_change(void)
{
    struct sockaddr_un a = named("packets.a"), b = named("packets.b"), seen = {0};
    struct sockaddr off = {.sa_family = AF_UNSPEC};
    int one = bound(SOCK_DGRAM, &a), other = bound(SOCK_DGRAM, &b), sender = socket(AF_UNIX, SOCK_DGRAM, 0);
    socklen_t size = sizeof(seen);
    char c;

    CHECK(connect(sender, (void *)&a, sizeof(a)) == 0 && send(sender, "1", 1, 0) == 1);
    CHECK(connect(sender, (void *)&b, sizeof(b)) == 0 && send(sender, "2", 1, 0) == 1);
    CHECK(getpeername(sender, (void *)&seen, &size) == 0 && strcmp(seen.sun_path, "packets.b") == 0);
    CHECK(read(one, &c, 1) == 1 && c == '1' && read(other, &c, 1) == 1 && c == '2');
    CHECK(connect(sender, &off, sizeof(off)) == 0);
    CHECK_ERROR(send(sender, "x", 1, 0), ENOTCONN);
    CHECK_ERROR(getpeername(sender, (void *)&seen, &size), ENOTCONN);
    unlink("packets.a");
    unlink("packets.b");
}

static void long_ones_are_refused(void)
{
    static char block[1 << 20];

    make_pair(SOCK_DGRAM);
    CHECK_ERROR(send(pair[0], block, sizeof(block), 0), EMSGSIZE);
    CHECK(send(pair[0], block, 60000, 0) == 60000 && read(pair[1], block, sizeof(block)) == 60000);
    CHECK_ERROR(send(pair[0], NULL, 5, 0), EFAULT);
    CHECK(send(pair[0], "x", 1, 0) == 1 && read(pair[1], block, 5) == 1); /* nothing is left of it */
}

static void senders_wait_for_room(void)
{
    struct sockaddr_un a = named("packets.a");
    int to = bound(SOCK_DGRAM, &a), count = 0;
    pid_t child;
    char c;

    pair[0] = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    CHECK(connect(pair[0], (void *)&a, sizeof(a)) == 0);
    while (send(pair[0], "x", 1, 0) == 1) {
        count++;
    }
    CHECK(errno == EAGAIN && count == 11); /* max_dgram_qlen, and one */
    child = fork();
    if (child == 0) {
        _exit(fcntl(pair[0], F_SETFL, 0) == 0 && send(pair[0], "y", 1, 0) == 1 ? 0 : 1);
    }
    wait_until_asleep(child);
    CHECK(read(to, &c, 1) == 1 && ends_well(child));
    for (int i = 0; i < 11; i++) {
        CHECK(read(to, &c, 1) == 1);
    }
    CHECK(c == 'y');
    unlink("packets.a");
}

static void packets_in_sequence_have_servers(void)
{
    struct sockaddr_un a = named("packets.a");
    int listener = bound(SOCK_SEQPACKET, &a), client = socket(AF_UNIX, SOCK_SEQPACKET, 0), server, type;
    socklen_t size = sizeof(type);
    char text[8];

    CHECK_ERROR(recv(client, text, 1, 0), ENOTCONN);
    CHECK_ERROR(send(client, text, 1, 0), ENOTCONN);
    CHECK(listen(listener, 1) == 0 && connect(client, (void *)&a, sizeof(a)) == 0);
    CHECK(send(client, "ab", 2, 0) == 2 && send(client, "c", 1, 0) == 1);
    server = accept(listener, NULL, NULL);
    CHECK(getsockopt(server, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET);
    CHECK(read(server, text, 8) == 2 && shutdown(client, SHUT_WR) == 0);
    CHECK(read(server, text, 8) == 1 && read(server, text, 8) == 0);
    CHECK(send(server, "d", 1, 0) == 1 && read(client, text, 8) == 1);
    CHECK_ERROR(send(client, "x", 1, 0), EPIPE);
    unlink("packets.a");
}

/* One byte with these descriptors. */
static long send_files(int to, const int *fds, int count)
{
    char control[CMSG_SPACE(10 * sizeof(int))] __attribute__((aligned(8))) = {0};
    struct iovec piece = {"f", 1};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = control};
    struct cmsghdr *header = (void *)control;

    message.msg_controllen = CMSG_SPACE((size_t)count * sizeof(int));
    *header = (struct cmsghdr){CMSG_LEN((size_t)count * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(header), fds, (size_t)count * sizeof(int));
    return sendmsg(to, &message, 0);
}

/* How many came, with room for `room` of them; *told: the flags. */
static int receive_files(int from, int *fds, int room, int flags, int *told)
{
    char control[CMSG_SPACE(10 * sizeof(int))] __attribute__((aligned(8))), text[8];
    struct iovec piece = {text, sizeof(text)};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = control};
    struct cmsghdr *header;
    int count;

    message.msg_controllen = CMSG_LEN((size_t)room * sizeof(int));
    CHECK(recvmsg(from, &message, flags) == 1);
    *told = message.msg_flags;
    header = CMSG_FIRSTHDR(&message);
    if (!header) {
        return 0;
    }
    CHECK(header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS);
    count = (int)((header->cmsg_len - sizeof(*header)) / sizeof(int));
    memcpy(fds, CMSG_DATA(header), (size_t)count * sizeof(int));
    return count;
}

static void descriptors_travel_by(int type)
{
    int ends[2], got[4], told;
    char text[8];

    make_pair(type);
    CHECK(pipe(ends) == 0 && send_files(pair[0], ends, 2) == 1);
    close(ends[0]);
    close(ends[1]);
    CHECK(receive_files(pair[1], got, 4, 0, &told) == 2 && told == 0);
    CHECK(write(got[1], "through", 7) == 7 && read(got[0], text, 8) == 7);
    CHECK(fcntl(got[0], F_GETFD) == 0);
    CHECK(send_files(pair[0], got, 2) == 1);
    CHECK(receive_files(pair[1], ends, 1, MSG_CMSG_CLOEXEC, &told) == 1);
    CHECK((told & MSG_CTRUNC) && fcntl(ends[0], F_GETFD) == FD_CLOEXEC);
    CHECK(send_files(pair[0], got, 1) == 1 && read(pair[1], text, 8) == 1); /* read closes them */
    CHECK_ERROR(send_files(pair[0], (int[]){got[0], 999}, 2), EBADF);
    CHECK(send_files(pair[0], &got[1], 1) == 1 && close(got[1]) == 0);
    close(pair[1]); /* nobody takes it: it is closed */
    CHECK(read(got[0], text, 8) == 0);
}

static void descriptors_travel(void)
{
    descriptors_travel_by(SOCK_STREAM);
    descriptors_travel_by(SOCK_DGRAM);
    descriptors_travel_by(SOCK_SEQPACKET);
}

static void a_stream_stops_behind_descriptors(void)
{
    int got[4], told;
    char text[8];

    make_pair(SOCK_STREAM);
    CHECK(write(pair[0], "ab", 2) == 2 && send_files(pair[0], pair, 1) == 1 && write(pair[0], "c", 1) == 1);
    CHECK(recv(pair[1], text, 1, 0) == 1 && recv(pair[1], text, 8, MSG_WAITALL) == 2);
    CHECK(memcmp(text, "bf", 2) == 0 && recv(pair[1], text, 8, 0) == 1);
    CHECK(send_files(pair[0], pair, 1) == 1 && write(pair[0], "c", 1) == 1);
    CHECK(receive_files(pair[1], got, 4, MSG_PEEK, &told) == 1 && write(got[0], "d", 1) == 1);
    CHECK(receive_files(pair[1], got, 4, 0, &told) == 1);
    CHECK(read(pair[1], text, 8) == 2 && memcmp(text, "cd", 2) == 0);
}

/* Let it listen at an abstract name, which is free again when it is gone. False: it is not free. */
static bool listen_at(int fd, int number, struct sockaddr_un *address, socklen_t *size)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    *size = offsetof(struct sockaddr_un, sun_path) + 1 +
            (socklen_t)snprintf(address->sun_path + 1, 50, "packets.%d.%d", (int)getpid(), number);
    return bind(fd, (void *)address, *size) == 0 && listen(fd, 1) == 0;
}

/* A connection that nobody accepts. */
static int connect_to(const struct sockaddr_un *address, socklen_t size)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    CHECK(connect(fd, (const void *)address, size) == 0);
    return fd;
}

/* Linux looks for such sockets when others end, and takes its time for it. */
static void a_listener_sent_to_itself_is_freed(void)
{
    struct sockaddr_un address;
    socklen_t size;
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), client;

    CHECK(listen_at(listener, 0, &address, &size));
    client = connect_to(&address, size);
    (void)!send_files(client, &listener, 1);
    CHECK(close(client) == 0 && close(listener) == 0);
    do {
        usleep(1000);
        listener = socket(AF_UNIX, SOCK_STREAM, 0);
        client = listen_at(listener, 0, &address, &size);
        CHECK(close(listener) == 0);
    } while (!client);
}

/* Each lies in the queue of a connection to the one before, which is freed first. */
static void a_long_row_of_listeners_is_freed(void)
{
    struct sockaddr_un address;
    socklen_t size;
    int first = socket(AF_UNIX, SOCK_STREAM, 0), last = first;

    for (int i = 0; i < 300; i++) {
        int next = socket(AF_UNIX, SOCK_STREAM, 0), client;

        CHECK(listen_at(last, i, &address, &size));
        client = connect_to(&address, size);
        (void)!send_files(client, &next, 1);
        CHECK(close(client) == 0 && (last == first || close(last) == 0));
        last = next;
    }
    CHECK(close(last) == 0 && close(first) == 0);
}

/* An abstract name is one for each type; and who has a peer may still get one. */
static void names_are_of_a_type(void)
{
    struct sockaddr_un address;
    socklen_t size;
    int stream = socket(AF_UNIX, SOCK_STREAM, 0), again = socket(AF_UNIX, SOCK_STREAM, 0);
    socklen_t told = sizeof(address);
    char c;

    CHECK(listen_at(stream, 1000, &address, &size));
    CHECK_ERROR(bind(again, (void *)&address, size), EADDRINUSE);
    make_pair(SOCK_DGRAM);
    CHECK_ERROR(sendto(pair[0], "x", 1, 0, (void *)&address, size), ECONNREFUSED);
    CHECK(bind(pair[0], (void *)&address, size) == 0 && sendto(pair[1], "d", 1, 0, (void *)&address, size) == 1);
    CHECK(read(pair[0], &c, 1) == 1 && c == 'd');
    make_pair(SOCK_SEQPACKET);
    CHECK(bind(pair[0], (void *)&address, size) == 0);
    CHECK(getpeername(pair[1], (void *)&address, &told) == 0 && told == size);
    CHECK_ERROR(bind(pair[0], (void *)&address, size), EINVAL);
}

static void a_receiver_knows_who_sends_by(int type)
{
    char control[CMSG_SPACE(sizeof(struct ucred))] __attribute__((aligned(8))), text[8];
    struct iovec piece = {text, sizeof(text)};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    struct cmsghdr *header = (void *)control;
    struct ucred *who = (void *)CMSG_DATA(header);
    int on = 1;
    pid_t child;

    make_pair(type);
    CHECK(setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == 0);
    child = fork();
    if (child == 0) {
        _exit(write(pair[0], "x", 1) == 1 ? 0 : 1);
    }
    CHECK(ends_well(child));
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    CHECK(recvmsg(pair[1], &message, 0) == 1 && message.msg_controllen == sizeof(control));
    CHECK(header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_CREDENTIALS);
    CHECK(who->pid == child && who->uid == getuid());
    who->pid = getpid(); /* said by the sender himself */
    message.msg_controllen = sizeof(control);
    CHECK(sendmsg(pair[0], &message, 0) == 8);
    message.msg_controllen = sizeof(control);
    CHECK(recvmsg(pair[1], &message, 0) == 8 && who->pid == getpid());
    CHECK(write(pair[0], "abc", 3) == 3 && read(pair[1], text, 1) == 1);
    message.msg_controllen = sizeof(control);
    who->pid = 0;
    if (type == SOCK_STREAM) {
        CHECK(recvmsg(pair[1], &message, 0) == 2 && who->pid == getpid());
    }
    CHECK(write(pair[0], "ab", 2) == 2 && write(pair[0], "cd", 2) == 2);
    CHECK(read(pair[1], text, 8) == (type == SOCK_STREAM ? 4 : 2)); /* of one sender, together */
}

static void a_receiver_knows_who_sends(void)
{
    a_receiver_knows_who_sends_by(SOCK_STREAM);
    a_receiver_knows_who_sends_by(SOCK_DGRAM);
}

static void nobody_waits_for_ever(void)
{
    static char block[32768];
    struct timeval time = {0, 20000}, seen;
    socklen_t size = sizeof(seen);

    for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
        make_pair(type);
        CHECK(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)) == 0);
        CHECK(setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time)) == 0);
        CHECK(getsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &seen, &size) == 0 && size == sizeof(seen));
        CHECK(seen.tv_sec == 0 && seen.tv_usec >= 20000 && seen.tv_usec < 30000); /* Linux counts in ticks */
        CHECK_ERROR(read(pair[0], block, 1), EAGAIN);
        while (write(pair[0], block, sizeof(block)) > 0) {
        }
        CHECK(errno == EAGAIN);
    }
    time.tv_usec = 1000000;
    CHECK_ERROR(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)), EDOM);
}

static void flags_are_kept(void)
{
    static const int flags[] = {SO_REUSEADDR, SO_BROADCAST, SO_KEEPALIVE, SO_PASSCRED};

    make_pair(SOCK_STREAM);
    for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
        int on = 5, seen = -1;
        socklen_t size = sizeof(seen);

        CHECK(getsockopt(pair[0], SOL_SOCKET, flags[i], &seen, &size) == 0 && seen == 0);
        CHECK(setsockopt(pair[0], SOL_SOCKET, flags[i], &on, sizeof(on)) == 0);
        CHECK(getsockopt(pair[0], SOL_SOCKET, flags[i], &seen, &size) == 0 && seen == 1);
        on = 0;
        CHECK(setsockopt(pair[0], SOL_SOCKET, flags[i], &on, sizeof(on)) == 0);
        CHECK(getsockopt(pair[0], SOL_SOCKET, flags[i], &seen, &size) == 0 && seen == 0);
    }
}

int main(void)
{
    static const struct test tests[] = {
        TEST(datagrams_keep_their_bounds),
        TEST(packets_in_sequence_keep_them_too),
        TEST(datagrams_have_addresses),
        TEST(peers_of_datagrams_change),
        TEST(long_ones_are_refused),
        TEST(senders_wait_for_room),
        TEST(packets_in_sequence_have_servers),
        TEST(descriptors_travel),
        TEST(a_stream_stops_behind_descriptors),
        TEST(names_are_of_a_type),
        TEST(a_listener_sent_to_itself_is_freed),
        TEST(a_long_row_of_listeners_is_freed),
        TEST(a_receiver_knows_who_sends),
        TEST(nobody_waits_for_ever),
        TEST(flags_are_kept),
    };

    return RUN_TESTS(tests);
}
