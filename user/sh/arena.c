/* Memory for trees and words: all of it is given back at once, after each complete command. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sh.h"

struct chunk {
    struct chunk *next;
    size_t used, size;
};
static struct chunk *chunks;

void *arena_alloc(size_t size)
{
    void *pointer;

    size = (size + 15) & ~15ul;
    if (!chunks || chunks->used + size > chunks->size) {
        size_t room = size > 8000 ? size : 8000;
        struct chunk *chunk = malloc(sizeof(*chunk) + 16 + room);

        if (!chunk) {
            fprintf(stderr, "sh: out of memory\n");
            exit(2);
        }
        chunk->next = chunks;
        chunk->used = 0;
        chunk->size = room;
        chunks = chunk;
    }
    pointer = (char *)(chunks + 1) + chunks->used;
    chunks->used += size;
    return memset(pointer, 0, size);
}

char *arena_copy(const char *text, size_t size)
{
    return memcpy(arena_alloc(size + 1), text, size);
}

void arena_reset(void)
{
    while (chunks) {
        struct chunk *next = chunks->next;

        free(chunks);
        chunks = next;
    }
}

struct arena_mark arena_mark(void)
{
    return (struct arena_mark){chunks, chunks ? chunks->used : 0};
}

void arena_release(struct arena_mark mark)
{
    while (chunks != mark.chunk) {
        struct chunk *next = chunks->next;

        free(chunks);
        chunks = next;
    }
    if (chunks) {
        chunks->used = mark.used;
    }
}
