#ifndef ULIB_SYS_SELECT_H
#define ULIB_SYS_SELECT_H
#include <signal.h>
#include <sys/time.h>
#include <time.h>
#define FD_SETSIZE 1024
typedef struct {
    unsigned long __bits[FD_SETSIZE / 64];
} fd_set;
#define FD_ZERO(set) (*(set) = (fd_set){{0}})
#define FD_SET(fd, set) ((set)->__bits[(fd) / 64] |= 1ul << (fd) % 64)
#define FD_CLR(fd, set) ((set)->__bits[(fd) / 64] &= ~(1ul << (fd) % 64))
#define FD_ISSET(fd, set) ((int)((set)->__bits[(fd) / 64] >> (fd) % 64 & 1))
int select(int count, fd_set *reads, fd_set *writes, fd_set *errors, struct timeval *timeout);
int pselect(int count, fd_set *reads, fd_set *writes, fd_set *errors,
            const struct timespec *timeout, const sigset_t *mask);
#endif
