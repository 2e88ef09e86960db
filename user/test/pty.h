/* A new pseudo-terminal (pty(7)), and what its two ends say. */
#ifndef PTY_H
#define PTY_H
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>

#include "ktap.h"

enum { GET_NUMBER = 0x80045430, SET_LOCK = 0x40045431, GET_LOCK = 0x80045439, GET_PEER = 0x5441 };

static char name[32], buffer[8192];

/* The two ends of a new one. */
static inline int open_pty(int *terminal)
{
    int master = open("/dev/ptmx", O_RDWR | O_NOCTTY), number, off = 0;

    CHECK(master >= 0 && ioctl(master, GET_NUMBER, &number) == 0);
    CHECK(ioctl(master, SET_LOCK, &off) == 0);
    snprintf(name, sizeof(name), "/dev/pts/%d", number);
    *terminal = open(name, O_RDWR | O_NOCTTY);
    CHECK(*terminal >= 0);
    return master;
}

static inline int reads(int fd, const char *text)
{
    ssize_t size = (ssize_t)strlen(text);

    memset(buffer, 0, sizeof(buffer));
    for (ssize_t done = 0; done < size;) {
        ssize_t got = read(fd, buffer + done, (size_t)(size - done));

        CHECK(got > 0);
        done += got;
    }
    return strcmp(buffer, text) == 0;
}

static inline void types(int fd, const char *text)
{
    CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

static inline short events(int fd)
{
    struct pollfd one = {.fd = fd, .events = POLLIN | POLLOUT};

    CHECK(poll(&one, 1, 0) >= 0);
    return one.revents;
}

/* Linux carries what is written to the other end later. */
static inline void wait_for_input(int fd)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};

    CHECK(poll(&one, 1, -1) == 1);
}
#endif
