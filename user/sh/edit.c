/*
 * The line editor: arrows, Home, End, ^A ^E ^B ^F ^K ^U ^W ^L, history by arrows and ^R, completion by
 * Tab. The terminal is raw only while a line is edited, and one byte is read at a time, so what
 * is typed ahead stays for the program that runs next.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "sh.h"

#define LINE_MAX 4096

enum { CONTROL_A = 1, CONTROL_B, CONTROL_C, CONTROL_D, CONTROL_E, CONTROL_F, CONTROL_G, BACKSPACE,
       TAB, CONTROL_K = 11, CONTROL_L, CONTROL_N = 14, CONTROL_P = 16, CONTROL_R = 18, CONTROL_U = 21,
       CONTROL_W = 23, ESCAPE = 27, DELETE = 127 };
enum { GO_ON, LINE_DONE, INPUT_ENDS };

static char line[LINE_MAX];
static size_t length, cursor;
static int back; /* how far in the history; 0: a new line */
static const char *line_prompt;

char *read_line(int fd)
{
    static char *text;
    static size_t size;
    size_t used = 0;
    char c = 0;
    ssize_t got;

    while ((got = read(fd, &c, 1)) == 1 || (got < 0 && errno == EINTR && !interrupted)) {
        if (got < 0) {
            continue;
        }
        if (used + 2 > size) {
            size = size ? size * 2 : 128;
            text = realloc(text, size);
        }
        if (c == '\n') {
            break;
        }
        text[used++] = c;
    }
    if (got <= 0 && used == 0) {
        return NULL;
    }
    text[used] = '\0';
    return text;
}

static int read_key(void)
{
    unsigned char c;
    ssize_t got;

    while ((got = read(0, &c, 1)) < 0 && errno == EINTR) {
    }
    return got == 1 ? c : -1;
}

static void show(void)
{
    screen_draw(line_prompt, line, length, cursor);
}

/* Changing the line */

static void insert(const char *text, size_t size)
{
    if (length + size >= LINE_MAX) {
        putchar('\a'); /* full */
        return;
    }
    memmove(line + cursor + size, line + cursor, length - cursor);
    memcpy(line + cursor, text, size);
    cursor += size;
    length += size;
}

static void erase(size_t from, size_t to)
{
    memmove(line + from, line + to, length - to);
    length -= to - from;
    cursor = from;
}

static void replace(const char *text)
{
    length = cursor = 0;
    insert(text, strlen(text));
}

/* Where the character before or behind `at` begins and ends, with the accents on it. */
static size_t before(size_t at)
{
    int columns;

    do {
        while (at > 0 && ((unsigned char)line[--at] & 0xc0) == 0x80) {
        }
        screen_character(line + at, length - at, &columns);
    } while (at > 0 && columns == 0);
    return at;
}

static size_t behind(size_t at)
{
    int columns = 0, bytes = at < length ? screen_character(line + at, length - at, &columns) : 0;

    do {
        at += (size_t)bytes;
        bytes = at < length ? screen_character(line + at, length - at, &columns) : 0;
    } while (bytes && columns == 0);
    return at;
}

static size_t word_before(size_t at)
{
    while (at > 0 && line[at - 1] == ' ') {
        at--;
    }
    while (at > 0 && line[at - 1] != ' ') {
        at--;
    }
    return at;
}

static size_t word_behind(size_t at)
{
    while (at < length && line[at] == ' ') {
        at++;
    }
    while (at < length && line[at] != ' ') {
        at++;
    }
    return at;
}

static void take_history(int step)
{
    const char *entry = history_entry(back + step);

    if (back + step == 0) {
        entry = "";
    }
    if (entry) {
        back += step;
        replace(entry);
    }
}

/* Completion */

static void list_names(char **names, size_t count)
{
    size_t widest = 1, columns;

    for (size_t i = 0; i < count; i++) {
        widest = strlen(names[i]) > widest ? strlen(names[i]) : widest;
    }
    columns = 79 / (widest + 2) ? 79 / (widest + 2) : 1;
    screen_leave();
    for (size_t i = 0; i < count; i++) {
        int last = (i + 1) % columns == 0 || i + 1 == count;

        printf("%-*s%s", last ? 0 : (int)widest + 2, names[i], last ? "\n" : "");
    }
}

/* Where the word before the cursor begins; a space behind a backslash belongs to it. */
static size_t word_start(void)
{
    size_t start = cursor;

    while (start > 0 && (!strchr(" ;|&<>(=", line[start - 1]) || (start > 1 && line[start - 2] == '\\'))) {
        start--;
    }
    return start;
}

/* A part of a name, so that the shell reads all of it as one word. */
static void insert_name(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (strchr(" \"'\\$&;|<>()*?[#`", text[i])) {
            insert("\\", 1);
        }
        insert(text + i, 1);
    }
}

static void complete(void)
{
    size_t start = word_start(), typed = 0, common, count;
    char **names;

    line[length] = '\0';
    count = complete_word(line, start, cursor, &names);
    if (count == 0) {
        return;
    }
    for (size_t at = cursor; at > start && line[at - 1] != '/'; at--) {
        typed += line[at - 1] != '\\';
    }
    common = strlen(names[0]);
    for (size_t i = 1; i < count; i++) {
        while (strncmp(names[0], names[i], common) != 0) {
            common--;
        }
    }
    if (count > 1 && common == typed) {
        list_names(names, count);
        return;
    }
    insert_name(names[0] + typed, common - typed);
    if (count == 1 && line[cursor - 1] != '/') {
        insert(" ", 1);
    }
}

/* Keys */

/* ^R: the newest line that has in it what is typed; ^R again: an older one. */
static int search(void)
{
    char wanted[128] = "", prompt[160];
    size_t size = 0;
    int at = 1, c;

    for (;;) {
        const char *found = history_entry(at);

        while (found && !strstr(found, wanted)) {
            found = history_entry(++at);
        }
        if (found && size) {
            replace(found);
        }
        snprintf(prompt, sizeof(prompt), "(search) %s%s: ", wanted, found ? "" : " [no older one]");
        screen_draw(prompt, line, length, length);
        c = read_key();
        if (c == CONTROL_R) {
            at += found != NULL;
        } else if ((c == DELETE || c == BACKSPACE) && size > 0) {
            wanted[--size] = '\0';
            at = 1;
        } else if (c >= ' ' && c != DELETE && size + 1 < sizeof(wanted)) {
            wanted[size++] = (char)c;
            wanted[size] = '\0';
        } else {
            break;
        }
    }
    cursor = length;
    return c;
}

/* After ESC: [ and O begin the keys that have names; a letter is one with Alt. */
static void escape(void)
{
    char arguments[16] = "";
    size_t size = 0;
    int c = read_key();

    if (c == 'b' || c == 'f') {
        cursor = c == 'b' ? word_before(cursor) : word_behind(cursor);
        return;
    }
    if (c != '[' && c != 'O') {
        return;
    }
    while ((c = read_key()) >= ' ' && c < '@') {
        if (size + 1 < sizeof(arguments)) {
            arguments[size++] = (char)c;
        }
    }
    if (c == '~') { /* a number says which key: 1 or 7 Home, 4 or 8 End, 3 Delete */
        c = strchr("17", arguments[0]) ? 'H' : strchr("48", arguments[0]) ? 'F'
            : arguments[0] == '3' ? DELETE : 0;
    }
    switch (c) {
    case 'A': take_history(1); break;
    case 'B': take_history(-1); break;
    case 'C': cursor = strstr(arguments, ";5") ? word_behind(cursor) : behind(cursor); break;
    case 'D': cursor = strstr(arguments, ";5") ? word_before(cursor) : before(cursor); break;
    case 'H': cursor = 0; break;
    case 'F': cursor = length; break;
    case DELETE: erase(cursor, behind(cursor)); break;
    }
}

static int key(int c)
{
    switch (c) {
    case '\r':
    case '\n':
        return LINE_DONE;
    case CONTROL_C:
        cursor = length;
        show();
        printf("^C");
        length = 0;
        interrupted = 1;
        return LINE_DONE;
    case CONTROL_D:
        if (length == 0) {
            return INPUT_ENDS;
        }
        erase(cursor, behind(cursor));
        break;
    case DELETE:
    case BACKSPACE: erase(before(cursor), cursor); break;
    case CONTROL_A: cursor = 0; break;
    case CONTROL_E: cursor = length; break;
    case CONTROL_B: cursor = before(cursor); break;
    case CONTROL_F: cursor = behind(cursor); break;
    case CONTROL_K: length = cursor; break;
    case CONTROL_U: erase(0, cursor); break;
    case CONTROL_W: erase(word_before(cursor), cursor); break;
    case CONTROL_P: take_history(1); break;
    case CONTROL_N: take_history(-1); break;
    case CONTROL_L: screen_clear(); break;
    case CONTROL_R:
        c = search();
        show();
        return key(c);
    case TAB: complete(); break;
    case ESCAPE: escape(); break;
    case CONTROL_G: break;
    case -1: return INPUT_ENDS;
    }
    return GO_ON;
}

/* A character, which may be of several bytes: shown when it is whole. */
static void type(int c)
{
    static size_t begun; /* where it starts */
    char byte = (char)c;
    int columns, at_end = cursor == length;

    if ((c & 0xc0) != 0x80 || begun >= cursor) {
        begun = cursor;
    }
    insert(&byte, 1);
    if (begun >= cursor) {
        return; /* full */
    }
    screen_character(line + begun, cursor - begun, &columns);
    if (columns < 0 && (c & 0x80)) {
        return; /* there is more to come */
    }
    if (!at_end || !screen_append(line + begun, cursor - begun)) {
        show();
    }
}

char *edit_line(const char *prompt)
{
    struct termios saved, modes;
    int state = GO_ON;

    if (tcgetattr(0, &saved)) {
        return read_line(0);
    }
    modes = saved;
    modes.c_iflag &= ~(unsigned)(ICRNL | IXON);
    modes.c_lflag &= ~(unsigned)(ICANON | ECHO | ISIG | IEXTEN);
    modes.c_cc[VMIN] = 1;
    modes.c_cc[VTIME] = 0;
    tcsetattr(0, TCSADRAIN, &modes);
    line_prompt = prompt;
    length = cursor = 0;
    back = 0;
    show();
    while (state == GO_ON) {
        int c = read_key();

        if (c >= ' ' && c != DELETE) {
            type(c);
            continue;
        }
        state = key(c);
        if (state == GO_ON) {
            show();
        }
    }
    if (cursor < length) {
        cursor = length;
        show(); /* what comes next is printed below all of it */
    }
    screen_leave();
    tcsetattr(0, TCSADRAIN, &saved);
    line[length] = '\0';
    history_add(line);
    return state == INPUT_ENDS ? NULL : line;
}
