/*
 * stdio: buffers over descriptors. A FILE is either reading or writing; what was read ahead is
 * given back to the file (lseek) before writing. Output to a terminal is flushed at newlines.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

struct FILE {
    int fd, mode; /* _IOFBF and so on; -1: ask the terminal at the first write */
    int error, end, pushed; /* pushed: the byte of ungetc, or EOF */
    size_t start, count;    /* unread bytes; or start 0 and bytes to write */
    int writing;
    struct FILE *next;
    char buffer[BUFSIZ];
};

static FILE files[3] = {
    {.fd = 0, .mode = -1, .pushed = EOF}, {.fd = 1, .mode = -1, .pushed = EOF},
    {.fd = 2, .mode = _IONBF, .pushed = EOF},
};
FILE *stdin = &files[0], *stdout = &files[1], *stderr = &files[2];
static FILE *opened;

FILE *fdopen(int fd, const char *mode)
{
    FILE *file = malloc(sizeof(*file));

    (void)mode;
    if (file) {
        memset(file, 0, offsetof(FILE, buffer));
        file->fd = fd;
        file->mode = -1;
        file->pushed = EOF;
        file->next = opened;
        opened = file;
    }
    return file;
}

FILE *fopen(const char *path, const char *mode)
{
    int plus = strchr(mode, '+') != NULL;
    int flags = mode[0] == 'r' ? (plus ? O_RDWR : O_RDONLY)
                : (plus ? O_RDWR : O_WRONLY) | O_CREAT | (mode[0] == 'a' ? O_APPEND : O_TRUNC);
    int fd = open(path, flags | (strchr(mode, 'e') ? O_CLOEXEC : 0), 0666);
    FILE *file = fd < 0 ? NULL : fdopen(fd, mode);

    if (fd >= 0 && !file) {
        close(fd);
    }
    return file;
}

int fflush(FILE *file)
{
    size_t done = 0;

    if (!file) {
        ulib_flush_all();
        return 0;
    }
    while (file->writing && done < file->count) {
        ssize_t part = write(file->fd, file->buffer + done, file->count - done);

        if (part < 0 && errno == EINTR) {
            continue;
        }
        if (part <= 0) {
            file->error = 1;
            break;
        }
        done += (size_t)part;
    }
    if (file->writing) {
        file->count = 0;
    }
    return file->error ? EOF : 0;
}

void ulib_flush_all(void)
{
    fflush(stdout);
    for (FILE *file = opened; file; file = file->next) {
        fflush(file);
    }
}

int fclose(FILE *file)
{
    int result = fflush(file);

    for (FILE **at = &opened; *at; at = &(*at)->next) {
        if (*at == file) {
            *at = file->next;
            break;
        }
    }
    if (close(file->fd)) {
        result = EOF;
    }
    if (file < files || file >= files + 3) {
        free(file);
    }
    return result;
}

int setvbuf(FILE *file, char *buffer, int mode, size_t size)
{
    (void)buffer, (void)size;
    file->mode = mode;
    return 0;
}

int fgetc(FILE *file)
{
    if (file->pushed != EOF) {
        int c = file->pushed;

        file->pushed = EOF;
        return c;
    }
    if (file->writing) {
        fflush(file);
        file->writing = 0;
    }
    if (file->count == 0) {
        ssize_t got;

        if (file == stdin) {
            fflush(stdout); /* a prompt is seen before its answer is read */
        }
        got = read(file->fd, file->buffer, BUFSIZ);
        if (got <= 0) {
            file->end |= got == 0;
            file->error |= got < 0;
            return EOF;
        }
        file->start = 0;
        file->count = (size_t)got;
    }
    file->count--;
    return (unsigned char)file->buffer[file->start++];
}

int getc(FILE *file) { return fgetc(file); }
int getchar(void) { return fgetc(stdin); }
int feof(FILE *file) { return file->end; }
int ferror(FILE *file) { return file->error; }
int fileno(FILE *file) { return file->fd; }

int ungetc(int c, FILE *file)
{
    return file->pushed = c;
}

char *fgets(char *buffer, int size, FILE *file)
{
    int at = 0, c;

    while (at < size - 1 && (c = fgetc(file)) != EOF) {
        buffer[at++] = (char)c;
        if (c == '\n') {
            break;
        }
    }
    buffer[at] = '\0';
    return at ? buffer : NULL;
}

ssize_t getline(char **line, size_t *size, FILE *file)
{
    size_t at = 0;
    int c = 0;

    while (c != '\n' && (c = fgetc(file)) != EOF) {
        if (at + 2 > *size || !*line) {
            size_t more = *size && *line ? *size * 2 : 128;
            char *fresh = realloc(*line, more);

            if (!fresh) {
                return -1;
            }
            *line = fresh;
            *size = more;
        }
        (*line)[at++] = (char)c;
    }
    if (at == 0) {
        return -1;
    }
    (*line)[at] = '\0';
    return (ssize_t)at;
}

size_t fread(void *buffer, size_t size, size_t count, FILE *file)
{
    size_t done = 0, all = size * count;
    int c;

    while (done < all && (c = fgetc(file)) != EOF) {
        ((char *)buffer)[done++] = (char)c;
    }
    return size ? done / size : 0;
}

int fputc(int c, FILE *file)
{
    if (!file->writing) {
        if (file->count) {
            lseek(file->fd, -(off_t)file->count, SEEK_CUR);
        }
        file->count = 0;
        file->writing = 1;
        if (file->mode == -1) {
            file->mode = isatty(file->fd) ? _IOLBF : _IOFBF;
        }
    }
    file->buffer[file->count++] = (char)c;
    if (file->count == BUFSIZ || file->mode == _IONBF || (file->mode == _IOLBF && c == '\n')) {
        if (fflush(file)) {
            return EOF;
        }
    }
    return (unsigned char)c;
}

int putc(int c, FILE *file) { return fputc(c, file); }
int putchar(int c) { return fputc(c, stdout); }

size_t fwrite(const void *buffer, size_t size, size_t count, FILE *file)
{
    int mode = file->mode;
    size_t all = size * count, i;

    if (mode == _IONBF) { /* one write, not one a byte */
        file->mode = _IOFBF;
    }
    for (i = 0; i < all; i++) {
        if (fputc(((const char *)buffer)[i], file) == EOF) {
            break;
        }
    }
    if (mode == _IONBF) {
        file->mode = mode;
        fflush(file);
    }
    return size ? i / size : 0;
}

int fputs(const char *s, FILE *file)
{
    size_t size = strlen(s);

    return fwrite(s, 1, size, file) == size ? 0 : EOF;
}

int puts(const char *s)
{
    return fputs(s, stdout) == EOF || fputc('\n', stdout) == EOF ? EOF : 0;
}

void perror(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
}
