/*
 * Memory for the shell: checked malloc, arenas with marks, growing strings.
 *
 * Arena memory is released as a stack (mark, allocate, release) or all at once. What a mark
 * protects stays where it is: blocks never move.
 */
#include "sh.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ARENA_BLOCK = 4000, ARENA_ALIGN = 16 };

struct arena_block {
    struct arena_block *below;
    size_t used;
    size_t size;
    size_t pad; /* keeps data[] aligned */
    char data[];
};

void *xmalloc(size_t size)
{
    return xrealloc(NULL, size);
}

void *xrealloc(void *p, size_t size)
{
    void *q = realloc(p, size ? size : 1);
    if (!q) {
        static const char msg[] = "sh: out of memory\n";
        ssize_t ignored = write(2, msg, sizeof(msg) - 1);
        (void)ignored;
        _exit(2);
    }
    return q;
}

char *xstrdup(const char *s)
{
    size_t n = strlen(s) + 1;
    return memcpy(xmalloc(n), s, n);
}

struct arena *arena_new(void)
{
    struct arena *a = xmalloc(sizeof(*a));
    a->top = NULL;
    a->refs = 1;
    return a;
}

void arena_unref(struct arena *a)
{
    if (--a->refs == 0) {
        arena_release(a, (struct arena_mark){NULL, 0});
        free(a);
    }
}

void *arena_alloc(struct arena *a, size_t size)
{
    size = (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    struct arena_block *b = a->top;
    if (!b || b->size - b->used < size) {
        size_t room = size > ARENA_BLOCK ? size : ARENA_BLOCK;
        b = xmalloc(sizeof(*b) + room);
        b->below = a->top;
        b->used = 0;
        b->size = room;
        a->top = b;
    }
    void *p = b->data + b->used;
    b->used += size;
    return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
    char *p = arena_alloc(a, n + 1);
    memcpy(p, s, n);
    p[n] = 0;
    return p;
}

struct arena_mark arena_mark(struct arena *a)
{
    return (struct arena_mark){a->top, a->top ? a->top->used : 0};
}

void arena_release(struct arena *a, struct arena_mark mark)
{
    while (a->top != mark.block) {
        struct arena_block *b = a->top;
        a->top = b->below;
        free(b);
    }
    if (a->top) {
        a->top->used = mark.used;
    }
}

static void buf_room(struct buf *b, size_t more)
{
    if (b->len + more + 1 > b->cap) {
        size_t cap = b->cap ? b->cap * 2 : 64;
        while (cap < b->len + more + 1) {
            cap *= 2;
        }
        b->p = xrealloc(b->p, cap);
        b->cap = cap;
    }
}

void buf_putc(struct buf *b, int c)
{
    buf_room(b, 1);
    b->p[b->len++] = (char)c;
}

void buf_add(struct buf *b, const char *s, size_t n)
{
    if (n) {
        buf_room(b, n);
        memcpy(b->p + b->len, s, n);
        b->len += n;
    }
}

void buf_puts(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

char *buf_str(struct buf *b)
{
    buf_room(b, 0);
    b->p[b->len] = 0;
    return b->p;
}

void buf_free(struct buf *b)
{
    free(b->p);
    *b = (struct buf){0};
}
