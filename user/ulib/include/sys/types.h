#ifndef ULIB_SYS_TYPES_H
#define ULIB_SYS_TYPES_H
#include <stddef.h>
#include <stdint.h>
typedef long ssize_t;
typedef long off_t;
typedef int pid_t;
typedef int clockid_t;
typedef unsigned mode_t, uid_t, gid_t;
typedef unsigned long dev_t, ino_t, nlink_t;
typedef long time_t, clock_t, blkcnt_t, blksize_t;
#endif
