/* What a set of watches has been told, as text to compare with; and a directory for it to watch. */
#ifndef TOLD_H
#define TOLD_H
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "ktap.h"

static int set;
static char said[4096]; /* what event_say and told found */
static unsigned cookies[64];
static int cookie_count;

static inline void say_mask(unsigned mask)
{
    static const char *const names[] = {
        "access", "modify", "attrib", "close_write", "close_nowrite", "open", "moved_from", "moved_to",
        "create", "delete", "delete_self", "move_self", "?", "unmount", "overflow", "ignored",
    };

    for (int i = 0; i < 16; i++) {
        if (mask >> i & 1) {
            strcat(said, names[i]);
        }
    }
    strcat(said, mask & IN_ISDIR ? "/" : "");
}

/* "1 open file; ": the watch, what, and the name if there is one. */
static inline void event_say(const struct inotify_event *event)
{
    snprintf(said + strlen(said), 16, "%s%d ", *said ? "; " : "", event->wd);
    say_mask(event->mask);
    if (event->len) {
        CHECK(event->len % 16 == 0 && strlen(event->name) < event->len && event->len - strlen(event->name) <= 16);
        strcat(strcat(said, " "), event->name);
    }
    if (event->cookie) {
        cookies[cookie_count++] = event->cookie;
    }
}

/* All that is queued is this. */
static inline void told_of(int fd, const char *expected)
{
    char buffer[4096] __attribute__((aligned(8)));
    long size;

    *said = '\0';
    cookie_count = 0;
    while ((size = read(fd, buffer, sizeof(buffer))) > 0) {
        const struct inotify_event *event;

        for (char *at = buffer; at < buffer + size; at += sizeof(*event) + event->len) {
            event = (const struct inotify_event *)at;
            event_say(event);
        }
    }
    CHECK(errno == EAGAIN);
    if (strcmp(said, expected) != 0) {
        fprintf(stderr, "# told: %s\n# and not: %s\n", said, expected);
        _exit(1);
    }
}

static inline void told(const char *expected)
{
    told_of(set, expected);
}

static inline int watch(const char *path, unsigned mask)
{
    int number = inotify_add_watch(set, path, mask);

    CHECK(number > 0);
    return number;
}

static inline void make(const char *path)
{
    int fd = open(path, O_CREAT | O_WRONLY, 0600);

    CHECK(fd >= 0 && close(fd) == 0);
}

/* A fresh directory, which is the current one, and an empty set. */
static inline void start(const char *name)
{
    CHECK(mkdir(name, 0700) == 0 && chdir(name) == 0);
    set = inotify_init1(IN_NONBLOCK);
    CHECK(set >= 0);
}

static inline void end(const char *name)
{
    close(set);
    CHECK(chdir("..") == 0 && rmdir(name) == 0);
}
#endif
