#ifndef ULIB_STDLIB_H
#define ULIB_STDLIB_H
#include <stddef.h>
enum { EXIT_SUCCESS, EXIT_FAILURE };
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *old, size_t size);
void free(void *pointer);
_Noreturn void exit(int code);
_Noreturn void abort(void);
int atexit(void (*function)(void));
int atoi(const char *s);
long atol(const char *s);
long strtol(const char *s, char **end, int base);
unsigned long strtoul(const char *s, char **end, int base);
double strtod(const char *s, char **end);
char *getenv(const char *name);
int setenv(const char *name, const char *value, int overwrite);
int unsetenv(const char *name);
void qsort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *));
void *bsearch(const void *key, const void *base, size_t count, size_t size,
              int (*compare)(const void *, const void *));
int abs(int value);
int rand(void);
int rand_r(unsigned *seed);
void srand(unsigned seed);
#endif
