/*
 * Numbers at the ends of their ranges, in each argument of each call: the results are printed, so
 * host and guest must agree on each. An int of the ABI is the low half of its register; sums that
 * overflow, sizes that are negative as a signed number and times beyond all clocks are errors, the
 * same ones.
 */
#include "ktap.h"
#include <dirent.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>

#define MAX64 0x7fffffffffffffffl
#define MIN64 (-MAX64 - 1)

static const long values[] = {
    0, 1, 3, -1, -2, 0x7ffffffe, 0x7fffffff, 0x80000000l, 0x80000001l, 0xc0000000l, 0xffffffffl,
    0x100000000l, 0x100000001l, 0x1ffffffffl, 1l << 43, 1l << 47, 1l << 62, MAX64 - 1, MAX64, MIN64,
    MIN64 + 1,
};
#define VALUES ((int)(sizeof(values) / sizeof(*values)))

/* What calls are made on: a file of ten bytes, directories, and files that are none. */
static int file, directory, proc, null_device, zero_device, pipe_ends[2], pair[2], listener, epoll;
static int event, timer;
/* Two pages with nothing behind them, at an address that can be printed. */
#define buffer ((char *)0x10000000)
#define B ((long)buffer)
#define PATH_FILE "extreme"

static void print_result(long result)
{
    if (result < 0) {
        printf("error %d\n", errno);
    } else if (result < 65536) {
        printf("%ld\n", result);
    } else {
        puts("large");
    }
}

/* Two times as setitimer(2) has them: the interval, and the time until the first signal. */
struct interval {
    struct timespec every, first;
};

static void alarm_in(long microseconds)
{
    struct interval once = {{0, 0}, {0, microseconds}};

    syscall(SYS_setitimer, 0, &once, NULL);
}

/* One call in a process of its own, which it may end or leave waiting. */
static void try_call(const char *name, long number, const long a[6])
{
    int status;

    fflush(stdout);
    if (fork() == 0) {
        alarm_in(500000);
        printf("%s(%lx, %lx, %lx, %lx): ", name, a[0], a[1], a[2], a[3]);
        print_result(syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]));
        fflush(stdout);
        _exit(0);
    }
    wait(&status);
    if (WIFSIGNALED(status)) {
        printf("%s: signal %d\n", name, WTERMSIG(status));
    }
}

struct row {
    const char *name;
    long number, a[6];
    unsigned vary; /* a bit for each argument to be put through all values */
};
#define NOBODY 64 /* but not ids that processes may have */

static void try_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!rows[i].vary) {
            try_call(rows[i].name, rows[i].number, rows[i].a);
        }
        for (int slot = 0; slot < 6; slot++) {
            for (int v = 0; v < VALUES && rows[i].vary >> slot & 1; v++) {
                long a[6];

                memcpy(a, rows[i].a, sizeof(a));
                a[slot] = values[v];
                if (!(rows[i].vary & NOBODY) || (int)values[v] == 0 || (unsigned)values[v] > 3) {
                    try_call(rows[i].name, rows[i].number, a);
                }
            }
        }
    }
}
#define TRY(rows) try_rows(rows, sizeof(rows) / sizeof(*(rows)))

/* The same number everywhere: more descriptors may have been left open to us on one side. */
static int place(int fd)
{
    static int next = 40;

    CHECK(fd >= 0 && dup2(fd, next) == next);
    close(fd);
    return next++;
}

static void open_all(void)
{
    CHECK(mmap(buffer, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
               0) == buffer);
    CHECK(munmap(buffer + 8192, 1 << 20) == 0);
    *(struct iovec *)(buffer + 4096) = (struct iovec){buffer, 1};
    *(struct timespec *)(buffer + 2048) = (struct timespec){0, 1};
    strcpy(buffer + 3000, "extremes");
    strcpy(buffer + 3100, "/dev/null");
    strcpy(buffer + 3200, "extreme-link");
    strcpy(buffer + 3300, "/");
    unlink("extreme-link");
    CHECK(symlink("where", "extreme-link") == 0);
    for (int fd = 2; fd < 40; fd++) {
        close(fd);
    }
    null_device = place(open("/dev/null", O_RDWR));
    zero_device = place(open("/dev/zero", O_RDWR));
    dup2(null_device, 0);
    dup2(null_device, 2);
    file = place(open(PATH_FILE, O_RDWR | O_CREAT | O_TRUNC, 0644));
    CHECK(write(file, "0123456789", 10) == 10);
    mkdir("extremes", 0755);
    directory = place(open("extremes", O_RDONLY | O_DIRECTORY));
    proc = place(open("/proc", O_RDONLY | O_DIRECTORY));
    CHECK(pipe(pipe_ends) == 0 && fcntl(pipe_ends[0], F_SETFL, O_NONBLOCK) == 0);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
    for (int i = 0; i < 2; i++) {
        pipe_ends[i] = place(pipe_ends[i]);
        pair[i] = place(pair[i]);
    }
    listener = place(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
    epoll = place(epoll_create1(0));
    event = place(eventfd(0, EFD_NONBLOCK));
    timer = place(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
}

static void positions(void)
{
    const struct row rows[] = {
        {"lseek of a file", 8, {file, 0, SEEK_SET}, 3}, {"lseek to nowhere", 8, {file, 0, -1}, 0},
        {"lseek from there", 8, {file, 0, SEEK_CUR}, 2},
        {"lseek from the end", 8, {file, 0, SEEK_END}, 2},
        {"lseek of a directory", 8, {directory, 0, SEEK_SET}, 2},
        {"lseek in /proc", 8, {proc, 0, SEEK_SET}, 2},
        {"lseek of a pipe", 8, {pipe_ends[0], 0, SEEK_SET}, 2},
        {"lseek of a socket", 8, {pair[0], 0, SEEK_SET}, 2},
        {"lseek of null", 8, {null_device, 0, SEEK_SET}, 2}, {"pread", 17, {file, B, 4, 0}, 15},
        {"pwrite", 18, {file, B, 0, 0}, 9}, {"pread of a pipe", 17, {pipe_ends[0], B, 4, 0}, 8},
        {"pread of zero", 17, {zero_device, B, 4, 0}, 8}, {"ftruncate", 77, {file, 10}, 1},
        {"ftruncate of a directory", 77, {directory, 10}, 2},
        {"truncate of a directory", 76, {B + 3000, 10}, 2},
    };

    TRY(rows);
}

/* From a position that was sought before: further steps must not overflow. */
static void from_far_positions(void)
{
    for (int i = 0; i < VALUES; i++) {
        const int files[] = {directory, proc, file};

        for (int f = 0; f < 3; f++) {
            long at = lseek(files[f], values[i], SEEK_SET), next;

            printf("position %lx: ", values[i]);
            print_result(at);
            if (at < 0) {
                continue;
            }
            next = lseek(files[f], MAX64, SEEK_CUR);
            printf(" and then: ");
            print_result(next);
            lseek(files[f], at, SEEK_SET);
            printf(" and back: ");
            print_result(lseek(files[f], MIN64, SEEK_CUR));
            lseek(files[f], at, SEEK_SET);
            if (files[f] == file) {
                printf(" read: ");
                print_result(read(file, buffer, 100));
            } else if (at >= 32768 + 300) { /* behind all processes */
                printf(" entries: ");
                print_result(syscall(SYS_getdents64, files[f], buffer, 8192));
            }
        }
    }
}

static void sizes(void)
{
    const struct row rows[] = {
        {"read", 0, {file, B, 4}, 5}, {"write", 1, {null_device, B, 0}, 5},
        {"read of zero", 0, {zero_device, B, 0}, 4}, {"read of null", 0, {null_device, B, 0}, 4},
        {"read of a pipe", 0, {pipe_ends[0], B, 0}, 4}, {"read of an eventfd", 0, {event, B, 8}, 4},
        {"read of a timerfd", 0, {timer, B, 8}, 4}, {"readv", 19, {file, B + 4096, 1}, 5},
        {"writev", 20, {null_device, B + 4096, 1}, 5}, {"getdents", 217, {directory, B, 8192}, 5},
        {"readlink", 89, {B + 3200, B, 1}, 4}, {"getrandom", 318, {B, 1, 0}, 6},
        {"poll", 7, {B, 0, 0}, 2}, {"ppoll", 271, {B, 0, B + 2048, 0, 8}, 2},
        {"select", 23, {0, 0, 0, 0, B + 2048}, 1}, {"epoll_wait", 232, {epoll, B, 1, 0}, 5},
        {"epoll_create", 213, {1}, 1}, {"eventfd", 290, {0, 0}, 3},
        {"send", 44, {pair[0], B, 0, 0x4000}, 1}, {"recv", 45, {pair[0], B, 0, 0x40}, 5},
        {"listen", 50, {listener, 1}, 3}, {"setsockopt", 54, {pair[0], 1, 7, B, 4}, 16},
        {"setsockopt", 54, {pair[0], 1, 9999, B, 4}, 0}, {"bind", 49, {listener, B, 3}, 4},
        {"connect", 42, {listener, B, 3}, 4}, {"sigaction", 13, {10, 0, 0, 8}, 9},
        {"sigprocmask", 14, {0, 0, 0, 8}, 9}, {"futex wake", 202, {B, 1, 1}, 4},
        {"futex requeue", 202, {B, 3, 1, 1, B + 64}, 12}, {"set_robust_list", 273, {B, 24}, 2},
    };
    static const struct epoll_event none;

    for (int i = 0; i < VALUES; i++) {
        struct iovec two[2] = {{buffer, 1}, {buffer, (size_t)values[i]}};

        lseek(file, 0, SEEK_SET);
        printf("readv of 1 and %lx: ", values[i]);
        print_result(readv(file, two, 2));
        printf("writev of 1 and %lx: ", values[i]);
        print_result(writev(null_device, two, 2));
    }
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, event, (struct epoll_event *)&none) == 0);
    TRY(rows);
    const struct row cwd[] = {{"getcwd", 79, {B, 1}, 2}};

    CHECK(chdir("/") == 0);
    TRY(cwd);
}

static void descriptors(void)
{
    static const long with_fd[] = {0, 1, 3, 5, 16, 17, 18, 19, 20, 32, 43, 48, 51, 52, 72, 77, 217,
                                   287};
    const struct row rows[] = {
        {"dup2", 33, {file, 99}, 2}, {"dup3", 292, {file, 99, 0}, 6},
        {"F_DUPFD", 72, {file, 0, 0}, 4}, {"F_DUPFD_CLOEXEC", 72, {file, 1030, 0}, 4},
        {"F_SETFD", 72, {file, 2, 0}, 4}, {"F_GETFD", 72, {file, 1, 0}, 4},
        {"pipe2", 293, {B, 0}, 0}, {"epoll_ctl", 233, {epoll, 2, event, B}, 6},
        {"openat", 257, {-100, B + 3100, 0}, 1}, {"FIONREAD", 16, {pair[0], 0x541b, B}, 0},
        {"socketpair", 53, {1, 1, 0, B}, 5}, {"socket", 41, {1, 1, 0}, 0},
        {"accept4", 288, {listener, 0, 0, 0}, 0}, {"shutdown", 48, {pair[1], 0}, 2},
        {"mmap", 9, {0, 4096, 1, 2, file, 0}, 16}, {"poll", 7, {B, 1, 0}, 0},
    };

    for (size_t i = 0; i < sizeof(with_fd) / sizeof(*with_fd); i++) {
        const struct row one = {"on a descriptor", with_fd[i], {0, B, 0}, 1};

        for (int v = 0; v < VALUES; v++) {
            if ((int)values[v] < 0 || (int)values[v] > 100) { /* of the others, some are open */
                long a[6] = {values[v], one.a[1]};

                try_call(one.name, one.number, a);
            }
        }
    }
    TRY(rows);
}

static void processes(void)
{
    const struct row rows[] = {
        {"kill", 62, {0x80000000l, 0}, 0},
        {"kill of a process that is not there", 62, {0x7fffffff, 0}, 2},
        {"tgkill", 234, {0x7fffffff, 0x7fffffff, 0}, 7}, {"wait4", 61, {0x7fffffff, 0, 1, 0}, 5},
        {"waitid", 247, {1, 0x7fffffff, 0, 5, 0}, 10},
        {"waitid of a group", 247, {2, 0x7fffffff, 0, 5, 0}, 2},
        {"setpgid", 109, {0, 0x7fffffff}, 2 | NOBODY}, {"setpgid of", 109, {0x7fffffff, 0}, 0},
        {"getpgid", 121, {0x7fffffff}, 0}, {"getpriority", 140, {0, 0x7fffffff}, 1},
        {"setpriority", 141, {0, 0x7fffffff, 0}, 3 | NOBODY},
        {"setpriority of this one", 141, {0, 0, 0}, 4},
        {"getscheduler", 145, {0x7fffffff}, 1 | NOBODY},
        {"setscheduler", 144, {0x7fffffff, 0, B}, 3 | NOBODY},
        {"setaffinity", 203, {0x7fffffff, 8, B}, 3 | NOBODY},
        {"getaffinity of nobody", 204, {0x7fffffff, 8, B}, 1 | NOBODY},
        {"prlimit", 302, {0, 0, 0, B}, 2}, {"prlimit of nobody", 302, {0x7fffffff, 0, 0, B}, 0},
        {"getrusage", 98, {0, B}, 1}, {"umask", 95, {0}, 1}, {"access", 21, {B + 3300, 0}, 2},
        {"arch_prctl", 158, {0, B}, 0},
        {"get_robust_list", 274, {0x7fffffff, B, B + 8}, 1 | NOBODY}, {"exit", 60, {0}, 0},
        {"clone", 56, {0x10000, 0, 0, 0, 0}, 0},
    };

    TRY(rows);
    for (int v = 0; v < VALUES; v++) {
        pid_t child = fork();
        int status;

        if (child == 0) {
            syscall(v % 2 ? 60 : 231, values[v]);
        }
        waitpid(child, &status, 0);
        printf("exit %lx: %x\n", values[v], status);
    }
    for (int v = 0; v < VALUES; v++) {
        char name[64];

        snprintf(name, sizeof(name), "/proc/%ld", values[v] >= 0 && values[v] < 5 ? 4294967297l
                                                                                : values[v]);
        printf("%s: %d\n", name, access(name, F_OK) ? errno : 0);
    }
}

static void memory(void)
{
    const long area = (long)mmap((void *)0x20000000, 65536, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    const struct row rows[] = {
        {"mmap of a file", 9, {0, 4096, 1, 2, file, 0}, 32},
        {"shared mmap", 9, {0, 4096, 1, 1, file, 0}, 32},
        {"mmap of a size", 9, {0, 4096, 1, 0x4022, -1, 0}, 2},
        {"shared mmap of a size", 9, {0, 4096, 1, 0x4021, -1, 0}, 2},
        {"munmap", 11, {area, 4096}, 3}, {"mprotect", 10, {area, 4096, 1}, 7},
        {"madvise", 28, {area, 4096, 4}, 3}, {"mremap", 25, {area, 4096, 4096, 3, area + 8192}, 8},
        {"read into", 0, {zero_device, area, 1}, 2},
    };

    TRY(rows);
}

/* They wait until a signal comes, not for no time at all. */
static void wait_long(long seconds)
{
    struct timespec t = {seconds, 0};
    const struct row rows[] = {
        {"nanosleep", 35, {(long)&t, 0}, 0}, {"poll", 7, {0, 0, 0x7fffffff}, 0},
        {"pselect", 270, {0, 0, 0, 0, (long)&t, 0}, 0},
    };

    for (int i = 0; i < 3; i++) {
        const long *a = rows[i].a;
        int status;

        if (fork() == 0) {
            alarm_in(50000);
            syscall(rows[i].number, a[0], a[1], a[2], a[3], a[4], a[5]);
            _exit(0);
        }
        wait(&status);
        printf("%s of %lx: %x\n", rows[i].name, seconds, status);
    }
}

static void times(void)
{
    static const long nanoseconds[] = {0, 999999, 1000000, 999999999, 1000000000, MAX64, MIN64, -1};

    for (int v = 0; v < VALUES; v++) {
        for (int n = 0; n < 8; n++) {
            struct timespec t = {values[v], nanoseconds[n]};
            struct itimerspec spec = {.it_value = t};
            struct itimerspec every = {.it_interval = t, .it_value = {0, 1000}};
            struct interval interval = {{0, 0}, t};
            int is_short = values[v] >= 0 && values[v] < 4; /* those would be waited for */

            printf("%lx s %lx ns: ", values[v], nanoseconds[n]);
            printf("timerfd %d ", syscall(SYS_timerfd_settime, timer, 0, &spec, 0) ? errno : 0);
            printf("%d ", syscall(SYS_timerfd_settime, timer, 1, &spec, 0) ? errno : 0);
            printf("%d ", syscall(SYS_timerfd_settime, timer, 0, &every, 0) ? errno : 0);
            spec = (struct itimerspec){0};
            syscall(SYS_timerfd_settime, timer, 0, &spec, 0);
            printf("setitimer %d ", syscall(SYS_setitimer, 0, &interval, 0) ? errno : 0);
            interval = (struct interval){{0, 0}, {0, 0}};
            syscall(SYS_setitimer, 0, &interval, 0);
            alarm(120);
            if (!is_short && (values[v] < 0 || nanoseconds[n] > 999999999 || nanoseconds[n] < 0)) {
                printf("nanosleep %d ", syscall(SYS_nanosleep, &t, 0) ? errno : 0);
                printf("clock_nanosleep %d ", syscall(SYS_clock_nanosleep, 1, 1, &t, 0) ? errno : 0);
                printf("ppoll %d ", syscall(SYS_ppoll, 0, 0, &t, 0, 8) ? errno : 0);
                printf("futex %d ", syscall(SYS_futex, B, 0, 0, &t, 0, 0) ? errno : 0);
                if (values[v] < 0 && nanoseconds[n] < 1000000) {
                    printf("select %d ", syscall(SYS_select, 0, 0, 0, 0, &t) ? errno : 0);
                }
            }
            putchar('\n');
        }
    }
    for (int v = 0; v < VALUES; v++) {
        if (values[v] > 3 && values[v] < MAX64 && v % 4 == 1) {
            wait_long(values[v]);
        }
    }
}

int main(void)
{
    static const struct test tests[] = {
        TEST(positions), TEST(from_far_positions), TEST(sizes), TEST(descriptors), TEST(processes),
        TEST(memory), TEST(times),
    };

    char own[64]; /* in memory, for its limits: /dev/shm; another run may be at work beside this one */
    int failed;

    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    snprintf(own, sizeof(own), "/dev/shm/extremes-%d", getpid());
    CHECK(mkdir(own, 0755) == 0 && chdir(own) == 0);
    open_all();
    failed = RUN_TESTS(tests);
    unlink(PATH_FILE);
    unlink("extreme-link");
    rmdir("extremes");
    rmdir(own);
    return failed;
}
