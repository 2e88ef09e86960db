/*
 * Drawing the line that is edited: as many rows of the terminal as it needs, in UTF-8, where a
 * character of Chinese takes two columns and a combining accent none.
 *
 * Rows are broken here and not by the terminal, so that we know where the cursor is.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "sh.h"

static int cursor_row; /* below the prompt's first row */
static int end_column; /* of what was drawn last, if the cursor is there; -1: it is not */

static int screen_width(void)
{
    struct winsize size;

    return ioctl(1, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : 80;
}

struct range {
    uint32_t first, last;
};

static int in_ranges(uint32_t code, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (code >= ranges[i].first && code <= ranges[i].last) {
            return 1;
        }
    }
    return 0;
}

/* Unicode's East Asian Width W and F, and its marks without a width, as far as people type them. */
static int width_of(uint32_t code)
{
    static const struct range none[] = {
        {0x300, 0x36f}, {0x483, 0x489}, {0x591, 0x5bd}, {0x610, 0x61a}, {0x64b, 0x65f},
        {0x200b, 0x200f}, {0x20d0, 0x20f0}, {0x302a, 0x302d}, {0x3099, 0x309a}, {0xfe00, 0xfe0f},
        {0xfe20, 0xfe2f}, {0xfeff, 0xfeff}, {0xe0100, 0xe01ef},
    };
    static const struct range wide[] = {
        {0x1100, 0x115f}, {0x2e80, 0x303e}, {0x3041, 0xa4cf}, {0xac00, 0xd7a3}, {0xf900, 0xfaff},
        {0xfe30, 0xfe6f}, {0xff00, 0xff60}, {0xffe0, 0xffe6}, {0x1f300, 0x1f64f},
        {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
    };

    return in_ranges(code, none, sizeof(none) / sizeof(*none)) ? 0
           : 1 + in_ranges(code, wide, sizeof(wide) / sizeof(*wide));
}

int screen_character(const char *text, size_t size, int *columns)
{
    unsigned char first = (unsigned char)text[0];
    int more = first >= 0xf0 && first < 0xf5 ? 3 : first >= 0xe0 ? 2 : 1;
    uint32_t code = first & (0x3fu >> more);

    if (first < 0x80) {
        *columns = first >= ' ' && first != 127 ? 1 : -1;
        return 1;
    }
    *columns = -1;
    if (first < 0xc2 || first >= 0xf5) {
        return 1;
    }
    for (int i = 1; i <= more; i++) {
        if ((size_t)i >= size || ((unsigned char)text[i] & 0xc0) != 0x80) {
            return i; /* it is not whole */
        }
        code = code << 6 | ((unsigned char)text[i] & 0x3f);
    }
    *columns = width_of(code);
    return more + 1;
}

struct place {
    int row, column, width;
};

/* Print the text and follow where that leads. */
static void draw_text(struct place *place, const char *text, size_t size)
{
    for (size_t at = 0; at < size;) {
        int columns, bytes = screen_character(text + at, size - at, &columns);

        if (place->column + (columns < 0 ? 1 : columns) > place->width) {
            printf("\n");
            place->row++;
            place->column = 0;
        }
        if (columns < 0) {
            putchar('?');
        } else {
            printf("%.*s", bytes, text + at);
        }
        place->column += columns < 0 ? 1 : columns;
        at += (size_t)bytes;
    }
    if (place->column == place->width) { /* terminals differ in where the cursor is then */
        printf("\n");
        place->row++;
        place->column = 0;
    }
}

void screen_draw(const char *prompt, const char *text, size_t size, size_t cursor)
{
    struct place place = {.width = screen_width()}, at_cursor;

    if (cursor_row > 0) {
        printf("\033[%dA", cursor_row);
    }
    printf("\r\033[J");
    draw_text(&place, prompt, strlen(prompt));
    draw_text(&place, text, cursor);
    at_cursor = place;
    draw_text(&place, text + cursor, size - cursor);
    end_column = cursor == size ? place.column : -1;
    if (cursor < size) {
        if (place.row > at_cursor.row) {
            printf("\033[%dA", place.row - at_cursor.row);
        }
        printf("\r");
        if (at_cursor.column > 0) {
            printf("\033[%dC", at_cursor.column);
        }
    }
    cursor_row = at_cursor.row;
    fflush(stdout);
}

int screen_append(const char *text, size_t size)
{
    int columns, bytes = screen_character(text, size, &columns);

    if (end_column < 0 || columns < 0 || (size_t)bytes != size ||
        end_column + columns >= screen_width()) {
        return 0;
    }
    printf("%.*s", bytes, text);
    end_column += columns;
    fflush(stdout);
    return 1;
}

void screen_leave(void)
{
    printf("\n");
    fflush(stdout);
    cursor_row = 0;
}

void screen_clear(void)
{
    printf("\033[H\033[2J");
    cursor_row = 0;
}
