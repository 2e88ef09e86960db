/*
 * Where the parser's characters come from: a string, a script file, a stream shared with the
 * commands that run (standard input), or the line editor.
 *
 * A stream is never read past the end of the current line, because what follows may belong
 * to a command (`read`, `cat`): a seekable one is read ahead and sought back, others are read
 * byte by byte.
 */
#include "sh.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void source_string(struct source *s, const char *text)
{
    *s = (struct source){.kind = SRC_STRING, .fd = -1, .line = 1, .eof = true};
    buf_puts(&s->text, text);
}

void source_fd(struct source *s, int fd, enum source_kind kind)
{
    *s = (struct source){.kind = kind, .fd = fd, .line = 1};
}

void source_close(struct source *s)
{
    if (s->kind == SRC_FILE) {
        close(s->fd);
    }
    buf_free(&s->text);
}

/* Forget the rest of the line: what follows a syntax error is not worth running. */
void source_drop_line(struct source *s)
{
    if (s->kind == SRC_EDIT) {
        s->pos = s->text.len;
    }
    s->interrupted = false;
    s->eof = s->eof && s->kind != SRC_EDIT;
}

static ssize_t read_retry(int fd, char *p, size_t n)
{
    for (;;) {
        ssize_t k = read(fd, p, n);
        if (k >= 0 || errno != EINTR) {
            return k;
        }
        traps_run();
    }
}

static void fill_stream(struct source *s)
{
    char chunk[512];
    off_t at = lseek(s->fd, 0, SEEK_CUR);
    for (;;) {
        ssize_t n = read_retry(s->fd, chunk, at >= 0 ? sizeof(chunk) : 1);
        if (n <= 0) {
            s->eof = true;
            return;
        }
        char *nl = memchr(chunk, '\n', (size_t)n);
        size_t keep = nl ? (size_t)(nl - chunk) + 1 : (size_t)n;
        buf_add(&s->text, chunk, keep);
        if (at >= 0) {
            at += (off_t)keep;
            lseek(s->fd, at, SEEK_SET);
        }
        if (nl) {
            return;
        }
    }
}

static void fill(struct source *s)
{
    s->text.len = 0;
    s->pos = 0;
    switch (s->kind) {
    case SRC_STRING:
        return;
    case SRC_FILE: {
        char chunk[1024];
        ssize_t n = read_retry(s->fd, chunk, sizeof(chunk));
        if (n <= 0) {
            s->eof = true;
        } else {
            buf_add(&s->text, chunk, (size_t)n);
        }
        break;
    }
    case SRC_STREAM:
        if (sh.interactive) {
            struct buf prompt = {0};
            prompt_text(&prompt, s->continued);
            ssize_t ignored = write(2, prompt.p, prompt.len);
            (void)ignored;
            buf_free(&prompt);
        }
        fill_stream(s);
        break;
    case SRC_EDIT: {
        struct buf prompt = {0};
        prompt_text(&prompt, s->continued);
        enum edit_result r = edit_line(buf_str(&prompt), &s->text);
        buf_free(&prompt);
        if (r == EDIT_LINE) {
            history_add(buf_str(&s->text));
            buf_putc(&s->text, '\n');
        } else {
            s->text.len = 0;
            s->eof = true;
            s->interrupted = r == EDIT_INTERRUPT;
        }
        break;
    }
    }
    if (sh.opt_v && s->text.len && s->kind != SRC_EDIT) {
        ssize_t ignored = write(2, s->text.p, s->text.len);
        (void)ignored;
    }
    s->continued = true;
}

int source_peek(struct source *s)
{
    if (s->pos >= s->text.len) {
        if (s->eof) {
            return -1;
        }
        fill(s);
        if (s->pos >= s->text.len) {
            return -1;
        }
    }
    return (unsigned char)s->text.p[s->pos];
}

int source_get(struct source *s)
{
    int c = source_peek(s);
    if (c >= 0) {
        s->pos++;
        if (c == '\n') {
            s->line++;
        }
    }
    return c;
}

bool source_at_end(struct source *s)
{
    if (s->kind == SRC_STRING) {
        while (s->pos < s->text.len && (s->text.p[s->pos] == '\n' || s->text.p[s->pos] == ' ')) {
            s->pos++;
        }
    }
    return s->eof && s->pos >= s->text.len;
}
