/*
 * The shell's text in pieces: words with their quotes, signs, and the here-documents, which stand behind
 * the line that asks for them: they are taken in when that line ends.
 */
#include "tokens.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

char parse_message[128];
struct input input;
static struct redirect *here_first, **here_tail; /* here-documents that wait for the line's end */

void token_error(const char *what)
{
    if (!input.failed) {
        snprintf(parse_message, sizeof(parse_message), "syntax error: %s near '%.20s'", what,
                 *input.at && *input.at != '\n' ? input.at : "end of line");
    }
    input.failed = 1;
}

void input_start(const char *text)
{
    input = (struct input){.at = text};
    here_first = NULL;
    here_tail = &here_first;
}

void here_document_follows(struct redirect *redirect)
{
    *here_tail = redirect;
    here_tail = &redirect->here_next;
}

void here_documents_take(void)
{
    if (here_first && !*input.at) {
        input.incomplete = 1;
        return;
    }
    for (; here_first; here_first = here_first->here_next) {
        const char *end = here_first->target, *start;
        size_t size = strlen(end), used = 0;
        char *text = arena_alloc(strlen(input.at) + 1);

        for (;;) {
            int tabs = here_first->strip ? (int)strspn(input.at + 1, "\t") : 0;

            start = input.at + 1 + tabs;
            input.at = start + strcspn(start, "\n");
            if ((size_t)(input.at - start) == size && memcmp(start, end, size) == 0) {
                break;
            }
            if (!*input.at) {
                input.incomplete = input.failed = 1;
                return;
            }
            memcpy(text + used, start, (size_t)(input.at + 1 - start));
            used += (size_t)(input.at + 1 - start);
        }
        here_first->target = text;
    }
    here_tail = &here_first;
}

/* A backslash at a line's end joins it with the next one; with none there, more is to come. */
static int skip_joint(const char **p)
{
    if ((*p)[0] != '\\' || (*p)[1] != '\n') {
        return 0;
    }
    *p += 2;
    if (!**p) {
        input.incomplete = input.failed = 1;
    }
    return 1;
}

void skip_blanks(void)
{
    while (*input.at == ' ' || *input.at == '\t' || skip_joint(&input.at)) {
        input.at += *input.at == ' ' || *input.at == '\t';
    }
    if (*input.at == '#') {
        input.at += strcspn(input.at, "\n");
    }
}

void skip_newlines(void)
{
    for (skip_blanks(); !input.failed && (*input.at == '\n' || *input.at == ';'); skip_blanks()) {
        if (*input.at == ';' && input.at[1] == ';') {
            break; /* a case's */
        }
        if (*input.at == '\n') {
            here_documents_take();
        }
        input.at += *input.at != '\0';
    }
}

/* The end of what starts at an opening quote, brace or $( ...; counts incomplete ones. */
static const char *skip_quoted(const char *p)
{
    char open = *p++;
    int depth = 1;

    if (open == '(') {
        for (; *p && depth; p++) {
            if (*p == '\'' || *p == '"') {
                p = skip_quoted(p) - 1;
            } else {
                depth += *p == '(' ? 1 : *p == ')' ? -1 : 0;
            }
        }
        input.incomplete |= depth != 0;
        return p;
    }
    while (*p && *p != (open == '{' ? '}' : open)) {
        if (*p == '\\' && open != '\'' && p[1]) {
            p++;
        } else if (open == '"' && *p == '$' && (p[1] == '(' || p[1] == '{')) {
            p = skip_quoted(p + 1) - 1;
        }
        p++;
    }
    input.incomplete |= !*p;
    return *p ? p + 1 : p;
}

char *token_word(void)
{
    const char *start, *p;

    skip_blanks();
    for (start = p = input.at; *p && !strchr(" \t\n;&|<>()", *p);) {
        if (skip_joint(&p)) {
            continue;
        }
        if (*p == '\\' && p[1]) {
            p += 2;
        } else if (*p == '\'' || *p == '"' || *p == '`') {
            p = skip_quoted(p);
        } else if (*p == '$' && (p[1] == '(' || p[1] == '{')) {
            p = skip_quoted(p + 1);
        } else {
            p++;
        }
    }
    input.at = p;
    return p == start ? NULL : arena_copy(start, (size_t)(p - start));
}

int token_peek(const char *token)
{
    size_t size = strlen(token);

    skip_blanks();
    if (strncmp(input.at, token, size) != 0) {
        return 0;
    }
    if (isalpha(token[0]) || strchr("{}!", token[0])) { /* a word of its own */
        return !input.at[size] || strchr(" \t\n;&|<>()", input.at[size]) != NULL;
    }
    return 1;
}

int token_accept(const char *token)
{
    if (!token_peek(token)) {
        return 0;
    }
    input.at += strlen(token);
    return 1;
}

void token_expect(const char *token)
{
    skip_newlines();
    if (!token_accept(token)) {
        if (!*input.at) {
            input.incomplete = 1;
        } else {
            token_error("unexpected word");
        }
        input.failed = 1;
    }
}
