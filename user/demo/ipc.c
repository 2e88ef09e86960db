/*
 * ipc: four ways in which two processes talk, by how long a question and its answer take, and what
 * it costs to carry bytes.
 *
 * Each way is a pair of functions: `ring` wakes the other side, `listen` waits to be woken. A
 * round trip is ring and listen on this side, listen and ring on the other. Both processes are on
 * one CPU, so that the switches between them can be counted.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/lesson.h"

enum { FUTEX_WAIT, FUTEX_WAKE };
#define CHUNK 1048576

static long rounds = 2000, chunks = 64;

/* ---- The two ends ---- */

/* Side 0 is this process, side 1 its child. */
static int in_fd[2], out_fd[2]; /* of pipes and sockets, by side */
static pid_t peer[2];           /* for signals: whom to ring */
static struct shared {
    unsigned bell[2];           /* how often each side was rung */
    struct receiver {
        long long done, cpu_ns; /* when it had it all; what it took of the CPU */
        long long wrong;        /* chunks that were not what was sent */
        long switches;          /* in the round trips */
    } receiver;
    _Alignas(64) char data[2][CHUNK]; /* what the memory carries, in turn */
} *shared;

static void pipe_open(void)
{
    int there[2], back[2];

    if (pipe(there) || pipe(back)) {
        lesson_failed("pipe");
    }
    out_fd[0] = there[1], in_fd[1] = there[0];
    out_fd[1] = back[1], in_fd[0] = back[0];
}

static void socket_open(void)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends)) {
        lesson_failed("socketpair");
    }
    out_fd[0] = in_fd[0] = ends[0];
    out_fd[1] = in_fd[1] = ends[1];
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

static void memory_open(void)
{
    memset(shared->bell, 0, sizeof(shared->bell));
    memset(heard, 0, sizeof(heard));
}

static void memory_ring(int side)
{
    __atomic_fetch_add(&shared->bell[!side], 1, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &shared->bell[!side], FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void memory_listen(int side)
{
    while (__atomic_load_n(&shared->bell[side], __ATOMIC_SEQ_CST) == heard[side]) {
        syscall(SYS_futex, &shared->bell[side], FUTEX_WAIT, heard[side], NULL, NULL, 0);
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
static void signal_open(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    if (sigaction(SIGUSR1, &action, NULL)) {
        lesson_failed("sigaction");
    }
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
 * ---- Bytes: side 0 writes each of them, side 1 reads each of them ----
 *
 * That is the same in all ways. A pipe copies them into the kernel and out again, on top of it.
 */

static char private_data[CHUNK] __attribute__((aligned(64)));

/* What stands in each eight bytes of a chunk. */
static unsigned long contents(long chunk)
{
    return (unsigned long)(chunk % 251 + 1) * 0x0101010101010101ul;
}

static void write_bytes(char *data, long chunk)
{
    unsigned long *words = (unsigned long *)data;

    for (size_t i = 0; i < CHUNK / sizeof(*words); i++) {
        words[i] = contents(chunk);
    }
}

/* Are all of them what write_bytes has written? */
static bool read_bytes(const char *data, long chunk)
{
    const unsigned long *words = (const unsigned long *)data;
    unsigned long wrong = 0;

    for (size_t i = 0; i < CHUNK / sizeof(*words); i++) {
        wrong |= words[i] ^ contents(chunk);
    }
    return !wrong;
}

static void fd_send(void)
{
    for (long i = 0; i < chunks; i++) {
        write_bytes(private_data, i);
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
    for (long i = 0; i < chunks; i++) {
        for (long taken = 0; taken < CHUNK;) {
            ssize_t count = read(in_fd[1], private_data + taken, (size_t)(CHUNK - taken));

            if (count <= 0) {
                lesson_failed("read");
            }
            taken += count;
        }
        shared->receiver.wrong += !read_bytes(private_data, i);
    }
}

/* The sender writes where the receiver reads. Two halves: one is written while one is read. */
static void memory_send(void)
{
    for (long i = 0; i < chunks; i++) {
        if (i >= 2) {
            memory_listen(0); /* it has read this half */
        }
        write_bytes(shared->data[i % 2], i);
        memory_ring(0);
    }
}

static void memory_take(void)
{
    for (long i = 0; i < chunks; i++) {
        memory_listen(1);
        shared->receiver.wrong += !read_bytes(shared->data[i % 2], i);
        memory_ring(1);
    }
}

static struct way {
    const char *name, *key, *how;
    void (*open)(void);
    void (*ring)(int side), (*listen)(int side);
    void (*send)(void), (*take)(void);
    double round_trip_ns, switches; /* of both processes, a round trip */
    double bytes_per_s, cpu_ns;     /* of both, to write, carry and read a chunk */
    long long wrong;
} ways[] = {
    {.name = "pipe", .key = "pipe", .how = "copied twice", .open = pipe_open,
     .ring = fd_ring, .listen = fd_listen, .send = fd_send, .take = fd_take},
    {.name = "socketpair", .key = "socketpair", .how = "copied twice", .open = socket_open,
     .ring = fd_ring, .listen = fd_listen, .send = fd_send, .take = fd_take},
    {.name = "shared memory", .key = "shared_memory", .how = "not copied",
     .open = memory_open, .ring = memory_ring, .listen = memory_listen, .send = memory_send,
     .take = memory_take},
    {.name = "signal", .key = "signal", .how = "no bytes", .open = signal_open,
     .ring = signal_ring, .listen = signal_listen},
};
enum { PIPE, SOCKETPAIR, MEMORY, SIGNAL, WAYS };

/* All of it is in this process' page table, so that no page fault is measured. */
static void map_all(void)
{
    write_bytes(shared->data[0], 0);
    write_bytes(shared->data[1], 0);
    write_bytes(private_data, 0);
}

static long switches_now(void)
{
    struct switches switches = thread_switches();

    return switches.voluntary + switches.forced;
}

static _Noreturn void answer(const struct way *way)
{
    struct receiver *receiver = &shared->receiver;
    long long cpu;

    end_with_parent();
    map_all();
    way->listen(1);
    way->ring(1);
    receiver->switches = switches_now();
    for (long i = 0; i < rounds; i++) {
        way->listen(1);
        way->ring(1);
    }
    receiver->switches = switches_now() - receiver->switches;
    if (way->take) {
        cpu = cpu_ns();
        way->take();
        receiver->cpu_ns = cpu_ns() - cpu;
        receiver->done = now_ns();
    }
    _exit(0);
}

static void measure_round_trips(struct way *way)
{
    long before = switches_now();
    long long start = now_ns();

    for (long i = 0; i < rounds; i++) {
        way->ring(0);
        way->listen(0);
    }
    way->round_trip_ns = (double)(now_ns() - start) / (double)rounds;
    way->switches = (double)(switches_now() - before);
}

static void measure(struct way *way)
{
    const struct receiver *receiver = &shared->receiver;
    long long start, cpu;

    memset(&shared->receiver, 0, sizeof(shared->receiver));
    way->open();
    peer[1] = getpid();
    peer[0] = lesson_fork();
    if (peer[0] == 0) {
        answer(way);
    }
    map_all();
    way->ring(0); /* not measured: the child starts */
    way->listen(0);
    measure_round_trips(way);
    start = now_ns();
    cpu = cpu_ns();
    if (way->send) {
        way->send();
    }
    cpu = cpu_ns() - cpu;
    lesson_join(peer[0]);
    way->switches = (way->switches + (double)receiver->switches) / (double)rounds;
    if (way->send) {
        way->bytes_per_s = (double)chunks * CHUNK * 1e9 / (double)(receiver->done - start);
        way->cpu_ns = (double)(cpu + receiver->cpu_ns) / (double)chunks;
        way->wrong = receiver->wrong;
    }
}

/* "2.91 GB/s" */
static const char *rate(double bytes_per_s)
{
    static char text[24];

    snprintf(text, sizeof(text), "%.*f GB/s", bytes_per_s >= 99.5e9 ? 0 : 2, bytes_per_s / 1e9);
    return text;
}

static void report(const struct way *way, double dearest)
{
    say("  %s %8s %9.1f ", cell(-14, way->name), duration(way->round_trip_ns), way->switches);
    if (way->send) {
        say("%10s %8s |%s%s%s| %s\n", rate(way->bytes_per_s), duration(way->cpu_ns), paint(CYAN),
            bar(way->cpu_ns / dearest, 8), paint(PLAIN), translate(way->how));
    } else {
        say("%10s %8s |%8s| %s\n", "-", "-", "", translate(way->how));
    }
    json_object(way->key);
    json_number("round_trip_ns", way->round_trip_ns);
    json_number("switches_per_round_trip", way->switches);
    if (way->send) {
        json_number("throughput_mb_per_s", way->bytes_per_s / 1e6);
        json_number("cpu_us_per_mib", way->cpu_ns / 1e3);
        json_number("wrong_chunks", (double)way->wrong);
    }
    json_end();
}

static void judge(void)
{
    const struct way *tube = &ways[PIPE], *memory = &ways[MEMORY], *signal = &ways[SIGNAL];
    double ratio = tube->cpu_ns / memory->cpu_ns;
    long long wrong = tube->wrong + ways[SOCKETPAIR].wrong + memory->wrong;

    json_number("pipe_over_memory", ratio);
    verdict(ratio > 1 && wrong == 0,
            "To write %ld MiB, carry them and read them again took %.1f times as much CPU by pipe as "
            "in shared memory, where the sender writes what the receiver reads: the kernel copies "
            "nothing, it only wakes. (%lld MiB came over wrong.)", chunks, ratio, wrong);
    verdict(tube->switches >= 1.9 && signal->switches >= 1.9,
            "A question and its answer took %s by pipe, with %.1f switches, and %s by signal, with "
            "%.1f: on one CPU the other side must run to answer, and this one to hear it.",
            duration(tube->round_trip_ns), tube->switches, duration(signal->round_trip_ns),
            signal->switches);
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
         "Look at the round trips: two switches in each. And what do the copies cost?"},
        options,
        "  pipe, socketpair, shared_memory, signal    objects, each with\n"
        "    round_trip_ns             from a question to its answer\n"
        "    switches_per_round_trip   of both processes\n"
        "    and, but for signal: each byte is written by the sender and read by the receiver\n"
        "    throughput_mb_per_s       10^6 bytes a second\n"
        "    cpu_us_per_mib            CPU time of both processes\n"
        "    wrong_chunks              MiB that were not what was sent\n"
        "  pipe_over_memory        how many times as much CPU time a pipe takes\n",
    };
    double dearest = 0;

    lesson_start(&lesson, argc, argv);
    pin_to_cpu(0);
    shared = shared_memory(sizeof(*shared));
    for (int i = 0; i < WAYS; i++) {
        measure(&ways[i]);
        dearest = ways[i].cpu_ns > dearest ? ways[i].cpu_ns : dearest;
    }
    say("  %-13s %s %9s %10s %s\n", "", cell(9, "a round"), "", "", cell(8, "CPU time"));
    say("  %-13s %s %s %s %s\n", "", cell(9, "trip"), cell(9, "switches"), cell(10, "throughput"),
        cell(8, "a MiB"));
    for (int i = 0; i < WAYS; i++) {
        report(&ways[i], dearest);
    }
    judge();
    return lesson_end();
}
