/*
 * Echo over socketpairs on the host: what a message costs while many connections are open and few
 * of them are active.
 *
 *     echo coroutines|threads OPEN ACTIVE MESSAGES
 *
 * Each connection has a server that sends back what it reads: a coroutine, or a thread. Each of the
 * first ACTIVE has a client of the same kind as well, which sends and waits for the answer. The
 * figure is the CPU's time for a message there and back, in microseconds: system calls and switches
 * are in it, and what else the machine does is not. echo.go is the same with goroutines; tools/bench
 * gives each of them one CPU.
 */
#include <co.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define STACK (64 * 1024)
#define SIZE 16 /* bytes of a message */

struct connection {
    int end[2]; /* the server's, the client's */
};
static struct connection *connections;
static long open_count, active, messages, talking;
static double start;

static const struct kind {
    const char *name;
    ssize_t (*read)(int fd, void *buffer, size_t size);
    ssize_t (*write)(int fd, const void *buffer, size_t size);
    void (*go)(void *(*function)(void *), void *argument);
    void (*run)(void); /* begin, and all that it starts */
} *kind;

static void fail(const char *why)
{
    fprintf(stderr, "echo: %s\n", why);
    exit(1);
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static void *serve(void *argument)
{
    struct connection *connection = argument;
    char buffer[SIZE];
    ssize_t size;

    while ((size = kind->read(connection->end[0], buffer, sizeof(buffer))) > 0) {
        kind->write(connection->end[0], buffer, (size_t)size);
    }
    return NULL;
}

static void exchange(const struct connection *connection, long count)
{
    char buffer[SIZE] = "echo";

    for (long i = 0; i < count; i++) {
        if (kind->write(connection->end[1], buffer, SIZE) != SIZE
            || kind->read(connection->end[1], buffer, SIZE) != SIZE) {
            fail("a message was lost");
        }
    }
}

/* A client. The last one to end knows what it all took. */
static void *talk(void *connection)
{
    exchange(connection, messages / active);
    if (__atomic_sub_fetch(&talking, 1, __ATOMIC_SEQ_CST) == 0) {
        printf("echo %.3f\n", (now() - start) / (double)(messages / active * active));
        exit(0);
    }
    return NULL;
}

/* A message for each connection, so that all servers have begun and wait; then the clients. */
static void *begin(void *unused)
{
    for (long i = 0; i < open_count; i++) {
        kind->go(serve, &connections[i]);
    }
    for (long i = 0; i < open_count; i++) {
        exchange(&connections[i], 1);
    }
    talking = active;
    start = now();
    for (long i = 0; i < active; i++) {
        kind->go(talk, &connections[i]);
    }
    return unused;
}

static void coroutine_go(void *(*function)(void *), void *argument)
{
    if (!co_go(function, argument, NULL)) {
        fail("no memory for a coroutine");
    }
}

static void coroutines_run(void)
{
    coroutine_go(begin, NULL);
    co_run();
}

static void thread_go(void *(*function)(void *), void *argument)
{
    pthread_attr_t attr;
    pthread_t thread;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK);
    if (pthread_create(&thread, &attr, function, argument)) {
        fail("no more threads");
    }
}

static void threads_run(void)
{
    begin(NULL);
    pthread_exit(NULL); /* the last client ends the process */
}

static const struct kind kinds[] = {
    {"coroutines", co_read, co_write, coroutine_go, coroutines_run},
    {"threads", read, write, thread_go, threads_run},
};

static void connect_all(void)
{
    struct rlimit files;

    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    connections = calloc((size_t)open_count, sizeof(*connections));
    for (long i = 0; i < open_count; i++) {
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, connections[i].end)) {
            fail("no more descriptors (ulimit -Hn)");
        }
    }
}

int main(int count, char **arguments)
{
    for (size_t i = 0; count == 5 && i < sizeof(kinds) / sizeof(*kinds); i++) {
        kind = strcmp(arguments[1], kinds[i].name) == 0 ? &kinds[i] : kind;
    }
    if (!kind) {
        fail("usage: echo coroutines|threads OPEN ACTIVE MESSAGES");
    }
    open_count = atol(arguments[2]);
    active = atol(arguments[3]);
    messages = atol(arguments[4]);
    connect_all();
    kind->run();
    return 1;
}
