/* 10,000 forks and threads, sockets of killed processes, and a hog: then all is there again. */
#include <dirent.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include "asleep.h"
#include "tasks.h"

static long free_kilobytes(void)
{
    FILE *file = fopen("/proc/meminfo", "r");
    char line[128];
    long value = 0;

    while (file && fgets(line, sizeof(line), file)) {
        if (strncmp(line, "MemFree:", 8) == 0) {
            value = atol(line + 8);
        }
    }
    fclose(file);
    return value;
}

static void forks(int count)
{
    for (int i = 0; i < count; i++) {
        pid_t pid = fork();

        if (pid == 0) {
            _exit(0);
        }
        CHECK(pid > 0 && waitpid(pid, NULL, 0) == pid);
    }
}

static int is_baton(void)
{
    return access("/proc/unimplemented", F_OK) == 0;
}

static void nothing_is_lost_by_10000_forks(void)
{
    long before, after;

    if (!is_baton()) {
        return; /* elsewhere other processes come and go */
    }
    forks(100);
    free_kilobytes(); /* its own buffers are there from now on */
    before = free_kilobytes();
    forks(10000);
    after = free_kilobytes();
    if (before != after) {
        fprintf(stderr, "# free before %ld kB, after %ld kB\n", before, after);
    }
    CHECK(before == after);
}

/* A process with connections in every state, and sets that watch them; it is killed as it is. */
static void sockets_of_one_child(int round)
{
    struct sockaddr name = {AF_UNIX, "\0leaks"};
    int server = socket(AF_UNIX, SOCK_STREAM, 0), set = epoll_create1(0), outer = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};
    const struct itimerspec soon = {{0, 1000}, {0, 1000}};
    static char block[60000];
    int fds[5];

    CHECK(bind(server, &name, sizeof(name)) == 0 && listen(server, 5) == 0);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0 && write(fds[0], block, 60000) == 60000);
    fds[2] = socket(AF_UNIX, SOCK_STREAM, 0); /* never accepted */
    CHECK(connect(fds[2], &name, sizeof(name)) == 0 && write(fds[2], block, 60000) == 60000);
    fds[3] = eventfd(1, 0);
    fds[4] = timerfd_create(CLOCK_MONOTONIC, 0);
    CHECK(timerfd_settime(fds[4], 0, &soon, NULL) == 0);
    for (int i = 0; i < 5; i++) {
        CHECK(epoll_ctl(set, EPOLL_CTL_ADD, fds[i], &event) == 0);
    }
    CHECK(epoll_ctl(outer, EPOLL_CTL_ADD, set, &event) == 0);
    CHECK(epoll_ctl(set, EPOLL_CTL_ADD, server, &event) == 0);
    if (round % 2) {
        kill(getpid(), SIGKILL);
    }
    while (write(fds[0], block, 60000) > 0) { /* sleeps, until its parent kills it */
    }
}

static void nothing_is_lost_with_sockets_of_the_killed(void)
{
    long before = 0, after;

    if (!is_baton()) {
        return;
    }
    for (int round = 0; round < 300; round++) {
        pid_t pid = fork();

        if (pid == 0) {
            sockets_of_one_child(round);
            _exit(1);
        }
        if (round % 2 == 0) {
            wait_until_asleep(pid);
            kill(pid, SIGKILL);
        }
        CHECK(exit_code(pid) == -1);
        if (round == 100) { /* what is kept for the next is there from now on */
            before = free_kilobytes();
        }
    }
    after = free_kilobytes();
    if (before != after) {
        fprintf(stderr, "# free before %ld kB, after %ld kB\n", before, after);
    }
    CHECK(before == after);
}

static int count(void *argument)
{
    __atomic_fetch_add((int *)argument, 1, __ATOMIC_SEQ_CST);
    return 0;
}

static void threads(int rounds, volatile int *ran)
{
    static struct thread threads[4];

    for (int i = 0; i < rounds; i++) {
        for (int t = 0; t < 4; t++) {
            CHECK(thread_start(&threads[t], count, (void *)ran) > 0);
        }
        for (int t = 0; t < 4; t++) {
            thread_join(&threads[t]);
        }
    }
}

static void nothing_is_lost_by_10000_threads(void)
{
    volatile int ran = 0;
    long before, after;

    threads(25, &ran);
    free_kilobytes();
    before = free_kilobytes();
    threads(2500, &ran);
    usleep(10000); /* the last one's stack */
    after = free_kilobytes();
    CHECK(ran == 10100);
    if (is_baton() && before != after) {
        fprintf(stderr, "# free before %ld kB, after %ld kB\n", before, after);
        CHECK(before == after);
    }
}

static void hog_is_stopped_and_we_go_on(void)
{
    long before, after;
    int status;
    pid_t pid;

    if (!is_baton()) {
        return; /* not on somebody's machine */
    }
    before = free_kilobytes();
    pid = fork();
    if (pid == 0) {
        for (;;) {
            char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

            if (p == MAP_FAILED) {
                _exit(1);
            }
            for (int i = 0; i < 1 << 20; i += 4096) {
                p[i] = 1;
            }
        }
    }
    CHECK(waitpid(pid, &status, 0) == pid && status != 0);
    after = free_kilobytes();
    CHECK(after > before - 64 && after < before + 64); /* a slab or two may stay */
}

int main(void)
{
    static const struct test tests[] = {
        TEST(nothing_is_lost_by_10000_forks), TEST(nothing_is_lost_by_10000_threads),
        TEST(nothing_is_lost_with_sockets_of_the_killed), TEST(hog_is_stopped_and_we_go_on),
    };

    return RUN_TESTS(tests);
}
