/* O_NONBLOCK on pipes and the terminal; poll, ppoll, select and pselect and their corners. */
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "asleep.h"

static int ends[2];
static char block[4096];

static int events_of(int fd, int asked)
{
    struct pollfd p = {fd, (short)asked, 0};

    CHECK(poll(&p, 1, 0) >= 0);
    return p.revents;
}

#define BOTH (POLLIN | POLLOUT)

static void fill(int fd)
{
    while (write(fd, block, sizeof(block)) > 0) {
    }
    CHECK(errno == EAGAIN);
}

static void pipe_refuses_when_empty_and_when_full(void)
{
    CHECK(pipe2(ends, O_NONBLOCK) == 0);
    CHECK_ERROR(read(ends[0], block, 1), EAGAIN);
    CHECK(events_of(ends[0], BOTH) == 0 && events_of(ends[1], BOTH) == POLLOUT);
    fill(ends[1]);
    CHECK(events_of(ends[0], BOTH) == POLLIN && events_of(ends[1], BOTH) == 0);
    CHECK_ERROR(write(ends[1], block, 1), EAGAIN);
    CHECK(read(ends[0], block, 100) == 100);
    CHECK(events_of(ends[1], BOTH) == 0); /* a small write might have to wait */
    CHECK_ERROR(write(ends[1], block, 4096), EAGAIN); /* nor is it torn */
    CHECK(read(ends[0], block, 4096) == 4096 && events_of(ends[1], BOTH) == POLLOUT);
    CHECK(write(ends[1], block, 4096) == 4096);
}

static void flag_comes_and_goes(void)
{
    int on = 1, waiting = -1, copy;

    CHECK(pipe(ends) == 0 && !(fcntl(ends[0], F_GETFL) & O_NONBLOCK));
    CHECK(ioctl(ends[0], FIONBIO, &on) == 0 && fcntl(ends[0], F_GETFL) & O_NONBLOCK);
    copy = dup(ends[0]); /* it belongs to the open file, not to the descriptor */
    CHECK_ERROR(read(copy, block, 1), EAGAIN);
    on = 0;
    CHECK(ioctl(copy, FIONBIO, &on) == 0 && !(fcntl(ends[0], F_GETFL) & O_NONBLOCK));
    CHECK(fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0 && fcntl(copy, F_GETFL) & O_NONBLOCK);
    CHECK_ERROR(ioctl(ends[0], FIONBIO, (int *)8), EFAULT);
    CHECK(write(ends[1], "abc", 3) == 3 && ioctl(ends[0], FIONREAD, &waiting) == 0 && waiting == 3);
}

/* Who asks for SIGIO gets it (Linux), or hears that it will not come. */
static void signals_instead_of_waiting_are_not_pretended(void)
{
    CHECK(pipe(ends) == 0);
    if (fcntl(ends[0], F_SETFL, O_ASYNC | O_NONBLOCK)) {
        CHECK(errno == EINVAL && !(fcntl(ends[0], F_GETFL) & (O_ASYNC | O_NONBLOCK)));
    } else {
        CHECK(fcntl(ends[0], F_GETFL) & O_ASYNC);
    }
    CHECK_ERROR(fcntl(open("/", 010000000), F_SETFL, O_NONBLOCK), EBADF); /* O_PATH */
}

static void readv_takes_what_there_is(void)
{
    char a[2], b[2], c[2];
    struct iovec pieces[3] = {{a, 2}, {b, 2}, {c, 2}};

    CHECK(pipe(ends) == 0 && write(ends[1], "abcd", 4) == 4);
    CHECK(readv(ends[0], pieces, 3) == 4 && memcmp(b, "cd", 2) == 0);
}

static void poll_reports_what_nobody_asked_for(void)
{
    struct pollfd fds[4];

    CHECK(pipe(ends) == 0);
    fds[0] = (struct pollfd){-5, POLLIN, 99}; /* passed over */
    fds[1] = (struct pollfd){200, POLLIN, 99};
    fds[2] = (struct pollfd){ends[0], 0, 99};
    fds[3] = (struct pollfd){open("/dev/null", O_RDWR), BOTH, 99};
    CHECK(poll(fds, 4, -1) == 2);
    CHECK(fds[0].revents == 0 && fds[1].revents == POLLNVAL && fds[2].revents == 0);
    CHECK(fds[3].revents == BOTH);
    close(ends[1]);
    CHECK(poll(fds + 2, 1, -1) == 1 && fds[2].revents == POLLHUP);
    CHECK(pipe(ends) == 0);
    close(ends[0]);
    CHECK(events_of(ends[1], 0) == POLLERR && events_of(ends[1], POLLOUT) == (POLLOUT | POLLERR));
    CHECK(poll(NULL, 0, 1) == 0 && poll(fds, 1, 0) == 0);
}

static pid_t poller(struct pollfd *fds, int count, int expected)
{
    pid_t pid = fork();

    if (pid == 0) {
        CHECK(poll(fds, (nfds_t)count, -1) == expected);
        _exit(0);
    }
    wait_until_asleep(pid);
    return pid;
}

static void poll_of_many_wakes_for_one(void)
{
    struct pollfd fds[100];
    int inputs[100];
    pid_t pid;

    for (int i = 0; i < 100; i++) {
        CHECK(pipe(ends) == 0);
        fds[i] = (struct pollfd){ends[0], POLLIN, 0};
        inputs[i] = ends[1];
    }
    pid = poller(fds, 100, 1);
    CHECK(write(inputs[63], "x", 1) == 1 && ends_well(pid));
}

/* The writer polls for input on a full socket: room is nothing to it. */
static void poll_is_woken_for_its_events_only(void)
{
    struct pollfd p = {0, POLLIN, 0};
    long switches;
    pid_t pid;

    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
    fill(ends[0]);
    p.fd = ends[0];
    pid = poller(&p, 1, 1);
    switches = voluntary_switches(pid);
    while (read(ends[1], block, sizeof(block)) > 0) {
    }
    CHECK(slept_on(pid, switches));
    CHECK(write(ends[1], "x", 1) == 1 && ends_well(pid));
}

static void writers_poll_is_woken_when_a_write_would_fit(void)
{
    struct pollfd p = {0, POLLOUT, 0};
    long switches;
    pid_t pid;

    CHECK(pipe2(ends, O_NONBLOCK) == 0);
    fill(ends[1]);
    p.fd = ends[1];
    pid = poller(&p, 1, 1);
    switches = voluntary_switches(pid);
    for (int i = 0; i < 4; i++) {
        CHECK(read(ends[0], block, 1000) == 1000);
    }
    if (access("/proc/unimplemented", F_OK) == 0) { /* Linux 6.1 wakes it each time, for nothing */
        CHECK(slept_on(pid, switches));
    }
    CHECK(read(ends[0], block, 1000) == 1000 && ends_well(pid));
}

static volatile sig_atomic_t handled;

static void handler(int signal)
{
    handled = signal;
}

static sigset_t usr1, none;

static void prepare_signal(int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

    sigaction(SIGUSR1, &action, NULL);
    sigemptyset(&none);
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    CHECK(pipe(ends) == 0);
}

static void signals_interrupt_waiting(void)
{
    pid_t pid;

    prepare_signal(SA_RESTART); /* which means nothing to these */
    for (int kind = 0; kind < 2; kind++) {
        pid = fork();
        if (pid == 0) {
            struct pollfd p = {ends[0], POLLIN, 0};
            fd_set set;

            FD_ZERO(&set);
            FD_SET(ends[0], &set);
            if (kind == 0) {
                CHECK_ERROR(poll(&p, 1, -1), EINTR);
            } else {
                CHECK_ERROR(select(ends[0] + 1, &set, NULL, NULL, NULL), EINTR);
                CHECK(FD_ISSET(ends[0], &set)); /* not touched */
            }
            _exit(handled == SIGUSR1 ? 0 : 1);
        }
        wait_until_asleep(pid);
        kill(pid, SIGUSR1);
        CHECK(ends_well(pid));
    }
}

static void mask_holds_while_waiting(void)
{
    struct pollfd p = {0, POLLIN, 0};
    struct timespec zero = {0, 0};
    sigset_t now;
    fd_set set;

    prepare_signal(0);
    p.fd = ends[0];
    CHECK(sigprocmask(SIG_BLOCK, &usr1, NULL) == 0 && raise(SIGUSR1) == 0);
    CHECK(ppoll(&p, 1, &zero, &usr1) == 0 && !handled);
    CHECK_ERROR(ppoll(&p, 1, NULL, &none), EINTR);
    CHECK(handled == SIGUSR1 && sigprocmask(SIG_BLOCK, NULL, &now) == 0);
    CHECK(sigismember(&now, SIGUSR1)); /* blocked again */
    handled = 0;
    CHECK(raise(SIGUSR1) == 0 && write(ends[1], "x", 1) == 1);
    CHECK(ppoll(&p, 1, NULL, &none) == 1 && !handled); /* a result: the signal waits */
    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    CHECK(pselect(ends[0] + 1, &set, NULL, NULL, NULL, &none) == 1 && !handled);
    CHECK(read(ends[0], block, 1) == 1);
    CHECK_ERROR(pselect(ends[0] + 1, &set, NULL, NULL, NULL, &none), EINTR);
    CHECK(handled == SIGUSR1);
}

static void select_leaves_what_is_ready(void)
{
    struct timeval time = {1000, 0};
    fd_set reads, writes, errors;
    int last;

    CHECK(pipe(ends) == 0);
    last = ends[1] + 1;
    FD_ZERO(&reads);
    FD_SET(ends[0], &reads);
    FD_SET(ends[1], &reads);
    writes = errors = reads;
    CHECK(select(last, &reads, &writes, &errors, &time) == 1);
    CHECK(FD_ISSET(ends[1], &writes) && !FD_ISSET(ends[0], &writes) && !FD_ISSET(ends[1], &reads));
    CHECK(time.tv_sec >= 900 && time.tv_sec <= 1000);
    close(ends[1]);
    FD_ZERO(&reads);
    FD_SET(ends[0], &reads);
    writes = reads;
    CHECK(select(last, &reads, NULL, NULL, NULL) == 1 && FD_ISSET(ends[0], &reads));
    time = (struct timeval){0, 1000}; /* the end can be read, but not be written to */
    CHECK(select(last, NULL, &writes, NULL, &time) == 0 && !FD_ISSET(ends[0], &writes));
    CHECK(time.tv_sec == 0 && time.tv_usec == 0);
}

static void select_errors(void)
{
    struct timeval bad = {-1, 0}, zero = {0, 0};
    fd_set set;

    FD_ZERO(&set);
    FD_SET(50, &set);
    CHECK_ERROR(select(51, &set, NULL, NULL, &zero), EBADF);
    CHECK(select(50, &set, NULL, NULL, &zero) == 0);
    CHECK_ERROR(select(-1, NULL, NULL, NULL, &zero), EINVAL);
    CHECK_ERROR(select(0, NULL, NULL, NULL, &bad), EINVAL);
    CHECK(select(0, NULL, NULL, NULL, &zero) == 0);
}

static void terminal_refuses_without_a_line(void)
{
    int fd = open("/dev/tty", O_RDWR | O_NONBLOCK);

    if (fd < 0) {
        return; /* we run without one */
    }
    signal(SIGTTIN, SIG_IGN);
    CHECK(events_of(fd, BOTH) == POLLOUT);
    CHECK(read(fd, block, 1) == -1 && (errno == EAGAIN || errno == EIO)); /* or in the background */
}

int main(void)
{
    static const struct test tests[] = {
        TEST(pipe_refuses_when_empty_and_when_full), TEST(flag_comes_and_goes),
        TEST(signals_instead_of_waiting_are_not_pretended), TEST(readv_takes_what_there_is),
        TEST(poll_reports_what_nobody_asked_for),
        TEST(poll_of_many_wakes_for_one), TEST(poll_is_woken_for_its_events_only),
        TEST(writers_poll_is_woken_when_a_write_would_fit), TEST(signals_interrupt_waiting),
        TEST(mask_holds_while_waiting), TEST(select_leaves_what_is_ready), TEST(select_errors),
        TEST(terminal_refuses_without_a_line),
    };

    return RUN_TESTS(tests);
}
