/* Modes, owners and times of files, statx, statfs, and who we are. In the guest, everybody is root. */
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "ktap.h"

enum { AT_NOFOLLOW = 0x100, AT_EMPTY = 0x1000 };
enum { NOW = 0x3fffffff, OMIT = 0x3ffffffe };

static struct stat st;

static int make_file(void)
{
    int fd = open("attr", O_RDWR | O_CREAT | O_TRUNC, 0644);

    CHECK(fd >= 0);
    return fd;
}

static mode_t mode_of(const char *path)
{
    CHECK(lstat(path, &st) == 0);
    return st.st_mode & 07777;
}

static void modes_change(void)
{
    int fd = make_file(), path_only = open("attr", 010000000);

    CHECK(syscall(SYS_chmod, "attr", 0600) == 0 && mode_of("attr") == 0600 && S_ISREG(st.st_mode));
    CHECK(syscall(SYS_fchmod, fd, 0755) == 0 && mode_of("attr") == 0755);
    CHECK(syscall(SYS_fchmodat, AT_FDCWD, "attr", 0100640) == 0 && mode_of("attr") == 0640);
    CHECK(symlink("attr", "link") == 0 && syscall(SYS_chmod, "link", 0111) == 0);
    CHECK(mode_of("attr") == 0111 && mode_of("link") == 0777);
    CHECK_ERROR(syscall(SYS_chmod, "nothing", 0600), ENOENT);
    CHECK_ERROR(syscall(SYS_chmod, "attr/", 0600), ENOTDIR);
    CHECK_ERROR(syscall(SYS_fchmod, 99, 0600), EBADF);
    CHECK_ERROR(syscall(SYS_fchmod, path_only, 0600), EBADF);
    CHECK_ERROR(syscall(SYS_chmod, "/proc/self/stat", 0600), EPERM);
    CHECK(syscall(SYS_chmod, "attr", 0644) == 0 && access("attr", R_OK | W_OK) == 0);
    CHECK_ERROR(access("attr", X_OK), EACCES);
    CHECK(unlink("attr") == 0 && unlink("link") == 0);
}

static void owners_change(void)
{
    int fd = make_file();
    unsigned uid, gid;

    CHECK(fstat(fd, &st) == 0);
    uid = st.st_uid, gid = st.st_gid;
    CHECK(syscall(SYS_fchmod, fd, 06755) == 0 && syscall(SYS_chown, "attr", uid, gid) == 0);
    CHECK(mode_of("attr") == 0755 && st.st_uid == uid && st.st_gid == gid);
    CHECK(syscall(SYS_fchown, fd, -1, -1) == 0 && syscall(SYS_lchown, "attr", uid, -1) == 0);
    CHECK_ERROR(syscall(SYS_chown, "nothing", uid, gid), ENOENT);
    CHECK_ERROR(syscall(SYS_fchownat, AT_FDCWD, "attr", uid, gid, 1), EINVAL);
    CHECK(syscall(SYS_fchownat, fd, "", uid, gid, AT_EMPTY) == 0);
    if (getuid() == 0) { /* files may be anybody's, though nobody else is there */
        CHECK(symlink("attr", "link") == 0 && syscall(SYS_lchown, "link", 1, 2) == 0);
        CHECK(lstat("link", &st) == 0 && st.st_uid == 1 && st.st_gid == 2);
        CHECK(stat("link", &st) == 0 && st.st_uid == uid && syscall(SYS_chown, "link", -1, 7) == 0);
        CHECK(stat("attr", &st) == 0 && st.st_uid == uid && st.st_gid == 7 && unlink("link") == 0);
    }
    CHECK(unlink("attr") == 0);
}

static void times_change(void)
{
    int fd = make_file();
    struct timespec t[2] = {{1000000000, 1}, {1100000000, 999999999}}, micro[2] = {{7, 5}, {-3, 999999}};

    CHECK(syscall(SYS_utimensat, AT_FDCWD, "attr", t, 0) == 0 && stat("attr", &st) == 0);
    CHECK(st.st_atim.tv_sec == 1000000000 && st.st_atim.tv_nsec == 1);
    CHECK(st.st_mtim.tv_sec == 1100000000 && st.st_mtim.tv_nsec == 999999999);
    t[0] = (struct timespec){5, OMIT}, t[1] = (struct timespec){6, NOW};
    CHECK(syscall(SYS_utimensat, fd, NULL, t, 0) == 0 && fstat(fd, &st) == 0);
    CHECK(st.st_atim.tv_sec == 1000000000 && st.st_mtim.tv_sec > 1500000000);
    CHECK(syscall(SYS_utimes, "attr", micro) == 0 && fstat(fd, &st) == 0);
    CHECK(st.st_atim.tv_sec == 7 && st.st_atim.tv_nsec == 5000);
    CHECK(st.st_mtim.tv_sec == -3 && st.st_mtim.tv_nsec == 999999000);
    CHECK(syscall(SYS_utime, "attr", (long[]){11, 12}) == 0 && fstat(fd, &st) == 0);
    CHECK(st.st_atim.tv_sec == 11 && st.st_mtim.tv_sec == 12 && st.st_mtim.tv_nsec == 0);
    CHECK(syscall(SYS_futimesat, AT_FDCWD, "attr", NULL) == 0 && fstat(fd, &st) == 0 && st.st_atim.tv_sec > 12);
    CHECK(symlink("attr", "link") == 0);
    CHECK(syscall(SYS_utimensat, AT_FDCWD, "link", (struct timespec[]){{1, 0}, {2, 0}}, AT_NOFOLLOW) == 0);
    CHECK(lstat("link", &st) == 0 && st.st_mtim.tv_sec == 2 && stat("link", &st) == 0 && st.st_mtim.tv_sec > 2);
    t[0].tv_nsec = 1000000000;
    CHECK_ERROR(syscall(SYS_utimensat, AT_FDCWD, "attr", t, 0), EINVAL);
    CHECK_ERROR(syscall(SYS_utimensat, AT_FDCWD, "nothing", t, 0), ENOENT);
    CHECK_ERROR(syscall(SYS_utimensat, AT_FDCWD, "attr", NULL, 1), EINVAL);
    CHECK_ERROR(syscall(SYS_utimensat, AT_FDCWD, NULL, NULL, 0), EFAULT);
    CHECK_ERROR(syscall(SYS_utimensat, AT_FDCWD, "attr", 8, 0), EFAULT);
    CHECK_ERROR(syscall(SYS_utimes, "attr", (struct timespec[]){{0, 0}, {0, 1000000}}), EINVAL);
    t[0].tv_nsec = t[1].tv_nsec = OMIT;
    CHECK(syscall(SYS_utimensat, AT_FDCWD, "nothing", t, 0) == 0);
    CHECK(unlink("attr") == 0 && unlink("link") == 0);
}

static void statx_is_stat(void)
{
    struct {
        uint32_t mask, blksize;
        uint64_t attributes;
        uint32_t nlink, uid, gid;
        uint16_t mode, padding;
        uint64_t ino, size, blocks, attributes_mask;
        struct { int64_t sec; uint32_t nsec; int32_t padding; } atime, btime, ctime, mtime;
        uint32_t rdev[2], dev[2];
        uint64_t more[14];
    } x;
    int fd = make_file();

    CHECK(write(fd, "12345", 5) == 5 && fstat(fd, &st) == 0);
    CHECK(syscall(SYS_statx, AT_FDCWD, "attr", 0, 0x7ff, &x) == 0);
    CHECK((x.mask & 0x7ff) == 0x7ff && x.mode == st.st_mode && x.ino == (uint64_t)st.st_ino && x.size == 5 &&
          x.nlink == 1 && x.uid == st.st_uid && x.gid == st.st_gid);
    CHECK(x.mtime.sec == st.st_mtim.tv_sec && x.mtime.nsec == (uint32_t)st.st_mtim.tv_nsec);
    CHECK(syscall(SYS_statx, fd, "", AT_EMPTY, 0x7ff, &x) == 0 && x.ino == (uint64_t)st.st_ino);
    CHECK(syscall(SYS_statx, AT_FDCWD, "/dev/null", 0, 0x7ff, &x) == 0 && x.rdev[0] == 1 && x.rdev[1] == 3);
    CHECK_ERROR(syscall(SYS_statx, AT_FDCWD, "attr", 0x6000, 0x7ff, &x), EINVAL);
    CHECK_ERROR(syscall(SYS_statx, AT_FDCWD, "attr", 1, 0x7ff, &x), EINVAL);
    CHECK_ERROR(syscall(SYS_statx, AT_FDCWD, "attr", 0, 0x80000000u, &x), EINVAL);
    CHECK_ERROR(syscall(SYS_statx, AT_FDCWD, "nothing", 0, 0x7ff, &x), ENOENT);
    CHECK_ERROR(syscall(SYS_statx, AT_FDCWD, "attr", 0, 0x7ff, 8), EFAULT);
    CHECK(unlink("attr") == 0);
}

static void file_systems_tell_their_size(void)
{
    struct { int64_t type, block; uint64_t blocks, free, rest[11]; } s;
    int fd = make_file(), ends[2];

    CHECK(syscall(SYS_statfs, ".", &s) == 0 && s.block > 0 && s.blocks > 0 && s.free <= s.blocks);
    CHECK(syscall(SYS_fstatfs, fd, &s) == 0 && s.blocks > 0);
    CHECK(syscall(SYS_statfs, "/proc", &s) == 0 && s.type == 0x9fa0 && s.blocks == 0);
    CHECK(pipe(ends) == 0 && syscall(SYS_fstatfs, ends[0], &s) == 0 && s.type == 0x50495045);
    CHECK_ERROR(syscall(SYS_statfs, "nothing", &s), ENOENT);
    CHECK_ERROR(syscall(SYS_fstatfs, 99, &s), EBADF);
    CHECK(syscall(SYS_fsync, fd) == 0 && syscall(SYS_fdatasync, fd) == 0 && syscall(SYS_sync) == 0);
    CHECK_ERROR(syscall(SYS_fsync, ends[1]), EINVAL);
    CHECK_ERROR(syscall(SYS_fsync, 99), EBADF);
    CHECK(unlink("attr") == 0);
}

static void who_we_are(void)
{
    unsigned id[3] = {9, 9, 9};

    CHECK(syscall(SYS_getresuid, id, id + 1, id + 2) == 0 && id[0] == getuid() && id[1] == id[2]);
    CHECK(syscall(SYS_getresgid, id, id + 1, id + 2) == 0 && id[0] == id[1]);
    CHECK_ERROR(syscall(SYS_getresuid, id, 8, id), EFAULT);
    CHECK(syscall(SYS_setresuid, -1, getuid(), -1) == 0 && syscall(SYS_setuid, getuid()) == 0);
    CHECK_ERROR(syscall(SYS_setuid, -1), EINVAL);
    CHECK(syscall(SYS_getgroups, 0, NULL) >= 0);
    CHECK_ERROR(syscall(SYS_getgroups, -1, NULL), EINVAL);
}

/* A file may have attributes on the host; it never says that there is no such call. */
static void attributes_are_no_unknown_call(void)
{
    char value[64];

    close(make_file());
    CHECK_ERROR(syscall(SYS_getxattr, "nothing", "user.x", value, 64), ENOENT);
    CHECK(syscall(SYS_getxattr, "attr", "user.x", value, 64) == -1 && (errno == 61 /* ENODATA */ || errno == EOPNOTSUPP));
    CHECK(syscall(SYS_listxattr, "attr", value, 64) >= 0 || errno == EOPNOTSUPP);
    CHECK(unlink("attr") == 0);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(modes_change), TEST(owners_change), TEST(times_change), TEST(statx_is_stat),
        TEST(file_systems_tell_their_size), TEST(who_we_are), TEST(attributes_are_no_unknown_call),
    };

    umask(022);
    return RUN_TESTS(tests);
}
