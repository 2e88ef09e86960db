#ifndef ULIB_FCNTL_H
#define ULIB_FCNTL_H
#include <sys/types.h>
enum {
    O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2, O_ACCMODE = 3, O_CREAT = 0100, O_EXCL = 0200, O_NOCTTY = 0400,
    O_TRUNC = 01000, O_APPEND = 02000, O_NONBLOCK = 04000, O_ASYNC = 020000,
    O_DIRECTORY = 0200000, O_NOFOLLOW = 0400000, O_CLOEXEC = 02000000,
};
enum { AT_FDCWD = -100 };
enum { F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC = 1030, FD_CLOEXEC = 1 };
int open(const char *path, int flags, ...);
int fcntl(int fd, int command, ...);
#endif
