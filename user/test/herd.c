/* Many wait for the same: one is woken for what one takes, and nobody is forgotten. */
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>

#include "asleep.h"

enum { HERD = 40, EACH = 8 }; /* an eventfd gives no less than 8 bytes */

static int from, to, results;
static pid_t herd[HERD];
static long switches[HERD];

/* How a child waits for `from`: in read, or in its own set of epoll. */
static int waits_by_epoll;

static void wait_by_epoll(void)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE}, told;
    int epoll = epoll_create1(0);

    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, from, &event) == 0 && epoll_wait(epoll, &told, 1, -1) == 1);
}

/* HERD children, asleep, in the order of herd[]; each tells what it read: `size` bytes. */
static void herd_start(int size)
{
    int ends[2];

    CHECK(pipe(ends) == 0);
    results = ends[0];
    for (int i = 0; i < HERD; i++) {
        herd[i] = fork();
        if (herd[i] == 0) {
            char text[EACH] = "";

            close(to);
            if (waits_by_epoll) {
                wait_by_epoll();
            }
            _exit(read(from, text, (size_t)size) >= 0 && write(ends[1], text, 1) == 1 ? 0 : 1);
        }
        wait_until_asleep(herd[i]);
        switches[i] = voluntary_switches(herd[i]);
    }
    close(ends[1]);
}

/* The next `count`, who wait longest, have got something and are gone; the others have slept on. */
static void herd_served(int first, int count)
{
    char text[HERD];

    for (int i = 0; i < count; i++) {
        CHECK(read(results, text, 1) == 1 && ends_well(herd[first + i]));
    }
    for (int i = first + count; i < HERD; i++) {
        CHECK(slept_on(herd[i], switches[i]));
    }
}

/* Closed at the writing end: all that are left see the end. */
static void herd_end(int first)
{
    close(to);
    for (int i = first; i < HERD; i++) {
        CHECK(ends_well(herd[i]));
    }
    close(from);
    close(results);
}

static void herd_at_a_stream(int reading, int writing)
{
    from = reading;
    to = writing;
    herd_start(1);
    CHECK(write(to, "a", 1) == 1);
    herd_served(0, 1);
    if (!waits_by_epoll) {
        CHECK(write(to, "bcd", 3) == 3); /* one write, for three: each passes it on */
    } else {
        CHECK(write(to, "b", 1) == 1 && write(to, "c", 1) == 1 && write(to, "d", 1) == 1);
    }
    herd_served(1, 3);
    CHECK(write(to, "e", 1) == 1 && write(to, "f", 1) == 1);
    herd_served(4, 2);
    CHECK(kill(herd[6], SIGKILL) == 0 && exit_code(herd[6]) == -1); /* the first one goes */
    CHECK(write(to, "g", 1) == 1);
    herd_served(7, 1);
    herd_end(8);
}

static void a_byte_of_a_pipe_wakes_one(void)
{
    int ends[2];

    CHECK(pipe(ends) == 0);
    herd_at_a_stream(ends[0], ends[1]);
}

static void exclusive_sets_wake_one(void)
{
    waits_by_epoll = 1;
    a_byte_of_a_pipe_wakes_one();
}

/* Linux does it for pipes and connections; here it wakes all, and who is first gets it. */
static int linux_wakes_all(void)
{
    return access("/proc/unimplemented", F_OK) != 0;
}

static void a_byte_of_a_socket_wakes_one(void)
{
    int ends[2];

    if (linux_wakes_all()) {
        return;
    }
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    herd_at_a_stream(ends[0], ends[1]);
}

static void a_count_wakes_one_after_the_other(void)
{
    uint64_t two = 2, rest = HERD - 2;

    if (linux_wakes_all()) {
        return;
    }
    from = eventfd(0, EFD_SEMAPHORE);
    to = dup(from);
    herd_start(8);
    CHECK(write(to, &two, 8) == 8);
    herd_served(0, 2);
    CHECK(write(to, &rest, 8) == 8);
    herd_end(2);
}

static void an_expiration_wakes_one(void)
{
    struct itimerspec once = {.it_value.tv_nsec = 1000000}, often = {{0, 1000000}, {0, 1000000}};

    if (linux_wakes_all()) {
        return;
    }
    from = timerfd_create(CLOCK_MONOTONIC, 0);
    to = dup(from);
    herd_start(8);
    for (int i = 0; i < 2; i++) {
        CHECK(timerfd_settime(to, 0, &once, NULL) == 0);
        herd_served(i, 1);
    }
    CHECK(timerfd_settime(to, 0, &often, NULL) == 0);
    herd_end(2);
}

/* poll and epoll hear of each byte, whoever stands before them in the queue. */
static void who_polls_is_told_beside_readers(void)
{
    struct epoll_event event = {.events = EPOLLIN}, told;
    int ends[2], epoll = epoll_create1(0), status;
    pid_t reader, poller;

    CHECK(pipe(ends) == 0);
    reader = fork();
    if (reader == 0) {
        char c;

        _exit(read(ends[0], &c, 1) == 1 && c == 'a' ? 0 : 1);
    }
    wait_until_asleep(reader);
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event) == 0);
    poller = fork();
    if (poller == 0) {
        _exit(epoll_wait(epoll, &told, 1, -1) == 1 ? 0 : 1);
    }
    wait_until_asleep(poller);
    CHECK(write(ends[1], "ab", 2) == 2); /* the reader leaves one */
    CHECK(waitpid(reader, &status, 0) == reader && status == 0 && ends_well(poller));
    close(ends[0]);
    close(ends[1]);
    close(epoll);
}

static void a_connection_wakes_one(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "herd.socket"};
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    pid_t servers[3], client;
    long before;

    CHECK(bind(listener, (void *)&address, sizeof(address)) == 0 && listen(listener, 8) == 0);
    for (int i = 0; i < 3; i++) {
        servers[i] = fork();
        if (servers[i] == 0) {
            _exit(accept(listener, NULL, NULL) >= 0 ? 0 : 1);
        }
        wait_until_asleep(servers[i]);
    }
    before = voluntary_switches(servers[1]);
    for (int i = 0; i < 3; i++) {
        client = socket(AF_UNIX, SOCK_STREAM, 0);
        CHECK(connect(client, (void *)&address, sizeof(address)) == 0 && ends_well(servers[i]));
        CHECK(i || slept_on(servers[1], before));
        close(client);
    }
    close(listener);
    unlink("herd.socket");
}

int main(void)
{
    static const struct test tests[] = {
        TEST(a_byte_of_a_pipe_wakes_one),
        TEST(exclusive_sets_wake_one),
        TEST(a_byte_of_a_socket_wakes_one),
        TEST(a_count_wakes_one_after_the_other),
        TEST(an_expiration_wakes_one),
        TEST(who_polls_is_told_beside_readers),
        TEST(a_connection_wakes_one),
    };

    return RUN_TESTS(tests);
}
