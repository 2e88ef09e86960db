/* Clocks, CPUs and shared memory, as a lesson wants them. */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

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
