/*
 * What the shell writes: builtins' output to descriptor 1, messages to descriptor 2.
 *
 * Not stdio: a fork must never duplicate pending output, and a builtin's redirection changes
 * descriptor 1 underneath. The rule: whoever ran a builtin flushes before descriptors change.
 */
#include "sh.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct buf pending;
static bool failed;

static int write_all(int fd, const char *s, size_t n)
{
    while (n) {
        ssize_t k = write(fd, s, n);
        if (k < 0) {
            if (errno == EINTR && !sh.interactive) {
                continue;
            }
            return -1;
        }
        s += k;
        n -= (size_t)k;
    }
    return 0;
}

void out_bytes(const char *s, size_t n)
{
    buf_add(&pending, s, n);
    if (pending.len >= 4096) {
        failed |= write_all(1, pending.p, pending.len) < 0;
        pending.len = 0;
    }
}

void out(const char *s)
{
    out_bytes(s, strlen(s));
}

static void add_format(struct buf *b, const char *fmt, va_list ap)
{
    char small[256];
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(small, sizeof(small), fmt, ap);
    if (n >= (int)sizeof(small)) {
        char *big = xmalloc((size_t)n + 1);
        vsnprintf(big, (size_t)n + 1, fmt, again);
        buf_add(b, big, (size_t)n);
        struct buf spare = {big, 0, 0};
        buf_free(&spare);
    } else if (n > 0) {
        buf_add(b, small, (size_t)n);
    }
    va_end(again);
}

void outf(const char *fmt, ...)
{
    struct buf b = {0};
    va_list ap;
    va_start(ap, fmt);
    add_format(&b, fmt, ap);
    va_end(ap);
    out_bytes(b.p, b.len);
    buf_free(&b);
}

int out_flush(void)
{
    if (pending.len) {
        failed |= write_all(1, pending.p, pending.len) < 0;
        pending.len = 0;
    }
    int r = failed ? -1 : 0;
    failed = false;
    return r;
}

static void message(const char *fmt, va_list ap)
{
    struct buf b = {0};
    buf_puts(&b, "sh: ");
    add_format(&b, fmt, ap);
    buf_putc(&b, '\n');
    write_all(2, b.p, b.len); /* one write, so that lines of a pipeline do not mix */
    buf_free(&b);
}

void warn(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    message(fmt, ap);
    va_end(ap);
}

/* An error that ends a script, and returns a person to the prompt. */
void fail(int status, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    message(fmt, ap);
    va_end(ap);
    sh.status = status;
    if (!sh.interactive) {
        sh_exit(status);
    }
    sh.flow = FLOW_ERROR;
}
