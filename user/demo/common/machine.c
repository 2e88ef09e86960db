/* Clocks, CPUs and shared memory, as a lesson wants them. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "lesson.h"

static long long read_clock(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return time.tv_sec * 1000000000ll + time.tv_nsec;
}

long long now_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

long long cpu_ns(void)
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

struct switches thread_switches(void)
{
    struct rusage usage = {0};

    if (getrusage(RUSAGE_THREAD, &usage)) {
        lesson_failed("getrusage");
    }
    return (struct switches){usage.ru_nvcsw, usage.ru_nivcsw};
}

void sleep_ns(long long ns)
{
    struct timespec time = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};

    while (ns > 0 && nanosleep(&time, &time) && errno == EINTR) {
    }
}

void *shared_memory(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED) {
        lesson_failed("mmap");
    }
    return memory;
}

int cpus_allowed(void)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    return sched_getaffinity(0, sizeof(set), &set) ? 1 : CPU_COUNT(&set);
}

void pin_to_cpu(int nth)
{
    cpu_set_t set, one;
    int cpu = -1;

    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set) || nth >= CPU_COUNT(&set)) {
        lesson_failed("sched_getaffinity");
    }
    for (int i = 0; i <= nth; i++) {
        do {
            cpu++;
        } while (!CPU_ISSET(cpu, &set));
    }
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    if (sched_setaffinity(0, sizeof(one), &one)) {
        lesson_failed("sched_setaffinity");
    }
}

static bool slurp(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY);
    ssize_t got = fd < 0 ? -1 : read(fd, text, size - 1);

    if (fd >= 0) {
        close(fd);
    }
    text[got > 0 ? got : 0] = '\0';
    return got > 0;
}

/* proc(5): the state letter of `stat` follows the command, which may itself have a bracket. */
struct task_seen task_look(int pid, int tid)
{
    struct task_seen seen = {.state = '?'};
    char path[64], text[512];
    const char *bracket;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
    if (!slurp(path, text, sizeof(text))) {
        snprintf(path, sizeof(path), "/proc/%d/stat", tid);
        slurp(path, text, sizeof(text));
    }
    bracket = strrchr(text, ')');
    if (bracket && bracket[1]) {
        seen.state = bracket[2];
    }
    snprintf(path, sizeof(path), "/proc/%d/wchan", tid);
    if (slurp(path, seen.waits_for, sizeof(seen.waits_for)) && seen.waits_for[0] == '0') {
        seen.waits_for[0] = '\0';
    }
    return seen;
}

/* How long 2 * loops instructions take, and 10 * loops of which most do nothing. */
static long long time_loop(long loops)
{
    long long start = now_ns();

    __asm__ volatile("1: dec %0; jnz 1b" : "+r"(loops) : : "cc");
    return now_ns() - start;
}

static long long time_idle_loop(long loops)
{
    long long start = now_ns();

    __asm__ volatile("1: .fill 8, 1, 0x90; dec %0; jnz 1b" : "+r"(loops) : : "cc");
    return now_ns() - start;
}

/* But for the timer's interrupts and the clock itself. */
static bool is_an_instruction_each(long long ns, long instructions)
{
    return ns >= instructions && ns <= instructions + instructions / 50;
}

/* Each takes a nanosecond an instruction, whatever it does: no real CPU runs so evenly. */
bool time_counts_instructions(void)
{
    for (long loops = 500000; loops <= 1000000; loops += 500000) {
        if (!is_an_instruction_each(time_loop(loops), 2 * loops)
            || !is_an_instruction_each(time_idle_loop(loops / 5), 2 * loops)) {
            return false;
        }
    }
    return true;
}
