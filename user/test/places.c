/* Names under a directory's descriptor, and what a slash behind a name means to each call. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "ktap.h"

enum { AT_NOFOLLOW = 0x100, AT_REMOVEDIR = 0x200, AT_FOLLOW = 0x400, AT_EMPTY = 0x1000 };

static int make_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);

    CHECK(fd >= 0);
    return fd;
}

static int open_directory(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY);

    CHECK(fd >= 0);
    return fd;
}

static void calls_start_at_the_directory(void)
{
    char text[16];
    struct stat a, b;
    int at;

    CHECK(mkdir("at", 0755) == 0);
    at = open_directory("at");
    CHECK(syscall(SYS_mkdirat, at, "d", 0700) == 0 && access("at/d", F_OK) == 0);
    CHECK(syscall(SYS_mknodat, at, "f", 0100600, 0) == 0);
    CHECK(stat("at/f", &a) == 0 && S_ISREG(a.st_mode) && (a.st_mode & 0777) == 0600 && a.st_size == 0);
    CHECK(syscall(SYS_linkat, at, "f", at, "d/g", 0) == 0);
    CHECK(stat("at/d/g", &b) == 0 && b.st_ino == a.st_ino && b.st_nlink == 2);
    CHECK(syscall(SYS_symlinkat, "d/g", at, "s") == 0);
    CHECK(syscall(SYS_readlinkat, at, "s", text, sizeof(text)) == 3 && memcmp(text, "d/g", 3) == 0);
    CHECK(syscall(SYS_linkat, at, "s", at, "follow", AT_FOLLOW) == 0);
    CHECK(stat("at/f", &a) == 0 && a.st_nlink == 3);
    CHECK(syscall(SYS_linkat, at, "s", at, "s2", 0) == 0);
    CHECK(lstat("at/s2", &b) == 0 && S_ISLNK(b.st_mode) && b.st_nlink == 2);
    CHECK(syscall(SYS_renameat, at, "f", AT_FDCWD, "moved") == 0 && access("moved", F_OK) == 0);
    CHECK(syscall(SYS_faccessat, at, "d/g", R_OK | W_OK) == 0);
    CHECK_ERROR(syscall(SYS_faccessat2, at, "d/g", R_OK, 1), EINVAL);
    CHECK_ERROR(syscall(SYS_faccessat, at, "f", F_OK), ENOENT);
    CHECK(syscall(SYS_newfstatat, at, "", &b, AT_EMPTY) == 0 && S_ISDIR(b.st_mode));
    CHECK_ERROR(syscall(SYS_newfstatat, at, "", &b, 0), ENOENT);
    CHECK_ERROR(syscall(SYS_newfstatat, at, "d", &b, 9999), EINVAL);
    CHECK_ERROR(syscall(SYS_unlinkat, at, "d", 0), EISDIR);
    CHECK_ERROR(syscall(SYS_unlinkat, at, "d", 1), EINVAL);
    CHECK_ERROR(syscall(SYS_unlinkat, at, "d", AT_REMOVEDIR), ENOTEMPTY);
    CHECK(syscall(SYS_unlinkat, at, "d/g", 0) == 0 && syscall(SYS_unlinkat, at, "s", 0) == 0);
    CHECK(syscall(SYS_unlinkat, at, "d", AT_REMOVEDIR) == 0 && syscall(SYS_unlinkat, at, "s2", 0) == 0);
    CHECK(unlink("moved") == 0 && unlink("at/follow") == 0 && rmdir("at") == 0);
}

static void bad_directories(void)
{
    int file = make_file("plain");

    CHECK_ERROR(syscall(SYS_mkdirat, 99, "d", 0700), EBADF);
    CHECK_ERROR(syscall(SYS_mkdirat, file, "d", 0700), ENOTDIR);
    CHECK_ERROR(syscall(SYS_unlinkat, file, "d", 0), ENOTDIR);
    CHECK_ERROR(syscall(SYS_renameat2, AT_FDCWD, "plain", file, "d", 0), ENOTDIR);
    CHECK(syscall(SYS_faccessat, 99, "/", F_OK) == 0); /* nothing starts there */
    CHECK_ERROR(syscall(SYS_readlinkat, file, "", (char[4]){0}, 4), ENOENT);
    CHECK_ERROR(syscall(SYS_fchdir, file), ENOTDIR);
    CHECK_ERROR(syscall(SYS_fchdir, AT_FDCWD), EBADF);
    CHECK(unlink("plain") == 0);
}

static void fchdir_goes_back(void)
{
    char before[256], after[256];
    int here = open_directory(".");

    CHECK(getcwd(before, sizeof(before)) && chdir("/") == 0);
    CHECK(syscall(SYS_fchdir, here) == 0 && getcwd(after, sizeof(after)) && !strcmp(before, after));
}

static void a_slash_asks_for_a_directory(void)
{
    struct stat st;

    close(make_file("f"));
    CHECK(mkdir("d/", 0755) == 0 && symlink("d", "l") == 0);
    CHECK_ERROR(rename("f", "g/"), ENOTDIR);
    CHECK_ERROR(rename("f/", "g"), ENOTDIR);
    CHECK_ERROR(rename("f", "d/"), ENOTDIR);
    CHECK_ERROR(rename("nothing/", "g/"), ENOENT);
    CHECK_ERROR(rename("l/", "m"), ENOTDIR); /* the link itself would move */
    CHECK_ERROR(link("f", "g/"), ENOENT);
    CHECK_ERROR(link("f", "d/"), EEXIST);
    CHECK_ERROR(link("f/", "g"), ENOTDIR);
    CHECK_ERROR(symlink("f", "g/"), ENOENT);
    CHECK_ERROR(syscall(SYS_mknod, "g/", 0100644, 0), ENOENT);
    CHECK_ERROR(open("g/", O_WRONLY | O_CREAT, 0644), EISDIR);
    CHECK_ERROR(open("f/", O_WRONLY | O_CREAT, 0644), EISDIR);
    CHECK_ERROR(open("f/x", O_WRONLY | O_CREAT, 0644), ENOTDIR);
    CHECK_ERROR(open("f/", O_RDONLY), ENOTDIR);
    CHECK_ERROR(syscall(SYS_creat, "g/", 0644), EISDIR);
    CHECK_ERROR(access("g", F_OK), ENOENT);
    CHECK_ERROR(unlink("f/"), ENOTDIR);
    CHECK(access("f", F_OK) == 0); /* it is still there */
    CHECK_ERROR(unlink("d/"), EISDIR);
    CHECK_ERROR(unlink("nothing/"), ENOENT);
    CHECK_ERROR(unlink("l/"), ENOTDIR);
    CHECK_ERROR(rmdir("f/"), ENOTDIR);
    CHECK_ERROR(rmdir("l/"), ENOTDIR);
    CHECK_ERROR(mkdir("f/", 0755), EEXIST);
    CHECK_ERROR(stat("f/", &st), ENOTDIR);
    CHECK_ERROR(chdir("f/"), ENOTDIR);
    CHECK(lstat("l/", &st) == 0 && S_ISDIR(st.st_mode));
    CHECK(rename("d/", "e/") == 0 && rename("e", "d/") == 0 && rmdir("d/") == 0);
    CHECK(unlink("f") == 0 && unlink("l") == 0);
}

static void what_exists_is_said_first(void)
{
    close(make_file("f"));
    CHECK(mkdir("d", 0755) == 0);
    CHECK_ERROR(link("d", "f"), EEXIST);
    CHECK_ERROR(link("d", "g"), EPERM);
    CHECK_ERROR(symlink("x", "f"), EEXIST);
    CHECK_ERROR(mkdir("d/.", 0755), EEXIST);
    CHECK_ERROR(syscall(SYS_mknod, "d", 0100644, 0), EEXIST);
    CHECK_ERROR(syscall(SYS_mknod, "n", 0170000, 0), EINVAL);
    CHECK_ERROR(syscall(SYS_mknod, "n", 0040755, 0), EPERM);
    CHECK_ERROR(rename("d/.", "e"), EBUSY);
    CHECK(unlink("f") == 0 && rmdir("d") == 0);
}

static void rename_need_not_replace(void)
{
    close(make_file("a"));
    close(make_file("b"));
    CHECK_ERROR(syscall(SYS_renameat2, AT_FDCWD, "a", AT_FDCWD, "b", 1), EEXIST);
    CHECK_ERROR(syscall(SYS_renameat2, AT_FDCWD, "a", AT_FDCWD, "a", 1), EEXIST);
    CHECK(syscall(SYS_renameat2, AT_FDCWD, "a", AT_FDCWD, "c", 1) == 0);
    CHECK_ERROR(syscall(SYS_renameat2, AT_FDCWD, "c", AT_FDCWD, "b", 0x80), EINVAL);
    CHECK(syscall(SYS_renameat2, AT_FDCWD, "c", AT_FDCWD, "b", 0) == 0);
    CHECK_ERROR(access("c", F_OK), ENOENT);
    CHECK(unlink("b") == 0);
}

static void whole_files_are_data(void)
{
    int fd = make_file("whole");

    CHECK(write(fd, "123456", 6) == 6);
    CHECK(lseek(fd, 2, 3) == 2 && lseek(fd, 0, SEEK_CUR) == 2); /* SEEK_DATA */
    CHECK(lseek(fd, 2, 4) == 6 && lseek(fd, 0, SEEK_CUR) == 6); /* SEEK_HOLE */
    CHECK_ERROR(lseek(fd, 6, 3), ENXIO);
    CHECK_ERROR(lseek(fd, 6, 4), ENXIO);
    CHECK_ERROR(lseek(fd, -1, 3), ENXIO);
    CHECK(unlink("whole") == 0);
}

static void wrong_openings(void)
{
    enum { PATH = 010000000 };
    int fd;

    CHECK(mkdir("directory", 0755) == 0 && symlink("directory", "link") == 0 && close(make_file("file")) == 0);
    CHECK_ERROR(open("directory", O_RDONLY | O_TRUNC), EISDIR);
    CHECK_ERROR(open("link", O_RDONLY | O_NOFOLLOW), ELOOP);
    CHECK_ERROR(open("link", O_RDONLY | O_NOFOLLOW | O_DIRECTORY), ENOTDIR);
    CHECK_ERROR(open("link", PATH | O_NOFOLLOW | O_DIRECTORY), ENOTDIR);
    fd = open("file", PATH | O_RDWR | O_CREAT | O_TRUNC | O_APPEND);
    CHECK(fd >= 0 && fcntl(fd, F_GETFL) == PATH && close(fd) == 0);
    fd = open("file", O_RDWR | (int)0x80000000);
    CHECK(fd >= 0 && (fcntl(fd, F_GETFL) & (int)0x80000000) == 0 && close(fd) == 0);
    CHECK(unlink("file") == 0 && unlink("link") == 0 && rmdir("directory") == 0);
}

static void a_directory_hands_its_group_down(void)
{
    struct stat s;

    if (getuid() != 0) {
        return;
    }
    CHECK(mkdir("group", 0755) == 0 && syscall(SYS_chown, "group", 0, 44) == 0 && chmod("group", 02775) == 0);
    CHECK(close(make_file("group/file")) == 0 && mkdir("group/below", 0755) == 0);
    CHECK(stat("group/file", &s) == 0 && s.st_gid == 44 && (s.st_mode & 07777) == 0644);
    CHECK(stat("group/below", &s) == 0 && s.st_gid == 44 && (s.st_mode & 07777) == 02755);
    CHECK(unlink("group/file") == 0 && rmdir("group/below") == 0 && rmdir("group") == 0);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(wrong_openings), TEST(a_directory_hands_its_group_down),
        TEST(calls_start_at_the_directory), TEST(bad_directories), TEST(fchdir_goes_back),
        TEST(a_slash_asks_for_a_directory), TEST(what_exists_is_said_first),
        TEST(rename_need_not_replace), TEST(whole_files_are_data),
    };

    umask(022);
    return RUN_TESTS(tests);
}
