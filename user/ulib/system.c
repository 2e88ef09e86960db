/* Directories, terminals and time. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"

struct DIR {
    int fd;
    long size, at;
    char buffer[4096];
};

DIR *opendir(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : malloc(sizeof(*dir));

    if (dir) {
        dir->fd = fd;
        dir->size = dir->at = 0;
    } else if (fd >= 0) {
        close(fd);
    }
    return dir;
}

struct dirent *readdir(DIR *dir)
{
    struct dirent *entry;

    if (dir->at >= dir->size) {
        dir->size = CALL3(getdents64, dir->fd, dir->buffer, sizeof(dir->buffer));
        dir->at = 0;
        if (dir->size <= 0) {
            return NULL;
        }
    }
    entry = (struct dirent *)(dir->buffer + dir->at);
    dir->at += entry->d_reclen;
    return entry;
}

int closedir(DIR *dir)
{
    int result = close(dir->fd);

    free(dir);
    return result;
}

int tcgetattr(int fd, struct termios *termios)
{
    memset(termios, 0, sizeof(*termios));
    return ioctl(fd, 0x5401, termios); /* the kernel's is shorter, and alike up to there */
}

int tcsetattr(int fd, int action, const struct termios *termios)
{
    return ioctl(fd, 0x5402 + (unsigned long)action, termios);
}

int tcdrain(int fd) { return ioctl(fd, 0x5409, 1); }
int tcsetpgrp(int fd, pid_t pgid) { return ioctl(fd, 0x5410, &pgid); }

pid_t tcgetpgrp(int fd)
{
    pid_t pgid;

    return ioctl(fd, 0x540f, &pgid) ? -1 : pgid;
}

int isatty(int fd)
{
    struct termios termios;

    return tcgetattr(fd, &termios) == 0;
}

int clock_gettime(clockid_t clock, struct timespec *time) { return (int)CALL2(clock_gettime, clock, time); }
int nanosleep(const struct timespec *t, struct timespec *left) { return (int)CALL2(nanosleep, t, left); }

/* An error number, not errno: so POSIX has it. */
int clock_nanosleep(clockid_t clock, int flags, const struct timespec *time, struct timespec *left)
{
    return (int)-ulib_syscall(SYS_clock_nanosleep, clock, flags, (long)time, (long)left, 0, 0);
}

int usleep(unsigned microseconds)
{
    struct timespec time = {microseconds / 1000000, microseconds % 1000000 * 1000};

    return nanosleep(&time, NULL);
}

unsigned sleep(unsigned seconds)
{
    struct timespec time = {seconds, 0};

    return nanosleep(&time, &time) ? (unsigned)time.tv_sec : 0;
}

long sysconf(int name)
{
    cpu_set_t set;

    if (name == _SC_NPROCESSORS_ONLN) {
        return sched_getaffinity(0, sizeof(set), &set) ? -1 : CPU_COUNT(&set);
    }
    return name == _SC_CLK_TCK ? 100 : name == _SC_PAGESIZE ? 4096 : -1;
}

time_t time(time_t *result)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (result) {
        *result = now.tv_sec;
    }
    return now.tv_sec;
}

/* Days to a date by eras of 400 years that begin in March, so a leap day ends its year. */
struct tm *gmtime_r(const time_t *time, struct tm *tm)
{
    long days = *time / 86400, rest = *time % 86400, era, day, year, month;

    if (rest < 0) {
        rest += 86400;
        days--;
    }
    tm->tm_hour = (int)(rest / 3600);
    tm->tm_min = (int)(rest / 60 % 60);
    tm->tm_sec = (int)(rest % 60);
    tm->tm_wday = (int)(((days + 4) % 7 + 7) % 7);
    days += 719468;
    era = (days >= 0 ? days : days - 146096) / 146097;
    day = days - era * 146097;
    year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    day -= 365 * year + year / 4 - year / 100;
    month = (5 * day + 2) / 153;
    tm->tm_mday = (int)(day - (153 * month + 2) / 5 + 1);
    tm->tm_mon = (int)(month < 10 ? month + 2 : month - 10);
    tm->tm_year = (int)(year + era * 400 + (tm->tm_mon < 2) - 1900);
    return tm;
}

struct tm *gmtime(const time_t *time)
{
    static struct tm tm;

    return gmtime_r(time, &tm);
}

size_t strftime(char *buffer, size_t size, const char *format, const struct tm *tm)
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    size_t at = 0;

    for (; *format && at + 1 < size; format++) {
        char *to = buffer + at;
        size_t room = size - at;
        int length;

        if (*format != '%') {
            buffer[at++] = *format;
            continue;
        }
        switch (*++format) {
        case 'Y': length = snprintf(to, room, "%d", tm->tm_year + 1900); break;
        case 'm': length = snprintf(to, room, "%02d", tm->tm_mon + 1); break;
        case 'd': length = snprintf(to, room, "%02d", tm->tm_mday); break;
        case 'e': length = snprintf(to, room, "%2d", tm->tm_mday); break;
        case 'H': length = snprintf(to, room, "%02d", tm->tm_hour); break;
        case 'M': length = snprintf(to, room, "%02d", tm->tm_min); break;
        case 'S': length = snprintf(to, room, "%02d", tm->tm_sec); break;
        case 'F': length = (int)strftime(to, room, "%Y-%m-%d", tm); break;
        case 'T': length = (int)strftime(to, room, "%H:%M:%S", tm); break;
        case 'a': length = snprintf(to, room, "%.3s", days + 3 * tm->tm_wday); break;
        case 'b': length = snprintf(to, room, "%.3s", months + 3 * tm->tm_mon); break;
        case 'Z': length = snprintf(to, room, "UTC"); break;
        default: length = snprintf(to, room, "%c", *format); break;
        }
        at += (size_t)length;
    }
    if (at >= size) {
        return 0;
    }
    buffer[at] = '\0';
    return at;
}
