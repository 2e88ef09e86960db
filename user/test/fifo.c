/* FIFOs, fifo(7): who opens waits for the other end, unless he says O_NONBLOCK. */
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "asleep.h"
#include "ktap.h"

enum { S_FIFO = 0010000 };

static void make_fifo(void)
{
    CHECK(syscall(SYS_mknod, "fifo", S_FIFO | 0600, 0) == 0);
}

static int events_of(int fd)
{
    struct pollfd poller = {.fd = fd, .events = POLLIN | POLLOUT};

    CHECK(poll(&poller, 1, 0) >= 0);
    return poller.revents;
}

static void pipes_tell_their_size(void)
{
    enum { SET_PIPE_SIZE = 1031, GET_PIPE_SIZE };
    static char page[4096];
    int ends[2];

    CHECK(pipe(ends) == 0 && fcntl(ends[0], GET_PIPE_SIZE) == 65536);
    CHECK(fcntl(ends[1], SET_PIPE_SIZE, 65536) == 65536);
    CHECK(fcntl(ends[1], SET_PIPE_SIZE, 5000) == 8192 && fcntl(ends[0], GET_PIPE_SIZE) == 8192);
    CHECK(fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0 && write(ends[1], page, 4096) == 4096);
    CHECK(events_of(ends[1]) == POLLOUT && write(ends[1], page, 4096) == 4096 && events_of(ends[1]) == 0);
    CHECK_ERROR(write(ends[1], page, 1), EAGAIN);
    CHECK_ERROR(fcntl(ends[1], SET_PIPE_SIZE, 100), EBUSY);
    CHECK(fcntl(ends[1], SET_PIPE_SIZE, 16384) == 16384 && events_of(ends[1]) == POLLOUT);
    CHECK(read(ends[0], page, 4096) == 4096 && read(ends[0], page, 4096) == 4096);
    CHECK(fcntl(ends[1], SET_PIPE_SIZE, 100) == 4096 && events_of(ends[1]) == POLLOUT);
    CHECK_ERROR(fcntl(open("/dev/null", O_RDONLY), GET_PIPE_SIZE), EBADF);
}

static void a_fifo_is_a_name(void)
{
    struct stat st;
    int fd;

    make_fifo();
    CHECK_ERROR(syscall(SYS_mknod, "fifo", S_FIFO | 0600, 0), EEXIST);
    CHECK(stat("fifo", &st) == 0 && S_ISFIFO(st.st_mode) && (st.st_mode & 0777) == 0600 && st.st_size == 0);
    fd = open("fifo", O_RDWR); /* both ends: no wait */
    CHECK(fd >= 0 && write(fd, "abc", 3) == 3);
    CHECK_ERROR(lseek(fd, 0, SEEK_SET), ESPIPE);
    CHECK_ERROR(open("fifo/", O_RDWR), ENOTDIR);
    CHECK(close(fd) == 0);
    fd = open("fifo", O_RDONLY | O_NONBLOCK); /* what was in it has gone with the last one */
    CHECK(fd >= 0 && read(fd, (char[4]){0}, 4) == 0);
    CHECK(unlink("fifo") == 0);
}

static void opening_waits_for_the_other_end(void)
{
    char text[8] = "";
    int fd, status;
    pid_t child;

    make_fifo();
    for (int writer = 0; writer < 2; writer++) {
        child = fork();
        if (child == 0) {
            fd = open("fifo", writer ? O_WRONLY : O_RDONLY);
            CHECK(fd >= 0);
            CHECK((writer ? write(fd, "thru", 4) : read(fd, text, 8)) == 4);
            _exit(0);
        }
        wait_until_asleep(child);
        fd = open("fifo", writer ? O_RDONLY : O_WRONLY);
        CHECK(fd >= 0 && (writer ? read(fd, text, 8) : write(fd, "thru", 4)) == 4);
        CHECK(waitpid(child, &status, 0) == child && status == 0 && close(fd) == 0);
    }
    CHECK(memcmp(text, "thru", 4) == 0 && unlink("fifo") == 0);
}

static void who_does_not_wait(void)
{
    int reader, writer;
    char c;

    make_fifo();
    CHECK_ERROR(open("fifo", O_WRONLY | O_NONBLOCK), ENXIO);
    reader = open("fifo", O_RDONLY | O_NONBLOCK);
    CHECK(reader >= 0 && read(reader, &c, 1) == 0); /* no writer: the end */
    CHECK(events_of(reader) == 0); /* but nobody has hung up */
    writer = open("fifo", O_WRONLY | O_NONBLOCK);
    CHECK(writer >= 0 && events_of(writer) == POLLOUT);
    CHECK_ERROR(read(reader, &c, 1), EAGAIN);
    CHECK(write(writer, "x", 1) == 1 && events_of(reader) == POLLIN);
    CHECK(close(writer) == 0 && events_of(reader) == (POLLIN | POLLHUP));
    CHECK(read(reader, &c, 1) == 1 && c == 'x' && read(reader, &c, 1) == 0 && events_of(reader) == POLLHUP);
    writer = open("fifo", O_WRONLY);
    CHECK(writer >= 0 && events_of(reader) == 0); /* the next writer */
    CHECK(close(reader) == 0 && events_of(writer) & POLLERR);
    signal(SIGPIPE, SIG_IGN);
    CHECK_ERROR(write(writer, "x", 1), EPIPE);
    CHECK(unlink("fifo") == 0);
}

static void on_alarm(int signal)
{
    (void)signal;
}

static void a_signal_ends_the_wait(void)
{
    struct sigaction action = {.sa_handler = on_alarm};

    make_fifo();
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    alarm(1);
    CHECK_ERROR(open("fifo", O_WRONLY), EINTR);
    CHECK_ERROR(open("fifo", O_WRONLY | O_NONBLOCK), ENXIO); /* and nothing is left */
    CHECK(unlink("fifo") == 0);
}

/* The one who waits sees an end that came and went at once. */
static void a_short_visit_is_noticed(void)
{
    pid_t child;
    int fd, status;

    make_fifo();
    child = fork();
    if (child == 0) {
        fd = open("fifo", O_RDONLY);
        CHECK(fd >= 0 && read(fd, (char[1]){0}, 1) == 0);
        _exit(0);
    }
    wait_until_asleep(child);
    CHECK(close(open("fifo", O_WRONLY | O_NONBLOCK)) == 0);
    CHECK(waitpid(child, &status, 0) == child && status == 0 && unlink("fifo") == 0);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(pipes_tell_their_size), TEST(a_fifo_is_a_name), TEST(opening_waits_for_the_other_end), TEST(who_does_not_wait),
        TEST(a_signal_ends_the_wait), TEST(a_short_visit_is_noticed),
    };

    umask(022);
    return RUN_TESTS(tests);
}
