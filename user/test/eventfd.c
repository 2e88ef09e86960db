/* eventfd and timerfd: counters to read, to wait for and to poll. */
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>

#include "asleep.h"

#define FULL 0xfffffffffffffffeul

static int events_of(int fd, int asked)
{
    struct pollfd p = {fd, (short)asked, 0};

    CHECK(poll(&p, 1, 0) >= 0);
    return p.revents;
}

static void read_takes_the_sum(void)
{
    int fd = eventfd(3, EFD_NONBLOCK);
    uint64_t value = 0;

    CHECK(fd >= 0 && events_of(fd, POLLIN | POLLOUT) == (POLLIN | POLLOUT));
    CHECK(eventfd_write(fd, 4) == 0 && eventfd_write(fd, 0) == 0);
    CHECK(eventfd_read(fd, &value) == 0 && value == 7);
    CHECK(events_of(fd, POLLIN | POLLOUT) == POLLOUT);
    CHECK_ERROR(eventfd_read(fd, &value), EAGAIN);
    CHECK(eventfd_write(fd, 0) == 0 && events_of(fd, POLLIN) == 0);
}

static void semaphore_takes_one(void)
{
    int fd = eventfd(2, EFD_NONBLOCK | EFD_SEMAPHORE);
    uint64_t value = 0;

    CHECK(eventfd_read(fd, &value) == 0 && value == 1);
    CHECK(eventfd_read(fd, &value) == 0 && value == 1);
    CHECK_ERROR(eventfd_read(fd, &value), EAGAIN);
}

static void full_counter_refuses(void)
{
    int fd = eventfd(0, EFD_NONBLOCK);
    uint64_t value;

    CHECK_ERROR(eventfd_write(fd, ~0ul), EINVAL);
    CHECK(eventfd_write(fd, FULL - 1) == 0 && events_of(fd, POLLOUT) == POLLOUT);
    CHECK_ERROR(eventfd_write(fd, 2), EAGAIN);
    CHECK(eventfd_write(fd, 1) == 0 && events_of(fd, POLLOUT) == 0);
    CHECK(eventfd_read(fd, &value) == 0 && value == FULL && events_of(fd, POLLOUT) == POLLOUT);
}

static void wrong_sizes_and_flags(void)
{
    int fd = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC), pair[2];
    char buffer[16];

    CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC && (fcntl(fd, F_GETFL) & O_NONBLOCK));
    CHECK_ERROR(read(fd, buffer, 7), EINVAL);
    CHECK_ERROR(write(fd, buffer, 7), EINVAL);
    CHECK(read(fd, buffer, 16) == 8);
    CHECK_ERROR(eventfd(0, 2), EINVAL);
    CHECK(pipe(pair) == 0);
}

static void reader_and_writer_sleep(void)
{
    int fd = eventfd(0, 0);
    uint64_t value;
    pid_t reader = fork(), writer;

    if (reader == 0) {
        CHECK(eventfd_read(fd, &value) == 0 && value == 5);
        _exit(0);
    }
    wait_until_asleep(reader);
    CHECK(eventfd_write(fd, 5) == 0);
    CHECK(ends_well(reader));
    CHECK(eventfd_write(fd, FULL) == 0);
    writer = fork();
    if (writer == 0) {
        CHECK(eventfd_write(fd, 9) == 0);
        _exit(0);
    }
    wait_until_asleep(writer);
    CHECK(eventfd_read(fd, &value) == 0 && value == FULL);
    CHECK(ends_well(writer) && eventfd_read(fd, &value) == 0 && value == 9);
}

static const struct itimerspec never, soon = {{0, 0}, {0, 1000000}};

static void timer_expires_once(void)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, 0);
    uint64_t count = 0;
    struct itimerspec left;

    CHECK(fd >= 0 && timerfd_settime(fd, 0, &soon, NULL) == 0);
    CHECK(read(fd, &count, 8) == 8 && count == 1);
    CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    CHECK_ERROR(read(fd, &count, 8), EAGAIN);
    CHECK(timerfd_gettime(fd, &left) == 0);
    CHECK(left.it_value.tv_sec == 0 && left.it_value.tv_nsec == 0);
}

static void expirations_are_counted(void)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    const struct itimerspec dense = {{0, 1}, {0, 1}};
    struct pollfd p = {fd, POLLIN, 0};
    uint64_t first = 0, second = 0;
    struct itimerspec left;

    CHECK(timerfd_settime(fd, 0, &dense, NULL) == 0);
    CHECK(poll(&p, 1, -1) == 1 && p.revents == POLLIN);
    usleep(2000);
    CHECK(read(fd, &first, 8) == 8 && first >= 2000000);
    usleep(1000);
    CHECK(read(fd, &second, 8) == 8 && second >= 1000000);
    CHECK(timerfd_gettime(fd, &left) == 0 && left.it_interval.tv_nsec == 1);
    CHECK(timerfd_settime(fd, 0, &never, NULL) == 0);
    CHECK_ERROR(read(fd, &first, 8), EAGAIN);
}

static void absolute_times(void)
{
    static const int clocks[] = {CLOCK_MONOTONIC, CLOCK_REALTIME};

    for (int i = 0; i < 2; i++) {
        int fd = timerfd_create(clocks[i], TFD_NONBLOCK);
        struct itimerspec at = {{0, 0}, {0, 1}}, left;
        struct pollfd p = {fd, POLLIN, 0};
        uint64_t count = 0;

        CHECK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &at, NULL) == 0); /* long ago */
        CHECK(poll(&p, 1, -1) == 1 && read(fd, &count, 8) == 8 && count == 1);
        CHECK(clock_gettime(clocks[i], &at.it_value) == 0);
        at.it_value.tv_sec += 1000;
        CHECK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &at, NULL) == 0 && events_of(fd, POLLIN) == 0);
        CHECK(timerfd_gettime(fd, &left) == 0);
        CHECK(left.it_value.tv_sec > 900 && left.it_value.tv_sec <= 1000);
        CHECK(timerfd_settime(fd, 0, &never, &left) == 0 && left.it_value.tv_sec > 900);
        CHECK(timerfd_gettime(fd, &left) == 0 && left.it_value.tv_sec == 0);
    }
}

static void setting_anew_forgets_expirations(void)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    const struct itimerspec far = {{0, 0}, {1000, 0}};
    struct pollfd p = {fd, POLLIN, 0};
    uint64_t count;

    CHECK(timerfd_settime(fd, 0, &soon, NULL) == 0 && poll(&p, 1, -1) == 1);
    CHECK(timerfd_settime(fd, 0, &far, NULL) == 0 && events_of(fd, POLLIN) == 0);
    CHECK_ERROR(read(fd, &count, 8), EAGAIN);
}

static void timer_errors(void)
{
    int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC), pair[2];
    struct itimerspec bad = {{0, 0}, {0, 1000000000}}, left;
    char buffer[8];

    CHECK(fd >= 0 && pipe(pair) == 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
    CHECK_ERROR(timerfd_create(99, 0), EINVAL);
    CHECK_ERROR(timerfd_create(CLOCK_MONOTONIC, 1), EINVAL);
    CHECK_ERROR(timerfd_settime(fd, 0, &bad, NULL), EINVAL);
    CHECK_ERROR(timerfd_settime(fd, 8, &soon, NULL), EINVAL);
    CHECK_ERROR(timerfd_settime(pair[0], 0, &soon, NULL), EINVAL);
    CHECK_ERROR(timerfd_settime(99, 0, &soon, NULL), EBADF);
    CHECK_ERROR(timerfd_gettime(pair[0], &left), EINVAL);
    CHECK_ERROR(read(fd, buffer, 7), EINVAL);
    CHECK_ERROR(write(fd, buffer, 8), EINVAL);
}

static void sleeping_reader_wakes_when_the_timer_is_set(void)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, 0);
    pid_t reader = fork();

    if (reader == 0) {
        uint64_t count;

        CHECK(read(fd, &count, 8) == 8 && count == 1);
        _exit(0);
    }
    wait_until_asleep(reader);
    CHECK(timerfd_settime(fd, 0, &soon, NULL) == 0 && ends_well(reader));
}

int main(void)
{
    static const struct test tests[] = {
        TEST(read_takes_the_sum), TEST(semaphore_takes_one), TEST(full_counter_refuses),
        TEST(wrong_sizes_and_flags), TEST(reader_and_writer_sleep), TEST(timer_expires_once),
        TEST(expirations_are_counted), TEST(absolute_times), TEST(setting_anew_forgets_expirations),
        TEST(timer_errors), TEST(sleeping_reader_wakes_when_the_timer_is_set),
    };

    return RUN_TESTS(tests);
}
