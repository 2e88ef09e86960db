/* epoll: what it reports, how often, to whom, and what it refuses. */
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include "asleep.h"

static int set, ends[2];
static struct epoll_event got[8];

static void watch(int fd, unsigned events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};

    CHECK(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) == 0);
}

static void change(int fd, unsigned events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};

    CHECK(epoll_ctl(set, EPOLL_CTL_MOD, fd, &event) == 0);
}

static void start(unsigned events)
{
    set = epoll_create1(0);
    CHECK(set >= 0 && pipe2(ends, O_NONBLOCK) == 0);
    watch(ends[0], events);
}

static int ready(void)
{
    return epoll_wait(set, got, 8, 0);
}

static void put(const char *text)
{
    CHECK(write(ends[1], text, strlen(text)) == (long)strlen(text));
}

static void take(long size)
{
    char buffer[64];

    CHECK(read(ends[0], buffer, (size_t)size) == size);
}

static void level_reports_until_it_is_read(void)
{
    start(EPOLLIN);
    CHECK(ready() == 0);
    put("ab");
    for (int i = 0; i < 3; i++) {
        CHECK(ready() == 1 && got[0].events == EPOLLIN && got[0].data.fd == ends[0]);
    }
    take(1);
    CHECK(ready() == 1);
    take(1);
    CHECK(ready() == 0);
}

static void edge_reports_each_event_once(void)
{
    start(EPOLLIN | EPOLLET);
    put("a");
    CHECK(ready() == 1 && got[0].events == EPOLLIN && ready() == 0);
    put("b"); /* still readable, and something new */
    CHECK(ready() == 1 && ready() == 0);
    take(1); /* reading is no event */
    CHECK(ready() == 0);
    put("c");
    put("d");
    CHECK(ready() == 1 && ready() == 0);
}

static void edge_reports_what_held_when_it_was_added(void)
{
    start(EPOLLOUT);
    put("a");
    CHECK(epoll_ctl(set, EPOLL_CTL_DEL, ends[0], NULL) == 0);
    watch(ends[0], EPOLLIN | EPOLLET);
    CHECK(ready() == 1 && ready() == 0);
    change(ends[0], EPOLLIN | EPOLLET); /* asks again */
    CHECK(ready() == 1 && ready() == 0);
}

static void oneshot_is_armed_again_by_mod(void)
{
    start(EPOLLIN | EPOLLONESHOT);
    put("a");
    CHECK(ready() == 1 && ready() == 0);
    put("b");
    CHECK(ready() == 0);
    close(ends[1]); /* not even the end */
    CHECK(ready() == 0);
    change(ends[0], EPOLLIN | EPOLLONESHOT);
    CHECK(ready() == 1 && got[0].events == (EPOLLIN | EPOLLHUP) && ready() == 0);
}

static void mod_changes_what_is_watched(void)
{
    start(EPOLLIN);
    watch(ends[1], EPOLLIN);
    put("a");
    CHECK(ready() == 1);
    change(ends[0], EPOLLPRI);
    CHECK(ready() == 0);
    change(ends[1], EPOLLOUT);
    CHECK(ready() == 1 && got[0].data.fd == ends[1] && got[0].events == EPOLLOUT);
    CHECK(epoll_ctl(set, EPOLL_CTL_DEL, ends[1], NULL) == 0 && ready() == 0);
}

static void ends_are_told_without_asking(void)
{
    int pair[2];

    start(0);
    watch(ends[1], 0);
    CHECK(ready() == 0);
    close(ends[1]); /* with it goes its own item */
    CHECK(ready() == 1 && got[0].events == EPOLLHUP && got[0].data.fd == ends[0]);
    start(0);
    watch(ends[1], 0);
    close(ends[0]);
    CHECK(ready() == 1 && got[0].events == EPOLLERR && got[0].data.fd == ends[1]);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    start(0);
    watch(pair[0], EPOLLRDHUP | EPOLLIN);
    CHECK(shutdown(pair[1], SHUT_WR) == 0);
    CHECK(ready() == 1 && got[0].events == (EPOLLRDHUP | EPOLLIN));
    close(pair[1]);
    CHECK(ready() == 1 && got[0].events == (EPOLLRDHUP | EPOLLIN | EPOLLHUP));
}

static void an_item_is_a_file_and_a_descriptor(void)
{
    int copy, number;

    start(EPOLLIN);
    copy = dup(ends[0]);
    watch(copy, EPOLLIN);
    put("a");
    CHECK(ready() == 2);
    number = ends[0];
    close(ends[0]); /* the file lives on by the copy, and so do both items */
    CHECK(ready() == 2);
    CHECK_ERROR(epoll_ctl(set, EPOLL_CTL_DEL, number, NULL), EBADF);
    CHECK(open("/dev/null", O_RDONLY) == number);
    CHECK_ERROR(epoll_ctl(set, EPOLL_CTL_DEL, number, NULL), EPERM);
    close(copy); /* the last one */
    CHECK(ready() == 0);
}

static void few_at_a_time_are_fair(void)
{
    int fds[3], seen = 0;

    start(0);
    for (int i = 0; i < 3; i++) {
        fds[i] = eventfd(1, 0);
        watch(fds[i], EPOLLIN);
    }
    for (int i = 0; i < 3; i++) {
        CHECK(epoll_wait(set, got, 1, 0) == 1);
        for (int j = 0; j < 3; j++) {
            seen |= got[0].data.fd == fds[j] ? 1 << j : 0;
        }
    }
    CHECK(seen == 7);
}

static void all_kinds_of_files(void)
{
    const struct itimerspec soon = {{0, 0}, {0, 1000000}};
    int timer = timerfd_create(CLOCK_MONOTONIC, 0), counter = eventfd(0, 0), pair[2];

    start(EPOLLIN);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    watch(timer, EPOLLIN);
    watch(counter, EPOLLIN | EPOLLET);
    watch(pair[0], EPOLLIN);
    CHECK(timerfd_settime(timer, 0, &soon, NULL) == 0);
    CHECK(epoll_wait(set, got, 8, -1) == 1 && got[0].data.fd == timer);
    CHECK(epoll_ctl(set, EPOLL_CTL_DEL, timer, NULL) == 0);
    CHECK(eventfd_write(counter, 1) == 0);
    CHECK(epoll_wait(set, got, 8, -1) == 1 && got[0].data.fd == counter);
    CHECK(eventfd_write(counter, 1) == 0 && ready() == 1 && ready() == 0);
    CHECK(write(pair[1], "x", 1) == 1);
    CHECK(epoll_wait(set, got, 8, -1) == 1 && got[0].data.fd == pair[0]);
}

static void errors(void)
{
    struct epoll_event event = {.events = EPOLLIN};
    int file = open("/tmp", O_RDONLY | O_DIRECTORY), other = epoll_create(1);

    start(EPOLLIN);
    CHECK_ERROR(epoll_create(0), EINVAL);
    CHECK_ERROR(epoll_create1(1), EINVAL);
    CHECK_ERROR(epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &event), EEXIST);
    CHECK_ERROR(epoll_ctl(set, EPOLL_CTL_MOD, ends[1], &event), ENOENT);
    CHECK_ERROR(epoll_ctl(set, EPOLL_CTL_DEL, ends[1], &event), ENOENT);
    CHECK_ERROR(epoll_ctl(set, 9, ends[0], &event), EINVAL);
    CHECK_ERROR(epoll_ctl(set, EPOLL_CTL_ADD, 99, &event), EBADF);
    CHECK_ERROR(epoll_ctl(99, EPOLL_CTL_ADD, ends[1], &event), EBADF);
    CHECK_ERROR(epoll_ctl(ends[0], EPOLL_CTL_ADD, ends[1], &event), EINVAL);
    CHECK_ERROR(epoll_ctl(set, EPOLL_CTL_ADD, set, &event), EINVAL);
    CHECK_ERROR(epoll_ctl(set, EPOLL_CTL_ADD, file, &event), EPERM);
    CHECK_ERROR(epoll_ctl(set, EPOLL_CTL_ADD, ends[1], NULL), EFAULT);
    CHECK_ERROR(epoll_wait(set, got, 0, 0), EINVAL);
    CHECK_ERROR(epoll_wait(set, got, 1 << 30, 0), EINVAL);
    CHECK_ERROR(epoll_wait(ends[0], got, 1, 0), EINVAL);
    CHECK_ERROR(epoll_wait(99, got, 1, 0), EBADF);
    event.events = EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT;
    CHECK_ERROR(epoll_ctl(set, EPOLL_CTL_ADD, ends[1], &event), EINVAL);
    event.events = EPOLLOUT | EPOLLEXCLUSIVE;
    CHECK_ERROR(epoll_ctl(set, EPOLL_CTL_ADD, other, &event), EINVAL);
    CHECK_ERROR(epoll_ctl(set, EPOLL_CTL_MOD, ends[0], &event), EINVAL);
    CHECK(epoll_ctl(set, EPOLL_CTL_ADD, ends[1], &event) == 0 && ready() == 1);
    event.events = EPOLLOUT;
    CHECK_ERROR(epoll_ctl(set, EPOLL_CTL_MOD, ends[1], &event), EINVAL);
}

static void results_that_cannot_be_written_are_kept(void)
{
    start(EPOLLIN | EPOLLONESHOT);
    put("a");
    CHECK_ERROR(epoll_wait(set, (struct epoll_event *)8, 1, 0), EFAULT);
    CHECK(ready() == 1 && got[0].events == EPOLLIN);
}

static void sets_watch_sets(void)
{
    int inner;
    struct pollfd p;

    start(EPOLLIN);
    inner = set;
    p = (struct pollfd){inner, POLLIN, 0};
    set = epoll_create1(0);
    watch(inner, EPOLLIN);
    CHECK(poll(&p, 1, 0) == 0 && ready() == 0);
    put("a");
    CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLIN && ready() == 1 && got[0].data.fd == inner);
    take(1);
    CHECK(poll(&p, 1, 0) == 0 && ready() == 0);
}

static void sets_do_not_watch_themselves(void)
{
    struct epoll_event event = {.events = EPOLLIN};
    int sets[12], i;

    for (i = 0; i < 12; i++) {
        sets[i] = epoll_create1(0);
        CHECK(sets[i] >= 0);
    }
    CHECK(epoll_ctl(sets[0], EPOLL_CTL_ADD, sets[1], &event) == 0);
    CHECK_ERROR(epoll_ctl(sets[1], EPOLL_CTL_ADD, sets[0], &event), ELOOP);
    CHECK(epoll_ctl(sets[1], EPOLL_CTL_ADD, sets[2], &event) == 0);
    CHECK_ERROR(epoll_ctl(sets[2], EPOLL_CTL_ADD, sets[0], &event), ELOOP);
    for (i = 3; i < 12; i++) {
        if (epoll_ctl(sets[i], EPOLL_CTL_ADD, sets[i == 3 ? 0 : i - 1], &event) != 0) {
            break;
        }
    }
    CHECK(i < 8 && errno == ELOOP); /* too deep */
}

static pid_t waiter(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        _exit(epoll_wait(set, got, 8, -1) == 1 ? 0 : 1);
    }
    CHECK(pid > 0);
    wait_until_asleep(pid);
    return pid;
}

static void one_edge_wakes_one_waiter(void)
{
    pid_t waiters[2], ended, other;
    long switches[2];

    start(EPOLLIN | EPOLLET);
    for (int i = 0; i < 2; i++) {
        waiters[i] = waiter();
        switches[i] = voluntary_switches(waiters[i]);
    }
    put("a");
    ended = waitpid(-1, NULL, 0);
    other = ended == waiters[0] ? waiters[1] : waiters[0];
    /* which of them is nobody's business; the other one did not even wake up */
    CHECK(slept_on(other, switches[other == waiters[1]]));
    put("b");
    CHECK(ends_well(other));
}

static void level_wakes_the_next_waiter_while_it_holds(void)
{
    pid_t first, second;

    start(EPOLLIN);
    first = waiter();
    second = waiter();
    put("a");
    CHECK(ends_well(first) && ends_well(second));
}

static void waiter_is_not_woken_for_other_events(void)
{
    int pair[2];
    pid_t pid;
    long switches;

    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    start(EPOLLIN);
    watch(pair[0], EPOLLIN);
    while (send(pair[0], got, sizeof(got), MSG_DONTWAIT) > 0) {
    }
    pid = waiter();
    switches = voluntary_switches(pid);
    while (recv(pair[1], got, sizeof(got), MSG_DONTWAIT) > 0) {
    }
    CHECK(slept_on(pid, switches));
    CHECK(write(pair[1], "x", 1) == 1 && ends_well(pid));
}

static void watched_file_closes_under_a_waiter(void)
{
    pid_t pid;

    start(EPOLLIN);
    pid = fork();
    if (pid == 0) {
        close(ends[0]);
        close(ends[1]);
        _exit(epoll_wait(set, got, 8, -1) == 1 && got[0].data.fd == 77 ? 0 : 1);
    }
    wait_until_asleep(pid);
    close(ends[0]);
    close(ends[1]);
    {
        struct epoll_event event = {.events = EPOLLIN, .data.fd = 77};

        CHECK(epoll_ctl(set, EPOLL_CTL_ADD, eventfd(1, 0), &event) == 0);
    }
    CHECK(ends_well(pid));
}

static volatile sig_atomic_t handled;

static void handler(int signal)
{
    handled = signal;
}

static void timeouts_and_signals(void)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    struct timespec tiny = {0, 1000};
    sigset_t usr1, none;
    pid_t pid;

    start(EPOLLIN);
    sigaction(SIGUSR1, &action, NULL);
    sigemptyset(&none);
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    CHECK(epoll_wait(set, got, 8, 1) == 0);
    CHECK(epoll_pwait2(set, got, 8, &tiny, NULL) == 0);
    CHECK(sigprocmask(SIG_BLOCK, &usr1, NULL) == 0 && raise(SIGUSR1) == 0 && !handled);
    put("a");
    CHECK(epoll_pwait(set, got, 8, 0, &none) == 1 && !handled); /* ready: the signal waits */
    take(1);
    CHECK_ERROR(epoll_pwait(set, got, 8, -1, &none), EINTR);
    CHECK(handled == SIGUSR1);
    CHECK(sigprocmask(SIG_BLOCK, NULL, &none) == 0 && sigismember(&none, SIGUSR1));
    CHECK(sigprocmask(SIG_UNBLOCK, &usr1, NULL) == 0);
    pid = fork();
    if (pid == 0) {
        CHECK_ERROR(epoll_wait(set, got, 8, -1), EINTR);
        _exit(0);
    }
    wait_until_asleep(pid);
    kill(pid, SIGUSR1);
    CHECK(ends_well(pid));
}

static void many_are_watched_and_few_are_ready(void)
{
    int fds[300];

    set = epoll_create1(0);
    for (int i = 0; i < 300; i++) {
        fds[i] = eventfd(0, 0);
        CHECK(fds[i] >= 0);
        watch(fds[i], EPOLLIN);
    }
    CHECK(eventfd_write(fds[7], 1) == 0 && eventfd_write(fds[299], 1) == 0);
    CHECK(ready() == 2 && got[0].data.fd == fds[7] && got[1].data.fd == fds[299]);
}

/* One feeds, one adds and removes, two wait: in the end nothing was lost and nobody hangs. */
static void everybody_at_once(void)
{
    int done = eventfd(0, 0), counter = eventfd(0, EFD_SEMAPHORE | EFD_NONBLOCK);
    pid_t children[4];

    start(EPOLLIN);
    watch(done, EPOLLIN);
    watch(counter, EPOLLIN);
    for (int i = 0; i < 4; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            for (int round = 0; round < 300; round++) {
                struct epoll_event event = {.events = EPOLLIN | EPOLLET};
                uint64_t one;

                if (i == 0) {
                    CHECK(eventfd_write(counter, 1) == 0);
                } else if (i == 1) {
                    epoll_ctl(set, EPOLL_CTL_ADD, ends[1], &event);
                    epoll_ctl(set, EPOLL_CTL_DEL, ends[1], NULL);
                    close(dup(ends[0]));
                } else {
                    do {
                        CHECK(epoll_wait(set, got, 1, -1) == 1);
                    } while (eventfd_read(counter, &one) != 0 && got[0].data.fd != done);
                    round += 1;
                }
            }
            _exit(0);
        }
    }
    for (int i = 0; i < 4; i++) {
        CHECK(ends_well(children[i]));
    }
}

/* Sets that watch a set that watches a file: 500, whatever other sets watch the file itself. */
static void ways_out_are_bounded(void)
{
    struct epoll_event event = {.events = EPOLLIN};
    int file = eventfd(0, 0), inner = epoll_create1(0);

    CHECK(epoll_ctl(inner, EPOLL_CTL_ADD, file, &event) == 0);
    for (int i = 0; i < 500; i++) {
        CHECK(epoll_ctl(epoll_create1(0), EPOLL_CTL_ADD, inner, &event) == 0);
    }
    CHECK_ERROR(epoll_ctl(epoll_create1(0), EPOLL_CTL_ADD, inner, &event), EINVAL);
    for (int i = 0; i < 300; i++) {
        CHECK(epoll_ctl(epoll_create1(0), EPOLL_CTL_ADD, file, &event) == 0);
    }
}

int main(void)
{
    static const struct test tests[] = {
        TEST(level_reports_until_it_is_read), TEST(edge_reports_each_event_once),
        TEST(edge_reports_what_held_when_it_was_added), TEST(oneshot_is_armed_again_by_mod),
        TEST(mod_changes_what_is_watched), TEST(ends_are_told_without_asking),
        TEST(an_item_is_a_file_and_a_descriptor), TEST(few_at_a_time_are_fair),
        TEST(all_kinds_of_files), TEST(errors), TEST(results_that_cannot_be_written_are_kept),
        TEST(sets_watch_sets), TEST(sets_do_not_watch_themselves), TEST(one_edge_wakes_one_waiter),
        TEST(level_wakes_the_next_waiter_while_it_holds),
        TEST(waiter_is_not_woken_for_other_events),
        TEST(watched_file_closes_under_a_waiter), TEST(timeouts_and_signals),
        TEST(many_are_watched_and_few_are_ready), TEST(everybody_at_once),
        TEST(ways_out_are_bounded),
    };

    return RUN_TESTS(tests);
}
