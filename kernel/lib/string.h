/* Memory and strings, as in C; no kernel state. */
#ifndef LIB_STRING_H
#define LIB_STRING_H
#include "lib/types.h"
void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t max);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
char *strstr(const char *s, const char *what);
/* Copy at most size - 1 bytes and always terminate. Returns strlen(from). */
size_t strlcpy(char *to, const char *from, size_t size);
/* Decimal, or hexadecimal after 0x. Stops at the first other character, stored in *end if given. */
uint64_t parse_number(const char *s, const char **end);
#endif
