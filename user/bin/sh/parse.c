/*
 * Tokens to a tree: recursive descent over the shell grammar.
 *
 * After an error p->error is set, a message is out, and every function returns at once
 * because lex_peek() then says T_EOF. The tree lives in p->arena.
 */
#include "sh.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 200 };

static struct node *parse_andor(struct parser *p);
static struct node *parse_simple(struct parser *p);

void parse_error(struct parser *p, const char *fmt, ...)
{
    if (p->error) {
        return;
    }
    p->error = true;
    if (p->src->interrupted) {
        return;
    }
    char text[200];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (p->src->kind == SRC_EDIT) {
        warn("syntax error: %s", text);
    } else {
        warn("line %d: syntax error: %s", p->src->line, text);
    }
}

static void unexpected(struct parser *p)
{
    lex_peek(p);
    parse_error(p, "unexpected %s", lex_describe(p));
}

static struct node *new_node(struct parser *p, enum node_kind kind)
{
    struct node *n = arena_alloc(p->arena, sizeof(*n));
    *n = (struct node){.kind = kind, .line = p->src->line};
    return n;
}

size_t name_len(const char *s)
{
    size_t n = 0;
    while (s[n] == '_' || (s[n] >= 'a' && s[n] <= 'z') || (s[n] >= 'A' && s[n] <= 'Z') ||
           (n && s[n] >= '0' && s[n] <= '9')) {
        n++;
    }
    return n;
}

bool is_name(const char *s, size_t n)
{
    return n && name_len(s) >= n;
}

char *strip_quotes(struct arena *a, const char *raw, bool *quoted)
{
    char *o = arena_strndup(a, raw, strlen(raw));
    char *w = o;
    int q = 0;
    for (const char *s = raw; *s; s++) {
        if (q == '\'' ? *s == '\'' : *s == '"' && q) {
            q = 0;
        } else if (!q && (*s == '\'' || *s == '"')) {
            q = *s;
            *quoted = true;
        } else if (*s == '\\' && q != '\'' && s[1]) {
            *w++ = *++s;
            *quoted = true;
        } else {
            *w++ = *s;
        }
    }
    *w = 0;
    return o;
}

static bool at_word(struct parser *p, const char *word)
{
    return lex_peek(p) == T_WORD && strcmp(p->text, word) == 0;
}

static bool accept(struct parser *p, const char *word)
{
    if (at_word(p, word)) {
        lex_next(p);
        return true;
    }
    return false;
}

static void expect(struct parser *p, const char *word)
{
    if (!accept(p, word)) {
        lex_peek(p);
        parse_error(p, "unexpected %s, `%s' should come first", lex_describe(p), word);
    }
}

static void skip_newlines(struct parser *p)
{
    while (lex_peek(p) == T_NEWLINE) {
        lex_next(p);
    }
}

static bool at_closing(struct parser *p)
{
    static const char *const closing[] = {"then", "else", "elif", "fi", "do", "done", "esac", "}"};
    if (lex_peek(p) != T_WORD) {
        return p->tok == T_EOF || p->tok == T_RPAREN || p->tok == T_DSEMI;
    }
    for (size_t i = 0; i < sizeof(closing) / sizeof(*closing); i++) {
        if (strcmp(p->text, closing[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* A redirection's token has been seen; take it and its target. */
static struct redir *parse_redir(struct parser *p)
{
    lex_next(p);
    struct redir *r = arena_alloc(p->arena, sizeof(*r));
    *r = (struct redir){.op = p->op, .fd = p->fd, .strip = p->strip};
    if (lex_next(p) != T_WORD) {
        parse_error(p, "a redirection needs a target before %s", lex_describe(p));
        return r;
    }
    r->text = p->text;
    if (r->op == R_HERE) {
        p->heres = xrealloc(p->heres, sizeof(*p->heres) * (size_t)(p->nheres + 1));
        p->heres[p->nheres++] = r;
    }
    return r;
}

static void parse_redirs(struct parser *p, struct redir **tail)
{
    while (*tail) {
        tail = &(*tail)->next;
    }
    while (lex_peek(p) == T_REDIR) {
        *tail = parse_redir(p);
        tail = &(*tail)->next;
    }
}

static struct word *take_word(struct parser *p)
{
    lex_next(p);
    struct word *w = arena_alloc(p->arena, sizeof(*w));
    w->next = NULL;
    w->text = p->text;
    return w;
}

static struct node *join(struct parser *p, enum node_kind kind, struct node *a, struct node *b)
{
    struct node *n = new_node(p, kind);
    n->a = a;
    n->b = b;
    return n;
}

/* A list of commands up to a word that closes it. Empty is an error unless at the top. */
struct node *parse_list(struct parser *p)
{
    struct node *list = NULL;
    skip_newlines(p);
    while (!at_closing(p)) {
        struct node *n = parse_andor(p);
        if (lex_peek(p) == T_AMP) {
            lex_next(p);
            n = join(p, N_BG, n, NULL);
        } else if (p->tok == T_SEMI) {
            lex_next(p);
        } else if (p->tok != T_NEWLINE && !at_closing(p)) {
            unexpected(p);
        }
        list = list ? join(p, N_SEQ, list, n) : n;
        skip_newlines(p);
    }
    return p->error ? NULL : list;
}

static struct node *parse_body(struct parser *p)
{
    struct node *n = parse_list(p);
    if (!n) {
        unexpected(p);
    }
    return n;
}

static struct node *parse_if(struct parser *p)
{
    struct node *n = new_node(p, N_IF);
    n->a = parse_body(p);
    expect(p, "then");
    n->b = parse_body(p);
    if (accept(p, "elif")) {
        n->c = parse_if(p);
        return n; /* the inner one took the `fi' */
    }
    if (accept(p, "else")) {
        n->c = parse_body(p);
    }
    expect(p, "fi");
    return n;
}

static struct node *parse_loop(struct parser *p, enum node_kind kind)
{
    struct node *n = new_node(p, kind);
    n->a = parse_body(p);
    expect(p, "do");
    n->b = parse_body(p);
    expect(p, "done");
    return n;
}

static struct node *parse_for(struct parser *p)
{
    struct node *n = new_node(p, N_FOR);
    if (lex_next(p) != T_WORD || !is_name(p->text, strlen(p->text))) {
        parse_error(p, "`for' needs a variable name before %s", lex_describe(p));
        return n;
    }
    n->name = p->text;
    skip_newlines(p);
    if (accept(p, "in")) {
        n->has_in = true;
        struct word **tail = &n->words;
        while (lex_peek(p) == T_WORD) {
            *tail = take_word(p);
            tail = &(*tail)->next;
        }
    }
    if (lex_peek(p) == T_SEMI) {
        lex_next(p);
    }
    skip_newlines(p);
    expect(p, "do");
    n->b = parse_body(p);
    expect(p, "done");
    return n;
}

static struct node *parse_case(struct parser *p)
{
    struct node *n = new_node(p, N_CASE);
    if (lex_next(p) != T_WORD) {
        parse_error(p, "`case' needs a word before %s", lex_describe(p));
        return n;
    }
    n->name = p->text;
    skip_newlines(p);
    expect(p, "in");
    struct node **tail = &n->a;
    for (;;) {
        skip_newlines(p);
        if (p->error || accept(p, "esac")) {
            return n;
        }
        struct node *item = new_node(p, N_ITEM);
        if (lex_peek(p) == T_LPAREN) {
            lex_next(p);
        }
        struct word **wt = &item->words;
        for (;;) {
            if (lex_peek(p) != T_WORD) {
                unexpected(p);
                return n;
            }
            *wt = take_word(p);
            wt = &(*wt)->next;
            if (lex_peek(p) != T_PIPE) {
                break;
            }
            lex_next(p);
        }
        if (lex_next(p) != T_RPAREN) {
            parse_error(p, "a case pattern ends with `)', not %s", lex_describe(p));
            return n;
        }
        item->b = parse_list(p);
        *tail = item;
        tail = &item->next;
        if (lex_peek(p) == T_DSEMI) {
            lex_next(p);
        } else {
            skip_newlines(p);
            expect(p, "esac");
            return n;
        }
    }
}

/* A compound command whose first word or parenthesis is next, or NULL. */
static struct node *parse_compound(struct parser *p)
{
    struct node *n = NULL;
    if (lex_peek(p) == T_LPAREN) {
        lex_next(p);
        n = new_node(p, N_SUBSHELL);
        n->a = parse_body(p);
        if (lex_next(p) != T_RPAREN) {
            parse_error(p, "unexpected %s, `)' should come first", lex_describe(p));
        }
    } else if (accept(p, "{")) {
        n = new_node(p, N_GROUP);
        n->a = parse_body(p);
        expect(p, "}");
    } else if (accept(p, "if")) {
        n = parse_if(p);
    } else if (accept(p, "while")) {
        n = parse_loop(p, N_WHILE);
    } else if (accept(p, "until")) {
        n = parse_loop(p, N_UNTIL);
    } else if (accept(p, "for")) {
        n = parse_for(p);
    } else if (accept(p, "case")) {
        n = parse_case(p);
    } else {
        return NULL;
    }
    parse_redirs(p, &n->redirs);
    return n;
}

static struct node *parse_function(struct parser *p, char *name)
{
    struct node *n = new_node(p, N_FUNC);
    if (lex_next(p) != T_RPAREN) {
        parse_error(p, "a function is `name() { ...; }'; unexpected %s", lex_describe(p));
        return n;
    }
    skip_newlines(p);
    n->name = name;
    n->arena = p->arena;
    n->a = parse_compound(p);
    if (!n->a) {
        unexpected(p);
    }
    return n;
}

static struct node *parse_simple(struct parser *p)
{
    struct node *n = new_node(p, N_SIMPLE);
    struct word **words = &n->words, **assigns = &n->assigns;
    struct redir **redirs = &n->redirs;
    for (;;) {
        enum tok t = lex_peek(p);
        if (t == T_REDIR) {
            *redirs = parse_redir(p);
            redirs = &(*redirs)->next;
        } else if (t == T_WORD) {
            struct word *w = take_word(p);
            size_t k = name_len(w->text);
            if (!n->words && k && w->text[k] == '=') {
                *assigns = w;
                assigns = &w->next;
                continue;
            }
            *words = w;
            words = &w->next;
            /* Only look for `name()' at once: peeking could cross the line's end otherwise. */
            if (n->words == w && !n->assigns && !n->redirs && is_name(w->text, strlen(w->text)) &&
                lex_peek(p) == T_LPAREN) {
                lex_next(p);
                return parse_function(p, w->text);
            }
        } else {
            break;
        }
    }
    if (!n->words && !n->assigns && !n->redirs) {
        unexpected(p);
    }
    return n;
}

static struct node *parse_element(struct parser *p)
{
    if (++p->depth > MAX_DEPTH) {
        parse_error(p, "nested too deep");
    }
    struct node *n = NULL;
    if (!p->error) {
        n = parse_compound(p);
        if (!n) {
            if (at_closing(p)) {
                unexpected(p);
            } else {
                n = parse_simple(p);
            }
        }
    }
    p->depth--;
    return p->error ? NULL : n;
}

static struct node *parse_pipeline(struct parser *p)
{
    bool negate = false;
    while (accept(p, "!")) {
        negate = !negate;
    }
    struct node *n = parse_element(p);
    if (n && lex_peek(p) == T_PIPE) {
        struct node *pipe = new_node(p, N_PIPE);
        pipe->a = n;
        while (n && lex_peek(p) == T_PIPE) {
            lex_next(p);
            skip_newlines(p);
            n->next = parse_element(p);
            n = n->next;
        }
        n = pipe;
    }
    return negate ? join(p, N_NOT, n, NULL) : n;
}

static struct node *parse_andor(struct parser *p)
{
    struct node *n = parse_pipeline(p);
    while (lex_peek(p) == T_AND || p->tok == T_OR) {
        enum node_kind kind = lex_next(p) == T_AND ? N_AND : N_OR;
        skip_newlines(p);
        n = join(p, kind, n, parse_pipeline(p));
    }
    return p->error ? NULL : n;
}

struct node *parse_command(struct parser *p)
{
    struct node *list = NULL;
    p->error = false;
    p->peeked = false;
    p->nheres = 0;
    p->depth = 0;
    p->src->continued = false;
    for (;;) {
        enum tok t = lex_peek(p);
        if (t == T_NEWLINE || t == T_EOF) {
            lex_next(p);
            break;
        }
        struct node *n = parse_andor(p);
        t = lex_peek(p);
        if (t == T_AMP) {
            lex_next(p);
            n = join(p, N_BG, n, NULL);
        } else if (t == T_SEMI) {
            lex_next(p);
        } else if (t != T_NEWLINE && t != T_EOF) {
            unexpected(p);
        }
        list = list ? join(p, N_SEQ, list, n) : n;
    }
    if (p->nheres && !p->error) {
        lex_read_heres(p); /* the input ended right after `<<' */
    }
    return p->error ? NULL : list;
}
