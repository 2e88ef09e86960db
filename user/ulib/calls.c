/* System calls as C functions: CALL3(read, ...) makes the call SYS_read. */
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

ssize_t read(int fd, void *buffer, size_t size) { return CALL3(read, fd, buffer, size); }
ssize_t write(int fd, const void *buffer, size_t size) { return CALL3(write, fd, buffer, size); }
int close(int fd) { return (int)CALL1(close, fd); }
int uname(struct utsname *name) { return (int)CALL1(uname, name); }
int stat(const char *path, struct stat *result) { return (int)CALL2(stat, path, result); }
int fstat(int fd, struct stat *result) { return (int)CALL2(fstat, fd, result); }
int lstat(const char *path, struct stat *result) { return (int)CALL2(lstat, path, result); }
int poll(struct pollfd *fds, unsigned long n, int timeout) { return (int)CALL3(poll, fds, n, timeout); }
off_t lseek(int fd, off_t offset, int whence) { return CALL3(lseek, fd, offset, whence); }
int munmap(void *address, size_t size) { return (int)CALL2(munmap, address, size); }
int mprotect(void *a, size_t size, int prot) { return (int)CALL3(mprotect, a, size, prot); }
int access(const char *path, int mode) { return (int)CALL2(access, path, mode); }
int pipe(int fds[2]) { return (int)CALL1(pipe, fds); }
int pipe2(int fds[2], int flags) { return (int)CALL2(pipe2, fds, flags); }
int dup(int fd) { return (int)CALL1(dup, fd); }
int dup2(int fd, int to) { return (int)CALL2(dup2, fd, to); }
int pause(void) { return (int)CALL0(pause); }
unsigned alarm(unsigned seconds) { return (unsigned)CALL1(alarm, seconds); }
pid_t getpid(void) { return (pid_t)CALL0(getpid); }
pid_t waitpid(pid_t pid, int *status, int options) { return (pid_t)CALL4(wait4, pid, status, options, 0); }
pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage)
{
    return (pid_t)CALL4(wait4, pid, status, options, usage);
}

pid_t wait(int *status) { return waitpid(-1, status, 0); }
int ftruncate(int fd, off_t size) { return (int)CALL2(ftruncate, fd, size); }
int chdir(const char *path) { return (int)CALL1(chdir, path); }
int rename(const char *old, const char *path) { return (int)CALL2(rename, old, path); }
int mkdir(const char *path, mode_t mode) { return (int)CALL2(mkdir, path, mode); }
int rmdir(const char *path) { return (int)CALL1(rmdir, path); }
int link(const char *old, const char *path) { return (int)CALL2(link, old, path); }
int unlink(const char *path) { return (int)CALL1(unlink, path); }
int symlink(const char *target, const char *path) { return (int)CALL2(symlink, target, path); }
ssize_t readlink(const char *path, char *buffer, size_t size) { return CALL3(readlink, path, buffer, size); }
int chmod(const char *path, mode_t mode) { return (int)CALL2(chmod, path, mode); }
int klogctl(int action, char *buffer, int size) { return (int)CALL3(syslog, action, buffer, size); }
int gettimeofday(struct timeval *time, void *zone) { return (int)CALL2(gettimeofday, time, zone); }
mode_t umask(mode_t mask) { return (mode_t)CALL1(umask, mask); }
int getrusage(int who, struct rusage *usage) { return (int)CALL2(getrusage, who, usage); }
int getrlimit(int resource, struct rlimit *limit) { return (int)CALL4(prlimit64, 0, resource, 0, limit); }
int setrlimit(int r, const struct rlimit *limit) { return (int)CALL4(prlimit64, 0, r, limit, 0); }
unsigned getuid(void) { return (unsigned)CALL0(getuid); }
int setpgid(pid_t pid, pid_t pgid) { return (int)CALL2(setpgid, pid, pgid); }
pid_t getppid(void) { return (pid_t)CALL0(getppid); }
pid_t getpgrp(void) { return (pid_t)CALL0(getpgrp); }
pid_t setsid(void) { return (pid_t)CALL0(setsid); }
pid_t getpgid(pid_t pid) { return (pid_t)CALL1(getpgid, pid); }
pid_t gettid(void) { return (pid_t)CALL0(gettid); }
int setpriority(int which, int who, int nice) { return (int)CALL3(setpriority, which, who, nice); }
int sched_yield(void) { return (int)CALL0(sched_yield); }
int sched_setaffinity(pid_t tid, size_t size, const cpu_set_t *set) { return (int)CALL3(sched_setaffinity, tid, size, set); }
int reboot(int command) { return (int)CALL3(reboot, 0xfee1dead, 672274793, (unsigned)command); }

int getpriority(int which, int who)
{
    long result = CALL2(getpriority, which, who);

    return result < 0 ? -1 : (int)(20 - result);
}

int utimensat(int dirfd, const char *path, const struct timespec times[2], int flags)
{
    return (int)CALL4(utimensat, dirfd, path, times, flags);
}

int mount(const char *source, const char *target, const char *type, unsigned long flags,
          const void *data)
{
    return (int)CALL6(mount, source, target, type, flags, data, 0);
}

int sched_getaffinity(pid_t tid, size_t size, cpu_set_t *set)
{
    long got = CALL3(sched_getaffinity, tid, size, set);

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
    return (void *)CALL6(mmap, address, size, prot, flags, fd, offset);
}

int prctl(int option, ...)
{
    va_list args;
    char *name;

    va_start(args, option);
    name = va_arg(args, char *);
    va_end(args);
    return (int)CALL2(prctl, option, name);
}

int open(const char *path, int flags, ...)
{
    va_list args;
    mode_t mode;

    va_start(args, flags);
    mode = va_arg(args, mode_t);
    va_end(args);
    return (int)CALL3(open, path, flags, mode);
}

int fcntl(int fd, int command, ...)
{
    va_list args;
    long argument;

    va_start(args, command);
    argument = va_arg(args, long);
    va_end(args);
    return (int)CALL3(fcntl, fd, command, argument);
}

int ioctl(int fd, unsigned long request, ...)
{
    va_list args;
    long argument;

    va_start(args, request);
    argument = va_arg(args, long);
    va_end(args);
    return (int)CALL3(ioctl, fd, request, argument);
}

char *getcwd(char *buffer, size_t size)
{
    return CALL2(getcwd, buffer, size) < 0 ? NULL : buffer;
}

int execve(const char *path, char *const argv[], char *const envp[])
{
    return (int)CALL3(execve, path, argv, envp);
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
