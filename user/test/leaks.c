/* 10,000 forks and threads, sockets of killed processes, and a hog, full files: then all is there again. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include "asleep.h"
#include "tasks.h"

static int is_baton(void)
{
    return access("/proc/unimplemented", F_OK) == 0;
}

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

/*
 * Do it until nothing is lost by it: the first times fill what the kernel keeps, a little on each
 * CPU that had a part in it. What is lost is lost each time.
 */
static void nothing_is_lost_by(void (*work)(int), int count)
{
    long before = 0, after = 0;

    work(count / 100);
    free_kilobytes(); /* its own buffers are there from now on */
    for (int attempt = 0; attempt < 4; attempt++) {
        before = free_kilobytes();
        work(count);
        after = free_kilobytes();
        if (!is_baton() || before == after) {
            return; /* elsewhere other processes come and go */
        }
    }
    fprintf(stderr, "# free before %ld kB, after %ld kB\n", before, after);
    CHECK(before == after);
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

static void nothing_is_lost_by_10000_forks(void)
{
    nothing_is_lost_by(forks, is_baton() ? 10000 : 100);
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

static void kill_owners_of_sockets(int count)
{
    for (int round = 0; round < count; round++) {
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
    }
}

static void nothing_is_lost_with_sockets_of_the_killed(void)
{
    if (is_baton()) {
        kill_owners_of_sockets(100); /* what is kept for the next is there from now on */
        nothing_is_lost_by(kill_owners_of_sockets, 200);
    }
}

/* What is refused leaves nothing: neither the new root nor the nodes of a devtmpfs. */
static void refused_mounts(int count)
{
    for (int i = 0; i < count; i++) {
        CHECK(mount("x", i % 2 ? "/proc/self" : "/dev/null", i % 3 ? "devtmpfs" : "tmpfs", 0, NULL) < 0);
    }
}

static void nothing_is_lost_by_refused_mounts(void)
{
    if (is_baton()) {
        nothing_is_lost_by(refused_mounts, 1000);
    }
}

/* Watches that go with their set, with their file, or with an event, and events that nobody reads: also of files
 * that have no name any more. */
static void watches(int count)
{
    for (int i = 0; i < count; i++) {
        int set = inotify_init(), file;

        CHECK(mkdir("leaks", 0700) == 0 && inotify_add_watch(set, "leaks", IN_ALL_EVENTS) == 1);
        file = open("leaks/file", O_RDWR | O_CREAT, 0600);
        CHECK(inotify_add_watch(set, "leaks/file", IN_ALL_EVENTS) == 2);
        CHECK(inotify_add_watch(set, "/proc/self/fd/0", IN_OPEN) == 3);
        CHECK(inotify_add_watch(set, "/proc/self/stat", IN_OPEN | IN_ONESHOT) == 4);
        CHECK(i % 2 || inotify_rm_watch(set, 2) == 0);
        CHECK(unlink("leaks/file") == 0 && write(file, "x", 1) == 1 && rmdir("leaks") == 0);
        CHECK(i % 3 || close(set) == 0);
        CHECK(close(file) == 0 && (i % 3 == 0 || close(set) == 0));
    }
}

static void nothing_is_lost_by_watches(void)
{
    nothing_is_lost_by(watches, 1000);
}

static int ran;

static int run(void *unused)
{
    __atomic_fetch_add(&ran, 1, __ATOMIC_SEQ_CST);
    return unused != NULL;
}

static void threads(int count)
{
    static struct thread threads[4];

    for (int i = 0; i < count / 4; i++) {
        for (int t = 0; t < 4; t++) {
            CHECK(thread_start(&threads[t], run, NULL) > 0);
        }
        for (int t = 0; t < 4; t++) {
            thread_join(&threads[t]);
        }
    }
    usleep(10000); /* the last one's stack */
}

static void nothing_is_lost_by_10000_threads(void)
{
    nothing_is_lost_by(threads, 10000);
    CHECK(ran >= 10100);
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

static int room_file;

/* Room behind the end, each time further on (FALLOC_FL_KEEP_SIZE is 1), which cutting the file takes away. */
static void rooms_behind_the_end(int count)
{
    static long at;

    for (int i = 0; i < count; i++, at += 1 << 16) {
        syscall(SYS_fallocate, room_file, 1, at, 1l << 16);
        CHECK(ftruncate(room_file, 0) == 0);
    }
}

static void nothing_is_lost_by_room_behind_the_end(void)
{
    room_file = open("room", O_RDWR | O_CREAT, 0600);
    CHECK(room_file >= 0 && unlink("room") == 0);
    nothing_is_lost_by(rooms_behind_the_end, 100);
}

static void fill_the_files(void)
{
    int file = open("full", O_RDWR | O_CREAT | O_EXCL, 0600);
    long end = 0;

    CHECK(file >= 0);
    for (long size = 1l << 40; size >= 4096;) {
        if (syscall(SYS_fallocate, file, 0, end, size) == 0) {
            end += size;
        } else {
            CHECK(errno == ENOSPC);
            size /= 2;
        }
    }
    CHECK(lseek(file, 0, SEEK_END) == end);
    while (write(file, &end, sizeof(end)) == (ssize_t)sizeof(end)) { /* a page or two may be free again */
    }
    CHECK(errno == ENOSPC);
    CHECK_ERROR(mkdir("none", 0700), ENOSPC);
    CHECK_ERROR(symlink("full", "none"), ENOSPC);
    CHECK(close(open("/dev/ptmx", O_RDWR | O_NOCTTY)) == 0);
    CHECK(close(file) == 0);
}

static void full_files_leave_room_for_programs(void)
{
    long before = free_kilobytes();
    pid_t pid;

    if (!is_baton()) {
        return;
    }
    fill_the_files();
    pid = fork();
    if (pid == 0) {
        execvp("rm", (char *[]){"rm", "full", NULL});
        _exit(1);
    }
    CHECK(ends_well(pid));
    CHECK(free_kilobytes() > before - 256); /* what is kept for the next ones may stay */
}

/* Events of long names, in as many queues as there may be; nobody is killed for it. */
static void full_queues_leave_room_for_programs(void)
{
    static char name[200] = "queues/";
    long before = free_kilobytes();
    int first = -1, set;

    if (!is_baton()) {
        return;
    }
    memset(name + strlen(name), 'x', 180);
    CHECK(mkdir("queues", 0700) == 0);
    while ((set = inotify_init()) >= 0) {
        first = first < 0 ? set : first;
        CHECK(inotify_add_watch(set, "queues", IN_OPEN | IN_CLOSE) == 1);
    }
    CHECK(close(open(name, O_CREAT | O_WRONLY, 0600)) == 0);
    for (int i = 0; i < 9000; i++) { /* two events each: more than the memory, or than the queues may have */
        CHECK(close(open(name, O_RDONLY)) == 0);
    }
    forks(10);
    for (set = first; close(set) == 0; set++) {
    }
    CHECK(unlink(name) == 0 && rmdir("queues") == 0 && free_kilobytes() > before - 256);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(nothing_is_lost_by_10000_forks), TEST(nothing_is_lost_by_10000_threads),
        TEST(nothing_is_lost_by_refused_mounts), TEST(nothing_is_lost_by_room_behind_the_end),
        TEST(nothing_is_lost_by_watches),
        TEST(nothing_is_lost_with_sockets_of_the_killed), TEST(hog_is_stopped_and_we_go_on),
        TEST(full_files_leave_room_for_programs), TEST(full_queues_leave_room_for_programs),
    };

    return RUN_TESTS(tests);
}
