/* Clocks, CPUs and shared memory, as a lesson wants them. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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

void pin_to_one_cpu(void)
{
    cpu_set_t set, one;
    int cpu = 0;

    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set)) {
        lesson_failed("sched_getaffinity");
    }
    while (cpu < CPU_SETSIZE && !CPU_ISSET(cpu, &set)) {
        cpu++;
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

/* Run 2 * loops instructions and say how long they took. */
static long long time_instructions(long loops)
{
    long long start = now_ns();

    __asm__ volatile("1: dec %0; jnz 1b" : "+r"(loops) : : "cc");
    return now_ns() - start;
}

/* Three lengths, and each takes a nanosecond an instruction, but for the timer's interrupts and
 * the clock itself: no real CPU runs so evenly. */
bool time_counts_instructions(void)
{
    for (long loops = 500000; loops <= 1500000; loops += 500000) {
        double error = (double)time_instructions(loops) / (2.0 * (double)loops) - 1;

        if (error < 0 || error > 0.02) {
            return false;
        }
    }
    return true;
}
