/*
 * $((...)): C's integer expressions over names and numbers, by precedence climbing. A name that is
 * unset or no number is 0. Sums wrap around; dividing by zero is an error.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sh.h"

static const char *at;
static const char *failure; /* the first mistake */
static int skipping;        /* the side of && || ?: that does not count: no assignments */

/* Binary operators, the tighter ones later; longer tokens before their beginnings. */
static const struct binary {
    const char *token;
    int level;
} binaries[] = {
    {"||", 1}, {"&&", 2}, {"==", 6}, {"!=", 6}, {"<<", 8}, {">>", 8}, {"<=", 7}, {">=", 7},
    {"|", 3}, {"^", 4}, {"&", 5}, {"<", 7}, {">", 7}, {"+", 9}, {"-", 9}, {"*", 10}, {"/", 10},
    {"%", 10},
};

static long choice(void);

static void fail(const char *what)
{
    failure = failure ? failure : what;
}

static void skip_blanks(void)
{
    at += strspn(at, " \t\n");
}

static int accept(const char *token)
{
    size_t size = strlen(token);

    skip_blanks();
    if (strncmp(at, token, size) != 0) {
        return 0;
    }
    at += size;
    return 1;
}

static long apply(const char *operator, long left, long right)
{
    unsigned long a = (unsigned long)left, b = (unsigned long)right;

    switch (operator[0]) {
    case '+': return (long)(a + b);
    case '-': return (long)(a - b);
    case '*': return (long)(a * b);
    case '/':
    case '%':
        if (right == 0 && !skipping) {
            fail("division by zero");
        }
        if (right == 0 || right == -1) { /* the smallest number by -1 would trap */
            return right && operator[0] == '/' ? (long)-a : 0;
        }
        return operator[0] == '/' ? left / right : left % right;
    case '^': return left ^ right;
    case '=': return left == right;
    case '!': return left != right;
    case '|': return operator[1] == '|' ? left || right : left | right;
    case '&': return operator[1] == '&' ? left && right : left & right;
    case '<':
        return operator[1] == '<' ? (long)(a << (b & 63)) : operator[1] ? left <= right : left < right;
    default:
        return operator[1] == '>' ? left >> (b & 63) : operator[1] ? left >= right : left > right;
    }
}

static long value_of(const char *name)
{
    const char *text = variable_get(name);

    return text ? strtol(text, NULL, 0) : 0;
}

static long assign(const char *name, long value)
{
    char number[24];

    if (!skipping) {
        snprintf(number, sizeof(number), "%ld", value);
        variable_set(name, number);
    }
    return value;
}

/* A name, and what is done to it: = += ++ ... */
static long variable(void)
{
    int size = variable_name_length(at);
    char *name = arena_copy(at, (size_t)size);
    static const char *const operators[] = {"+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="};
    long value = value_of(name);

    at += size;
    if (accept("++")) {
        assign(name, value + 1);
        return value;
    }
    if (accept("--")) {
        assign(name, value - 1);
        return value;
    }
    for (size_t i = 0; i < sizeof(operators) / sizeof(*operators); i++) {
        if (accept(operators[i])) {
            char operator[3] = {operators[i][0], operators[i][1] == '=' ? '\0' : operators[i][1]};

            return assign(name, apply(operator, value, choice()));
        }
    }
    skip_blanks();
    if (at[0] == '=' && at[1] != '=') {
        at++;
        return assign(name, choice());
    }
    return value;
}

static long operand(void)
{
    long value;

    skip_blanks();
    if (accept("(")) {
        value = choice();
        if (!accept(")")) {
            fail("a ) is missing");
        }
        return value;
    }
    if (accept("++") || accept("--")) {
        int step = at[-1] == '+' ? 1 : -1, size;
        char *name;

        skip_blanks();
        size = variable_name_length(at);
        name = arena_copy(at, (size_t)size);
        at += size;
        if (!size) {
            fail("a name is missing");
        }
        return size ? assign(name, value_of(name) + step) : 0;
    }
    if (accept("-")) {
        return (long)-(unsigned long)operand();
    }
    if (accept("+")) {
        return operand();
    }
    if (accept("!")) {
        return !operand();
    }
    if (accept("~")) {
        return ~operand();
    }
    if (isdigit(*at)) {
        return strtol(at, (char **)&at, 0);
    }
    if (variable_name_length(at)) {
        return variable();
    }
    fail(*at ? "a number is missing" : "something is missing at the end");
    return 0;
}

static const struct binary *next_binary(int level)
{
    skip_blanks();
    for (size_t i = 0; i < sizeof(binaries) / sizeof(*binaries); i++) {
        const struct binary *binary = &binaries[i];

        if (strncmp(at, binary->token, strlen(binary->token)) == 0) {
            return binary->level >= level ? binary : NULL;
        }
    }
    return NULL;
}

static long binary(int level)
{
    long left = operand();
    const struct binary *operator;

    while (!failure && (operator = next_binary(level))) {
        int idle = (operator->level == 1 && left) || (operator->level == 2 && !left);
        long right;

        at += strlen(operator->token);
        skipping += idle;
        right = binary(operator->level + 1);
        skipping -= idle;
        left = apply(operator->token, left, right);
    }
    return left;
}

static long choice(void)
{
    long condition = binary(1), yes, no;

    if (!accept("?")) {
        return condition;
    }
    skipping += !condition;
    yes = choice();
    skipping -= !condition;
    if (!accept(":")) {
        fail("a : is missing");
        return 0;
    }
    skipping += condition != 0;
    no = choice();
    skipping -= condition != 0;
    return condition ? yes : no;
}

long arithmetic(const char *text, const char **error)
{
    long value;

    at = text;
    failure = NULL;
    skipping = 0;
    skip_blanks();
    if (!*at) {
        return 0;
    }
    value = choice();
    skip_blanks();
    if (*at) {
        fail("an operator is missing");
    }
    *error = failure;
    return failure ? 0 : value;
}
