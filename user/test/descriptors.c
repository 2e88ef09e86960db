/* Numbers of descriptors: taken before anything is opened, and given back if it is not. */
#include "tasks.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static int *volatile nowhere = (int *)8; /* no numbers can be told there */

static void limit_descriptors(int count)
{
    struct rlimit limit = {(unsigned long)count, 4096};

    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

static int is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

/* The lowest number that is free. */
static int next_free(void)
{
    int fd = dup(1);

    close(fd);
    return fd;
}

static void pairs_are_two_or_none(void)
{
    int ends[2] = {-7, -7}, first = next_free();

    CHECK_ERROR(pipe(nowhere), EFAULT);
    CHECK_ERROR(socketpair(AF_UNIX, SOCK_STREAM, 0, nowhere), EFAULT);
    CHECK(next_free() == first && !is_open(first + 1));
    limit_descriptors(first + 1); /* room for one */
    CHECK_ERROR(pipe(ends), EMFILE);
    CHECK_ERROR(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), EMFILE);
    CHECK(ends[0] == -7 && ends[1] == -7 && next_free() == first);
    limit_descriptors(first + 2);
    CHECK(pipe(ends) == 0 && ends[0] == first && ends[1] == first + 1);
    CHECK_ERROR(dup(1), EMFILE);
}

static void without_a_number_nothing_is_opened(void)
{
    struct stat status;

    unlink("descriptors-new");
    CHECK(ftruncate(open("descriptors-old", O_CREAT | O_TRUNC | O_WRONLY, 0644), 5) == 0);
    limit_descriptors(next_free());
    CHECK_ERROR(open("descriptors-new", O_CREAT | O_WRONLY, 0644), EMFILE);
    CHECK_ERROR(open("descriptors-old", O_TRUNC | O_WRONLY), EMFILE);
    CHECK_ERROR(open("descriptors-missing", O_RDONLY), EMFILE);
    CHECK_ERROR(stat("descriptors-new", &status), ENOENT);
    CHECK(stat("descriptors-old", &status) == 0 && status.st_size == 5);
    unlink("descriptors-old");
}

static void a_connection_waits_for_a_number(void)
{
    struct sockaddr_un name = {AF_UNIX, "descriptors-socket"};
    int server = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), client, accepted;
    char byte;

    unlink(name.sun_path);
    CHECK(bind(server, (struct sockaddr *)&name, sizeof(name)) == 0 && listen(server, 1) == 0);
    client = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(connect(client, (struct sockaddr *)&name, sizeof(name)) == 0);
    CHECK(write(client, "x", 1) == 1);
    limit_descriptors(client + 1);
    CHECK_ERROR(accept(server, NULL, NULL), EMFILE);
    limit_descriptors(client + 2);
    accepted = accept(server, NULL, NULL);
    CHECK(accepted == client + 1 && read(accepted, &byte, 1) == 1 && byte == 'x');
}

/* A limit that no table could reach is refused, not cut. */
static void limits_are_not_cut(void)
{
    const struct rlimit infinite = {~0ul, ~0ul};
    struct rlimit before, after;

    CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
    CHECK_ERROR(setrlimit(RLIMIT_NOFILE, &infinite), EPERM);
    CHECK(getrlimit(RLIMIT_NOFILE, &after) == 0 && memcmp(&before, &after, sizeof(after)) == 0);
    after.rlim_cur = 3;
    CHECK(setrlimit(RLIMIT_NOFILE, &after) == 0);
    CHECK_ERROR(fcntl(1, F_DUPFD, 2), EMFILE);
    CHECK_ERROR(fcntl(1, F_DUPFD, 3), EINVAL);
}

static int number, running = 1, lost, seen;

/* Puts a file of its own at a number that the other thread's failing calls take and give back. */
static void *put_and_look(void *unused)
{
    while (__atomic_load_n(&running, __ATOMIC_RELAXED)) {
        seen += is_open(number);
        if (dup2(1, number) == number) {
            for (int i = 0; i < 20; i++) {
                lost += !is_open(number);
            }
            close(number);
        }
    }
    return unused;
}

static void a_failing_pair_touches_nobody_elses_number(void)
{
    pthread_t thread;

    number = next_free();
    CHECK(pthread_create(&thread, NULL, put_and_look, NULL) == 0);
    for (int i = 0; i < 30000; i++) {
        CHECK_ERROR(pipe(nowhere), EFAULT);
    }
    __atomic_store_n(&running, 0, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
    CHECK(lost == 0 && seen == 0);
}

/* open(2): access mode 3 is for ioctl alone. */
static void neither_reading_nor_writing(void)
{
    int fd = open("neither", O_RDWR | O_CREAT, 0600);
    char byte = 'x';

    CHECK(fd >= 0 && write(fd, &byte, 1) == 1 && close(fd) == 0);
    fd = open("neither", O_ACCMODE);
    CHECK(fd >= 0);
    CHECK_ERROR(read(fd, &byte, 1), EBADF);
    CHECK_ERROR(write(fd, &byte, 1), EBADF);
    CHECK(close(fd) == 0 && unlink("neither") == 0);
}

/* Who reads uses a file whose last descriptor another thread closes. */
static int ends[2];
static volatile pid_t reader;

static void *read_to_the_end(void *unused)
{
    char text[4];

    (void)unused;
    reader = gettid();
    CHECK(read(ends[0], text, 1) == 1 && text[0] == 'a');
    return NULL;
}

static void a_file_in_use_is_closed_by_another_thread(void)
{
    pthread_t thread;
    int copy;

    for (int i = 0; i < 20; i++) {
        reader = 0;
        CHECK(pipe(ends) == 0 && pthread_create(&thread, NULL, read_to_the_end, NULL) == 0);
        AWAIT(reader && thread_sleeps(reader));
        CHECK((copy = dup(ends[1])) >= 0 && close(ends[0]) == 0 && close(ends[1]) == 0);
        CHECK(write(copy, "a", 1) == 1 && close(copy) == 0);
        pthread_join(thread, NULL);
    }
}

int main(void)
{
    static const struct test tests[] = {
        TEST(pairs_are_two_or_none), TEST(without_a_number_nothing_is_opened),
        TEST(a_connection_waits_for_a_number), TEST(limits_are_not_cut),
        TEST(a_failing_pair_touches_nobody_elses_number),
        TEST(neither_reading_nor_writing), TEST(a_file_in_use_is_closed_by_another_thread),
    };

    return RUN_TESTS(tests);
}
