/* Files of /proc: whole, however long and however they are read, and of one process only. */
#include "ktap.h"
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#define AREAS 10000
#define PAGE 4096

static char text[4 << 20];

static long read_at(int fd, char *buffer, size_t size, long position)
{
    return syscall(SYS_pread64, fd, buffer, size, position);
}

static int open_in(int directory, const char *name)
{
    return (int)syscall(SYS_openat, directory, name, O_RDONLY);
}

/* The whole file by reads of `step` bytes. */
static size_t read_by(int fd, size_t step)
{
    size_t used = 0;
    ssize_t got;

    CHECK(lseek(fd, 0, SEEK_SET) == 0);
    while ((got = read(fd, text + used, step)) > 0) {
        used += (size_t)got;
    }
    CHECK(got == 0);
    text[used] = '\0';
    return used;
}

/* Lines of maps that tell of pages of ours, one area each. */
static int count_areas(unsigned long start)
{
    int count = 0;

    for (char *line = text; *line; line = strchr(line, '\n') + 1) {
        unsigned long from = strtoul(line, NULL, 16);

        CHECK(strchr(line, '\n'));
        count += from >= start && from < start + AREAS * PAGE;
    }
    return count;
}

static void maps_of_many_areas_are_whole(void)
{
    char *area = mmap(NULL, AREAS * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int fd = open("/proc/self/maps", O_RDONLY);
    size_t size;
    char again[100];

    for (int i = 0; i < AREAS; i += 2) {
        CHECK(mprotect(area + i * PAGE, PAGE, PROT_READ | PROT_WRITE) == 0);
    }
    size = read_by(fd, 65536);
    CHECK(size > 300000 && count_areas((unsigned long)area) == AREAS);
    CHECK(read_by(fd, 4096) == size && count_areas((unsigned long)area) == AREAS);
    CHECK(read_at(fd, again, sizeof(again), 200000) > 0 && memcmp(again, text + 200000, 40) == 0);
    CHECK(read_at(fd, again, sizeof(again), 0) > 0 && memcmp(again, text, 40) == 0);
    CHECK(munmap(area, AREAS * PAGE) == 0);
    CHECK(read_by(fd, 65536) < 65536 && count_areas((unsigned long)area) == 0); /* it is read anew */
}

/* The arguments as /proc/self/cmdline has them, in a program that this one becomes. */
static void tell_arguments(int argc, char *argv[])
{
    int fd = open("/proc/self/cmdline", O_RDONLY);
    size_t used = read_by(fd, 1000), at = 0;

    for (int i = 0; i < argc; at += strlen(argv[i]) + 1, i++) {
        CHECK(at < used && strcmp(text + at, argv[i]) == 0);
    }
    _exit(at == used ? 42 : 1);
}

static void long_command_lines_are_whole(void)
{
    static char big[30000];
    char *arguments[] = {"procfs", "--arguments", big, big, big, NULL};
    pid_t child = fork();
    int status;

    memset(big, 'x', sizeof(big) - 1);
    if (child == 0) {
        execve("/proc/self/exe", arguments, NULL);
        _exit(2);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 42 << 8);
}

static long entries(int directory)
{
    return syscall(SYS_getdents64, directory, text, 4096);
}

static void *tell_id(void *id)
{
    *(pid_t *)id = gettid();
    return NULL;
}

/* Threads use up the ids before this one, which a process gets then: it waits. Not where a thread
 * takes long, as on several CPUs of a busy host. */
static int use_again(pid_t id)
{
    pid_t last = id, other = 0, me = getpid();
    time_t start = time(NULL);

    for (int i = 0; i < 70000 && (last >= id || last < id - 8); i++) {
        pthread_t thread;

        CHECK(pthread_create(&thread, NULL, tell_id, &last) == 0);
        CHECK(pthread_join(thread, NULL) == 0);
        if (time(NULL) > start + 20) {
            return 1;
        }
    }
    for (int i = 0; i < 16 && other != id; i++) {
        other = fork();
        if (other == 0) {
            while (getppid() == me) {
                usleep(10000);
            }
            _exit(0);
        }
        if (other != id) {
            kill(other, SIGKILL);
            waitpid(other, NULL, 0);
        }
    }
    return other == id;
}

static void of_a_dead_process_nothing_is_told(void)
{
    static const char *const names[] = {"stat", "status", "comm", "cmdline", "maps"};
    int files[5], directory, tasks, hold[2];
    char name[64];
    pid_t child;

    CHECK(pipe(hold) == 0);
    child = fork();
    if (child == 0) {
        close(hold[1]);
        read(hold[0], name, 1);
        _exit(0);
    }
    snprintf(name, sizeof(name), "/proc/%d", child);
    directory = open(name, O_RDONLY | O_DIRECTORY);
    tasks = open_in(directory, "task");
    for (int i = 0; i < 5; i++) {
        files[i] = open_in(directory, names[i]);
        CHECK(files[i] >= 0);
    }
    CHECK(entries(directory) > 0 && chdir(name) == 0);
    close(hold[1]);
    CHECK(waitpid(child, NULL, 0) == child);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 5; i++) {
            CHECK_ERROR(read(files[i], text, 100), ESRCH);
            CHECK(open_in(directory, names[i]) < 0 && (errno == ENOENT || errno == ESRCH));
        }
        lseek(directory, 0, SEEK_SET);
        CHECK_ERROR(entries(directory), ENOENT);
        CHECK_ERROR(entries(tasks), ENOENT);
        CHECK(open("stat", O_RDONLY) < 0 && (errno == ENOENT || errno == ESRCH));
        if (round == 0 && access("/proc/sys", F_OK)) { /* where there are few ids */
            CHECK(use_again(child));
        }
    }
}

static void links_end_where_the_buffer_does(void)
{
    char target[8] = "zzzzzzz";

    CHECK(chdir("/tmp") == 0);
    CHECK(readlink("/proc/self/cwd", target, 3) == 3 && memcmp(target, "/tmzzzz", 7) == 0);
    CHECK(readlink("/proc/self/cwd", target, 8) == 4 && memcmp(target, "/tmpzzz", 7) == 0);
}

int main(int argc, char *argv[])
{
    static const struct test tests[] = {
        TEST(maps_of_many_areas_are_whole), TEST(long_command_lines_are_whole),
        TEST(of_a_dead_process_nothing_is_told), TEST(links_end_where_the_buffer_does),
    };

    if (argc > 1) {
        tell_arguments(argc, argv);
    }
    return RUN_TESTS(tests);
}
