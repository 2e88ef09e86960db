/* A file is written to or run as a program, not both at a time: ETXTBSY. And the #! line. */
#include "ktap.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* Where the test is started: nobody else is busy there. */
#define PROGRAM "./busy-program"
#define SCRIPT "./busy-script"

static void copy_program(const char *path)
{
    static char buffer[4096];
    int from = open("/proc/self/exe", O_RDONLY), to = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0755);
    ssize_t got;

    CHECK(from >= 0 && to >= 0);
    while ((got = read(from, buffer, sizeof(buffer))) > 0) {
        CHECK(write(to, buffer, (size_t)got) == got);
    }
    CHECK(got == 0 && close(from) == 0 && close(to) == 0);
}

static void make_script(const char *line, size_t size)
{
    int fd = open(SCRIPT, O_CREAT | O_WRONLY | O_TRUNC, 0755);

    CHECK(fd >= 0 && write(fd, line, size) == (ssize_t)size && close(fd) == 0);
}

static long try_exec(const char *path, char *word)
{
    char *argv[] = {"busy", word, NULL};
    int status, told[2];
    long error = 0;
    pid_t child;

    CHECK(pipe(told) == 0);
    child = fork();
    if (child == 0) {
        execve(path, argv, NULL);
        error = errno;
        write(told[1], &error, sizeof(error));
        _exit(0);
    }
    close(told[1]);
    read(told[0], &error, sizeof(error));
    close(told[0]);
    CHECK(waitpid(child, &status, 0) == child);
    return error ? -error : status >> 8;
}

/* Start a program that runs until `*hold` is closed; it has become that program when this returns. */
static pid_t start(const char *path, char *word, int *hold)
{
    char *argv[] = {"busy", word, NULL};
    int ends[2], runs = 0;
    pid_t child;

    CHECK(pipe(ends) == 0 && fcntl(ends[1], F_SETFD, FD_CLOEXEC) == 0);
    child = fork();
    if (child == 0) {
        dup2(ends[0], 0);
        execve(path, argv, NULL);
        _exit(1);
    }
    close(ends[0]);
    *hold = ends[1];
    while (!runs) { /* its name tells when it has got there */
        char name[64], comm[16] = "";
        int fd;

        snprintf(name, sizeof(name), "/proc/%d/comm", child);
        fd = open(name, O_RDONLY);
        CHECK(fd >= 0 && read(fd, comm, sizeof(comm) - 1) > 0 && close(fd) == 0);
        runs = strncmp(comm, "busy-program", 12) == 0;
    }
    return child;
}

static void stop(pid_t child, int hold)
{
    int status;

    close(hold);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void check_busy(void)
{
    struct stat before, after;

    CHECK(stat(PROGRAM, &before) == 0);
    CHECK_ERROR(open(PROGRAM, O_WRONLY), ETXTBSY);
    CHECK_ERROR(open(PROGRAM, O_RDWR), ETXTBSY);
    CHECK_ERROR(open(PROGRAM, O_WRONLY | O_APPEND | O_CREAT, 0755), ETXTBSY);
    CHECK_ERROR(open(PROGRAM, O_WRONLY | O_TRUNC), ETXTBSY);
    CHECK_ERROR(open(PROGRAM, O_RDONLY | O_TRUNC), ETXTBSY);
    CHECK_ERROR(syscall(SYS_truncate, PROGRAM, 0l), ETXTBSY);
    CHECK(close(open(PROGRAM, O_RDONLY)) == 0);
    CHECK(stat(PROGRAM, &after) == 0 && after.st_size == before.st_size && after.st_size > 0);
}

static void check_free(void)
{
    CHECK(close(open(PROGRAM, O_RDWR)) == 0);
    CHECK(try_exec(PROGRAM, "42") == 42);
}

static void what_runs_is_not_written_to(void)
{
    int hold, hold_second;
    pid_t first, second;

    copy_program(PROGRAM);
    first = start(PROGRAM, "wait", &hold);
    check_busy();
    second = start(PROGRAM, "wait", &hold_second);
    stop(first, hold);
    check_busy();
    stop(second, hold_second);
    check_free();
}

/* Its child runs the same file, until it becomes another program. */
static void a_fork_runs_it_too(void)
{
    int hold;
    pid_t first;

    copy_program(PROGRAM);
    first = start(PROGRAM, "fork", &hold); /* ends at once, its child waits */
    CHECK(waitpid(first, NULL, 0) == first);
    check_busy();
    close(hold);
    for (int fd = -1; fd < 0; fd = open(PROGRAM, O_WRONLY)) {
        CHECK(errno == ETXTBSY || errno == 0 || errno == ENOENT || errno == ECHILD);
        usleep(1000);
    }
}

static void what_is_written_to_is_not_run(void)
{
    int fd, again;
    void *map;

    copy_program(PROGRAM);
    fd = open(PROGRAM, O_WRONLY);
    again = dup(fd);
    CHECK(try_exec(PROGRAM, "42") == -ETXTBSY);
    close(fd);
    CHECK(try_exec(PROGRAM, "42") == -ETXTBSY);
    close(again);
    check_free();
    fd = open(PROGRAM, O_RDONLY);
    check_free();
    close(fd);
    for (int flags = MAP_SHARED; flags <= MAP_PRIVATE; flags++) { /* a mapping keeps the file open */
        fd = open(PROGRAM, O_RDWR);
        map = mmap(NULL, 4096, PROT_READ, flags, fd, 0);
        CHECK(map != MAP_FAILED && close(fd) == 0);
        CHECK(try_exec(PROGRAM, "42") == -ETXTBSY);
        CHECK(munmap(map, 4096) == 0);
        check_free();
    }
    make_script("#!" PROGRAM "\n", sizeof("#!" PROGRAM));
    fd = open(SCRIPT, O_RDWR);
    CHECK(try_exec(SCRIPT, "42") == -ETXTBSY);
    close(fd);
    fd = open(PROGRAM, O_RDWR);
    CHECK(try_exec(SCRIPT, "42") == -ETXTBSY);
    close(fd);
}

/* A new file with the old name is another file. */
static void a_running_program_can_be_replaced(void)
{
    int hold;
    pid_t child;

    copy_program(PROGRAM);
    child = start(PROGRAM, "wait", &hold);
    CHECK(unlink(PROGRAM) == 0);
    copy_program(PROGRAM);
    check_free();
    copy_program(PROGRAM "-2");
    CHECK(rename(PROGRAM "-2", PROGRAM) == 0);
    check_free();
    stop(child, hold);
}

static void failed_runs_leave_nothing_behind(void)
{
    int fd;

    copy_program(PROGRAM);
    fd = open(PROGRAM, O_WRONLY);
    CHECK(fd >= 0 && ftruncate(fd, 100) == 0 && close(fd) == 0);
    for (int i = 0; i < 3; i++) {
        CHECK(try_exec(PROGRAM, "42") < 0);
        CHECK(close(open(PROGRAM, O_RDWR)) == 0);
    }
    make_script("#!/no/such/program\n", 19);
    CHECK(try_exec(SCRIPT, "42") == -ENOENT);
    CHECK(close(open(SCRIPT, O_RDWR)) == 0);
}

/* An interpreter that does not fit into 255 bytes is none; of an argument, the rest is cut. */
static void long_script_lines(void)
{
    static char line[600];

    copy_program(PROGRAM);
    for (int length = 240; length < 270; length++) {
        for (int end = 0; end < 3; end++) {
            int i = 2;

            memcpy(line, "#!", 2);
            while (i < length - (int)strlen(PROGRAM) - 1) {
                line[i++] = '/';
                line[i++] = '.';
            }
            strcpy(line + i, PROGRAM);
            i += (int)strlen(PROGRAM);
            strcpy(line + i, end == 0 ? "\n" : end == 1 ? " 7\n" : "");
            make_script(line, strlen(line));
            printf("# interpreter of %d, end %d: %ld\n", i, end, try_exec(SCRIPT, NULL));
        }
    }
    for (int length = 200; length < 260; length++) {
        snprintf(line, sizeof(line), "#! \t%s \t", PROGRAM);
        memset(line + strlen(line), 'x', (size_t)length);
        line[length] = '\0';
        printf("# argument in %d: %ld\n", length, (make_script(line, strlen(line)), try_exec(SCRIPT, NULL)));
    }
    fflush(stdout);
}

static int as_program(const char *word)
{
    char byte;

    if (strcmp(word, "wait") == 0 || (strcmp(word, "fork") == 0 && fork() == 0)) {
        return (int)read(0, &byte, 1);
    }
    return word[0] == 'x' ? (int)strlen(word) % 251 : atoi(word);
}

int main(int argc, char *argv[])
{
    static const struct test tests[] = {
        TEST(what_runs_is_not_written_to), TEST(a_fork_runs_it_too),
        TEST(what_is_written_to_is_not_run), TEST(a_running_program_can_be_replaced),
        TEST(failed_runs_leave_nothing_behind), TEST(long_script_lines),
    };

    if (argc > 1) {
        return as_program(argv[1]);
    }
    return RUN_TESTS(tests);
}
