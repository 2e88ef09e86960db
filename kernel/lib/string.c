/*
 * Memory and strings. No kernel state: compiled on the host for unit tests, too.
 *
 * Copies move eight bytes an iteration by string instructions: the kernel has no SSE registers of
 * its own, and an emulator counts each iteration as one instruction.
 */
#include "lib/string.h"

void *memcpy(void *to, const void *from, size_t size)
{
    void *start = to;
    size_t words = size >> 3, rest = size & 7;

    __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(rest) : : "memory");
    return start;
}

void *memmove(void *to, const void *from, size_t size)
{
    char *last_to = (char *)to + size - 1;
    const char *last_from = (const char *)from + size - 1;

    if ((uintptr_t)to - (uintptr_t)from >= size) {
        return memcpy(to, from, size);
    }
    __asm__ volatile("std; rep movsb; cld" : "+D"(last_to), "+S"(last_from), "+c"(size)
                     : : "memory", "cc");
    return to;
}

void *memset(void *to, int byte, size_t size)
{
    void *start = to;
    size_t words = size >> 3, rest = size & 7;
    uint64_t pattern = (uint8_t)byte * 0x0101010101010101ul;

    __asm__ volatile("rep stosq" : "+D"(to), "+c"(words) : "a"(pattern) : "memory");
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(rest) : "a"(pattern) : "memory");
    return start;
}

int memcmp(const void *a, const void *b, size_t size)
{
    const unsigned char *x = a, *y = b;

    for (size_t i = 0; i < size; i++) {
        if (x[i] != y[i]) {
            return x[i] - y[i];
        }
    }
    return 0;
}

size_t strlen(const char *s)
{
    const char *end = s;

    while (*end) {
        end++;
    }
    return end - s;
}

size_t strnlen(const char *s, size_t max)
{
    size_t length = 0;

    while (length < max && s[length]) {
        length++;
    }
    return length;
}

int strcmp(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t max)
{
    for (size_t i = 0; i < max; i++) {
        if (a[i] != b[i] || !a[i]) {
            return (unsigned char)a[i] - (unsigned char)b[i];
        }
    }
    return 0;
}

char *strchr(const char *s, int c)
{
    for (; *s != (char)c; s++) {
        if (!*s) {
            return NULL;
        }
    }
    return (char *)s;
}

char *strrchr(const char *s, int c)
{
    const char *found = NULL;

    do {
        if (*s == (char)c) {
            found = s;
        }
    } while (*s++);
    return (char *)found;
}

char *strstr(const char *s, const char *what)
{
    size_t length = strlen(what);

    for (; *s || !length; s++) {
        if (!strncmp(s, what, length)) {
            return (char *)s;
        }
    }
    return NULL;
}

size_t strlcpy(char *to, const char *from, size_t size)
{
    size_t length = strlen(from);

    if (size) {
        size_t count = length < size - 1 ? length : size - 1;

        memcpy(to, from, count);
        to[count] = '\0';
    }
    return length;
}

uint64_t parse_number(const char *s, const char **end)
{
    uint64_t value = 0;
    unsigned int base = 10;

    if (s[0] == '0' && (s[1] | 0x20) == 'x') {
        base = 16;
        s += 2;
    }
    for (;; s++) {
        unsigned int letter = (*s | 0x20) - 'a';
        unsigned int digit = *s - '0';

        if (digit > 9) {
            digit = letter < 6 ? letter + 10 : 99;
        }
        if (digit >= base) {
            break;
        }
        value = value * base + digit;
    }
    if (end) {
        *end = s;
    }
    return value;
}
