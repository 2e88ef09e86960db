#ifndef ULIB_SYS_STAT_H
#define ULIB_SYS_STAT_H
#include <sys/types.h>
#include <time.h>
struct stat {
    dev_t st_dev;
    ino_t st_ino;
    nlink_t st_nlink;
    mode_t st_mode;
    uid_t st_uid;
    gid_t st_gid;
    int padding;
    dev_t st_rdev;
    off_t st_size;
    blksize_t st_blksize;
    blkcnt_t st_blocks;
    struct timespec st_atim, st_mtim, st_ctim;
    long unused[3];
};
#define S_IFMT 0170000
#define S_ISDIR(m) (((m) & S_IFMT) == 0040000)
#define S_ISREG(m) (((m) & S_IFMT) == 0100000)
#define S_ISLNK(m) (((m) & S_IFMT) == 0120000)
#define S_ISCHR(m) (((m) & S_IFMT) == 0020000)
#define S_ISSOCK(m) (((m) & S_IFMT) == 0140000)
#define S_ISFIFO(m) (((m) & S_IFMT) == 0010000)
int stat(const char *path, struct stat *result);
int lstat(const char *path, struct stat *result);
int fstat(int fd, struct stat *result);
int mkdir(const char *path, mode_t mode);
int chmod(const char *path, mode_t mode);
int utimensat(int dirfd, const char *path, const struct timespec times[2], int flags);
mode_t umask(mode_t mask);
#endif
