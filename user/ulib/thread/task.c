/* What the kernel knows of a thread as a task: its name, its CPUs. Numbers of errors, no errno. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "thread.h"

#define NAME_SIZE 16 /* with the zero at its end; longer ones are refused */

/* /proc/self/task/TID/comm, by bare calls; or -errno. */
static long open_name(pthread_t id, int flags)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/self/task/%d/comm", ((struct thread *)id)->tid);
    return ulib_syscall(SYS_open, (long)path, flags | O_CLOEXEC, 0, 0, 0, 0);
}

int pthread_setname_np(pthread_t id, const char *name)
{
    size_t length = strlen(name);
    long file, result;

    if (length >= NAME_SIZE) {
        return ERANGE;
    }
    file = open_name(id, O_WRONLY);
    if (file < 0) {
        return (int)-file;
    }
    result = ulib_syscall(SYS_write, file, (long)name, (long)length, 0, 0, 0);
    ulib_syscall(SYS_close, file, 0, 0, 0, 0, 0);
    return result < 0 ? (int)-result : 0;
}

int pthread_getname_np(pthread_t id, char *name, size_t size)
{
    long file, length;

    if (size < NAME_SIZE) {
        return ERANGE;
    }
    file = open_name(id, O_RDONLY);
    if (file < 0) {
        return (int)-file;
    }
    length = ulib_syscall(SYS_read, file, (long)name, NAME_SIZE, 0, 0, 0);
    ulib_syscall(SYS_close, file, 0, 0, 0, 0, 0);
    if (length <= 0) {
        return length < 0 ? (int)-length : EIO;
    }
    name[length - 1] = '\0'; /* in place of the newline */
    return 0;
}

int pthread_setaffinity_np(pthread_t id, size_t size, const cpu_set_t *set)
{
    int tid = ((struct thread *)id)->tid;

    return tid == 0 ? ESRCH : (int)-ulib_syscall(SYS_sched_setaffinity, tid, (long)size,
                                                   (long)set, 0, 0, 0);
}

int pthread_getaffinity_np(pthread_t id, size_t size, cpu_set_t *set)
{
    int tid = ((struct thread *)id)->tid;
    long got = tid == 0 ? -ESRCH : ulib_syscall(SYS_sched_getaffinity, tid, (long)size,
                                                   (long)set, 0, 0, 0);

    if (got < 0) {
        return (int)-got;
    }
    memset((char *)set + got, 0, size - (size_t)got); /* the kernel writes what it has */
    return 0;
}
