/*
 * ipc: four ways in which two processes talk, by how long a question and its answer take, and how
 * many bytes go over in a second.
 *
 * Each way is a pair of functions: `ring` wakes the other side, `listen` waits to be woken. A
 * round trip is ring and listen on this side, listen and ring on the other.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/lesson.h"

#define FUTEX_CALL 202
#define SOCKETPAIR_CALL 53
enum { FUTEX_WAIT, FUTEX_WAKE };
enum { AF_UNIX = 1, SOCK_STREAM = 1 };
#define CHUNK 1048576
#define PAGE 4096
#define WAYS 4

static long rounds = 2000, chunks = 64;

/* ---- The two ends ---- */

/* Side 0 is this process, side 1 its child. */
static int in_fd[2], out_fd[2]; /* of pipes and sockets, by side */
static pid_t peer[2];           /* for signals: whom to ring */
static struct shared {
    unsigned bell[2];           /* how often each side was rung */
    long long done;             /* when the receiver had it all */
    char data[2][CHUNK];        /* what the memory carries, in turn */
} *shared;

static bool pipe_open(void)
{
    int there[2], back[2];

    if (pipe(there) || pipe(back)) {
        return false;
    }
    out_fd[0] = there[1], in_fd[1] = there[0];
    out_fd[1] = back[1], in_fd[0] = back[0];
    return true;
}

static bool socket_open(void)
{
    int ends[2];

    if (syscall(SOCKETPAIR_CALL, AF_UNIX, SOCK_STREAM, 0, ends)) {
        return false;
    }
    out_fd[0] = in_fd[0] = ends[0];
    out_fd[1] = in_fd[1] = ends[1];
    return true;
}

static void fd_ring(int side)
{
    if (write(out_fd[side], "x", 1) != 1) {
        lesson_failed("write");
    }
}

static void fd_listen(int side)
{
    char byte;

    if (read(in_fd[side], &byte, 1) != 1) {
        lesson_failed("read");
    }
}

static unsigned heard[2]; /* how many rings each side has answered */

static bool memory_open(void)
{
    memset(shared->bell, 0, sizeof(shared->bell));
    memset(heard, 0, sizeof(heard));
    return true;
}

static void memory_ring(int side)
{
    __atomic_fetch_add(&shared->bell[!side], 1, __ATOMIC_SEQ_CST);
    syscall(FUTEX_CALL, &shared->bell[!side], FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void memory_listen(int side)
{
    while (__atomic_load_n(&shared->bell[side], __ATOMIC_SEQ_CST) == heard[side]) {
        syscall(FUTEX_CALL, &shared->bell[side], FUTEX_WAIT, heard[side], NULL, NULL, 0);
    }
    heard[side]++;
}

static volatile int signalled;

static void on_signal(int number)
{
    (void)number;
    signalled = 1;
}

/* SIGUSR1 is blocked but while we wait, or it might come just before we wait for it. */
static bool signal_open(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return sigaction(SIGUSR1, &action, NULL) == 0;
}

static void signal_ring(int side)
{
    kill(peer[side], SIGUSR1);
}

static void signal_listen(int side)
{
    sigset_t none;

    (void)side;
    sigemptyset(&none);
    while (!signalled) {
        sigsuspend(&none);
    }
    signalled = 0;
}

/*
 * ---- Bytes: side 0 has them in its memory, then side 1 has them in its own ----
 *
 * Neither makes nor uses them in the time measured; but each page is touched, so they are there.
 */

static char private_data[CHUNK];

static void fd_send(void)
{
    for (long i = 0; i < chunks; i++) {
        for (long sent = 0; sent < CHUNK;) {
            ssize_t count = write(out_fd[0], private_data + sent, (size_t)(CHUNK - sent));

            if (count <= 0) {
                lesson_failed("write");
            }
            sent += count;
        }
    }
}

static void fd_take(void)
{
    for (long left = chunks * CHUNK; left > 0;) {
        ssize_t count = read(in_fd[1], private_data, sizeof(private_data));

        if (count <= 0) {
            lesson_failed("read");
        }
        left -= count;
    }
}

/* The sender writes where the receiver reads. Two halves: one is written while one is read. */
static void memory_send(void)
{
    for (long i = 0; i < chunks; i++) {
        if (i >= 2) {
            memory_listen(0); /* it has read this half */
        }
        for (long at = 0; at < CHUNK; at += PAGE) {
            *(volatile char *)&shared->data[i % 2][at] = (char)i;
        }
        memory_ring(0);
    }
}

static void memory_take(void)
{
    for (long i = 0; i < chunks; i++) {
        memory_listen(1);
        for (long at = 0; at < CHUNK; at += PAGE) {
            (void)*(volatile char *)&shared->data[i % 2][at];
        }
        memory_ring(1);
    }
}

static struct way {
    const char *name, *key, *how;
    bool (*open)(void);
    void (*ring)(int side), (*listen)(int side);
    void (*send)(void), (*take)(void);
    bool works;
    double round_trip_ns, bytes_per_s;
} ways[WAYS] = {
    {"pipe", "pipe", "copied in and out", pipe_open, fd_ring, fd_listen, fd_send, fd_take,
     false, 0, 0},
    {"socketpair", "socketpair", "copied in and out", socket_open, fd_ring, fd_listen, fd_send,
     fd_take, false, 0, 0},
    {"shared memory", "shared_memory", "no copy; futex wakes", memory_open,
     memory_ring, memory_listen, memory_send, memory_take, false, 0, 0},
    {"signal", "signal", "carries no bytes", signal_open, signal_ring, signal_listen, NULL,
     NULL, false, 0, 0},
};

/* All of it is in this process' page table, so that no page fault is measured. */
static void map_all(void)
{
    for (long at = 0; at < CHUNK; at += PAGE) {
        *(volatile char *)&shared->data[0][at] = 0;
        *(volatile char *)&shared->data[1][at] = 0;
        *(volatile char *)&private_data[at] = 0;
    }
}

static _Noreturn void answer(struct way *way)
{
    map_all();
    for (long i = 0; i < rounds + 1; i++) {
        way->listen(1);
        way->ring(1);
    }
    if (way->take) {
        way->take();
        shared->done = now_ns();
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
    }
    _exit(0);
}

static void measure(struct way *way)
{
    long long start;

    way->works = way->open();
    if (!way->works) {
        return;
    }
    peer[1] = getpid();
    peer[0] = fork();
    if (peer[0] == 0) {
        answer(way);
    }
    map_all();
    way->ring(0); /* not measured: the child starts */
    way->listen(0);
    start = now_ns();
    for (long i = 0; i < rounds; i++) {
        way->ring(0);
        way->listen(0);
    }
    way->round_trip_ns = (double)(now_ns() - start) / (double)rounds;
    start = now_ns();
    if (way->send) {
        way->send();
    }
    lesson_join(peer[0]);
    if (way->send) {
        way->bytes_per_s = (double)chunks * CHUNK * 1e9 / (double)(shared->done - start);
    }
}

/* "2.91 GB/s" */
static const char *rate(double bytes_per_s)
{
    static char text[24];

    snprintf(text, sizeof(text), "%.*f GB/s", bytes_per_s >= 99.5e9 ? 0 : 2, bytes_per_s / 1e9);
    return text;
}

static void report(const struct way *way, double fastest)
{
    if (!way->works) {
        say("  %-14s %s\n", way->name, "this kernel has no such call");
    } else if (way->send) {
        say("  %-14s %8s %11s |%s%s%s| %s\n", way->name, duration(way->round_trip_ns),
            rate(way->bytes_per_s), paint(CYAN), bar(way->bytes_per_s / fastest, 12),
            paint(PLAIN), way->how);
    } else {
        say("  %-14s %8s %11s |%12s| %s\n", way->name, duration(way->round_trip_ns), "-", "",
            way->how);
    }
    json_object(way->key);
    json_bool("works", way->works);
    if (way->works) {
        json_number("round_trip_ns", way->round_trip_ns);
    }
    if (way->works && way->send) {
        json_number("throughput_mb_per_s", way->bytes_per_s / 1e6);
    }
    json_end();
}

int main(int argc, char **argv)
{
    static const struct lesson_option options[] = {
        {.name = "rounds", .kind = OPTION_NUMBER, .value = &rounds, .least = 1, .most = 1000000,
         .help = "questions and answers"},
        {.name = "chunks", .kind = OPTION_NUMBER, .value = &chunks, .least = 4, .most = 100000,
         .help = "how many MiB to send"},
        {0},
    };
    static const struct lesson lesson = {
        "ipc", "pipe, socketpair, shared memory, signal: how two processes talk",
        {"Processes have separate memories: the kernel carries what they tell each other.",
         "Look at the round trips, which are alike: two switches. And who copies bytes?"},
        options,
        "  pipe, socketpair, shared_memory, signal    objects, each with\n"
        "    works                 the kernel has it\n"
        "    round_trip_ns         from a question to its answer\n"
        "    throughput_mb_per_s   10^6 bytes a second (not for signal)\n"
        "  memory_over_pipe        how many times more bytes shared memory carries\n",
    };
    double ratio, fastest = 0;

    lesson_start(&lesson, argc, argv);
    shared = shared_memory(sizeof(*shared));
    for (int i = 0; i < WAYS; i++) {
        measure(&ways[i]);
    }
    say("  %-13s %9s %11s\n", "", "round trip", "throughput");
    for (int i = 0; i < WAYS; i++) {
        fastest = ways[i].bytes_per_s > fastest ? ways[i].bytes_per_s : fastest;
    }
    for (int i = 0; i < WAYS; i++) {
        report(&ways[i], fastest);
    }
    ratio = ways[2].bytes_per_s / ways[0].bytes_per_s;
    json_number("memory_over_pipe", ratio);
    verdict(ratio > 1,
            "Shared memory carried %.1f times the bytes of a pipe: the sender writes where the "
            "receiver reads. The kernel copies nothing, it only wakes.", ratio);
    verdict(ways[0].round_trip_ns > 0 && ways[3].round_trip_ns > 0,
            "A question and its answer took %s by pipe and %s by signal: either is two system "
            "calls and a switch there, and the same back.",
            duration(ways[0].round_trip_ns), duration(ways[3].round_trip_ns));
    if (!ways[1].works) {
        verdict(true, "socketpair: this kernel does not have it.");
    }
    return lesson_end();
}
