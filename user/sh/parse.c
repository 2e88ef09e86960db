/*
 * From text to tree, by recursive descent. Grammar:
 *     list:     and_or (; | & | newline) ...      and_or: pipeline (&& | ||) ...
 *     pipeline: [!] command | command ...          command: words, redirections, ( ), { }, if, for,
 *                                                           while, until, case
 * Words and signs come from tokens.c.
 */
#include <string.h>

#include "tokens.h"

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
    redirect->strip = *input.at == '-';
    input.at += redirect->strip;
    word = token_word();
    if (!word) {
        token_error("the end of the text has no name");
        return;
    }
    redirect->literal = strpbrk(word, "'\"\\") != NULL;
    redirect->target = expand_single(word);
    here_document_follows(redirect);
}

/* Redirections in front of or behind words: [n]< [n]> [n]>> [n]>&m [n]<<WORD. True: there was one. */
static int parse_redirect(struct redirect ***tail)
{
    const char *p;
    struct redirect *redirect;
    int fd = -1;

    skip_blanks();
    p = input.at;
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
        input.at = p + 1;
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
    input.at = p;
    redirect->target = token_word();
    if (!redirect->target) {
        token_error("a file name is missing");
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

    while (!input.failed) {
        if (parse_redirect(&redirects)) {
            continue;
        }
        text = token_word();
        if (!text) {
            break;
        }
        tail = append_word(tail, text);
    }
    if (!node->words && !node->redirects) {
        if (*input.at) {
            token_error("a command is missing");
        } else {
            input.incomplete = 1;
        }
        input.failed = 1;
    }
    return node;
}

static struct node *parse_if(void)
{
    struct node *node = make(NODE_IF, parse_list(), NULL);

    token_expect("then");
    node->right = parse_list();
    skip_newlines();
    if (token_accept("elif")) {
        node->otherwise = parse_if();
        return node;
    }
    if (token_accept("else")) {
        node->otherwise = parse_list();
    }
    token_expect("fi");
    return node;
}

static struct node *parse_for(void)
{
    struct node *node = make(NODE_FOR, NULL, NULL);
    struct word **tail = &node->words;
    char *text = token_word();

    if (!text) {
        token_error("for needs a name");
        return node;
    }
    tail = append_word(tail, text);
    if (token_accept("in")) {
        while ((text = token_word())) {
            tail = append_word(tail, text);
        }
    }
    token_expect("do");
    node->left = parse_list();
    token_expect("done");
    return node;
}

/* [(] pattern [| pattern ...] ) list ;; */
static struct node *parse_choice(void)
{
    struct node *node = make(NODE_CHOICE, NULL, NULL);
    struct word **tail = &node->words;

    token_accept("(");
    do {
        char *text = token_word();

        if (!text) {
            token_error("a pattern is missing");
            return node;
        }
        tail = append_word(tail, text);
    } while (token_accept("|"));
    if (!token_accept(")")) {
        token_error("a pattern ends with )");
        return node;
    }
    skip_newlines();
    if (!token_peek(";;") && !token_peek("esac")) {
        node->left = parse_list();
    }
    skip_newlines();
    if (!token_accept(";;") && !token_peek("esac") && !input.failed) {
        if (*input.at) {
            token_error(";; or esac is missing");
        }
        input.incomplete |= !*input.at;
        input.failed = 1;
    }
    return node;
}

static struct node *parse_case(void)
{
    struct node *node = make(NODE_CASE, NULL, NULL), **next = &node->left;
    char *text = token_word();

    if (!text) {
        token_error("case needs a word");
        return node;
    }
    append_word(&node->words, text);
    token_expect("in");
    for (skip_newlines(); !input.failed && *input.at && !token_peek("esac"); skip_newlines()) {
        *next = parse_choice();
        next = &(*next)->otherwise;
    }
    token_expect("esac");
    return node;
}

static struct node *parse_command(void)
{
    struct node *node;
    struct redirect **redirects;

    skip_blanks();
    if (token_accept("(")) {
        node = make(NODE_SUBSHELL, parse_list(), NULL);
        token_expect(")");
    } else if (token_accept("{")) {
        node = make(NODE_GROUP, parse_list(), NULL);
        token_expect("}");
    } else if (token_accept("if")) {
        node = parse_if();
    } else if (token_peek("while") || token_peek("until")) {
        enum node_type type = token_peek("while") ? NODE_WHILE : NODE_UNTIL;

        input.at += 5;
        node = make(type, parse_list(), NULL);
        token_expect("do");
        node->right = parse_list();
        token_expect("done");
    } else if (token_accept("for")) {
        node = parse_for();
    } else if (token_accept("case")) {
        node = parse_case();
    } else {
        return parse_simple();
    }
    redirects = &node->redirects;
    while (!input.failed && parse_redirect(&redirects)) {
    }
    return node;
}

static struct node *parse_pipeline(void)
{
    struct node *node;

    if (token_accept("!")) {
        return make(NODE_NOT, parse_pipeline(), NULL);
    }
    node = parse_command();
    if (!input.failed && !token_peek("||") && token_accept("|")) {
        skip_newlines();
        node = make(NODE_PIPE, node, parse_pipeline());
    }
    return node;
}

static struct node *parse_and_or(void)
{
    struct node *node = parse_pipeline();

    while (!input.failed && (token_peek("&&") || token_peek("||"))) {
        enum node_type type = *input.at == '&' ? NODE_AND : NODE_OR;

        input.at += 2;
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
        if (token_peek(ends[i])) {
            return 1;
        }
    }
    return !*input.at;
}

/* One and_or with its separator. */
static struct node *parse_item(void)
{
    const char *start = input.at;
    struct node *node = parse_and_or();

    node->source = arena_copy(start, (size_t)(input.at - start));
    skip_blanks();
    if (!input.failed && *input.at == '&') {
        input.at++;
        node = make(NODE_BACKGROUND, node, NULL);
        node->source = node->left->source;
    } else if (*input.at == ';' && input.at[1] != ';') {
        input.at++;
    } else if (!input.failed && *input.at && !strchr("\n);", *input.at)) {
        token_error("unexpected text");
    }
    return node;
}

/* Inside a construct: over newlines up to its closing word. */
static struct node *parse_list(void)
{
    struct node *list = NULL;

    while (!input.failed && !list_ends()) {
        struct node *item = parse_item();

        list = list ? make(NODE_SEQUENCE, list, item) : item;
    }
    if (!list && !input.failed) {
        if (*input.at) {
            token_error("a command is missing");
        }
        input.incomplete |= !*input.at;
        input.failed = 1;
    }
    return list;
}

enum parse_result parse(const char **text, struct node **tree)
{
    struct node *list = NULL;

    input_start(*text);
    skip_newlines();
    if (!*input.at) {
        *text = input.at;
        return PARSE_EMPTY;
    }
    while (!input.failed && *input.at && *input.at != '\n') {
        struct node *item = parse_item();

        list = list ? make(NODE_SEQUENCE, list, item) : item;
        skip_blanks();
    }
    if (!input.failed) {
        here_documents_take();
    }
    *text = input.at;
    *tree = list;
    return input.incomplete ? PARSE_INCOMPLETE : input.failed ? PARSE_ERROR : PARSE_OK;
}
