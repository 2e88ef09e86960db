/* inotify: what is told of files and of what is in directories. */
#include <dirent.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "told.h"

#ifndef O_PATH
#define O_PATH 010000000
#endif

static long get_first(int fd)
{
    char byte;

    return syscall(SYS_pread64, fd, &byte, 1, 0, 0, 0);
}

static long put_first(int fd)
{
    return syscall(SYS_pwrite64, fd, "a", 1, 0, 0, 0);
}

static long cut(const char *path, long size)
{
    return syscall(SYS_truncate, path, size, 0, 0, 0, 0);
}

static void a_file_is_told_of_what_is_done_to_it(void)
{
    struct iovec piece = {(char[]){"abc"}, 3};
    char byte;
    int fd;

    start("done");
    make("file");
    watch("file", IN_ALL_EVENTS);
    fd = open("file", O_RDWR);
    told("1 open");
    CHECK(write(fd, "", 0) == 0 && read(fd, &byte, 1) == 0);
    told(""); /* nothing was moved */
    CHECK(write(fd, "abc", 3) == 3);
    told("1 modify");
    CHECK(writev(fd, &piece, 1) == 3 && write(fd, "a", 1) == 1);
    told("1 modify"); /* once: the second one says the same */
    CHECK(get_first(fd) == 1 && put_first(fd) == 1 && get_first(fd) == 1);
    told("1 access; 1 modify; 1 access");
    CHECK(ftruncate(fd, 1) == 0 && chmod("file", 0640) == 0 && cut("file", 0) == 0);
    told("1 modify; 1 attrib; 1 modify");
    CHECK(close(fd) == 0);
    told("1 close_write");
    CHECK(close(open("file", O_RDONLY)) == 0);
    told("1 open; 1 close_nowrite");
    CHECK(close(open("file", O_PATH)) == 0 && open("file", O_RDONLY | O_DIRECTORY) < 0);
    told(""); /* it was not opened */
    CHECK(unlink("file") == 0);
    told("1 attrib; 1 delete_self; 1 ignored");
    end("done");
}

static void a_directory_is_told_of_what_is_in_it(void)
{
    int fd;

    start("within");
    make("before");
    watch(".", IN_ALL_EVENTS);
    make("file");
    told("1 create file; 1 open file; 1 close_write file");
    fd = open("before", O_RDWR); /* it was there before the watch */
    CHECK(write(fd, "a", 1) == 1 && chmod("before", 0640) == 0 && close(fd) == 0);
    told("1 open before; 1 modify before; 1 attrib before; 1 close_write before");
    CHECK(mkdir("below", 0700) == 0 && symlink("nothing", "link") == 0 && syscall(SYS_mknod, "fifo", 010600, 0, 0, 0, 0) == 0);
    told("1 create/ below; 1 create link; 1 create fifo");
    make("below/deep"); /* is not in it */
    CHECK(unlink("below/deep") == 0);
    told("");
    CHECK(chmod("below", 0755) == 0 && rmdir("below") == 0);
    told("1 attrib/ below; 1 delete/ below");
    CHECK(link("file", "second") == 0 && unlink("second") == 0);
    told("1 create second; 1 delete second");
    CHECK(unlink("file") == 0 && unlink("before") == 0 && unlink("link") == 0 && unlink("fifo") == 0);
    told("1 delete file; 1 delete before; 1 delete link; 1 delete fifo");
    end("within");
}

static void a_directory_is_told_of_itself(void)
{
    DIR *directory;

    start("itself");
    CHECK(mkdir("here", 0700) == 0);
    watch(".", IN_ALL_EVENTS);
    watch("here", IN_ALL_EVENTS);
    directory = opendir("here");
    CHECK(directory && readdir(directory));
    told("1 open/ here; 2 open/; 1 access/ here; 2 access/");
    closedir(directory);
    told("1 close_nowrite/ here; 2 close_nowrite/");
    CHECK(rename("here", "there") == 0);
    told("1 moved_from/ here; 1 moved_to/ there; 2 move_self");
    CHECK(rmdir("there") == 0);
    told("2 delete_self; 2 ignored; 1 delete/ there");
    end("itself");
}

static void a_move_has_two_halves_of_one_cookie(void)
{
    start("moves");
    CHECK(mkdir("from", 0700) == 0 && mkdir("to", 0700) == 0 && mkdir("else", 0700) == 0);
    make("from/file");
    make("from/other");
    watch("from", IN_ALL_EVENTS);
    watch("to", IN_ALL_EVENTS);
    watch("from/file", IN_ALL_EVENTS);
    CHECK(rename("from/file", "to/new") == 0);
    told("1 moved_from file; 2 moved_to new; 3 move_self");
    CHECK(cookie_count == 2 && cookies[0] == cookies[1]);
    CHECK(rename("to/new", "to/newer") == 0 && rename("to/newer", "to/newest") == 0);
    told("2 moved_from new; 2 moved_to newer; 3 move_self; 2 moved_from newer; 2 moved_to newest; 3 move_self");
    CHECK(cookie_count == 4 && cookies[0] == cookies[1] && cookies[2] == cookies[3] && cookies[1] != cookies[2]);
    CHECK(rename("to/newest", "else/file") == 0); /* where nobody looks */
    told("2 moved_from newest; 3 move_self");
    make("else/more");
    told("");
    CHECK(cut("else/file", 1) == 0);
    told("3 modify");
    CHECK(rename("else/file", "to/back") == 0 && cut("to/back", 0) == 0);
    told("2 moved_to back; 3 move_self; 2 modify back; 3 modify");
    CHECK(rename("from/other", "to/back") == 0); /* over it */
    told("1 moved_from other; 2 moved_to back; 3 attrib; 3 delete_self; 3 ignored");
    CHECK(unlink("to/back") == 0 && unlink("else/more") == 0);
    CHECK(rmdir("from") == 0 && rmdir("to") == 0 && rmdir("else") == 0);
    told("2 delete back; 1 delete_self; 1 ignored; 2 delete_self; 2 ignored");
    end("moves");
}

static void an_open_file_is_told_of_without_a_name(void)
{
    int fd;

    start("unlinked");
    watch(".", IN_ALL_EVENTS);
    fd = open("file", O_CREAT | O_RDWR, 0600);
    CHECK(unlink("file") == 0);
    told("1 create file; 1 open file; 1 delete file");
    CHECK(write(fd, "a", 1) == 1 && close(fd) == 0);
    told("1 modify file; 1 close_write file");
    watch(".", IN_ALL_EVENTS | IN_EXCL_UNLINK);
    fd = open("file", O_CREAT | O_RDWR, 0600);
    CHECK(unlink("file") == 0 && write(fd, "a", 1) == 1 && close(fd) == 0);
    told("1 create file; 1 open file; 1 delete file");
    fd = open("file", O_CREAT | O_RDWR, 0600);
    watch("file", IN_ALL_EVENTS);
    CHECK(unlink("file") == 0);
    CHECK(write(fd, "a", 1) == 1 && close(fd) == 0); /* itself is told to its end */
    told("1 create file; 1 open file; 2 attrib; 1 delete file; 2 modify; 2 close_write; 2 delete_self; 2 ignored");
    end("unlinked");
}

/* Of a mapping, of who is in a directory, and of a message that nobody takes. */
static void a_file_ends_with_its_last_user(void)
{
    char *map, byte = 'x', control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8))) = "";
    struct iovec piece = {&byte, 1};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
    int fd, pair[2];
    pid_t child;

    start("users");
    make("file");
    CHECK(mkdir("below", 0700) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    watch("file", IN_DELETE_SELF);
    watch("below", IN_DELETE_SELF);
    child = fork();
    if (child == 0) {
        CHECK(chdir("below") == 0 && write(pair[0], "x", 1) == 1);
        pause();
    }
    fd = open("file", O_RDWR);
    map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
    CHECK(map != MAP_FAILED && read(pair[1], &byte, 1) == 1);
    *CMSG_FIRSTHDR(&message) = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET,
                                                .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), &fd, sizeof(fd));
    CHECK(sendmsg(pair[0], &message, 0) == 1);
    CHECK(unlink("file") == 0 && rmdir("below") == 0 && close(fd) == 0 && munmap(map, 4096) == 0);
    told("");
    CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
    told("2 delete_self; 2 ignored");
    CHECK(close(pair[0]) == 0 && close(pair[1]) == 0);
    told("1 delete_self; 1 ignored");
    end("users");
}

static void only_what_was_asked_for_is_told(void)
{
    start("masks");
    CHECK(watch(".", IN_CREATE) == 1);
    make("file");
    told("1 create file");
    CHECK(watch(".", IN_DELETE) == 1); /* instead */
    make("other");
    CHECK(unlink("other") == 0);
    told("1 delete other");
    CHECK(watch(".", IN_CREATE | IN_MASK_ADD) == 1); /* as well */
    make("other");
    CHECK(unlink("other") == 0);
    told("1 create other; 1 delete other");
    CHECK_ERROR(inotify_add_watch(set, ".", IN_CREATE | IN_MASK_CREATE), EEXIST);
    CHECK(watch("file", IN_ATTRIB | IN_MASK_CREATE) == 2);
    CHECK(symlink("file", "link") == 0);
    CHECK(watch("link", IN_ATTRIB) == 2 && watch("link", IN_ATTRIB | IN_DONT_FOLLOW) == 3);
    CHECK_ERROR(inotify_add_watch(set, "file", IN_ATTRIB | IN_ONLYDIR), ENOTDIR);
    CHECK(watch(".", IN_DELETE | IN_ONLYDIR) == 1);
    CHECK(chmod("file", 0640) == 0 && unlink("link") == 0 && unlink("file") == 0);
    told("1 create link; 2 attrib; 3 attrib; 3 ignored; 1 delete link; 2 attrib; 2 ignored; 1 delete file");
    end("masks");
}

static void a_watch_for_one_event_goes_with_it(void)
{
    start("once");
    make("file");
    CHECK(watch(".", IN_ATTRIB | IN_ONESHOT) == 1);
    make("file"); /* nothing that was asked for */
    CHECK(chmod("file", 0640) == 0 && chmod("file", 0600) == 0);
    told("1 attrib file; 1 ignored");
    CHECK_ERROR(inotify_rm_watch(set, 1), EINVAL);
    CHECK(watch(".", IN_ATTRIB | IN_ONESHOT) == 2); /* a number is not given twice */
    CHECK(inotify_rm_watch(set, 2) == 0);
    CHECK_ERROR(inotify_rm_watch(set, 2), EINVAL);
    CHECK(chmod("file", 0640) == 0 && unlink("file") == 0);
    told("2 ignored");
    end("once");
}

int main(void)
{
    static const struct test tests[] = {
        TEST(a_file_is_told_of_what_is_done_to_it),
        TEST(a_directory_is_told_of_what_is_in_it),
        TEST(a_directory_is_told_of_itself),
        TEST(a_move_has_two_halves_of_one_cookie),
        TEST(an_open_file_is_told_of_without_a_name),
        TEST(a_file_ends_with_its_last_user),
        TEST(only_what_was_asked_for_is_told),
        TEST(a_watch_for_one_event_goes_with_it),
    };

    return RUN_TESTS(tests);
}
