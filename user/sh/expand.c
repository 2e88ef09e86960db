/*
 * Expansion of words: $name ${name} ${name:-text} $(command) $((sum)) ~ then splitting at blanks,
 * then * ? [set], then the quotes go. Quoted characters are marked while that happens.
 */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sh.h"

int expansion_failed;

#define QUOTED '\001' /* before a character that quotes protect */

struct buffer {
    char *text;
    size_t used, size;
};

static void put(struct buffer *buffer, char c)
{
    if (buffer->used + 2 > buffer->size) {
        size_t size = buffer->size ? buffer->size * 2 : 64;
        char *text = arena_alloc(size);

        memcpy(text, buffer->text ? buffer->text : "", buffer->used);
        buffer->text = text;
        buffer->size = size;
    }
    buffer->text[buffer->used++] = c;
    buffer->text[buffer->used] = '\0';
}

static void put_quoted(struct buffer *buffer, char c)
{
    put(buffer, QUOTED);
    put(buffer, c);
}

static const char *closing(const char *p, char open, char close)
{
    int depth = 1;

    for (; *p && depth; p++) {
        depth += *p == open ? 1 : *p == close ? -1 : 0;
    }
    return p;
}

static void put_text(struct buffer *buffer, const char *text, int quoted)
{
    for (; text && *text; text++) {
        if (quoted) {
            put_quoted(buffer, *text);
        } else {
            put(buffer, *text);
        }
    }
}

/* ${...}: a name, and perhaps :- or another default. */
static void put_braced(struct buffer *buffer, char *inside, int quoted)
{
    char *colon = strpbrk(inside, ":-+=");
    int size = inside[0] == '#' && inside[1], operator = 0;
    const char *value, *rest = "";

    if (colon && colon != inside) {
        rest = colon + 1 + (*colon == ':');
        operator = *colon == ':' ? colon[1] : *colon;
        *colon = '\0';
    }
    value = variable_get(inside + size);
    if (size) {
        char number[24];

        snprintf(number, sizeof(number), "%zu", value ? strlen(value) : 0);
        put_text(buffer, number, quoted);
        return;
    }
    if ((!value || !*value) == (operator == '-' || operator == '=')) {
        if (operator == '-' || operator == '=') {
            value = expand_single(rest);
            if (operator == '=') {
                variable_set(inside, value);
            }
        }
    } else if (operator == '+') {
        value = value ? expand_single(rest) : "";
    }
    put_text(buffer, value, quoted);
}

/* At a '$'; returns what follows the expansion. */
static const char *expand_dollar(struct buffer *buffer, const char *p, int quoted)
{
    const char *end, *wrong = NULL;
    char *inside, number[24];

    if (p[1] == '(' && p[2] == '(') {
        end = closing(p + 3, '(', ')');
        inside = expand_single(arena_copy(p + 3, (size_t)(end - p - 4)));
        snprintf(number, sizeof(number), "%ld", arithmetic(inside, &wrong));
        if (wrong) {
            fprintf(stderr, "sh: $((%s)): %s\n", inside, wrong);
            expansion_failed = 1;
        }
        put_text(buffer, number, quoted);
        return *end ? end + 1 : end;
    }
    if (p[1] == '(') {
        end = closing(p + 2, '(', ')');
        put_text(buffer, run_capture(arena_copy(p + 2, (size_t)(end - p - 3))), quoted);
        return end;
    }
    if (p[1] == '{') {
        end = closing(p + 2, '{', '}');
        put_braced(buffer, arena_copy(p + 2, (size_t)(end - p - 3)), quoted);
        return end;
    }
    if (p[1] == '@' || p[1] == '*') {
        for (int i = 1; i < parameter_count; i++) {
            put_text(buffer, i > 1 ? " " : "", 0);
            put_text(buffer, parameters[i], quoted);
        }
        return p + 2;
    }
    end = p + 1;
    if (strchr("?$!#", *end) || isdigit(*end)) {
        end += *end != '\0';
    } else {
        while (isalnum(*end) || *end == '_') {
            end++;
        }
    }
    if (end == p + 1) {
        put(buffer, '$');
        return end;
    }
    put_text(buffer, variable_get(arena_copy(p + 1, (size_t)(end - p - 1))), quoted);
    return end;
}

/* At a '`'; the same. */
static const char *expand_backquoted(struct buffer *buffer, const char *p, int quoted)
{
    size_t size = strcspn(p + 1, "`");

    put_text(buffer, run_capture(arena_copy(p + 1, size)), quoted);
    p += size + 1;
    return *p ? p + 1 : p;
}

/* A word with its values in; unquoted blanks in values are left for splitting. `quotes`: seen. */
static char *substitute(const char *p, int *quotes)
{
    struct buffer buffer = {0};
    int in_double = 0;

    *quotes = 0;
    put(&buffer, '\0');
    buffer.used = 0;
    if (*p == '~' && (!p[1] || p[1] == '/')) {
        put_text(&buffer, getenv("HOME"), 1);
        p++;
    }
    while (*p) {
        if (*p == '"') {
            in_double = !in_double;
            *quotes = 1;
            p++;
        } else if (*p == '\'' && !in_double) {
            *quotes = 1;
            for (p++; *p && *p != '\''; p++) {
                put_quoted(&buffer, *p);
            }
            p += *p != '\0';
        } else if (*p == '\\' && p[1] && (!in_double || strchr("$`\"\\\n", p[1]))) {
            if (p[1] != '\n') {
                put_quoted(&buffer, p[1]);
            }
            p += 2;
        } else if (*p == '$') {
            p = expand_dollar(&buffer, p, in_double);
        } else if (*p == '`') {
            p = expand_backquoted(&buffer, p, in_double);
        } else if (in_double) {
            put_quoted(&buffer, *p++);
        } else {
            put(&buffer, *p++);
        }
    }
    return buffer.text;
}

static char *unquote(const char *text)
{
    char *plain = arena_alloc(strlen(text) + 1), *to = plain;

    for (; *text; text++) {
        if (*text != QUOTED) {
            *to++ = *text;
        } else {
            *to++ = *++text;
        }
    }
    *to = '\0';
    return plain;
}

char *expand_single(const char *text)
{
    int quotes;

    return unquote(substitute(text, &quotes));
}

char *expand_pattern(const char *text)
{
    int quotes;

    return substitute(text, &quotes);
}

/* A here-document is like a text in double quotes, but that " is nothing special in it. */
char *expand_here(const char *text)
{
    struct buffer buffer = {0};

    put(&buffer, '\0');
    buffer.used = 0;
    while (*text) {
        if (*text == '\\' && text[1] && strchr("$`\\\n", text[1])) {
            if (text[1] != '\n') {
                put_quoted(&buffer, text[1]);
            }
            text += 2;
        } else if (*text == '$') {
            text = expand_dollar(&buffer, text, 1);
        } else if (*text == '`') {
            text = expand_backquoted(&buffer, text, 1);
        } else {
            put_quoted(&buffer, *text++);
        }
    }
    return unquote(buffer.text);
}

int match_pattern(const char *p, const char *s)
{
    for (; *p; p++, s++) {
        if (*p == '*') {
            for (p++;; s++) {
                if (match_pattern(p, s)) {
                    return 1;
                }
                if (!*s) {
                    return 0;
                }
            }
        }
        if (!*s) {
            return 0;
        }
        if (*p == '[') {
            int negate = p[1] == '!' || p[1] == '^', found = 0;

            for (p += 1 + negate; *p && *p != ']'; p++) {
                if (p[1] == '-' && p[2] && p[2] != ']') {
                    found |= *s >= p[0] && *s <= p[2];
                    p += 2;
                } else {
                    found |= *p == *s;
                }
            }
            if (found == negate) {
                return 0;
            }
        } else if (*p == QUOTED ? *++p != *s : *p != '?' && *p != *s) {
            return 0;
        }
    }
    return !*s;
}

struct list {
    char **words;
    int count, size;
};

static void add(struct list *list, char *word)
{
    if (list->count + 1 >= list->size) {
        int size = list->size ? list->size * 2 : 16;
        char **words = arena_alloc((size_t)size * sizeof(*words));

        memcpy(words, list->words ? list->words : words, (size_t)list->count * sizeof(*words));
        list->words = words;
        list->size = size;
    }
    list->words[list->count++] = word;
    list->words[list->count] = NULL;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Is there an unquoted * ? or [ ? */
static int has_pattern(const char *text)
{
    for (; *text; text++) {
        if (*text == QUOTED) {
            text++;
        } else if (strchr("*?[", *text)) {
            return 1;
        }
    }
    return 0;
}

/* Match one component after the other, below `directory` (with its slash, or empty). */
static void glob(struct list *list, const char *directory, const char *pattern)
{
    size_t size = strcspn(pattern, "/");
    char *part = arena_copy(pattern, size);
    const char *rest = pattern + size + strspn(pattern + size, "/");
    DIR *dir = opendir(*directory ? directory : ".");
    struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        size_t length = strlen(directory) + strlen(entry->d_name);
        char *path;

        if ((entry->d_name[0] == '.' && part[0] != '.') || !match_pattern(part, entry->d_name)) {
            continue;
        }
        path = arena_alloc(length + 2);
        strcpy(path, directory);
        strcat(path, entry->d_name);
        if (pattern[size]) {
            strcat(path, "/");
            glob(list, path, rest);
        } else {
            add(list, path);
        }
    }
    if (dir) {
        closedir(dir);
    }
}

static void add_globbed(struct list *list, char *word)
{
    int before = list->count;

    if (has_pattern(word)) {
        size_t root = strspn(word, "/");

        glob(list, root ? "/" : "", word + root);
        qsort(list->words + before, (size_t)(list->count - before), sizeof(*list->words), compare);
    }
    if (list->count == before) {
        add(list, unquote(word));
    }
}

/* Split at unquoted blanks. */
static void split(struct list *list, char *text, int quotes)
{
    char *start = text;
    int any = quotes;

    for (;; text++) {
        if (*text == QUOTED) {
            text++;
            any = 1;
        } else if (!*text || strchr(" \t\n", *text)) {
            int last = !*text;

            *text = '\0';
            if (any) {
                add_globbed(list, start);
            }
            if (last) {
                return;
            }
            start = text + 1;
            any = 0;
        } else {
            any = 1;
        }
    }
}

char **expand_words(const struct word *words, int *count)
{
    struct list list = {0};
    int quotes;

    add(&list, NULL);
    list.count = 0;
    for (; words; words = words->next) {
        char *text = substitute(words->text, &quotes);

        split(&list, text, quotes);
    }
    *count = list.count;
    return list.words;
}
