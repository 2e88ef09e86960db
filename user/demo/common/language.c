/*
 * Texts in Chinese: a table of all, sorted by the English ones, which tools/catalogue.py makes of
 * user/demo/zh.po. What is not in it stays in English.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "language.h"

#define FIRST_WIDE 0x2e80 /* the characters of Chinese and its marks: two columns each */

static const struct text {
    const char *english, *chinese;
} texts[] = {
#include "zh.inc"
};

static bool chinese;

/* What is behind the dot of "zh_CN.UTF-8", if anything is: ours? */
static bool names_utf8(const char *set)
{
    char name[8] = "";
    int length = 0;

    for (; *set && *set != '@' && length < (int)sizeof(name) - 1; set++) {
        if (isalnum((unsigned char)*set)) {
            name[length++] = (char)tolower((unsigned char)*set);
        }
    }
    return length == 0 || strcmp(name, "utf8") == 0;
}

/* "zh_CN.UTF-8", "zh". Not Traditional Chinese, which we do not have. */
static bool names_chinese(const char *locale)
{
    static const char *const traditional[] = {"TW", "HK", "MO", "Hant"};
    int length = (int)strcspn(locale, ".@");
    char name[32];

    snprintf(name, sizeof(name), "%.*s", length, locale);
    if (strncmp(name, "zh", 2) != 0 || !strchr("_-", name[2])) {
        return false;
    }
    for (int i = 0; i < 4; i++) {
        if (strstr(name, traditional[i])) {
            return false;
        }
    }
    return names_utf8(locale + length);
}

/* The first that is set decides: POSIX, Base Definitions, 8.2. */
void language_start(bool english)
{
    static const char *const variables[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    const char *locale = NULL;

    for (int i = 0; i < 3 && !(locale && *locale); i++) {
        locale = getenv(variables[i]);
    }
    chinese = !english && locale && names_chinese(locale);
}

static int compare_text(const void *english, const void *text)
{
    return strcmp(english, ((const struct text *)text)->english);
}

const char *translate(const char *english)
{
    const struct text *found = NULL;

    if (chinese) {
        found = bsearch(english, texts, sizeof(texts) / sizeof(*texts), sizeof(*texts), compare_text);
    }
    return found ? found->chinese : english;
}

/* How many bytes the character has: all behind the first of UTF-8's begin with the bits 10. */
static int character_bytes(const char *text)
{
    int bytes = *text != '\0';

    while ((text[bytes] & 0xc0) == 0x80) {
        bytes++;
    }
    return bytes;
}

static bool is_wide(const char *text)
{
    const unsigned char *byte = (const unsigned char *)text;

    return byte[0] >= 0xe0 && ((byte[0] & 0xfu) << 12 | (byte[1] & 0x3fu) << 6) >= (FIRST_WIDE & ~0x3fu);
}

int text_columns(const char *text, int bytes)
{
    int columns = 0;

    for (int at = 0; at < bytes && text[at]; at += character_bytes(text + at)) {
        columns += 1 + is_wide(text + at);
    }
    return columns;
}

const char *cell(int width, const char *english)
{
    static char cells[16][128];
    static int next;
    char *made = cells[next++ % 16];
    const char *text = translate(english);
    int bytes = (int)strlen(text), blanks = bytes - text_columns(text, bytes);

    snprintf(made, sizeof(cells[0]), "%*s", width < 0 ? width - blanks : width + blanks, text);
    return made;
}

static bool is_one_of(const char *text, const char *marks)
{
    char mark[8];

    snprintf(mark, sizeof(mark), "%.*s", character_bytes(text), text);
    return *mark && strstr(marks, mark);
}

int text_piece(const char *text)
{
    int bytes = 0, last;

    if (!*text || *text == ' ') {
        return 0;
    }
    do {
        last = bytes;
        bytes += character_bytes(text + bytes);
    } while (text[bytes] && text[bytes] != ' '
             && ((!is_wide(text + last) && !is_wide(text + bytes))
                 || is_one_of(text + bytes, "，。、；：？！）》") || is_one_of(text + last, "（《")));
    return bytes;
}
