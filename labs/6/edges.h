/*
 * Lab 6, included by tests.c: what happens seldom (always ready, hang-ups, deadlines, cancels, very
 * many, both directions), and what must be whole afterwards. Whoever would wait for ever is told so
 * by an alarm, which comes also when the thread is blocked or goes round in circles.
 */
#include <poll.h>
#include <sys/socket.h>

static const char *awaited;

static void on_alarm(int signal)
{
    (void)signal;
    grade_fail(awaited, "that has not come after two seconds");
}

static void wait_for(const char *what, const char *next)
{
    awaited = what;
    grade_hint(next);
    signal(SIGALRM, on_alarm);
    alarm(2);
}

static struct co_stats stats(void)
{
    struct co_stats now;

    co_stats(&now);
    return now;
}

/* Nobody is parked for a descriptor any more: then a run loop that waits for nothing must end. */
static void nobody_is_counted(void)
{
    wait_for("-EDEADLK from co_run: nobody waits for a descriptor any more",
             "step 3: parked shrinks by what it has grown, whatever loop_park's result is; it does not grow if wait_arm "
             "gives an error");
    co_go(parks_for_ever, NULL, "parks");
    EXPECT(co_run() == -EDEADLK, "co_run tells that nobody can wake the last one", "another result");
}

/* always_ready: 6400 calls that need not wait, and others must have a turn among them */

#define CALLS 6400
static uint64_t turns;

static void *takes_turns(void *unused)
{
    while (!over) {
        turns++;
        co_yield_now();
    }
    return unused;
}

static void *calls_without_a_wait(void *unused)
{
    int zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY);
    char byte = 1;

    for (int i = 0; i < CALLS / 2; i++) {
        long got = co_read(zero, &byte, 1), put = co_write(null, &byte, 1);

        EXPECT(got == 1 && put == 1, "1 byte each time", "%ld and %ld", got, put);
    }
    over = 1;
    return unused;
}

/* Until it is canceled, or for too long. */
static void *reads_on_and_on(void *fd)
{
    char byte;
    long result = 1;

    for (int i = 0; i < CALLS && result == 1; i++) {
        result = co_read((int)(long)fd, &byte, 1);
    }
    return (void *)result;
}

static void *cancels(void *co)
{
    void *result = NULL;

    co_cancel(co);
    co_join(co, &result, CO_NEVER);
    EXPECT((long)result == -ECANCELED, "co_read gives -ECANCELED to one that was canceled, also if "
           "there is always something to read", "%ld", (long)result);
    return NULL;
}

static void *reads_late(void *fd)
{
    char byte;

    co_sleep(5 * MS);
    EXPECT(co_read((int)(long)fd, &byte, 1) == 1, "1 byte", "another result");
    return NULL;
}

static void always_ready(void)
{
    int file = open("/tmp/lab6", O_RDWR | O_CREAT, 0600);
    long zero = open("/dev/zero", O_RDONLY);

    wait_for("a turn for others while one has always something to read",
             "step 2: count the calls, of all of the thread, and each POLL_EVERY-th time let others run; who has something "
             "to read does not park");
    EXPECT(file >= 0 && zero >= 0 && write(file, "a file", 6) == 6 && lseek(file, 0, SEEK_SET) == 0,
           "a file", "errno %d", errno);
    co_go(reads_late, (void *)(long)file, "reads a file");
    co_go(takes_turns, NULL, "takes turns");
    co_go(calls_without_a_wait, NULL, "always ready");
    run();
    wait_for("that a line can be used after one in it was canceled",
             "step 2: an error of co_yield_now is yours; and wait_end always comes, or your place stays in the line when "
             "your stack is gone");
    co_go(reads_late, (void *)zero, "reads late");
    co_go(cancels, co_go(reads_on_and_on, (void *)zero, "reads on and on"), "cancels");
    run();
    grade_value("turns", turns);
    grade_value("ready", grade_number(6));
}

/* hang_ups: four wait, and then the other ends are closed */

static int gone[4][2]; /* a reader's pipe, a writer's, one that is only looked at, a socket */

static void *reads_the_end(void *fd)
{
    char byte;
    long got = co_read((int)(long)fd, &byte, 1);

    EXPECT(got == 0, "0 for a reader whose other end is closed meanwhile", "%ld", got);
    return NULL;
}

static void *writes_in_vain(void *fd)
{
    long put = co_write((int)(long)fd, "x", 1);

    EXPECT(put == -EPIPE, "-EPIPE (-32) for a writer whose other end is closed", "%ld", put);
    return NULL;
}

static void *looks_for_the_end(void *fd)
{
    int events = co_wait_fd((int)(long)fd, 0, CO_NEVER);

    EXPECT(events == POLLHUP, "POLLHUP for one that waits for nothing else", "%d", events);
    return NULL;
}

static void *hangs_up(void *unused)
{
    co_sleep(10 * MS);
    close(gone[0][1]);
    close(gone[1][0]);
    close(gone[2][1]);
    close(gone[3][1]);
    return unused;
}

static void fill_pipe(int fd, size_t size)
{
    ssize_t put = write(fd, block, size);

    EXPECT(put == (ssize_t)size, "room in an empty pipe", "%ld", (long)put);
}

static void hang_ups(void)
{
    wait_for("that each who waits for a descriptor is told when its other end is closed",
             "step 4: POLLERR and POLLHUP wake whoever waits; step 2: for usable they are no errors");
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < 3; i++) {
        make_pipe(gone[i]);
    }
    EXPECT(socketpair(AF_UNIX, SOCK_STREAM, 0, gone[3]) == 0, "a socket", "errno %d", errno);
    fill_pipe(gone[1][1], PIPE_HOLDS);
    co_go(reads_the_end, (void *)(long)gone[0][0], "reader");
    co_go(reads_the_end, (void *)(long)gone[0][0], "reader behind");
    co_go(writes_in_vain, (void *)(long)gone[1][1], "writer");
    co_go(looks_for_the_end, (void *)(long)gone[2][0], "looker");
    co_go(reads_the_end, (void *)(long)gone[3][0], "reader of a socket");
    co_go(hangs_up, NULL, "hangs up");
    run();
    co_go(writes_in_vain, (void *)(long)gone[1][1], "writer");
    run();
    nobody_is_counted();
    grade_value("hang_ups", grade_number(7));
}

/* deadlines: co_poll of several, of none, and what is over in time */

static void *answers(void *fd)
{
    co_sleep(2 * MS);
    write((int)(long)fd, "x", 1);
    return NULL;
}

/* Six places in `fds`: a pipe, nothing, another pipe. */
static void *polls_each(void *unused)
{
    for (int place = 0; place < 6; place++) {
        for (int count = place + 1; count <= 6; count++) {
            struct pollfd fds[6];
            char byte;
            int ready;

            for (int i = 0; i < count; i++) {
                fds[i] = (struct pollfd){.fd = i % 3 == 1 ? -1 : ends[0], .events = POLLIN};
            }
            fds[place].fd = other[0];
            co_go(answers, (void *)(long)other[1], "answers");
            ready = co_poll(fds, count, CO_NEVER);
            EXPECT(ready == 1 && fds[place].revents == POLLIN,
                   "co_poll gives 1, and POLLIN where there is something", "%d", ready);
            EXPECT(co_read(other[0], &byte, 1) == 1, "1 byte", "another result");
        }
    }
    return unused;
}

static void expect_time(int64_t start, const char *what)
{
    int64_t took = (co_now() - start) / MS;

    EXPECT(took >= 20 && took <= 24, what, "%ld ms", (long)took);
}

static void *polls_in_time(void *unused)
{
    struct pollfd fds[2] = {{.fd = ends[0], .events = POLLIN}, {.fd = other[0], .events = POLLIN}};
    int64_t start = co_now();
    int result = co_poll(fds, 2, start + 20 * MS);

    EXPECT(result == 0, "0 from co_poll when its time is over", "%d", result);
    expect_time(start, "co_poll ends at its deadline, after 20 ms");
    start = co_now();
    result = co_wait_fd(ends[0], POLLIN, start + 20 * MS);
    EXPECT(result == -ETIMEDOUT, "-ETIMEDOUT (-110) from co_wait_fd", "%d", result);
    expect_time(start, "co_wait_fd ends at its deadline, after 20 ms");
    return unused;
}

static void *polls_nothing(void *unused)
{
    int64_t start = co_now();
    int result = co_poll(NULL, 0, start + 20 * MS);

    EXPECT(result == 0, "0 from co_poll of nothing", "%d", result);
    expect_time(start, "co_poll of nothing ends at its deadline, after 20 ms");
    return unused;
}

/* What co_dump says of the others, which are parked. */
static void *reads_the_dump(void *unused)
{
    char text[1000] = "", first[40];
    int dump[2];

    make_pipe(dump);
    co_sleep(5 * MS);
    co_dump(dump[1]);
    read(dump[0], text, sizeof(text) - 1);
    snprintf(first, sizeof(first), "parked: fd %d\n", ends[0]);
    EXPECT(strstr(text, first), "the first descriptor that one waits for in co_dump", "another");
    EXPECT(strstr(text, "parked: fd\n"), "no descriptor in co_dump for one that waits for none",
           "a descriptor");
    return unused;
}

static void deadlines(void)
{
    make_pipe(ends);
    make_pipe(other);
    wait_for("that co_poll finds the one that is ready, wherever it stands",
             "step 3: wait_arm for each of the count waits");
    co_go(polls_each, NULL, "polls each");
    run();
    wait_for("the end of a wait with a deadline",
             "step 3: loop_park gets the deadline, and its result is yours; and what it shows of you is the first "
             "descriptor, or -1");
    co_go(polls_in_time, NULL, "polls in time");
    co_go(polls_nothing, NULL, "polls nothing");
    co_go(reads_the_dump, NULL, "dump");
    run();
    nobody_is_counted();
    grade_value("deadlines", grade_number(8));
}
