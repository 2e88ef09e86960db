/*
 * An event loop that has one call too many in it: it waits in poll() for whatever comes first, and
 * once in read() for one that is late. And once more, while another thread polls in its place. What the
 * trace makes of it: tests/tracing.py.
 */
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "tasks.h"

#define LATE 200 /* ms */

static void nap(long ms)
{
    struct timespec time = {.tv_nsec = ms * 1000000};

    nanosleep(&time, NULL);
}

/* A pipe that has a byte only after a while. */
static int late_pipe(void)
{
    int fds[2];

    CHECK(pipe(fds) == 0);
    if (fork() == 0) {
        nap(LATE);
        write(fds[1], "!", 1);
        _exit(0);
    }
    return fds[0];
}

static int poll_five_times(void *unused)
{
    for (int turn = 0; turn < 5; turn++) {
        CHECK(poll(NULL, 0, 10) == 0);
    }
    (void)unused;
    return 0;
}

static void loop_stands_in_read(void)
{
    int fd = late_pipe();
    char byte;

    poll_five_times(NULL);
    CHECK(read(fd, &byte, 1) == 1);
    CHECK(poll(NULL, 0, 10) == 0);
}

static void another_thread_takes_the_loop_over(void)
{
    static struct thread other;
    int fd = late_pipe();
    char byte;

    poll_five_times(NULL);
    thread_start(&other, poll_five_times, NULL);
    CHECK(read(fd, &byte, 1) == 1);
    thread_join(&other);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(loop_stands_in_read),
        TEST(another_thread_takes_the_loop_over),
    };

    return RUN_TESTS(tests);
}
