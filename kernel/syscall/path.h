/* What the names in system calls lead to: shared by all calls that take one. */
#ifndef SYSCALL_PATH_H
#define SYSCALL_PATH_H
#include "fs/vfs.h"

/* openat(2), fcntl.h */
enum {
    AT_FDCWD = -100, AT_SYMLINK_NOFOLLOW = 0x100, AT_EACCESS = 0x200, AT_REMOVEDIR = 0x200,
    AT_SYMLINK_FOLLOW = 0x400, AT_NO_AUTOMOUNT = 0x800, AT_EMPTY_PATH = 0x1000,
    AT_STATX_SYNC_TYPE = 0x6000,
};

/* A path from user space, to be freed; or an error pointer. */
char *path_from_user(const char __user *user);
/* Where a relative path starts, or what a descriptor is: a referenced inode, or an error pointer. */
struct inode *path_base(int dirfd);
/*
 * The inode of a name, referenced, or an error pointer. Of `flags` counts AT_SYMLINK_NOFOLLOW, and
 * AT_EMPTY_PATH: an empty name is the descriptor itself.
 */
struct inode *path_user(int dirfd, const char __user *user, int flags);

/* Where a name is to be made or taken away: 0, then place_put gives it back; or -errno. */
long place_user(int dirfd, const char __user *user, struct place *place);
#endif
