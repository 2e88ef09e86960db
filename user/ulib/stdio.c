/*
 * stdio: streams, which are buffers over descriptors; made, flushed, locked and closed here.
 *
 * A stream is either reading or writing; what was read ahead is given back to the file (lseek)
 * before writing. Each call holds the stream's lock from start to end, so what threads print does
 * not mix within a call. The list of streams has a lock of its own, taken before any stream's.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stream.h"

static FILE files[3] = {
    {.fd = 0, .mode = -1, .pushed = EOF}, {.fd = 1, .mode = -1, .pushed = EOF},
    {.fd = 2, .mode = _IONBF, .pushed = EOF},
};
FILE *stdin = &files[0], *stdout = &files[1], *stderr = &files[2];
static FILE *opened;
static unsigned opened_lock; /* protects the list of opened streams */

static bool is_mine(const FILE *file)
{
    return __atomic_load_n(&file->owner, __ATOMIC_RELAXED) == thread_self();
}

void flockfile(FILE *file)
{
    if (is_mine(file)) {
        file->depth++;
        return;
    }
    lock_take(&file->lock);
    __atomic_store_n(&file->owner, thread_self(), __ATOMIC_RELAXED);
}

int ftrylockfile(FILE *file)
{
    if (!is_mine(file) && !lock_try(&file->lock)) {
        return -1;
    }
    if (is_mine(file)) {
        file->depth++;
    }
    __atomic_store_n(&file->owner, thread_self(), __ATOMIC_RELAXED);
    return 0;
}

void funlockfile(FILE *file)
{
    if (file->depth > 0) {
        file->depth--;
        return;
    }
    __atomic_store_n(&file->owner, NULL, __ATOMIC_RELAXED);
    lock_drop(&file->lock);
}

FILE *fdopen(int fd, const char *mode)
{
    FILE *file = malloc(sizeof(*file));

    (void)mode;
    if (file) {
        memset(file, 0, offsetof(FILE, buffer));
        file->fd = fd;
        file->mode = -1;
        file->pushed = EOF;
        lock_take(&opened_lock);
        file->next = opened;
        opened = file;
        lock_drop(&opened_lock);
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

int stream_flush(FILE *file)
{
    size_t done = 0;

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

/* A stream that is read has nothing to write, and somebody may wait for input in there. */
static void flush_if_writing(FILE *file)
{
    if (__atomic_load_n(&file->writing, __ATOMIC_RELAXED)) {
        flockfile(file);
        stream_flush(file);
        funlockfile(file);
    }
}

void ulib_stdio_flush(void)
{
    flush_if_writing(stdout);
    lock_take(&opened_lock);
    for (FILE *file = opened; file; file = file->next) {
        flush_if_writing(file);
    }
    lock_drop(&opened_lock);
}

int fflush(FILE *file)
{
    int result;

    if (!file) {
        ulib_stdio_flush();
        return 0;
    }
    flockfile(file);
    result = stream_flush(file);
    funlockfile(file);
    return result;
}

int fclose(FILE *file)
{
    int result;

    lock_take(&opened_lock);
    for (FILE **at = &opened; *at; at = &(*at)->next) {
        if (*at == file) {
            *at = file->next;
            break;
        }
    }
    lock_drop(&opened_lock);
    flockfile(file);
    result = stream_flush(file);
    if (close(file->fd)) {
        result = EOF;
    }
    funlockfile(file);
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

int feof(FILE *file) { return file->end; }
int ferror(FILE *file) { return file->error; }
int fileno(FILE *file) { return file->fd; }

void ulib_stdio_lock(void)
{
    lock_take(&opened_lock);
}

void ulib_stdio_unlock(void)
{
    lock_drop(&opened_lock);
}

/* What another thread had half done in a stream is not done in the child. */
static void free_stream(FILE *file)
{
    if (file->lock != FREE && !is_mine(file)) {
        file->lock = FREE;
        file->owner = NULL;
        file->depth = 0;
        file->start = file->count = 0;
    }
}

void ulib_stdio_forked(void)
{
    for (int i = 0; i < 3; i++) {
        free_stream(&files[i]);
    }
    for (FILE *file = opened; file; file = file->next) {
        free_stream(file);
    }
}
