/* stdio: reading. */
#include <stdlib.h>
#include <unistd.h>

#include "stream.h"

/* Keep the stream for a call. A prompt is seen before its answer is read. */
static void begin(FILE *file)
{
    if (file == stdin && __atomic_load_n(&file->count, __ATOMIC_RELAXED) == 0) {
        fflush(stdout); /* before stdin is locked: no thread holds both */
    }
    flockfile(file);
}

static bool fill(FILE *file)
{
    ssize_t got = read(file->fd, file->buffer, BUFSIZ);

    if (got <= 0) {
        file->end |= got == 0;
        file->error |= got < 0;
        return false;
    }
    file->start = 0;
    file->count = (size_t)got;
    return true;
}

int getc_unlocked(FILE *file)
{
    if (file->pushed != EOF) {
        int c = file->pushed;

        file->pushed = EOF;
        return c;
    }
    if (file->writing) {
        stream_flush(file);
        file->writing = 0;
    }
    if (file->count == 0 && !fill(file)) {
        return EOF;
    }
    file->count--;
    return (unsigned char)file->buffer[file->start++];
}

int fgetc(FILE *file)
{
    int c;

    begin(file);
    c = getc_unlocked(file);
    funlockfile(file);
    return c;
}

int getc(FILE *file) { return fgetc(file); }
int getchar(void) { return fgetc(stdin); }

int ungetc(int c, FILE *file)
{
    flockfile(file);
    file->pushed = c;
    funlockfile(file);
    return c;
}

char *fgets(char *buffer, int size, FILE *file)
{
    int at = 0, c;

    begin(file);
    while (at < size - 1 && (c = getc_unlocked(file)) != EOF) {
        buffer[at++] = (char)c;
        if (c == '\n') {
            break;
        }
    }
    funlockfile(file);
    buffer[at] = '\0';
    return at ? buffer : NULL;
}

/* One line into *line, which grows as needed: its length, -1 for none. The stream is kept. */
static ssize_t read_line(char **line, size_t *size, FILE *file)
{
    size_t at = 0;
    int c = 0;

    while (c != '\n' && (c = getc_unlocked(file)) != EOF) {
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

ssize_t getline(char **line, size_t *size, FILE *file)
{
    ssize_t length;

    begin(file);
    length = read_line(line, size, file);
    funlockfile(file);
    return length;
}

size_t fread(void *buffer, size_t size, size_t count, FILE *file)
{
    size_t done = 0, all = size * count;
    int c;

    begin(file);
    while (done < all && (c = getc_unlocked(file)) != EOF) {
        ((char *)buffer)[done++] = (char)c;
    }
    funlockfile(file);
    return size ? done / size : 0;
}
