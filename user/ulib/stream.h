/* What a stream is, for the three files of stdio. */
#ifndef ULIB_STREAM_H
#define ULIB_STREAM_H
#include <stdio.h>

#include "thread/thread.h"

struct FILE {
    int fd, mode; /* _IOFBF and so on; -1: ask the terminal at the first write */
    int error, end, pushed; /* pushed: the byte of ungetc, or EOF */
    size_t start, count;    /* unread bytes; or start 0 and bytes to write, at most BUFSIZ */
    int writing;
    unsigned lock;          /* protects all of it; a call holds it from start to end */
    struct thread *owner;   /* who holds the lock, and how often beyond the first time */
    int depth;
    struct FILE *next;
    char buffer[BUFSIZ];
};

/* fflush for one who holds the stream. */
int stream_flush(FILE *file);
#endif
