/* stdio: writing. Output to a terminal is flushed at newlines. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "stream.h"

static void start_writing(FILE *file)
{
    if (file->count) {
        lseek(file->fd, -(off_t)file->count, SEEK_CUR);
    }
    file->count = 0;
    file->writing = 1;
    if (file->mode == -1) {
        file->mode = isatty(file->fd) ? _IOLBF : _IOFBF;
    }
}

int putc_unlocked(int c, FILE *file)
{
    if (!file->writing) {
        start_writing(file);
    }
    if (file->count == BUFSIZ && stream_flush(file)) {
        return EOF;
    }
    file->buffer[file->count++] = (char)c;
    if (file->mode == _IONBF || (file->mode == _IOLBF && c == '\n')) {
        if (stream_flush(file)) {
            return EOF;
        }
    }
    return (unsigned char)c;
}

int fputc(int c, FILE *file)
{
    int result;

    flockfile(file);
    result = putc_unlocked(c, file);
    funlockfile(file);
    return result;
}

int putc(int c, FILE *file) { return fputc(c, file); }
int putchar(int c) { return fputc(c, stdout); }

size_t fwrite(const void *buffer, size_t size, size_t count, FILE *file)
{
    size_t all = size * count, i;
    int mode;

    flockfile(file);
    mode = file->mode;
    if (mode == _IONBF) { /* one write, not one a byte */
        file->mode = _IOFBF;
    }
    for (i = 0; i < all; i++) {
        if (putc_unlocked(((const char *)buffer)[i], file) == EOF) {
            break;
        }
    }
    if (mode == _IONBF) {
        file->mode = mode;
        stream_flush(file);
    }
    funlockfile(file);
    return size ? i / size : 0;
}

int fputs(const char *s, FILE *file)
{
    size_t size = strlen(s);

    return fwrite(s, 1, size, file) == size ? 0 : EOF;
}

int puts(const char *s)
{
    int result;

    flockfile(stdout);
    result = fputs(s, stdout) == EOF || fputc('\n', stdout) == EOF ? EOF : 0;
    funlockfile(stdout);
    return result;
}

void perror(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
}
