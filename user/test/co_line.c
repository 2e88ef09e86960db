/* Coroutines in line for a descriptor: who gets what comes, and what happens to the number. */
#include <co.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "ktap.h"

#define MS 1000000l

static int ends[2];
static char order[64];

static void note(char who)
{
    size_t at = strlen(order);

    CHECK(at + 1 < sizeof(order));
    order[at] = who;
}

static void *read_ten(void *name)
{
    char byte;

    for (int i = 0; i < 10; i++) {
        CHECK(co_read(ends[0], &byte, 1) == 1);
        note(*(char *)name);
    }
    return NULL;
}

static void *write_twenty(void *at_once)
{
    if (at_once) {
        CHECK(co_write(ends[1], "....................", 20) == 20);
        return NULL;
    }
    for (int i = 0; i < 20; i++) {
        CHECK(co_write(ends[1], ".", 1) == 1);
        CHECK(co_sleep(MS / 10) == 0);
    }
    return NULL;
}

/* However the bytes come, two readers take turns. */
static void two_readers_take_turns(void)
{
    for (long at_once = 0; at_once < 2; at_once++) {
        memset(order, 0, sizeof(order));
        CHECK(pipe(ends) == 0);
        co_go(read_ten, "a", NULL);
        co_go(read_ten, "b", NULL);
        co_go(write_twenty, (void *)at_once, NULL);
        CHECK(co_run() == 0);
        CHECK(strcmp(order, "abababababababababab") == 0);
        close(ends[0]);
        close(ends[1]);
    }
}

/* One that comes when there is something, and others have waited for it, comes last. */
static void *read_late(void *name)
{
    co_sleep(MS);
    CHECK(write(ends[1], "123", 3) == 3);
    return read_ten(name);
}

static void *write_rest(void *in)
{
    co_sleep(2 * MS);
    CHECK(co_write(ends[1], "456789012345678901234567890", 27) == 27);
    return in;
}

static void a_newcomer_stands_behind_who_has_waited(void)
{
    CHECK(pipe(ends) == 0);
    co_go(read_ten, "a", NULL);
    co_go(read_ten, "b", NULL);
    co_go(read_late, "c", NULL);
    co_go(write_rest, NULL, NULL);
    CHECK(co_run() == 0);
    CHECK(strncmp(order, "abcabcabc", 9) == 0);
}

static void *look(void *seen)
{
    CHECK(co_wait_fd(ends[0], POLLIN, CO_NEVER) == POLLIN);
    ++*(int *)seen;
    return NULL;
}

static void *write_one(void *in)
{
    co_sleep(5 * MS);
    CHECK(write(ends[1], "x", 1) == 1);
    return in;
}

/* Nothing bounds how many wait, and looking takes nothing away. */
static void more_may_wait_than_there_are_descriptors(void)
{
    struct rlimit few = {64, 64};
    int seen = 0;

    CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
    CHECK(pipe(ends) == 0);
    for (int i = 0; i < 500; i++) {
        co_go(look, &seen, NULL);
    }
    co_go(write_one, NULL, NULL);
    CHECK(co_run() == 0 && seen == 500);
}

static void *without_a_descriptor_left(void *in)
{
    char byte;
    int fd;

    while ((fd = dup(ends[0])) >= 0) {
    }
    CHECK(co_read(ends[0], &byte, 1) == -EMFILE); /* there is no room for the set */
    CHECK(co_write(ends[1], "y", 1) == 1 && co_read(ends[0], &byte, 1) == 1);
    return in;
}

static void no_descriptor_left_is_an_error(void)
{
    struct rlimit few = {16, 16};

    CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
    CHECK(pipe(ends) == 0);
    co_go(without_a_descriptor_left, NULL, NULL);
    CHECK(co_run() == 0);
}

static void *wrong_ends(void *in)
{
    char byte = 0;

    CHECK(co_read(ends[1], &byte, 1) == -EBADF && co_write(ends[0], &byte, 1) == -EBADF);
    return in;
}

static void the_wrong_end_of_a_pipe_is_an_error(void)
{
    CHECK(pipe(ends) == 0);
    co_go(wrong_ends, NULL, NULL);
    CHECK(co_run() == 0);
}

/* epoll(7) refuses regular files; poll(2) calls them ready, and so does co_poll. */
static void *files_and_pipes(void *in)
{
    int file = open("co_line.tmp", O_RDWR | O_CREAT | O_TRUNC, 0600);
    struct pollfd both[] = {{.fd = ends[0], .events = POLLIN}, {.fd = file, .events = POLLIN},
                            {.fd = -1, .events = POLLIN}};
    char byte;

    CHECK(file >= 0 && unlink("co_line.tmp") == 0);
    CHECK(co_write(file, "abc", 3) == 3 && lseek(file, 0, SEEK_SET) == 0);
    CHECK(co_read(file, &byte, 1) == 1 && byte == 'a');
    CHECK(co_wait_fd(file, POLLIN, CO_NEVER) == POLLIN);
    CHECK(co_poll(both, 3, CO_NEVER) == 1 && both[0].revents == 0 && both[1].revents == POLLIN);
    both[1].events = 0;
    CHECK(co_poll(both, 3, co_now() + MS) == 0); /* nobody tells of the file, the pipe is empty */
    close(file);
    return in;
}

static void regular_files_are_always_ready(void)
{
    CHECK(pipe(ends) == 0);
    co_go(files_and_pipes, NULL, NULL);
    CHECK(co_run() == 0);
}

/* The number is closed while the other one is in the middle, and another file's at once. */

static char lots[1 << 20];
static long gave;

static void *write_lots(void *fd)
{
    gave = co_write((int)(long)fd, lots, sizeof(lots));
    return NULL;
}

static void *close_and_use_again(void *fd)
{
    int old = (int)(long)fd, other[2];

    co_yield_now();
    CHECK(co_close(old) == 0);
    CHECK(pipe(other) == 0 && (other[0] == old || other[1] == old));
    fcntl(other[0], F_SETFL, O_NONBLOCK);
    for (int i = 0; i < 10; i++) {
        co_yield_now();
    }
    CHECK(read(other[0], lots, 1) == -1 && errno == EAGAIN); /* nothing of it went here */
    return NULL;
}

static void a_write_ends_when_its_file_is_closed(void)
{
    int fd = open("co_line.tmp", O_RDWR | O_CREAT | O_TRUNC, 0600), sink[2];

    CHECK(fd >= 0 && unlink("co_line.tmp") == 0 && pipe(sink) == 0);
    co_go(write_lots, (void *)(long)fd, NULL);
    co_go(close_and_use_again, (void *)(long)fd, NULL);
    CHECK(co_run() == 0 && gave > 0 && gave < (long)sizeof(lots));
    co_go(write_lots, (void *)(long)sink[1], NULL); /* and one that waits for room */
    co_go(close_and_use_again, (void *)(long)sink[1], NULL);
    CHECK(co_run() == 0 && gave == 65536);
}

static void *read_always_ready(void *fd)
{
    char byte;

    while ((gave = co_read((int)(long)fd, &byte, 1)) == 1) {
    }
    return NULL;
}

static void a_read_ends_when_its_file_is_closed(void)
{
    int fd = open("/dev/zero", O_RDWR);

    CHECK(fd >= 0);
    co_go(read_always_ready, (void *)(long)fd, NULL);
    co_go(close_and_use_again, (void *)(long)fd, NULL);
    CHECK(co_run() == 0 && gave == -EBADF);
}

static void *accept_parked(void *fd)
{
    gave = co_accept((int)(long)fd, NULL, NULL);
    return NULL;
}

static void *connect_parked(void *fd)
{
    struct sockaddr name = {AF_UNIX, "\0co_line"};

    gave = co_connect((int)(long)fd, &name, sizeof(name));
    return NULL;
}

/* The server's backlog is full, so that connect has to wait. */
static void accept_and_connect_end_when_their_socket_is_closed(void)
{
    struct sockaddr name = {AF_UNIX, "\0co_line"};
    int server = socket(AF_UNIX, SOCK_STREAM, 0), fd, filler;

    CHECK(bind(server, &name, sizeof(name)) == 0 && listen(server, 0) == 0);
    co_go(accept_parked, (void *)(long)server, NULL);
    co_go(close_and_use_again, (void *)(long)server, NULL);
    CHECK(co_run() == 0 && gave == -EBADF);

    server = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(bind(server, &name, sizeof(name)) == 0 && listen(server, 0) == 0);
    do {
        filler = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    } while (connect(filler, &name, sizeof(name)) == 0);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    co_go(connect_parked, (void *)(long)fd, NULL);
    co_go(close_and_use_again, (void *)(long)fd, NULL);
    CHECK(co_run() == 0 && gave == -EBADF);
}

/* close(2) instead of co_close: the library learns of it when the number is waited for again. */
static void *read_after_close(void *in)
{
    char byte = 0;

    CHECK(co_wait_fd(ends[0], POLLIN, co_now() + MS) == -ETIMEDOUT);
    close(ends[0]);
    close(ends[1]);
    CHECK(pipe(ends) == 0);
    co_go(write_one, NULL, NULL);
    CHECK(co_read(ends[0], &byte, 1) == 1 && byte == 'x');
    return in;
}

static void a_number_closed_behind_the_librarys_back_works_again(void)
{
    CHECK(pipe(ends) == 0);
    co_go(read_after_close, NULL, NULL);
    CHECK(co_run() == 0);
}

static void *wait_for_nothing(void *in)
{
    CHECK(co_wait_fd(ends[0], 0, CO_NEVER) == POLLHUP);
    return in;
}

static void *hang_up(void *in)
{
    co_sleep(MS);
    CHECK(co_close(ends[1]) == 0);
    return in;
}

/* poll(2): a hang-up is told to who asks for nothing. */
static void a_hang_up_ends_every_wait(void)
{
    CHECK(pipe(ends) == 0);
    co_go(wait_for_nothing, NULL, NULL);
    co_go(hang_up, NULL, NULL);
    CHECK(co_run() == 0);
}

static void *wait_to_write(void *deadline)
{
    CHECK(co_wait_fd(ends[0], POLLOUT, co_now() + (int64_t)deadline) == -ETIMEDOUT);
    return NULL;
}

static void *read_from_socket(void *in)
{
    char byte;

    CHECK(co_read(ends[0], &byte, 1) == 1);
    return in;
}

/* One direction's waiter gives up; the other one must still be told. */
static void both_directions_are_waited_for(void)
{
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    while (send(ends[0], lots, 4096, MSG_DONTWAIT) > 0) {
    }
    co_go(wait_to_write, (void *)MS, NULL);
    co_go(read_from_socket, NULL, NULL);
    co_go(wait_to_write, (void *)(2 * MS), NULL);
    co_go(write_one, NULL, NULL);
    CHECK(co_run() == 0);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(two_readers_take_turns), TEST(a_newcomer_stands_behind_who_has_waited),
        TEST(more_may_wait_than_there_are_descriptors), TEST(no_descriptor_left_is_an_error),
        TEST(the_wrong_end_of_a_pipe_is_an_error), TEST(regular_files_are_always_ready),
        TEST(a_write_ends_when_its_file_is_closed), TEST(a_read_ends_when_its_file_is_closed),
        TEST(accept_and_connect_end_when_their_socket_is_closed),
        TEST(a_number_closed_behind_the_librarys_back_works_again),
        TEST(both_directions_are_waited_for), TEST(a_hang_up_ends_every_wait),
    };

    return RUN_TESTS(tests);
}
