/* System calls as C functions: numbers from the Linux x86-64 table. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "internal.h"

long syscall(long number, ...)
{
    va_list args;
    long a[6];

    va_start(args, number);
    for (int i = 0; i < 6; i++) {
        a[i] = va_arg(args, long);
    }
    va_end(args);
    return ulib_result(ulib_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]));
}

ssize_t read(int fd, void *buffer, size_t size) { return CALL3(0, fd, buffer, size); }
ssize_t write(int fd, const void *buffer, size_t size) { return CALL3(1, fd, buffer, size); }
int close(int fd) { return (int)CALL1(3, fd); }
int uname(struct utsname *name) { return (int)CALL1(63, name); }
int stat(const char *path, struct stat *result) { return (int)CALL2(4, path, result); }
int fstat(int fd, struct stat *result) { return (int)CALL2(5, fd, result); }
int lstat(const char *path, struct stat *result) { return (int)CALL2(6, path, result); }
int poll(struct pollfd *fds, unsigned long n, int timeout) { return (int)CALL3(7, fds, n, timeout); }
off_t lseek(int fd, off_t offset, int whence) { return CALL3(8, fd, offset, whence); }
int munmap(void *address, size_t size) { return (int)CALL2(11, address, size); }
int mprotect(void *a, size_t size, int prot) { return (int)CALL3(10, a, size, prot); }
int access(const char *path, int mode) { return (int)CALL2(21, path, mode); }
int pipe(int fds[2]) { return (int)CALL1(22, fds); }
int pipe2(int fds[2], int flags) { return (int)CALL2(293, fds, flags); }
int dup(int fd) { return (int)CALL1(32, fd); }
int dup2(int fd, int to) { return (int)CALL2(33, fd, to); }
int pause(void) { return (int)CALL0(34); }
unsigned alarm(unsigned seconds) { return (unsigned)CALL1(37, seconds); }
pid_t getpid(void) { return (pid_t)CALL0(39); }
pid_t waitpid(pid_t pid, int *status, int options) { return (pid_t)CALL4(61, pid, status, options, 0); }
pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage)
{
    return (pid_t)CALL4(61, pid, status, options, usage);
}

pid_t wait(int *status) { return waitpid(-1, status, 0); }
int ftruncate(int fd, off_t size) { return (int)CALL2(77, fd, size); }
int chdir(const char *path) { return (int)CALL1(80, path); }
int rename(const char *old, const char *path) { return (int)CALL2(82, old, path); }
int mkdir(const char *path, mode_t mode) { return (int)CALL2(83, path, mode); }
int rmdir(const char *path) { return (int)CALL1(84, path); }
int link(const char *old, const char *path) { return (int)CALL2(86, old, path); }
int unlink(const char *path) { return (int)CALL1(87, path); }
int symlink(const char *target, const char *path) { return (int)CALL2(88, target, path); }
ssize_t readlink(const char *path, char *buffer, size_t size) { return CALL3(89, path, buffer, size); }
int chmod(const char *path, mode_t mode) { return (int)CALL2(90, path, mode); }
int klogctl(int action, char *buffer, int size) { return (int)CALL3(103, action, buffer, size); }
int gettimeofday(struct timeval *time, void *zone) { return (int)CALL2(96, time, zone); }
mode_t umask(mode_t mask) { return (mode_t)CALL1(95, mask); }
int getrusage(int who, struct rusage *usage) { return (int)CALL2(98, who, usage); }
int getrlimit(int resource, struct rlimit *limit) { return (int)CALL4(302, 0, resource, 0, limit); }
int setrlimit(int r, const struct rlimit *limit) { return (int)CALL4(302, 0, r, limit, 0); }
unsigned getuid(void) { return (unsigned)CALL0(102); }
int setpgid(pid_t pid, pid_t pgid) { return (int)CALL2(109, pid, pgid); }
pid_t getppid(void) { return (pid_t)CALL0(110); }
pid_t getpgrp(void) { return (pid_t)CALL0(111); }
pid_t setsid(void) { return (pid_t)CALL0(112); }
pid_t getpgid(pid_t pid) { return (pid_t)CALL1(121, pid); }
pid_t gettid(void) { return (pid_t)CALL0(186); }
int setpriority(int which, int who, int nice) { return (int)CALL3(141, which, who, nice); }
int sched_yield(void) { return (int)CALL0(24); }
int sched_setaffinity(pid_t tid, size_t size, const cpu_set_t *set) { return (int)CALL3(203, tid, size, set); }
int reboot(int command) { return (int)CALL3(169, 0xfee1dead, 672274793, (unsigned)command); }

int getpriority(int which, int who)
{
    long result = CALL2(140, which, who);

    return result < 0 ? -1 : (int)(20 - result);
}

int utimensat(int dirfd, const char *path, const struct timespec times[2], int flags)
{
    return (int)CALL4(280, dirfd, path, times, flags);
}

int mount(const char *source, const char *target, const char *type, unsigned long flags,
          const void *data)
{
    return (int)CALL6(165, source, target, type, flags, data, 0);
}

int sched_getaffinity(pid_t tid, size_t size, cpu_set_t *set)
{
    long got = CALL3(204, tid, size, set);

    if (got < 0) {
        return -1;
    }
    memset((char *)set + got, 0, size - (size_t)got); /* the kernel writes what it has */
    return 0;
}

int __cpu_count(const cpu_set_t *set)
{
    int count = 0;

    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        count += CPU_ISSET(cpu, set);
    }
    return count;
}

void *mmap(void *address, size_t size, int prot, int flags, int fd, off_t offset)
{
    return (void *)CALL6(9, address, size, prot, flags, fd, offset);
}

int prctl(int option, ...)
{
    va_list args;
    char *name;

    va_start(args, option);
    name = va_arg(args, char *);
    va_end(args);
    return (int)CALL2(157, option, name);
}

int open(const char *path, int flags, ...)
{
    va_list args;
    mode_t mode;

    va_start(args, flags);
    mode = va_arg(args, mode_t);
    va_end(args);
    return (int)CALL3(2, path, flags, mode);
}

int fcntl(int fd, int command, ...)
{
    va_list args;
    long argument;

    va_start(args, command);
    argument = va_arg(args, long);
    va_end(args);
    return (int)CALL3(72, fd, command, argument);
}

int ioctl(int fd, unsigned long request, ...)
{
    va_list args;
    long argument;

    va_start(args, request);
    argument = va_arg(args, long);
    va_end(args);
    return (int)CALL3(16, fd, request, argument);
}

char *getcwd(char *buffer, size_t size)
{
    return CALL2(79, buffer, size) < 0 ? NULL : buffer;
}

int execve(const char *path, char *const argv[], char *const envp[])
{
    return (int)CALL3(59, path, argv, envp);
}

/* Search PATH, as exec(3): a file that may not be run is remembered, the search goes on. */
int execvp(const char *file, char *const argv[])
{
    const char *path = getenv("PATH"), *end;
    char name[4096];
    int error = ENOENT;

    if (strchr(file, '/')) {
        return execve(file, argv, environ);
    }
    for (path = path ? path : "/bin"; *file; path = end + 1) {
        size_t size;

        end = strchr(path, ':');
        end = end ? end : path + strlen(path);
        size = (size_t)(end - path);
        if (size + strlen(file) + 2 < sizeof(name)) {
            memcpy(name, path, size);
            name[size] = '/';
            strcpy(name + size + 1, file);
            execve(name, argv, environ);
            if (errno != ENOENT && errno != ENOTDIR) {
                error = errno;
            }
        }
        if (!*end) {
            break;
        }
    }
    errno = error;
    return -1;
}
