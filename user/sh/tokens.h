/* The text that the parser goes through, and its steps: between tokens.c and parse.c. */
#ifndef TOKENS_H
#define TOKENS_H
#include "sh.h"

extern struct input {
    const char *at; /* the rest of the text */
    int incomplete; /* it ended in the middle of something: with another line it may be right */
    int failed;     /* it is wrong, or incomplete: no more steps */
} input;

void input_start(const char *text);
/* It is wrong here; the first message stays. */
void token_error(const char *what);
/* Over blanks, joined lines and a comment; over ends of lines, too. */
void skip_blanks(void);
void skip_newlines(void);
/* A word with its quotes, in the arena; NULL: there is a sign, or the end. */
char *token_word(void);
/* Is this sign, or reserved word, the next thing? The same, and step over it; the same, or it is wrong. */
int token_peek(const char *token);
int token_accept(const char *token);
void token_expect(const char *token);
/* Its text comes behind this line. */
void here_document_follows(struct redirect *redirect);
/* At a newline: take in what stands behind it. */
void here_documents_take(void);
#endif
