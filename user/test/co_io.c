/* Coroutines, layer 3: reading and writing pipes and sockets while others run. */
#include <co.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "ktap.h"

#define MS 1000000l

static char trace[256];
static int ends[2];

static void note(const char *text)
{
    CHECK(strlen(trace) + strlen(text) < sizeof(trace));
    strcat(trace, text);
}

static void *read_and_note(void *size)
{
    char text[16] = "";

    note("r");
    CHECK(co_read(ends[0], text, (size_t)size) > 0);
    note(text);
    return NULL;
}

static void *three_turns_then_write(void *text)
{
    for (int i = 0; i < 3; i++) {
        note("t");
        CHECK(co_yield_now() == 0);
    }
    CHECK(co_write(ends[1], text, strlen(text)) == (ssize_t)strlen(text));
    return NULL;
}

static void others_run_while_one_reads(void)
{
    CHECK(pipe(ends) == 0);
    co_go(read_and_note, (void *)15, NULL);
    co_go(three_turns_then_write, "xyz", NULL);
    CHECK(co_run() == 0);
    CHECK(strcmp(trace, "rtttxyz") == 0);
}

static void *use_bad_descriptors(void *in)
{
    char byte = 0;
    struct pollfd one = {.fd = 99, .events = POLLIN};

    CHECK(co_read(-1, &byte, 1) == -EBADF && co_read(99, &byte, 1) == -EBADF);
    CHECK(co_write(-1, &byte, 1) == -EBADF && co_write(99, &byte, 1) == -EBADF);
    CHECK(co_wait_fd(-1, POLLIN, CO_NEVER) == -EBADF && co_wait_fd(99, POLLIN, 0) == -EBADF);
    CHECK(co_accept(99, NULL, NULL) == -EBADF && co_connect(99, NULL, 0) == -EBADF);
    CHECK(co_close(99) == -EBADF && co_close(-1) == -EBADF);
    CHECK(co_poll(&one, 1, CO_NEVER) == 1 && one.revents == POLLNVAL);
    CHECK(pipe(ends) == 0);
    CHECK(co_read(ends[0], (void *)16, 1) != 1); /* nothing there: canceled by its end */
    return in;
}

static void *close_writer(void *in)
{
    CHECK(co_sleep(MS) == 0);
    CHECK(co_close(ends[1]) == 0);
    return in;
}

static void bad_descriptors_are_errors(void)
{
    char byte;

    CHECK(co_read(0, &byte, 1) == -EPERM && co_write(1, &byte, 1) == -EPERM);
    CHECK(co_wait_fd(0, POLLIN, 0) == -EPERM);
    co_go(use_bad_descriptors, NULL, NULL);
    co_go(close_writer, NULL, NULL);
    CHECK(co_run() == 0);
}

static void *read_twice(void *in)
{
    char text[9] = "";

    for (int i = 0; i < 2; i++) {
        memset(text, 0, sizeof(text));
        CHECK(co_read(ends[0], text, 8) > 0);
        note("<");
        note(text);
    }
    return in;
}

static void *write_pieces(void *in)
{
    static const char *const pieces[] = {"one", "two", "three", "four"};

    for (int i = 0; i < 4; i++) {
        CHECK(co_sleep(MS) == 0);
        CHECK(co_write(ends[1], pieces[i], strlen(pieces[i])) > 0);
    }
    return in;
}

/* Each piece wakes both readers; the one that runs second must not block on an empty pipe. */
static void several_may_wait_for_one_descriptor(void)
{
    CHECK(pipe(ends) == 0);
    co_go(read_twice, NULL, NULL);
    co_go(read_twice, NULL, NULL);
    co_go(write_pieces, NULL, NULL);
    CHECK(co_run() == 0);
    CHECK(strcmp(trace, "<one<two<three<four") == 0);
}

static void *read_to_end(void *in)
{
    char text[4] = "";
    ssize_t got;

    while ((got = co_read(ends[0], text, 3)) > 0) {
        text[got] = '\0';
        note(text);
    }
    CHECK(got == 0);
    note(".");
    return in;
}

static void *write_then_close(void *in)
{
    CHECK(co_write(ends[1], "abcde", 5) == 5);
    CHECK(co_yield_now() == 0);
    CHECK(co_write(ends[1], "f", 1) == 1);
    CHECK(co_close(ends[1]) == 0);
    return in;
}

static void data_comes_in_order_and_then_the_end(void)
{
    CHECK(pipe(ends) == 0);
    co_go(read_to_end, NULL, NULL);
    co_go(write_then_close, NULL, NULL);
    CHECK(co_run() == 0);
    CHECK(strcmp(trace, "abcdef.") == 0);
}

static void *read_until_closed(void *in)
{
    char byte;

    CHECK(co_read(ends[0], &byte, 1) == -EBADF);
    note("b");
    return in;
}

static void *read_new(void *fd)
{
    char text[2] = "";

    CHECK(co_read((int)(long)fd, text, 1) == 1);
    note(text);
    return NULL;
}

/* With data there: both readers of the old pipe have been woken when it is closed, but not run. */
static void *close_and_reuse(void *data_first)
{
    int fresh[2], old = ends[0];

    if (data_first) {
        CHECK(write(ends[1], "old", 3) == 3);
        CHECK(co_sleep(-1000) == 0); /* through the run loop: it polls */
    }
    CHECK(co_close(old) == 0);
    CHECK(pipe(fresh) == 0 && fresh[0] == old);
    co_go(read_new, (void *)(long)old, NULL);
    CHECK(co_write(fresh[1], "n", 1) == 1);
    return NULL;
}

static void close_wakes_waiters_and_a_reused_number_is_another_file(void)
{
    CHECK(pipe(ends) == 0);
    co_go(read_until_closed, NULL, NULL);
    co_go(read_until_closed, NULL, NULL);
    co_go(close_and_reuse, NULL, NULL);
    CHECK(co_run() == 0);
    CHECK(strcmp(trace, "bbn") == 0);
}

#define LOTS 300000

static char pattern(size_t at)
{
    return (char)(at * 31 + at / 251);
}

static void *write_lots(void *in)
{
    char *bytes = malloc(LOTS);

    for (size_t i = 0; i < LOTS; i++) {
        bytes[i] = pattern(i);
    }
    CHECK(co_write(ends[1], bytes, LOTS) == LOTS);
    CHECK(co_close(ends[1]) == 0);
    free(bytes);
    return in;
}

static void *read_lots(void *in)
{
    static char bytes[7001];
    size_t at = 0;
    ssize_t got;

    while ((got = co_read(ends[0], bytes, sizeof(bytes))) > 0) {
        for (ssize_t i = 0; i < got; i++, at++) {
            CHECK(bytes[i] == pattern(at));
        }
        CHECK(co_yield_now() == 0);
    }
    CHECK(got == 0 && at == LOTS);
    return in;
}

static void write_that_does_not_fit_is_completed(void)
{
    CHECK(pipe(ends) == 0);
    co_go(write_lots, NULL, NULL);
    co_go(read_lots, NULL, NULL);
    CHECK(co_run() == 0);
    CHECK(close(ends[0]) == 0);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    co_go(write_lots, NULL, NULL);
    co_go(read_lots, NULL, NULL);
    CHECK(co_run() == 0);
}

static volatile int signals;

static void count_signal(int signal)
{
    signals += signal == SIGUSR1;
}

/* The answer comes after the signals, so the read was interrupted and went on. */
static void interrupted_wait_goes_on(void)
{
    pid_t parent = getpid(), child;

    CHECK(sigaction(SIGUSR1, &(struct sigaction){.sa_handler = count_signal}, NULL) == 0);
    CHECK(pipe(ends) == 0);
    child = fork();
    if (child == 0) {
        for (int i = 0; i < 3; i++) {
            usleep(2000);
            kill(parent, SIGUSR1);
        }
        usleep(2000);
        CHECK(write(ends[1], "a", 1) == 1);
        _exit(0);
    }
    co_go(read_and_note, (void *)1, NULL);
    CHECK(co_run() == 0);
    CHECK(signals > 0 && strcmp(trace, "ra") == 0);
    CHECK(waitpid(child, NULL, 0) == child);
}

static int flags_of(int fd)
{
    return fcntl(fd, F_GETFL);
}

static void *exchange_both_ways(void *nonblocking)
{
    int set = nonblocking ? O_NONBLOCK : 0;
    char text[4] = "";

    for (int i = 0; i < 2; i++) {
        CHECK(fcntl(ends[i], F_SETFL, (flags_of(ends[i]) & ~O_NONBLOCK) | set) == 0);
    }
    CHECK(co_write(ends[1], "abc", 3) == 3);
    CHECK(co_read(ends[0], text, 3) == 3 && strcmp(text, "abc") == 0);
    CHECK((flags_of(ends[0]) & O_NONBLOCK) == set && (flags_of(ends[1]) & O_NONBLOCK) == set);
    return NULL;
}

static void nonblock_flag_is_left_as_it_was(void)
{
    for (int i = 0; i < 4; i++) {
        CHECK((i < 2 ? pipe(ends) : socketpair(AF_UNIX, SOCK_STREAM, 0, ends)) == 0);
        co_go(exchange_both_ways, i & 1 ? "" : NULL, NULL);
        CHECK(co_run() == 0);
    }
}

static struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "co_io.socket"};

static void *serve(void *listener)
{
    int fd = (int)(long)listener;

    for (int i = 0; i < 3; i++) {
        char byte;
        int client = co_accept(fd, NULL, NULL);

        CHECK(client >= 0);
        CHECK(co_read(client, &byte, 1) == 1);
        byte++;
        CHECK(co_write(client, &byte, 1) == 1);
        CHECK(co_close(client) == 0);
    }
    return NULL;
}

static void *ask(void *byte)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    char answer[2] = "";

    CHECK(fd >= 0);
    CHECK(co_connect(fd, &address, sizeof(address)) == 0);
    CHECK(!(flags_of(fd) & O_NONBLOCK));
    CHECK(co_write(fd, byte, 1) == 1);
    CHECK(co_read(fd, answer, 1) == 1);
    note(answer);
    CHECK(co_read(fd, answer, 1) == 0);
    CHECK(co_close(fd) == 0);
    return NULL;
}

static void server_and_clients_share_a_thread(void)
{
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);

    unlink(address.sun_path);
    CHECK(bind(listener, (void *)&address, sizeof(address)) == 0 && listen(listener, 1) == 0);
    co_go(serve, (void *)(long)listener, "server");
    co_go(ask, "a", "client");
    co_go(ask, "b", "client");
    co_go(ask, "c", "client");
    CHECK(co_run() == 0);
    CHECK(strlen(trace) == 3 && strchr(trace, 'b') && strchr(trace, 'c') && strchr(trace, 'd'));
    CHECK(!(flags_of(listener) & O_NONBLOCK));
    unlink(address.sun_path);
}

static void *wait_with_deadlines(void *in)
{
    int64_t deadline = co_now() + 3 * MS;
    struct pollfd two[] = {{.fd = ends[0], .events = POLLIN}, {.fd = ends[1], .events = POLLOUT}};

    CHECK(co_wait_fd(ends[0], POLLIN, 0) == -ETIMEDOUT);
    CHECK(co_wait_fd(ends[0], POLLIN, deadline) == -ETIMEDOUT && co_now() >= deadline);
    CHECK(co_poll(two, 1, 0) == 0 && co_poll(two, 1, co_now() + MS) == 0);
    CHECK(co_poll(two, 2, CO_NEVER) == 1 && two[1].revents == POLLOUT && two[0].revents == 0);
    CHECK(co_write(ends[1], "x", 1) == 1);
    CHECK(co_wait_fd(ends[0], POLLIN, CO_NEVER) == POLLIN);
    CHECK(co_poll(two, 2, CO_NEVER) == 2);
    return in;
}

static void waiting_for_descriptors_has_deadlines(void)
{
    CHECK(pipe(ends) == 0);
    co_go(wait_with_deadlines, NULL, NULL);
    CHECK(co_run() == 0);
}

static void *read_zeros(void *in)
{
    int fd = open("/dev/zero", O_RDONLY);
    char byte;

    CHECK(fd >= 0);
    while (!trace[0]) {
        CHECK(co_read(fd, &byte, 1) == 1);
    }
    return in;
}

static void *note_turn(void *text)
{
    note(text);
    return NULL;
}

static void reader_that_never_waits_still_lets_others_run(void)
{
    co_go(read_zeros, NULL, NULL);
    co_go(note_turn, "x", NULL);
    CHECK(co_run() == 0);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(others_run_while_one_reads), TEST(bad_descriptors_are_errors),
        TEST(several_may_wait_for_one_descriptor), TEST(data_comes_in_order_and_then_the_end),
        TEST(close_wakes_waiters_and_a_reused_number_is_another_file),
        TEST(write_that_does_not_fit_is_completed), TEST(interrupted_wait_goes_on),
        TEST(nonblock_flag_is_left_as_it_was), TEST(server_and_clients_share_a_thread),
        TEST(waiting_for_descriptors_has_deadlines),
        TEST(reader_that_never_waits_still_lets_others_run),
    };
    return RUN_TESTS(tests);
}
