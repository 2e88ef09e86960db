/*
 * From text to tree, by recursive descent. Grammar:
 *     list:     and_or (; | & | newline) ...      and_or: pipeline (&& | ||) ...
 *     pipeline: [!] command | command ...          command: words, redirections, ( ), { }, if, for,
 *                                                           while, until, case
 * A here-document stands behind the line that asks for it: it is taken in when that line ends.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sh.h"

char parse_message[128];
static const char *at;
static int incomplete, failed;
static struct redirect *here_first, **here_tail; /* here-documents that wait for the line's end */

static void error(const char *what)
{
    if (!failed) {
        snprintf(parse_message, sizeof(parse_message), "syntax error: %s near '%.20s'", what,
                 *at && *at != '\n' ? at : "end of line");
    }
    failed = 1;
}

/* At a newline: the texts that its line has asked for stand behind it. */
static void take_here_documents(void)
{
    for (; here_first; here_first = here_first->here_next) {
        const char *end = here_first->target, *start;
        size_t size = strlen(end), used = 0;
        char *text = arena_alloc(strlen(at) + 1);

        for (;;) {
            int tabs = here_first->strip ? (int)strspn(at + 1, "\t") : 0;

            start = at + 1 + tabs;
            at = start + strcspn(start, "\n");
            if ((size_t)(at - start) == size && memcmp(start, end, size) == 0) {
                break;
            }
            if (!*at) {
                incomplete = failed = 1;
                return;
            }
            memcpy(text + used, start, (size_t)(at + 1 - start));
            used += (size_t)(at + 1 - start);
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
        incomplete = failed = 1;
    }
    return 1;
}

static void skip_blanks(void)
{
    while (*at == ' ' || *at == '\t' || skip_joint(&at)) {
        at += *at == ' ' || *at == '\t';
    }
    if (*at == '#') {
        at += strcspn(at, "\n");
    }
}

static void skip_newlines(void)
{
    for (skip_blanks(); !failed && (*at == '\n' || *at == ';'); skip_blanks()) {
        if (*at == ';' && at[1] == ';') {
            break; /* a case's */
        }
        if (*at == '\n') {
            take_here_documents();
        }
        at += *at != '\0';
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
        incomplete |= depth != 0;
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
    incomplete |= !*p;
    return *p ? p + 1 : p;
}

static char *next_word(void)
{
    const char *start, *p;

    skip_blanks();
    for (start = p = at; *p && !strchr(" \t\n;&|<>()", *p);) {
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
    at = p;
    return p == start ? NULL : arena_copy(start, (size_t)(p - start));
}

static int peek(const char *token)
{
    size_t size = strlen(token);

    skip_blanks();
    if (strncmp(at, token, size) != 0) {
        return 0;
    }
    if (isalpha(token[0]) || strchr("{}!", token[0])) { /* a word of its own */
        return !at[size] || strchr(" \t\n;&|<>()", at[size]) != NULL;
    }
    return 1;
}

static int accept(const char *token)
{
    if (!peek(token)) {
        return 0;
    }
    at += strlen(token);
    return 1;
}

static void expect(const char *token)
{
    skip_newlines();
    if (!accept(token)) {
        if (!*at) {
            incomplete = 1;
        } else {
            error("unexpected word");
        }
        failed = 1;
    }
}

static struct node *make(enum node_type type, struct node *left, struct node *right)
{
    struct node *node = arena_alloc(sizeof(*node));

    node->type = type;
    node->left = left;
    node->right = right;
    return node;
}

static struct node *parse_list(void);

/* <<WORD or <<-WORD: the text comes later. A quote in WORD means that nothing in it is expanded. */
static void parse_here_document(struct redirect *redirect)
{
    char *word;

    redirect->kind = 'h';
    redirect->strip = *at == '-';
    at += redirect->strip;
    word = next_word();
    if (!word) {
        error("the end of the text has no name");
        return;
    }
    redirect->literal = strpbrk(word, "'\"\\") != NULL;
    redirect->target = expand_single(word);
    *here_tail = redirect;
    here_tail = &redirect->here_next;
}

/* Redirections in front of or behind words: [n]< [n]> [n]>> [n]>&m [n]<<WORD. True: there was one. */
static int parse_redirect(struct redirect ***tail)
{
    const char *p;
    struct redirect *redirect;
    int fd = -1;

    skip_blanks();
    p = at;
    if (*p >= '0' && *p <= '9' && (p[1] == '<' || p[1] == '>')) {
        fd = *p++ - '0';
    }
    if (*p != '<' && *p != '>') {
        return 0;
    }
    redirect = arena_alloc(sizeof(*redirect));
    redirect->kind = *p;
    redirect->fd = fd >= 0 ? fd : *p == '>';
    p++;
    **tail = redirect;
    *tail = &redirect->next;
    if (redirect->kind == '<' && *p == '<') {
        at = p + 1;
        parse_here_document(redirect);
        return 1;
    }
    if (redirect->kind == '>' && *p == '>') {
        redirect->kind = 'a';
        p++;
    } else if (*p == '&') {
        redirect->kind = '&';
        p++;
    }
    at = p;
    redirect->target = next_word();
    if (!redirect->target) {
        error("a file name is missing");
    }
    return 1;
}

/* One word behind the other. */
static struct word **append_word(struct word **tail, char *text)
{
    *tail = arena_alloc(sizeof(**tail));
    (*tail)->text = text;
    return &(*tail)->next;
}

static struct node *parse_simple(void)
{
    struct node *node = make(NODE_COMMAND, NULL, NULL);
    struct word **tail = &node->words;
    struct redirect **redirects = &node->redirects;
    char *text;

    while (!failed) {
        if (parse_redirect(&redirects)) {
            continue;
        }
        text = next_word();
        if (!text) {
            break;
        }
        tail = append_word(tail, text);
    }
    if (!node->words && !node->redirects) {
        if (*at) {
            error("a command is missing");
        } else {
            incomplete = 1;
        }
        failed = 1;
    }
    return node;
}

static struct node *parse_if(void)
{
    struct node *node = make(NODE_IF, parse_list(), NULL);

    expect("then");
    node->right = parse_list();
    skip_newlines();
    if (accept("elif")) {
        node->otherwise = parse_if();
        return node;
    }
    if (accept("else")) {
        node->otherwise = parse_list();
    }
    expect("fi");
    return node;
}

static struct node *parse_for(void)
{
    struct node *node = make(NODE_FOR, NULL, NULL);
    struct word **tail = &node->words;
    char *text = next_word();

    if (!text) {
        error("for needs a name");
        return node;
    }
    tail = append_word(tail, text);
    if (accept("in")) {
        while ((text = next_word())) {
            tail = append_word(tail, text);
        }
    }
    expect("do");
    node->left = parse_list();
    expect("done");
    return node;
}

/* [(] pattern [| pattern ...] ) list ;; */
static struct node *parse_choice(void)
{
    struct node *node = make(NODE_CHOICE, NULL, NULL);
    struct word **tail = &node->words;

    accept("(");
    do {
        char *text = next_word();

        if (!text) {
            error("a pattern is missing");
            return node;
        }
        tail = append_word(tail, text);
    } while (accept("|"));
    if (!accept(")")) {
        error("a pattern ends with )");
        return node;
    }
    skip_newlines();
    if (!peek(";;") && !peek("esac")) {
        node->left = parse_list();
    }
    skip_newlines();
    if (!accept(";;") && !peek("esac") && !failed) {
        if (*at) {
            error(";; or esac is missing");
        }
        incomplete |= !*at;
        failed = 1;
    }
    return node;
}

static struct node *parse_case(void)
{
    struct node *node = make(NODE_CASE, NULL, NULL), **next = &node->left;
    char *text = next_word();

    if (!text) {
        error("case needs a word");
        return node;
    }
    append_word(&node->words, text);
    expect("in");
    for (skip_newlines(); !failed && *at && !peek("esac"); skip_newlines()) {
        *next = parse_choice();
        next = &(*next)->otherwise;
    }
    expect("esac");
    return node;
}

static struct node *parse_command(void)
{
    struct node *node;
    struct redirect **redirects;

    skip_blanks();
    if (accept("(")) {
        node = make(NODE_SUBSHELL, parse_list(), NULL);
        expect(")");
    } else if (accept("{")) {
        node = make(NODE_GROUP, parse_list(), NULL);
        expect("}");
    } else if (accept("if")) {
        node = parse_if();
    } else if (peek("while") || peek("until")) {
        enum node_type type = peek("while") ? NODE_WHILE : NODE_UNTIL;

        at += 5;
        node = make(type, parse_list(), NULL);
        expect("do");
        node->right = parse_list();
        expect("done");
    } else if (accept("for")) {
        node = parse_for();
    } else if (accept("case")) {
        node = parse_case();
    } else {
        return parse_simple();
    }
    redirects = &node->redirects;
    while (!failed && parse_redirect(&redirects)) {
    }
    return node;
}

static struct node *parse_pipeline(void)
{
    struct node *node;

    if (accept("!")) {
        return make(NODE_NOT, parse_pipeline(), NULL);
    }
    node = parse_command();
    if (!failed && !peek("||") && accept("|")) {
        skip_newlines();
        node = make(NODE_PIPE, node, parse_pipeline());
    }
    return node;
}

static struct node *parse_and_or(void)
{
    struct node *node = parse_pipeline();

    while (!failed && (peek("&&") || peek("||"))) {
        enum node_type type = *at == '&' ? NODE_AND : NODE_OR;

        at += 2;
        skip_newlines();
        node = make(type, node, parse_pipeline());
    }
    return node;
}

static int list_ends(void)
{
    static const char *const ends[] = {"then", "else", "elif", "fi", "do", "done", "esac", "}", ")",
                                       ";;"};

    skip_newlines();
    for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
        if (peek(ends[i])) {
            return 1;
        }
    }
    return !*at;
}

/* One and_or with its separator. */
static struct node *parse_item(void)
{
    const char *start = at;
    struct node *node = parse_and_or();

    node->source = arena_copy(start, (size_t)(at - start));
    skip_blanks();
    if (!failed && *at == '&') {
        at++;
        node = make(NODE_BACKGROUND, node, NULL);
        node->source = node->left->source;
    } else if (*at == ';' && at[1] != ';') {
        at++;
    } else if (!failed && *at && !strchr("\n);", *at)) {
        error("unexpected text");
    }
    return node;
}

/* Inside a construct: over newlines up to its closing word. */
static struct node *parse_list(void)
{
    struct node *list = NULL;

    while (!failed && !list_ends()) {
        struct node *item = parse_item();

        list = list ? make(NODE_SEQUENCE, list, item) : item;
    }
    if (!list && !failed) {
        if (*at) {
            error("a command is missing");
        }
        incomplete |= !*at;
        failed = 1;
    }
    return list;
}

enum parse_result parse(const char **text, struct node **tree)
{
    struct node *list = NULL;

    at = *text;
    incomplete = failed = 0;
    here_first = NULL;
    here_tail = &here_first;
    skip_newlines();
    if (!*at) {
        *text = at;
        return PARSE_EMPTY;
    }
    while (!failed && *at && *at != '\n') {
        struct node *item = parse_item();

        list = list ? make(NODE_SEQUENCE, list, item) : item;
        skip_blanks();
    }
    if (!failed && here_first) {
        if (*at) {
            take_here_documents();
        } else {
            incomplete = 1;
        }
    }
    *text = at;
    *tree = list;
    return incomplete ? PARSE_INCOMPLETE : failed ? PARSE_ERROR : PARSE_OK;
}
