/* Signals read from a file (signalfd(2)): who gets which, what is told of each, and waiting for them. */
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

#include "tasks.h"

enum { BIT_USR1 = 1 << (SIGUSR1 - 1), BIT_USR2 = 1 << (SIGUSR2 - 1), BIT_CHLD = 1 << (SIGCHLD - 1) };
enum { INFO_SIZE = 128, SIGNAL = 0, CODE = 2, PID = 3, STATUS = 10, VALUE = 11 }; /* 32-bit words */

static int info[3 * INFO_SIZE / 4];

static void block(unsigned long mask)
{
    CHECK(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, 8, 0, 0) == 0);
}

static int open_for(int fd, unsigned long mask, int flags)
{
    return (int)syscall(SYS_signalfd4, fd, &mask, 8, flags, 0, 0);
}

static short events(int fd)
{
    struct pollfd one = {.fd = fd, .events = POLLIN | POLLOUT};

    CHECK(poll(&one, 1, 0) >= 0);
    return one.revents;
}

static void what_is_pending_is_read(void)
{
    int fd;

    block(BIT_USR1 | BIT_USR2);
    fd = open_for(-1, BIT_USR1 | BIT_USR2, O_NONBLOCK | O_CLOEXEC);
    CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC && events(fd) == 0);
    CHECK_ERROR(read(fd, info, sizeof(info)), EAGAIN);
    CHECK_ERROR(read(fd, info, INFO_SIZE - 1), EINVAL);
    CHECK_ERROR(write(fd, info, INFO_SIZE), EINVAL);
    CHECK(kill(getpid(), SIGUSR2) == 0 && kill(getpid(), SIGUSR1) == 0 && events(fd) == POLLIN);
    CHECK(read(fd, info, sizeof(info)) == 2 * INFO_SIZE && events(fd) == 0);
    CHECK(info[SIGNAL] == SIGUSR1 && info[CODE] == 0 && info[PID] == getpid());
    CHECK(info[INFO_SIZE / 4 + SIGNAL] == SIGUSR2);
}

static void wrong_arguments_are_refused(void)
{
    unsigned long mask = BIT_USR1;

    CHECK_ERROR(open_for(-1, mask, 1), EINVAL);
    CHECK_ERROR(open_for(0, mask, 0), EINVAL);
    CHECK_ERROR(open_for(99, mask, 0), EBADF);
    CHECK_ERROR(syscall(SYS_signalfd4, -1, &mask, 4, 0, 0, 0), EINVAL);
    CHECK_ERROR(syscall(SYS_signalfd4, -1, 1, 8, 0, 0, 0), EFAULT);
}

static void the_mask_is_another_one_then(void)
{
    int fd;

    block(BIT_USR1 | BIT_USR2);
    fd = open_for(-1, BIT_USR1, 0);
    CHECK(kill(getpid(), SIGUSR2) == 0 && events(fd) == 0);
    CHECK(open_for(fd, BIT_USR2, 0) == fd && events(fd) == POLLIN);
    CHECK(read(fd, info, INFO_SIZE) == INFO_SIZE && info[SIGNAL] == SIGUSR2);
}

static void a_reader_sleeps_until_one_comes(void)
{
    pid_t parent = getpid(), child;
    int fd, status;

    block(BIT_USR1 | BIT_CHLD);
    fd = open_for(-1, BIT_USR1 | BIT_CHLD, 0);
    child = fork();
    if (child == 0) {
        usleep(20000);
        CHECK(kill(parent, SIGUSR1) == 0);
        usleep(20000);
        _exit(7);
    }
    CHECK(read(fd, info, sizeof(info)) == INFO_SIZE && info[SIGNAL] == SIGUSR1 && info[PID] == child);
    CHECK(read(fd, info, sizeof(info)) == INFO_SIZE && info[SIGNAL] == SIGCHLD && info[PID] == child);
    CHECK(info[CODE] == 1 && info[STATUS] == 7);
    CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 7);
}

static void it_is_the_readers_own(void)
{
    pid_t child;
    int fd, status;

    block(BIT_USR1);
    fd = open_for(-1, BIT_USR1, O_NONBLOCK);
    CHECK(kill(getpid(), SIGUSR1) == 0);
    child = fork(); /* which has none pending */
    if (child == 0) {
        CHECK_ERROR(read(fd, info, INFO_SIZE), EAGAIN);
        CHECK(kill(getpid(), SIGUSR1) == 0);
        CHECK(read(fd, info, INFO_SIZE) == INFO_SIZE && info[PID] == getpid());
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(read(fd, info, INFO_SIZE) == INFO_SIZE && info[PID] == getpid());
}

static void epoll_and_queued_values(void)
{
    struct epoll_event event = {.events = EPOLLIN}, seen;
    int fd, set = epoll_create1(0), queued[INFO_SIZE / 4] = {SIGUSR1, 0, -1, 0, getpid(), 0, 42};

    block(BIT_USR1);
    fd = open_for(-1, BIT_USR1, 0);
    CHECK(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) == 0 && epoll_wait(set, &seen, 1, 0) == 0);
    CHECK(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, queued, 0, 0, 0) == 0);
    CHECK(epoll_wait(set, &seen, 1, 0) == 1);
    CHECK(read(fd, info, INFO_SIZE) == INFO_SIZE && info[CODE] == -1 && info[VALUE] == 42);
    CHECK(epoll_wait(set, &seen, 1, 0) == 0);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(what_is_pending_is_read),
        TEST(wrong_arguments_are_refused),
        TEST(the_mask_is_another_one_then),
        TEST(a_reader_sleeps_until_one_comes),
        TEST(it_is_the_readers_own),
        TEST(epoll_and_queued_values),
    };

    return RUN_TESTS(tests);
}
