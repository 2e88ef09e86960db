/* Locks on files: flock(2), and fcntl(2)'s of processes and of open files. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "asleep.h"
#include "ktap.h"

enum { GETLK = 5, SETLK, SETLKW, OFD_GETLK = 36, OFD_SETLK, OFD_SETLKW };
enum { READ, WRITE, UNLOCK };
enum { SHARED = 1, EXCLUSIVE, NOT_NOW = 4, RELEASE = 8 };

struct record {
    short type, whence;
    long start, length;
    int pid;
};

static int file;

static int lock(int fd, int command, int type, long start, long length)
{
    struct record record = {.type = (short)type, .start = start, .length = length};

    return fcntl(fd, command, &record);
}

/* What another process that wants to write there hears: 0 free, 1 taken. */
static int taken(long start, long length)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        _exit(lock(file, SETLK, WRITE, start, length) == 0 ? 0 : errno == EAGAIN ? 1 : 2);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) < 2);
    return WEXITSTATUS(status);
}

static void open_file(void)
{
    file = open("locked", O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(file >= 0);
}

static void others_are_kept_out(void)
{
    struct record record = {.type = WRITE, .start = 15, .length = 1};
    int status;

    open_file();
    CHECK(lock(file, SETLK, WRITE, 10, 10) == 0 && lock(file, SETLK, READ, 100, 0) == 0);
    CHECK(taken(0, 10) == 0 && taken(0, 11) == 1 && taken(19, 1) == 1 && taken(20, 80) == 0);
    CHECK(taken(1000000, 1) == 1 && taken(0, 0) == 1);
    CHECK(lock(file, SETLK, UNLOCK, 12, 3) == 0); /* a hole in it */
    CHECK(taken(10, 2) == 1 && taken(12, 3) == 0 && taken(15, 5) == 1);
    if (fork() == 0) {
        CHECK(fcntl(file, GETLK, &record) == 0 && record.type == WRITE && record.start == 15);
        CHECK(record.length == 5 && record.pid == getppid() && record.whence == SEEK_SET);
        record = (struct record){.type = WRITE, .start = 3, .length = 1};
        CHECK(fcntl(file, GETLK, &record) == 0 && record.type == UNLOCK);
        CHECK(lock(file, SETLK, READ, 100, 1) == 0); /* readers share */
        _exit(0);
    }
    CHECK(wait(&status) > 0 && status == 0);
    CHECK(fcntl(file, GETLK, &record) == 0 && record.type == UNLOCK); /* one's own are no hindrance */
    CHECK(unlink("locked") == 0);
}

static void neighbours_become_one(void)
{
    struct record record = {.type = READ, .length = 1};
    int status;

    open_file();
    CHECK(lock(file, SETLK, WRITE, 0, 5) == 0 && lock(file, SETLK, WRITE, 5, 5) == 0);
    if (fork() == 0) {
        CHECK(fcntl(file, GETLK, &record) == 0 && record.start == 0 && record.length == 10);
        _exit(0);
    }
    CHECK(wait(&status) > 0 && status == 0 && unlink("locked") == 0);
}

/* What another process hears that asks for all of the file. */
static void check_first(int type, long start, long length)
{
    struct record record = {.type = WRITE};
    int status;

    if (fork() == 0) {
        CHECK(fcntl(file, GETLK, &record) == 0 && record.type == type);
        CHECK(record.start == start && record.length == length);
        _exit(0);
    }
    CHECK(wait(&status) > 0 && status == 0);
}

static void the_first_in_the_way_is_told(void)
{
    open_file();
    CHECK(lock(file, SETLK, WRITE, 30, 5) == 0 && lock(file, SETLK, READ, 10, 5) == 0);
    check_first(READ, 10, 5);
    CHECK(lock(file, SETLK, UNLOCK, 12, 1) == 0);
    check_first(READ, 10, 2);
    CHECK(lock(file, SETLK, UNLOCK, 10, 2) == 0);
    check_first(READ, 13, 2);
    CHECK(lock(file, SETLK, WRITE, 13, 3) == 0 && lock(file, SETLK, READ, 2, 1) == 0);
    check_first(READ, 2, 1);
    CHECK(lock(file, SETLK, WRITE, 2, 11) == 0);
    check_first(WRITE, 2, 14);
    CHECK(unlink("locked") == 0);
}

static void bad_locks(void)
{
    int only_read;

    open_file();
    only_read = open("locked", O_RDONLY);
    CHECK_ERROR(lock(only_read, SETLK, WRITE, 0, 1), EBADF);
    CHECK_ERROR(lock(file, SETLK, 9, 0, 1), EINVAL);
    CHECK_ERROR(lock(file, SETLK, WRITE, -1, 1), EINVAL);
    CHECK_ERROR(lock(file, SETLK, WRITE, 5, -6), EINVAL);
    CHECK_ERROR(lock(file, SETLK, WRITE, -2, -0x7fffffffffffffff - 1), EINVAL); /* no sum that comes round */
    CHECK_ERROR(lock(file, SETLK, WRITE, 2, 0x7fffffffffffffff), EOVERFLOW);
    CHECK_ERROR(lock(file, GETLK, UNLOCK, 0, 1), EINVAL);
    CHECK_ERROR(lock(file, GETLK, UNLOCK, 2, 0x7fffffffffffffff), EINVAL);
    CHECK_ERROR(fcntl(file, SETLK, (void *)8), EFAULT);
    CHECK_ERROR(lock(99, SETLK, WRITE, 0, 1), EBADF);
    CHECK(lock(file, SETLK, WRITE, 5, -3) == 0 && taken(2, 1) == 1 && taken(5, 1) == 0 && taken(1, 1) == 0);
    CHECK(write(file, "123456", 6) == 6);
    CHECK(fcntl(file, SETLK, &(struct record){.type = WRITE, .whence = SEEK_END, .start = 4, .length = 1}) == 0);
    CHECK(taken(10, 1) == 1 && taken(9, 1) == 0 && unlink("locked") == 0);
}

static void any_close_gives_them_back(void)
{
    int again, status;

    open_file();
    CHECK(lock(file, SETLK, WRITE, 0, 0) == 0);
    again = open("locked", O_RDONLY);
    CHECK(taken(0, 1) == 1 && close(again) == 0 && taken(0, 1) == 0);
    if (fork() == 0) {
        CHECK(lock(file, SETLK, WRITE, 0, 0) == 0);
        _exit(0); /* and so does the end */
    }
    CHECK(wait(&status) > 0 && status == 0 && taken(0, 1) == 0 && unlink("locked") == 0);
}

static void waiters_get_it_and_deadlocks_are_seen(void)
{
    int status;
    pid_t child;

    open_file();
    CHECK(lock(file, SETLK, WRITE, 0, 1) == 0);
    child = fork();
    if (child == 0) {
        CHECK(lock(file, SETLK, WRITE, 1, 1) == 0);
        CHECK(lock(file, SETLKW, WRITE, 0, 1) == 0);
        _exit(7);
    }
    wait_until_asleep(child);
    CHECK_ERROR(lock(file, SETLKW, WRITE, 1, 1), EDEADLK);
    CHECK(lock(file, SETLK, UNLOCK, 0, 1) == 0);
    CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 7 && unlink("locked") == 0);
}

static void on_alarm(int signal)
{
    (void)signal;
}

static void a_signal_ends_the_wait(void)
{
    struct sigaction action = {.sa_handler = on_alarm};
    int other;

    open_file();
    other = open("locked", O_RDWR);
    CHECK(syscall(SYS_flock, file, EXCLUSIVE) == 0 && sigaction(SIGALRM, &action, NULL) == 0);
    alarm(1);
    CHECK_ERROR(syscall(SYS_flock, other, EXCLUSIVE), EINTR);
    CHECK(unlink("locked") == 0);
}

static void flock_belongs_to_the_open_file(void)
{
    int other, copy, status;

    open_file();
    other = open("locked", O_RDONLY);
    copy = dup(file);
    CHECK(syscall(SYS_flock, file, SHARED) == 0 && syscall(SYS_flock, other, SHARED | NOT_NOW) == 0);
    CHECK_ERROR(syscall(SYS_flock, other, EXCLUSIVE | NOT_NOW), EAGAIN);
    CHECK(syscall(SYS_flock, file, EXCLUSIVE | NOT_NOW) == 0); /* the try cost the other one its lock */
    CHECK_ERROR(syscall(SYS_flock, other, SHARED | NOT_NOW), EAGAIN);
    CHECK(lock(file, SETLK, WRITE, 0, 0) == 0); /* another kind */
    if (fork() == 0) {
        CHECK(syscall(SYS_flock, file, EXCLUSIVE | NOT_NOW) == 0); /* the same open file */
        _exit(0);
    }
    CHECK(wait(&status) > 0 && status == 0 && close(file) == 0);
    CHECK_ERROR(syscall(SYS_flock, other, SHARED | NOT_NOW), EAGAIN); /* the copy holds it */
    CHECK(close(copy) == 0 && syscall(SYS_flock, other, SHARED | NOT_NOW) == 0);
    CHECK(syscall(SYS_flock, other, RELEASE) == 0);
    CHECK_ERROR(syscall(SYS_flock, other, 0), EINVAL);
    CHECK_ERROR(syscall(SYS_flock, 99, SHARED), EBADF);
    CHECK(unlink("locked") == 0);
}

static void records_may_belong_to_the_open_file(void)
{
    struct record record = {.type = WRITE};
    int other;

    open_file();
    other = open("locked", O_RDWR);
    CHECK(lock(file, OFD_SETLK, WRITE, 0, 10) == 0);
    CHECK_ERROR(lock(other, OFD_SETLK, WRITE, 9, 1), EAGAIN);
    CHECK_ERROR(lock(other, SETLK, WRITE, 9, 1), EAGAIN); /* in one process, too */
    CHECK(fcntl(other, OFD_GETLK, &record) == 0 && record.type == WRITE && record.pid == -1 && record.length == 10);
    CHECK_ERROR(fcntl(file, OFD_SETLK, &(struct record){.type = WRITE, .pid = 1}), EINVAL);
    CHECK(close(file) == 0 && lock(other, OFD_SETLKW, WRITE, 9, 1) == 0 && unlink("locked") == 0);
}

/* Baton keeps 4096 for all; Linux keeps as many as there is memory for. */
static void too_many_are_refused_and_nothing_is_lost(void)
{
    int count = 0;

    open_file();
    CHECK(lock(file, SETLK, WRITE, 20000, 3) == 0);
    while (count < 5000 && lock(file, SETLK, WRITE, 2 * count, 1) == 0) {
        count++;
    }
    CHECK(count == 5000 || (count > 4000 && errno == 37)); /* ENOLCK */
    CHECK(lock(file, SETLK, UNLOCK, 20001, 1) == 0 || (count < 5000 && errno == 37));
    CHECK(taken(20000, 1) == 1 && taken(20001, 1) == (count < 5000) && taken(2 * count - 2, 1) == 1);
    CHECK(lock(file, SETLK, UNLOCK, 0, 0) == 0 && taken(0, 0) == 0);
    close(file);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(others_are_kept_out), TEST(neighbours_become_one),
        TEST(the_first_in_the_way_is_told), TEST(bad_locks),
        TEST(any_close_gives_them_back), TEST(waiters_get_it_and_deadlocks_are_seen),
        TEST(a_signal_ends_the_wait), TEST(flock_belongs_to_the_open_file),
        TEST(records_may_belong_to_the_open_file), TEST(too_many_are_refused_and_nothing_is_lost),
    };

    return RUN_TESTS(tests);
}
