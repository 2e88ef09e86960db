/*
 * What the coroutine library needs of the system: raw system calls, which leave errno alone and
 * link with any C library, the time, and text on a descriptor.
 */
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "internal.h"

long co_call(long number, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

_Thread_local long co_thread;

long co_thread_id(void)
{
    if (!co_thread) {
        co_thread = co_call(SYS_gettid, 0, 0, 0, 0, 0, 0);
    }
    return co_thread;
}

int64_t co_now(void)
{
    struct {
        int64_t seconds, nanoseconds;
    } time;

    co_call(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&time, 0, 0, 0, 0);
    return time.seconds * SECOND + time.nanoseconds;
}

void co_print(int fd, const char *format, ...)
{
    char line[256];
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    if (length > (int)sizeof(line) - 1) {
        length = sizeof(line) - 1;
    }
    co_call(SYS_write, fd, (long)line, length, 0, 0, 0);
}
