/*
 * What an operation costs beside n others that it has nothing to do with. It should not matter how
 * many there are, but for what is n long itself.
 */
#include "kernel.h"

#include <co.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>

enum { PAGE = 4096, COUNT = 50 };

static volatile uint32_t gate;

/* n areas that do not become one. The address behind the last one. */
static void areas_make(long n)
{
    for (long i = 0; i < n; i++) {
        MUST(mmap(NULL, PAGE, i % 2 ? PROT_READ : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
    }
}

static double map_beside_areas(long n)
{
    areas_make(n);
    return EACH(COUNT, munmap(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), PAGE));
}

/* Between the areas there are holes, all too small. */
static double map_beside_holes(long n)
{
    char *start = mmap(NULL, (size_t)(2 * n * PAGE), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    for (long i = 0; i < n; i++) {
        MUST(munmap(start + 2 * i * PAGE, PAGE) == 0);
    }
    return EACH(COUNT, munmap(mmap(NULL, 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 2 * PAGE));
}

static void *suspend(void *in)
{
    return co_yield(in);
}

static double coroutine_stack(long n)
{
    for (long i = 0; i < n; i++) {
        MUST(co_create(suspend, NULL) != NULL);
    }
    return EACH(COUNT, MUST(co_create(suspend, NULL) != NULL));
}

/* Asleep until `gate` opens; they end with us by SIGKILL. */
static void children_make(long n)
{
    for (long i = 0; i < n; i++) {
        if (bare_fork() == 0) {
            for (;;) {
                futex_wait(&gate, 0);
            }
        }
    }
    usleep(1000); /* until all sleep */
}

static void fork_wait(pid_t for_whom)
{
    pid_t pid = bare_fork();
    int status;

    if (pid == 0) {
        _exit(0);
    }
    MUST(bare_call(SYS_wait4, for_whom ?: pid, (long)&status, 0) == pid);
}

static double wait_for_one(long n)
{
    children_make(n);
    return EACH(COUNT, fork_wait(0));
}

static double wait_for_any(long n)
{
    children_make(n);
    return EACH(COUNT, fork_wait(-1));
}

static double wait_for_none(long n)
{
    int status;

    children_make(n);
    return EACH(COUNT, MUST(waitpid(-1, &status, WNOHANG) == 0));
}

/* From the first entry to the last. */
static void list_directory(int fd)
{
    static char buffer[2000]; /* so that what it costs to get pages does not show */

    MUST(lseek(fd, 0, SEEK_SET) == 0);
    while (bare_call(SYS_getdents64, fd, (long)buffer, sizeof(buffer)) > 0) {
    }
}

static double list_processes(long n)
{
    int fd = open("/proc", O_RDONLY);

    MUST(fd >= 0);
    children_make(n);
    list_directory(fd); /* its buffer is there now */
    return EACH(5, list_directory(fd)) / (double)n;
}

static double poll_each(long n)
{
    struct pollfd *all = malloc((size_t)n * sizeof(*all));
    int ends[2];

    MUST(pipe(ends) == 0);
    for (long i = 0; i < n; i++) {
        all[i] = (struct pollfd){.fd = ends[0], .events = POLLIN};
    }
    poll(all, (nfds_t)n, 0);
    return EACH(5, MUST(poll(all, (nfds_t)n, 0) == 0)) / (double)n;
}

static double epoll_beside_descriptors(long n)
{
    struct epoll_event event = {.events = EPOLLIN};
    int set = epoll_create1(0), ends[2];

    MUST(set >= 0 && pipe(ends) == 0);
    for (long i = 0; i < n; i++) {
        int mine[2];

        MUST(pipe(mine) == 0 && epoll_ctl(set, EPOLL_CTL_ADD, mine[0], &event) == 0);
    }
    MUST(write(ends[1], "x", 1) == 1 && epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &event) == 0);
    return EACH(COUNT, MUST(epoll_wait(set, &event, 1, -1) == 1));
}

static double open_beside_descriptors(long n)
{
    for (long i = 0; i < n; i++) {
        MUST(dup(0) >= 0);
    }
    return EACH(COUNT, close(dup(0)));
}

static double look_up_beside_names(long n)
{
    char name[32];

    MUST(chdir("/tmp") == 0);
    for (long i = 0; i < n; i++) {
        snprintf(name, sizeof(name), "file-%ld", i);
        MUST(close(open(name, O_CREAT | O_WRONLY, 0600)) == 0);
    }
    return EACH(COUNT, MUST(access(name, F_OK) == 0));
}

/* Beside readers that wait, as many bytes as one takes. */
static double byte_through(const int ends[2], long n)
{
    for (long i = 0; i < n; i++) {
        if (bare_fork() == 0) {
            char byte;

            while (read(ends[0], &byte, 1) == 1) {
            }
            _exit(0);
        }
    }
    usleep(1000);
    MUST(write(ends[1], "x", 1) == 1); /* what the first byte touches is there now */
    usleep(1000);
    n = n < COUNT ? n : COUNT;
    return EACH(n, write(ends[1], "x", 1));
}

static double byte_for_readers(long n)
{
    int ends[2];

    MUST(pipe(ends) == 0);
    return byte_through(ends, n);
}

enum { PTY_NUMBER = 0x80045430, PTY_LOCK = 0x40045431 }; /* TIOCGPTN, TIOCSPTLCK: ioctl_tty(2) */

/* The same, typed on a terminal that takes each byte as it is. */
static double byte_for_terminal_readers(long n)
{
    int ends[2] = {-1, open("/dev/ptmx", O_RDWR | O_NOCTTY)}, number, off = 0;
    struct termios raw;
    char name[32];

    MUST(ioctl(ends[1], PTY_LOCK, &off) == 0 && ioctl(ends[1], PTY_NUMBER, &number) == 0);
    snprintf(name, sizeof(name), "/dev/pts/%d", number);
    ends[0] = open(name, O_RDWR | O_NOCTTY);
    MUST(tcgetattr(ends[0], &raw) == 0);
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    MUST(tcsetattr(ends[0], TCSANOW, &raw) == 0);
    return byte_through(ends, n);
}

enum { STACK = 4096 };
static volatile uint32_t own_words[20000];

static int sleep_at(void *word)
{
    for (;;) {
        futex_wait(word, 0);
    }
    return 0;
}

static double futex_beside_sleepers(long n)
{
    static volatile uint32_t tid, word;
    char *stacks = memory((size_t)(n * STACK));

    (void)word;
    for (long i = 0; i < n; i++) {
        thread_start(sleep_at, (void *)&own_words[i], stacks + i * STACK, STACK, &tid);
    }
    usleep(1000);
    return EACH(COUNT, futex_wake(&word, 1));
}

static double sleep_beside_sleepers(long n)
{
    struct timespec shortly = {0, 1000};

    for (long i = 0; i < n; i++) {
        if (bare_fork() == 0) {
            sleep(1000 + (unsigned)i);
            _exit(0);
        }
    }
    usleep(1000);
    return EACH(COUNT, nanosleep(&shortly, NULL));
}

const struct row growth_rows[] = {
    {"map_beside_areas", map_beside_areas, 10000},
    {"map_beside_holes", map_beside_holes, 10000},
    {"coroutine_stack", coroutine_stack, 10000},
    {"wait_for_one_beside_children", wait_for_one, 10000},
    {"wait_for_any_beside_children", wait_for_any, 10000},
    {"wait_for_none_beside_children", wait_for_none, 10000},
    {"byte_for_waiting_readers", byte_for_readers, 10000},
    {"byte_for_terminal_readers", byte_for_terminal_readers, 10000},
    {"futex_wake_beside_sleepers", futex_beside_sleepers, 10000},
    {"sleep_beside_sleepers", sleep_beside_sleepers, 10000},
    {"open_beside_descriptors", open_beside_descriptors, 1000},
    {"epoll_beside_descriptors", epoll_beside_descriptors, 1000},
    {"look_up_beside_names", look_up_beside_names, 10000},
    {"poll_each_descriptor", poll_each, 1000},
    {"list_each_process", list_processes, 10000},
    {NULL, NULL, 0},
};
