/*
 * An event loop that has one call too many in it: it waits in poll() for whatever comes first, and
 * once in read() for one that is late. What the trace makes of it: tests/tracing.py.
 */
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "ktap.h"

#define LATE 200 /* ms */

static void nap(long ms)
{
    struct timespec time = {.tv_nsec = ms * 1000000};

    nanosleep(&time, NULL);
}

static void loop_stands_in_read(void)
{
    struct pollfd fd = {.events = POLLIN};
    int fds[2];
    char byte;

    CHECK(pipe(fds) == 0);
    fd.fd = fds[0];
    if (fork() == 0) {
        nap(LATE);
        write(fds[1], "!", 1);
        _exit(0);
    }
    for (int turn = 0; turn < 5; turn++) {
        CHECK(poll(&fd, 1, 10) == 0);
    }
    CHECK(read(fds[0], &byte, 1) == 1);
    CHECK(poll(&fd, 1, 10) == 0);
}

int main(void)
{
    static const struct test tests[] = {TEST(loop_stands_in_read)};

    return run_tests(tests, 1);
}
