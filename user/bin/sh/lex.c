/*
 * Characters to tokens. Words keep their quotes; reserved words are the parser's matter.
 *
 * A command substitution inside a word is parsed (by the parser itself) to find where it
 * ends, while its characters are recorded; so `$(case x in x) echo;; esac)` ends where it
 * should. One character of look-ahead is enough, and never crosses the end of a line.
 */
#include "sh.h"

#include <stdlib.h>
#include <string.h>

int lex_getc(struct parser *p)
{
    int c = source_get(p->src);
    if (c >= 0 && p->recording) {
        buf_putc(&p->record, c);
    }
    return c;
}

static int peekc(struct parser *p)
{
    return source_peek(p->src);
}

static void lex_dollar(struct parser *p, struct buf *w);

static void unterminated(struct parser *p, const char *what)
{
    if (!p->src->interrupted) {
        parse_error(p, "%s is not closed", what);
    }
    p->error = true;
}

/* The rest of '...', "..." or `...`, after the opening quote. */
static void lex_quoted(struct parser *p, struct buf *w, int quote)
{
    const char *what = quote == '"' ? "a \" quote" : quote == '\'' ? "a ' quote" : "a ` quote";
    for (;;) {
        int c = lex_getc(p);
        if (c < 0) {
            unterminated(p, what);
            return;
        }
        buf_putc(w, c);
        if (c == quote) {
            return;
        }
        if (quote == '\'') {
            continue;
        }
        if (c == '\\') {
            c = lex_getc(p);
            if (c >= 0) {
                buf_putc(w, c);
            }
        } else if (quote == '"' && c == '$') {
            lex_dollar(p, w);
        } else if (quote == '"' && c == '`') {
            lex_quoted(p, w, '`');
        }
        if (p->error) {
            return;
        }
    }
}

/* The rest of ${...}. */
static void lex_braces(struct parser *p, struct buf *w)
{
    for (;;) {
        int c = lex_getc(p);
        if (c < 0) {
            unterminated(p, "${");
            return;
        }
        buf_putc(w, c);
        if (c == '}') {
            return;
        }
        if (c == '\\') {
            c = lex_getc(p);
            if (c >= 0) {
                buf_putc(w, c);
            }
        } else if (c == '\'' || c == '"' || c == '`') {
            lex_quoted(p, w, c);
        } else if (c == '$') {
            lex_dollar(p, w);
        }
        if (p->error) {
            return;
        }
    }
}

/* The rest of $((...)). */
static void lex_arith(struct parser *p, struct buf *w)
{
    int depth = 2;
    while (depth) {
        int c = lex_getc(p);
        if (c < 0) {
            unterminated(p, "$((");
            return;
        }
        buf_putc(w, c);
        if (c == '(') {
            depth++;
        } else if (c == ')') {
            depth--;
        } else if (c == '$') {
            lex_dollar(p, w);
            if (p->error) {
                return;
            }
        }
    }
}

/* The rest of $(...): parse it with the state of the surrounding command set aside. */
static void lex_command(struct parser *p, struct buf *w)
{
    struct parser inner = *p;
    inner.heres = NULL;
    inner.nheres = 0;
    inner.peeked = false;
    inner.recording = 1;
    inner.record = (struct buf){0};
    inner.depth++;
    parse_list(&inner);
    if (!inner.error && lex_next(&inner) != T_RPAREN) {
        if (inner.tok == T_EOF) {
            unterminated(&inner, "$(");
        } else {
            parse_error(&inner, "unexpected %s in $(", lex_describe(&inner));
        }
    }
    p->error = inner.error;
    buf_add(w, inner.record.p, inner.record.len);
    if (p->recording) {
        buf_add(&p->record, inner.record.p, inner.record.len);
    }
    buf_free(&inner.record);
    free(inner.heres);
}

/* What follows a $, which is in w already. */
static void lex_dollar(struct parser *p, struct buf *w)
{
    int c = peekc(p);
    if (c == '{') {
        buf_putc(w, lex_getc(p));
        lex_braces(p, w);
    } else if (c == '(') {
        buf_putc(w, lex_getc(p));
        if (peekc(p) == '(') {
            buf_putc(w, lex_getc(p));
            lex_arith(p, w);
        } else {
            lex_command(p, w);
        }
    }
}

static enum tok lex_word(struct parser *p)
{
    struct buf w = {0};
    for (;;) {
        int c = peekc(p);
        if (c < 0 || strchr(" \t\n;&|<>()", c)) {
            break;
        }
        lex_getc(p);
        if (c == '\\') {
            int d = lex_getc(p);
            if (d == '\n') {
                continue;
            }
            buf_putc(&w, c);
            if (d >= 0) {
                buf_putc(&w, d);
            }
            continue;
        }
        buf_putc(&w, c);
        if (c == '\'' || c == '"' || c == '`') {
            lex_quoted(p, &w, c);
        } else if (c == '$') {
            lex_dollar(p, &w);
        }
        if (p->error) {
            break;
        }
    }
    p->text = arena_strndup(p->arena, w.p ? w.p : "", w.len);
    buf_free(&w);
    return p->error ? T_EOF : T_WORD;
}

static enum tok lex_redir(struct parser *p, int c, int fd)
{
    p->strip = false;
    p->fd = fd >= 0 ? fd : c == '<' ? 0 : 1;
    int d = peekc(p);
    p->op = c == '<' ? R_IN : R_OUT;
    if (d == c) {
        lex_getc(p);
        p->op = c == '<' ? R_HERE : R_APPEND;
        if (c == '<' && peekc(p) == '-') {
            lex_getc(p);
            p->strip = true;
        }
    } else if (d == '&') {
        lex_getc(p);
        p->op = R_DUP;
    } else if (c == '<' && d == '>') {
        lex_getc(p);
        p->op = R_RDWR;
    } else if (c == '>' && d == '|') {
        lex_getc(p);
        p->op = R_CLOBBER;
    }
    return T_REDIR;
}

static enum tok pair(struct parser *p, int second, enum tok both, enum tok one)
{
    if (peekc(p) == second) {
        lex_getc(p);
        return both;
    }
    return one;
}

static enum tok lex_token(struct parser *p)
{
    int c;
    for (;;) {
        c = peekc(p);
        if (c == ' ' || c == '\t' || c == '\r') {
            lex_getc(p);
        } else if (c == '#') {
            while (peekc(p) >= 0 && peekc(p) != '\n') {
                lex_getc(p);
            }
        } else {
            break;
        }
    }
    if (c < 0) {
        return T_EOF;
    }
    if (!strchr("\n;&|<>()", c)) {
        enum tok t = lex_word(p);
        size_t n = strlen(p->text);
        if (t == T_WORD && n == 0) {
            return lex_token(p); /* it was only a backslash before the end of the line */
        }
        int next = t == T_WORD ? peekc(p) : -1;
        if (n == 1 && p->text[0] >= '0' && p->text[0] <= '9' && (next == '<' || next == '>')) {
            lex_getc(p);
            return lex_redir(p, next, p->text[0] - '0');
        }
        return t;
    }
    lex_getc(p);
    switch (c) {
    case '\n':
        return T_NEWLINE;
    case ';':
        return pair(p, ';', T_DSEMI, T_SEMI);
    case '&':
        return pair(p, '&', T_AND, T_AMP);
    case '|':
        return pair(p, '|', T_OR, T_PIPE);
    case '(':
        return T_LPAREN;
    case ')':
        return T_RPAREN;
    default:
        return lex_redir(p, c, -1);
    }
}

enum tok lex_peek(struct parser *p)
{
    if (p->error) {
        return p->tok = T_EOF;
    }
    if (!p->peeked) {
        p->tok = lex_token(p);
        p->peeked = true;
        if (p->tok == T_NEWLINE && p->nheres) {
            lex_read_heres(p);
        }
    }
    return p->tok;
}

enum tok lex_next(struct parser *p)
{
    enum tok t = lex_peek(p);
    p->peeked = false;
    return t;
}

const char *lex_describe(struct parser *p)
{
    static char name[80];
    static const char *const names[] = {
        [T_EOF] = "end of input", [T_NEWLINE] = "end of line", [T_WORD] = "",
        [T_SEMI] = "`;'", [T_DSEMI] = "`;;'", [T_AMP] = "`&'", [T_AND] = "`&&'",
        [T_PIPE] = "`|'", [T_OR] = "`||'", [T_LPAREN] = "`('", [T_RPAREN] = "`)'",
        [T_REDIR] = "redirection",
    };
    if (p->tok != T_WORD) {
        return names[p->tok];
    }
    size_t n = strlen(p->text);
    n = n > 60 ? 60 : n;
    name[0] = '`';
    memcpy(name + 1, p->text, n);
    name[n + 1] = '\'';
    name[n + 2] = 0;
    return name;
}

/* Here-documents begin after the line that names them; read them all, in order. */
void lex_read_heres(struct parser *p)
{
    int n = p->nheres;
    p->nheres = 0;
    for (int i = 0; i < n && !p->error; i++) {
        struct redir *r = p->heres[i];
        char *end = strip_quotes(p->arena, r->text, &r->quoted);
        struct buf body = {0};
        for (;;) {
            struct buf line = {0};
            int c;
            while ((c = lex_getc(p)) >= 0 && c != '\n') {
                if (!(r->strip && c == '\t' && line.len == 0)) {
                    buf_putc(&line, c);
                }
            }
            bool last = strcmp(buf_str(&line), end) == 0 || (c < 0 && line.len == 0);
            if (!last) {
                buf_add(&body, line.p, line.len);
                buf_putc(&body, '\n');
            }
            buf_free(&line);
            if (last || c < 0) {
                break;
            }
        }
        p->error |= p->src->interrupted;
        r->text = arena_strndup(p->arena, body.p ? body.p : "", body.len);
        buf_free(&body);
    }
}
