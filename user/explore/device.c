/* See device.h. */
#include "device.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define OUTPUT "/tmp/explore.out"
#define OUTPUT_MAX 4096

enum {
    EXPLORE_PREPARE = 0x4501, EXPLORE_RUN, EXPLORE_EVENTS, EXPLORE_WHERE, EXPLORE_COUNT,
};

struct copy {
    struct event *to;
    uint32_t first, count;
};

static int device = -1, output = -1;
static char text[OUTPUT_MAX + 1]; /* what the last run wrote */

void give_up(const char *what)
{
    fprintf(stderr, "explore: %s: %s\n", what, strerror(errno));
    exit(3);
}

int device_output_begin(void)
{
    if (output < 0) {
        output = open(OUTPUT, O_RDWR | O_CREAT | O_APPEND, 0600);
    }
    if (output < 0 || ftruncate(output, 0)) {
        give_up(OUTPUT);
    }
    return output;
}

static _Noreturn void become(char *const command[], const struct setup *setup)
{
    int null = open("/dev/null", O_RDONLY), told = dup(2);

    fcntl(told, F_SETFD, FD_CLOEXEC);
    dup2(null, 0);
    dup2(output, 1);
    dup2(output, 2);
    close(null);
    close(output);
    if (ioctl(device, EXPLORE_PREPARE, setup) == 0) {
        close(device);
        execvp(command[0], command);
    }
    dup2(told, 2);
    fprintf(stderr, "explore: %s: %s\n", command[0], strerror(errno));
    _exit(1);
}

void device_start(char *const command[], const struct setup *setup)
{
    int started[2];
    char nothing;

    device = open("/dev/explore", O_RDWR);
    if (device < 0) {
        fprintf(stderr, "explore: this takes Baton, booted with sched=explore, on one CPU under icount "
                        "(tools/explore does that): /dev/explore: %s\n", strerror(errno));
        exit(3);
    }
    device_output_begin();
    if (pipe(started)) {
        give_up("pipe");
    }
    fcntl(started[1], F_SETFD, FD_CLOEXEC);
    if (fork() == 0) {
        become(command, setup);
    }
    close(started[1]);
    read(started[0], &nothing, 1); /* until the child is the command, or has ended */
    close(started[0]);
}

void device_where(int64_t *entry, int *pid)
{
    struct {
        int64_t entry;
        int32_t pid, unused;
    } where;

    if (ioctl(device, EXPLORE_WHERE, &where)) {
        fprintf(stderr, "explore: the command ended before its runs could begin: it did not come to main(), or "
                        "to explore_begin(), which it has\n");
        exit(3);
    }
    *entry = where.entry;
    *pid = where.pid;
}

void device_run(struct run *run)
{
    ssize_t got;

    if (ioctl(device, EXPLORE_RUN, run)) {
        give_up("a run");
    }
    lseek(output, 0, SEEK_SET);
    if (run->late) {
        fprintf(stderr, "explore: the timer came %lu instructions late: with this QEMU a schedule would not mean "
                        "the same each time\n", run->late);
        exit(3);
    }
    got = read(output, text, OUTPUT_MAX);
    text[got > 0 ? got : 0] = '\0';
    if (ftruncate(output, 0)) {
        give_up(OUTPUT);
    }
    if (run->verdict == NO_VERDICT) {
        errno = ENOMEM;
        give_up("a run");
    }
}

const struct event *device_events(const struct run *run)
{
    static struct event *events;
    static uint32_t room;
    struct copy copy = {.count = run->events};

    if (run->events > room) {
        room = 2 * run->events;
        free(events);
        events = malloc(room * sizeof(*events));
        if (!events) {
            give_up("events");
        }
    }
    copy.to = events;
    if (ioctl(device, EXPLORE_EVENTS, &copy)) {
        give_up("events");
    }
    return events;
}

const char *device_output(void)
{
    return text;
}

void device_count(struct count *count)
{
    if (ioctl(device, EXPLORE_COUNT, count)) {
        give_up("what is in use");
    }
}
