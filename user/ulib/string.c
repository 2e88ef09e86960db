/* string.h: memory and strings. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void *memcpy(void *to, const void *from, size_t size)
{
    void *result = to;
    size_t words = size / 8;

    size %= 8;
    __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
    return result;
}

void *memmove(void *to, const void *from, size_t size)
{
    char *t = to;
    const char *f = from;

    if (t <= f || t >= f + size) {
        return memcpy(to, from, size);
    }
    while (size-- > 0) {
        t[size] = f[size];
        __asm__ volatile("" : : : "memory"); /* or the compiler calls memmove */
    }
    return to;
}

void *memset(void *to, int byte, size_t size)
{
    void *result = to;

    __asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(byte) : "memory");
    return result;
}

int memcmp(const void *a, const void *b, size_t size)
{
    const unsigned char *x = a, *y = b;

    for (; size > 0; size--, x++, y++) {
        if (*x != *y) {
            return *x - *y;
        }
    }
    return 0;
}

void *memchr(const void *s, int c, size_t size)
{
    for (const unsigned char *p = s; size > 0; size--, p++) {
        if (*p == (unsigned char)c) {
            return (void *)p;
        }
    }
    return NULL;
}

size_t strlen(const char *s)
{
    const char *end = s;

    while (*end) {
        end++;
        __asm__ volatile("" : : : "memory");
    }
    return (size_t)(end - s);
}

size_t strnlen(const char *s, size_t max)
{
    size_t size = 0;

    while (size < max && s[size]) {
        size++;
    }
    return size;
}

int strcmp(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++, b++;
    }
    return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t max)
{
    while (max > 0 && *a && *a == *b) {
        a++, b++, max--;
    }
    return max ? (unsigned char)*a - (unsigned char)*b : 0;
}

char *strchr(const char *s, int c)
{
    for (;; s++) {
        if (*s == (char)c) {
            return (char *)s;
        }
        if (!*s) {
            return NULL;
        }
    }
}

char *strrchr(const char *s, int c)
{
    char *last = NULL;

    for (;; s++) {
        if (*s == (char)c) {
            last = (char *)s;
        }
        if (!*s) {
            return last;
        }
    }
}

char *strstr(const char *s, const char *what)
{
    size_t size = strlen(what);

    for (; *s || !size; s++) {
        if (strncmp(s, what, size) == 0) {
            return (char *)s;
        }
    }
    return NULL;
}

char *strcpy(char *to, const char *from)
{
    return memcpy(to, from, strlen(from) + 1);
}

char *strncpy(char *to, const char *from, size_t size)
{
    size_t length = strnlen(from, size);

    memcpy(to, from, length);
    memset(to + length, 0, size - length);
    return to;
}

char *strcat(char *to, const char *from)
{
    strcpy(to + strlen(to), from);
    return to;
}

char *strdup(const char *s)
{
    char *copy = malloc(strlen(s) + 1);

    return copy ? strcpy(copy, s) : NULL;
}

size_t strspn(const char *s, const char *set)
{
    size_t size = 0;

    while (s[size] && strchr(set, s[size])) {
        size++;
    }
    return size;
}

size_t strcspn(const char *s, const char *set)
{
    size_t size = 0;

    while (s[size] && !strchr(set, s[size])) {
        size++;
    }
    return size;
}

char *strpbrk(const char *s, const char *set)
{
    s += strcspn(s, set);
    return *s ? (char *)s : NULL;
}

char *strtok_r(char *s, const char *separators, char **next)
{
    s = s ? s : *next;
    s += strspn(s, separators);
    if (!*s) {
        *next = s;
        return NULL;
    }
    *next = s + strcspn(s, separators);
    if (**next) {
        *(*next)++ = '\0';
    }
    return s;
}

char *strtok(char *s, const char *separators)
{
    static char *next;

    return strtok_r(s, separators, &next);
}

char *strerror(int error)
{
    static const char *const names[] = {
        "Success", "Operation not permitted", "No such file or directory", "No such process",
        "Interrupted system call", "Input/output error", "No such device or address",
        "Argument list too long", "Exec format error", "Bad file descriptor", "No child processes",
        "Resource temporarily unavailable", "Cannot allocate memory", "Permission denied",
        "Bad address", "Block device required", "Device or resource busy", "File exists",
        "Invalid cross-device link", "No such device", "Not a directory", "Is a directory",
        "Invalid argument", "Too many open files in system", "Too many open files",
        "Inappropriate ioctl for device", "Text file busy", "File too large",
        "No space left on device", "Illegal seek", "Read-only file system", "Too many links",
        "Broken pipe", "Numerical argument out of domain", "Numerical result out of range",
        "Resource deadlock avoided", "File name too long", "No locks available",
        "Function not implemented", "Directory not empty", "Too many levels of symbolic links",
        [EOVERFLOW] = "Value too large for defined data type",
        [ENOTSOCK] = "Socket operation on non-socket", "Destination address required",
        "Message too long", "Protocol wrong type for socket", "Protocol not available",
        "Protocol not supported", "Socket type not supported", "Operation not supported",
        [EAFNOSUPPORT] = "Address family not supported by protocol", "Address already in use",
        [ECONNRESET] = "Connection reset by peer",
        [EISCONN] = "Transport endpoint is already connected",
        "Transport endpoint is not connected", [ETIMEDOUT] = "Connection timed out",
        "Connection refused",
    };
    int known = error >= 0 && error < (int)(sizeof(names) / sizeof(*names)) && names[error];

    return (char *)(known ? names[error] : "Unknown error");
}

char *strsignal(int signal)
{
    static const char *const names[] = {
        "Unknown signal", "Hangup", "Interrupt", "Quit", "Illegal instruction",
        "Trace/breakpoint trap", "Aborted", "Bus error", "Floating point exception", "Killed",
        "User defined signal 1", "Segmentation fault", "User defined signal 2", "Broken pipe",
        "Alarm clock", "Terminated", "Stack fault", "Child exited", "Continued",
        "Stopped (signal)", "Stopped", "Stopped (tty input)", "Stopped (tty output)",
    };

    return (char *)(signal > 0 && signal < (int)(sizeof(names) / sizeof(*names)) ? names[signal]
                                                                                 : names[0]);
}
