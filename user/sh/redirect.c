/* Redirections: files, descriptors and here-documents in the place of others, and back. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sh.h"

/* A here-document in a file without a name: it may be longer than a pipe takes. */
static int open_text(const struct redirect *redirect)
{
    const char *text = redirect->literal ? redirect->target : expand_here(redirect->target);
    size_t size = strlen(text), done = 0;
    char path[64];
    int fd;

    snprintf(path, sizeof(path), "/tmp/sh-%d", (int)getpid());
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        fprintf(stderr, "sh: %s: %s\n", path, strerror(errno));
        return -1;
    }
    unlink(path);
    while (done < size) {
        ssize_t put = write(fd, text + done, size - done);

        if (put < 0) {
            fprintf(stderr, "sh: here-document: %s\n", strerror(errno));
            close(fd);
            return -1;
        }
        done += (size_t)put;
    }
    lseek(fd, 0, SEEK_SET);
    return fd;
}

static int open_target(const struct redirect *redirect)
{
    char *target;
    int fd;

    if (redirect->kind == 'h') {
        return open_text(redirect);
    }
    target = expand_single(redirect->target);
    if (redirect->kind == '&') {
        if (strcmp(target, "-") == 0) {
            close(redirect->fd);
            return -2;
        }
        return dup(atoi(target));
    }
    fd = open(target, redirect->kind == '<' ? O_RDONLY : O_WRONLY | O_CREAT |
              (redirect->kind == 'a' ? O_APPEND : O_TRUNC), 0666);
    if (fd < 0) {
        fprintf(stderr, "sh: %s: %s\n", target, strerror(errno));
    }
    return fd;
}

int redirect_all(const struct redirect *redirect, int *saved)
{
    for (; redirect; redirect = redirect->next) {
        int fd;

        fflush(stdout);
        if (saved && saved[redirect->fd] == -1) {
            saved[redirect->fd] = fcntl(redirect->fd, F_DUPFD_CLOEXEC, 10);
            saved[redirect->fd] = saved[redirect->fd] < 0 ? -2 : saved[redirect->fd];
        }
        fd = open_target(redirect);
        if (fd == -1) {
            return -1;
        }
        if (fd >= 0 && fd != redirect->fd) {
            dup2(fd, redirect->fd);
            close(fd);
        }
    }
    return 0;
}

void redirect_undo(const int *saved)
{
    fflush(stdout);
    for (int fd = 0; fd < 10; fd++) {
        if (saved[fd] >= 0) {
            dup2(saved[fd], fd);
            close(saved[fd]);
        } else if (saved[fd] == -2) {
            close(fd);
        }
    }
}
