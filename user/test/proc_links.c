/* Links of /proc lead to the files themselves; and what programs ask of the machine. */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "ktap.h"

static char path[64], text[65536];

static const char *fd_path(int fd)
{
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return path;
}

static const char *read_text(const char *name)
{
    int fd = open(name, O_RDONLY);
    size_t used = 0;
    ssize_t got;

    CHECK(fd >= 0);
    while ((got = read(fd, text + used, sizeof(text) - 1 - used)) > 0) {
        used += (size_t)got;
    }
    text[used] = '\0';
    close(fd);
    return text;
}

static void a_descriptor_leads_to_its_file(void)
{
    int fd = open("linked", O_RDWR | O_CREAT | O_TRUNC, 0600), again;
    struct stat a, b;
    char target[512] = "", here[256];

    CHECK(write(fd, "12345", 5) == 5 && getcwd(here, sizeof(here)));
    CHECK(lstat(fd_path(fd), &a) == 0 && S_ISLNK(a.st_mode));
    CHECK(stat(fd_path(fd), &a) == 0 && fstat(fd, &b) == 0 && a.st_ino == b.st_ino);
    CHECK(readlink(path, target, sizeof(target)) > 7 && memcmp(target, here, strlen(here)) == 0);
    CHECK(unlink("linked") == 0);
    again = open(fd_path(fd), O_RDONLY); /* it has no name any more */
    CHECK(again >= 0 && read(again, target, 9) == 5 && memcmp(target, "12345", 5) == 0);
    CHECK_ERROR(open(fd_path(fd), O_RDONLY | O_NOFOLLOW), ELOOP);
    CHECK_ERROR(open("/proc/self/fd/999", O_RDONLY), ENOENT);
    CHECK_ERROR(open("/proc/self/fd/01", O_RDONLY), ENOENT);
    CHECK(close(fd) == 0);
    CHECK_ERROR(access(fd_path(fd), F_OK), ENOENT);
}

static void a_directory_can_be_walked_through(void)
{
    int here = open(".", O_RDONLY | O_DIRECTORY), fd;

    CHECK(here >= 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d/new", here);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    CHECK(fd >= 0 && access("new", F_OK) == 0 && access("/proc/self/cwd/new", F_OK) == 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d/x", fd);
    CHECK_ERROR(open(path, O_RDONLY), ENOTDIR);
    snprintf(path, sizeof(path), "/proc/self/fd/%d/", fd);
    CHECK_ERROR(open(path, O_RDONLY), ENOTDIR);
    CHECK(unlink("new") == 0 && access("/proc/self/root/proc", F_OK) == 0);
}

static void a_pipe_can_be_opened_again(void)
{
    int ends[2], again;
    char c = 0;

    CHECK(pipe(ends) == 0 && readlink(fd_path(ends[0]), text, 6) == 6 && memcmp(text, "pipe:[", 6) == 0);
    again = open(fd_path(ends[1]), O_WRONLY);
    CHECK(again >= 0 && close(ends[1]) == 0 && write(again, "x", 1) == 1 && read(ends[0], &c, 1) == 1);
    CHECK(close(again) == 0 && read(ends[0], &c, 1) == 0); /* now the last writer is gone */
}

static void what_was_not_opened_is_not_opened_again(void)
{
    int ends[2], epoll = epoll_create1(0);

    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    CHECK_ERROR(open(fd_path(ends[0]), O_RDWR), ENXIO);
    CHECK_ERROR(open(fd_path(epoll), O_RDWR), ENXIO);
    CHECK(readlink(fd_path(ends[0]), text, 8) == 8 && memcmp(text, "socket:[", 8) == 0);
    CHECK(readlink(fd_path(epoll), text, 11) == 11 && memcmp(text, "anon_inode:", 11) == 0);
}

/* Exactly those that are open, ls(1) asks so; and a bit far up. */
static void the_directory_lists_descriptors(void)
{
    DIR *directory;
    struct dirent *entry;
    int far = dup2(0, 200), seen = 0, count = 0;

    CHECK(far == 200);
    directory = opendir("/proc/self/fd");
    CHECK(directory);
    while ((entry = readdir(directory)) != NULL) {
        int fd = atoi(entry->d_name);

        if (entry->d_name[0] == '.') {
            continue;
        }
        CHECK(fcntl(fd, F_GETFD) >= 0);
        seen |= fd == 0 ? 1 : fd == 1 ? 2 : fd == 2 ? 4 : fd == 200 ? 8 : 0;
        count++;
    }
    closedir(directory);
    CHECK(seen == 15 && count >= 5);
}

static void programs_are_reached_by_their_link(void)
{
    struct stat a, b;
    char magic[4];
    int fd = open("/proc/self/exe", O_RDONLY);

    CHECK(fd >= 0 && read(fd, magic, 4) == 4 && memcmp(magic, "\177ELF", 4) == 0);
    CHECK(fstat(fd, &a) == 0 && stat("/proc/self/exe", &b) == 0 && a.st_ino == b.st_ino);
    CHECK(access("/proc/thread-self/comm", R_OK) == 0 && access("/proc/self/task", F_OK) == 0);
    CHECK(strstr(read_text("/proc/self/statm"), " "));
}

static void the_machine_is_told(void)
{
    struct utsname name;
    char line[128];

    CHECK(uname(&name) == 0);
    snprintf(line, sizeof(line), "%s\n", name.release);
    CHECK(strcmp(read_text("/proc/sys/kernel/osrelease"), line) == 0);
    CHECK(strcmp(read_text("/proc/sys/kernel/ostype"), "Linux\n") == 0);
    snprintf(line, sizeof(line), "%s\n", name.nodename);
    CHECK(strcmp(read_text("/proc/sys/kernel/hostname"), line) == 0);
    CHECK(atoi(read_text("/proc/sys/kernel/pid_max")) >= 301);
    CHECK(atoi(read_text("/proc/sys/vm/max_map_count")) >= 65530 && atoi(read_text("/proc/sys/kernel/tainted")) >= 0);
    CHECK(strlen(read_text("/proc/sys/kernel/core_pattern")) > 1);
    CHECK(atoi(read_text("/proc/sys/fs/pipe-user-pages-soft")) > 0 && atoi(read_text("/proc/sys/fs/pipe-max-size")) > 0);
    CHECK(strstr(read_text("/proc/mounts"), " /proc proc rw"));
    CHECK(strstr(read_text("/proc/filesystems"), "nodev\tproc\n"));
    CHECK(memcmp(read_text("/proc/cpuinfo"), "processor\t: 0\n", 14) == 0 && strstr(text, "\nmodel name\t: "));
}

static long number_behind(const char *place)
{
    const char *found = strstr(text, place);

    CHECK(found);
    return found ? atol(found + strlen(place)) : 0;
}

/* Programs read on while lines begin as those of CPUs do: "intr" is between them and "ctxt". */
static void what_the_machine_did_is_told_in_order(void)
{
    static const char *const words[] = {"cpu ", "\ncpu0 ", "\nintr ", "\nctxt ", "\nbtime ", "\nprocesses ", "\nprocs_running "};
    long births, interrupts;
    const char *at = read_text("/proc/stat");

    CHECK(at == strstr(at, words[0]));
    for (unsigned i = 0; i < sizeof(words) / sizeof(*words); i++) {
        at = strstr(at, words[i]);
        CHECK(at);
        if (!at) {
            return;
        }
    }
    CHECK(number_behind("\nprocs_running ") >= 1);
    births = number_behind("\nprocesses ");
    interrupts = number_behind("\nintr ");
    for (int i = 0; i < 3; i++) {
        if (fork() == 0) {
            usleep(1000);
            _exit(0);
        }
        CHECK(wait(NULL) > 0);
    }
    read_text("/proc/stat");
    CHECK(number_behind("\nprocesses ") >= births + 3 && number_behind("\nintr ") > interrupts);
}

static void devices_for_the_standard_streams(void)
{
    int ends[2];
    char c, shared[64];

    CHECK(pipe(ends) == 0 && dup2(ends[1], 1) == 1);
    CHECK(access("/dev/fd/1", F_OK) == 0 && access("/dev/stdin", F_OK) == 0 && access("/dev/stderr", F_OK) == 0);
    CHECK(write(open("/dev/stdout", O_WRONLY), "y", 1) == 1 && read(ends[0], &c, 1) == 1 && c == 'y');
    snprintf(shared, sizeof(shared), "/dev/shm/baton-test-%d", getpid());
    CHECK(open(shared, O_RDWR | O_CREAT | O_EXCL, 0600) >= 0 && unlink(shared) == 0);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(a_descriptor_leads_to_its_file), TEST(a_directory_can_be_walked_through),
        TEST(a_pipe_can_be_opened_again), TEST(what_was_not_opened_is_not_opened_again),
        TEST(the_directory_lists_descriptors), TEST(programs_are_reached_by_their_link),
        TEST(the_machine_is_told), TEST(what_the_machine_did_is_told_in_order), TEST(devices_for_the_standard_streams),
    };

    umask(022);
    return RUN_TESTS(tests);
}
