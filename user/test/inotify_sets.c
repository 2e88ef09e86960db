/* inotify's sets: what is queued and read, who waits, how much there may be, and what is refused. */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#include "asleep.h"
#include "told.h"

#ifndef O_PATH
#define O_PATH 010000000
#endif

static void sets_do_not_know_each_other(void)
{
    int other;

    start("sets");
    other = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    CHECK(fcntl(other, F_GETFD) == FD_CLOEXEC && fcntl(set, F_GETFD) == 0);
    CHECK(watch(".", IN_CREATE) == 1 && inotify_add_watch(other, ".", IN_DELETE) == 1);
    make("file");
    CHECK(unlink("file") == 0);
    told("1 create file");
    told_of(other, "1 delete file");
    CHECK(inotify_rm_watch(set, 1) == 0);
    make("file");
    CHECK(unlink("file") == 0);
    told("1 ignored");
    told_of(other, "1 delete file");
    close(other);
    end("sets");
}

static void a_child_shares_the_set(void)
{
    pid_t child;

    start("shared");
    CHECK(watch(".", IN_CREATE) == 1);
    child = fork();
    if (child == 0) {
        make("file");
        told("1 create file");
        CHECK(close(set) == 0);
        make("other");
        _exit(0);
    }
    CHECK(ends_well(child));
    told("1 create other");
    CHECK(unlink("file") == 0 && unlink("other") == 0);
    end("shared");
}

static void reading_gives_what_fits(void)
{
    char buffer[256];
    int bytes;

    start("sizes");
    watch(".", IN_CREATE);
    CHECK(ioctl(set, FIONREAD, &bytes) == 0 && bytes == 0);
    CHECK_ERROR(read(set, buffer, 1), EAGAIN);
    make("a");
    make("a name of more than 16 bytes");
    CHECK(ioctl(set, FIONREAD, &bytes) == 0 && bytes == 32 + 48);
    CHECK_ERROR(read(set, buffer, 31), EINVAL);
    CHECK(read(set, buffer, 32 + 47) == 32);
    CHECK_ERROR(read(set, buffer, 47), EINVAL);
    CHECK(read(set, buffer, 48) == 48);
    CHECK_ERROR(write(set, buffer, 48), EBADF);
    CHECK_ERROR(ioctl(set, 0x5413, buffer), ENOTTY);
    CHECK(unlink("a") == 0 && unlink("a name of more than 16 bytes") == 0);
    end("sizes");
}

static void poll_and_epoll_wait_for_events(void)
{
    struct pollfd wanted;
    struct epoll_event event = {.events = EPOLLIN};
    int epoll = epoll_create1(0);

    start("polled");
    watch(".", IN_CREATE);
    wanted = (struct pollfd){set, POLLIN | POLLOUT, 0};
    CHECK(poll(&wanted, 1, 0) == 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, set, &event) == 0);
    CHECK(epoll_wait(epoll, &event, 1, 0) == 0);
    make("file");
    CHECK(poll(&wanted, 1, -1) == 1 && wanted.revents == POLLIN);
    CHECK(epoll_wait(epoll, &event, 1, 0) == 1 && event.events == EPOLLIN);
    told("1 create file");
    CHECK(poll(&wanted, 1, 0) == 0 && epoll_wait(epoll, &event, 1, 0) == 0);
    CHECK(unlink("file") == 0);
    end("polled");
}

static void a_reader_sleeps_until_there_is_an_event(void)
{
    char buffer[256];
    pid_t child;

    start("slept");
    close(set);
    set = inotify_init();
    watch(".", IN_CREATE);
    child = fork();
    if (child == 0) {
        _exit(read(set, buffer, sizeof(buffer)) != 32);
    }
    wait_until_asleep(child);
    make("file");
    CHECK(ends_well(child) && unlink("file") == 0);
    end("slept");
}

static void what_does_not_fit_into_the_queue_is_told_of_once(void)
{
    char buffer[65536] __attribute__((aligned(8)));
    const struct inotify_event *event = NULL;
    long size, count = 0, most;
    FILE *file = fopen("/proc/sys/fs/inotify/max_queued_events", "r");

    CHECK(file && fgets(buffer, sizeof(buffer), file));
    fclose(file);
    most = atol(buffer);
    start("overflow");
    make("file");
    watch("file", IN_ATTRIB | IN_OPEN | IN_CLOSE);
    for (long i = 0; i < most; i++) {
        CHECK(close(open("file", O_RDONLY)) == 0);
    }
    while ((size = read(set, buffer, sizeof(buffer))) > 0) {
        for (char *at = buffer; at < buffer + size; at += sizeof(*event) + event->len) {
            event = (const struct inotify_event *)at;
            count++;
        }
    }
    CHECK(count == most + 1 && event->wd == -1 && event->mask == IN_Q_OVERFLOW && !event->len);
    CHECK(chmod("file", 0640) == 0);
    told("1 attrib");
    CHECK(unlink("file") == 0);
    end("overflow");
}

/* Of sets, and of descriptors: there the first limit is met. Watches are counted in our kernel alone, as a host's
 * limit is not ours to change. */
static void there_are_limits(void)
{
    int limit = open("/proc/sys/fs/inotify/max_user_watches", O_RDWR), last = 0;
    const int is_baton = access("/proc/unimplemented", F_OK) == 0;

    start("limits");
    for (int fd; (fd = inotify_init()) >= 0;) {
        last = fd;
    }
    CHECK(errno == EMFILE && last > 0 && close(last) == 0);
    CHECK(inotify_init() == last);
    CHECK(!is_baton || write(limit, "2\n", 2) == 2);
    CHECK(watch(".", IN_OPEN) == 1 && watch("/", IN_DELETE_SELF) == 2);
    if (is_baton) {
        CHECK_ERROR(inotify_add_watch(set, "..", IN_OPEN), ENOSPC);
        CHECK(watch(".", IN_CREATE) == 1 && write(limit, "8192\n", 5) == 5);
        CHECK_ERROR(write(limit, "many\n", 5), EINVAL);
        CHECK_ERROR(write(limit, "9999999\n", 8), EINVAL);
    }
    CHECK(inotify_rm_watch(set, 2) == 0 && inotify_rm_watch(set, 1) == 0);
    end("limits");
}

static void what_is_wrong_is_refused(void)
{
    start("wrong");
    CHECK_ERROR(inotify_init1(1), EINVAL);
    CHECK_ERROR(inotify_add_watch(set, ".", 0), EINVAL);
    CHECK_ERROR(inotify_add_watch(set, ".", 0x1000), EINVAL);
    CHECK_ERROR(inotify_add_watch(set, ".", IN_CREATE | IN_MASK_ADD | IN_MASK_CREATE), EINVAL);
    CHECK_ERROR(inotify_add_watch(set, "nothing", IN_CREATE), ENOENT);
    CHECK_ERROR(inotify_add_watch(set, "", IN_CREATE), ENOENT);
    CHECK_ERROR(inotify_add_watch(set, (char *)8, IN_CREATE), EFAULT);
    CHECK_ERROR(inotify_add_watch(1000, ".", IN_CREATE), EBADF);
    CHECK_ERROR(inotify_add_watch(open(".", O_PATH), ".", IN_CREATE), EBADF);
    CHECK_ERROR(inotify_add_watch(open(".", O_RDONLY), ".", IN_CREATE), EINVAL);
    CHECK_ERROR(inotify_rm_watch(1000, 1), EBADF);
    CHECK_ERROR(inotify_rm_watch(open(".", O_RDONLY), 1), EINVAL);
    for (int number = -1; number < 2; number++) {
        CHECK_ERROR(inotify_rm_watch(set, number), EINVAL);
    }
    end("wrong");
}

int main(void)
{
    static const struct test tests[] = {
        TEST(sets_do_not_know_each_other),
        TEST(a_child_shares_the_set),
        TEST(reading_gives_what_fits),
        TEST(poll_and_epoll_wait_for_events),
        TEST(a_reader_sleeps_until_there_is_an_event),
        TEST(what_does_not_fit_into_the_queue_is_told_of_once),
        TEST(there_are_limits),
        TEST(what_is_wrong_is_refused),
    };

    return RUN_TESTS(tests);
}
