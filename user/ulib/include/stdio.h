#ifndef ULIB_STDIO_H
#define ULIB_STDIO_H
#include <stdarg.h>
#include <stddef.h>
#include <sys/types.h>
#define EOF (-1)
#define BUFSIZ 4096
typedef struct FILE FILE;
extern FILE *stdin, *stdout, *stderr;
enum { _IOFBF, _IOLBF, _IONBF };
FILE *fopen(const char *path, const char *mode);
FILE *fdopen(int fd, const char *mode);
int fclose(FILE *file);
int fflush(FILE *file);
int setvbuf(FILE *file, char *buffer, int mode, size_t size);
int fgetc(FILE *file);
int getc(FILE *file);
int getchar(void);
/* A thread may keep a stream for several calls; the _unlocked ones are for then. */
void flockfile(FILE *file);
int ftrylockfile(FILE *file);
void funlockfile(FILE *file);
int getc_unlocked(FILE *file);
int putc_unlocked(int c, FILE *file);
int ungetc(int c, FILE *file);
char *fgets(char *buffer, int size, FILE *file);
ssize_t getline(char **line, size_t *size, FILE *file);
size_t fread(void *buffer, size_t size, size_t count, FILE *file);
size_t fwrite(const void *buffer, size_t size, size_t count, FILE *file);
int fputc(int c, FILE *file);
int putc(int c, FILE *file);
int putchar(int c);
int fputs(const char *s, FILE *file);
int puts(const char *s);
int feof(FILE *file);
int ferror(FILE *file);
int fileno(FILE *file);
void perror(const char *what);
int rename(const char *old, const char *path);
int vfprintf(FILE *file, const char *format, va_list args);
int vsnprintf(char *buffer, size_t size, const char *format, va_list args);
int printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
int fprintf(FILE *file, const char *format, ...) __attribute__((format(printf, 2, 3)));
int snprintf(char *buffer, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
#endif
