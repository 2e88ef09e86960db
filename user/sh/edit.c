/*
 * The line editor: arrows, ^A ^E ^K ^U ^W ^L, history, completion of file names by Tab. The
 * terminal is raw only while a line is edited, and one byte is read at a time, so what is typed
 * ahead stays for the program that runs next.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "sh.h"

#define LINE_MAX 1024
#define HISTORY_MAX 100

static char line[LINE_MAX];
static size_t length, cursor;
static char *history[HISTORY_MAX];
static int history_count;

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

static void show(const char *prompt)
{
    printf("\r%s%.*s\033[K", prompt, (int)length, line);
    if (cursor < length) {
        printf("\033[%zuD", length - cursor);
    }
    fflush(stdout);
}

static void insert(char c)
{
    if (length + 1 < LINE_MAX) {
        memmove(line + cursor + 1, line + cursor, length - cursor);
        line[cursor++] = c;
        length++;
    }
}

static void erase(size_t from, size_t to)
{
    memmove(line + from, line + to, length - to);
    length -= to - from;
    cursor = from;
}

static void take_history(int index)
{
    const char *text = index < history_count ? history[index] : "";

    length = cursor = strlen(text);
    memcpy(line, text, length);
}

static void remember(void)
{
    if (!length || (history_count && strcmp(history[history_count - 1], line) == 0)) {
        return;
    }
    if (history_count == HISTORY_MAX) {
        free(history[0]);
        memmove(history, history + 1, (HISTORY_MAX - 1) * sizeof(*history));
        history_count--;
    }
    history[history_count++] = strdup(line);
}

/* Complete the word before the cursor from the directory it names, or from /bin. */
static void complete(void)
{
    size_t start = cursor, common = 0;
    char directory[LINE_MAX] = "", found[256] = "";
    char *slash, word[LINE_MAX];
    int matches = 0;
    struct dirent *entry;
    DIR *dir;

    while (start > 0 && line[start - 1] != ' ') {
        start--;
    }
    memcpy(word, line + start, cursor - start);
    word[cursor - start] = '\0';
    slash = strrchr(word, '/');
    if (slash) {
        memcpy(directory, word, (size_t)(slash - word) + 1);
    }
    dir = opendir(slash ? directory : start == 0 ? "/bin" : ".");
    while (dir && (entry = readdir(dir))) {
        const char *base = slash ? slash + 1 : word;

        if (strncmp(entry->d_name, base, strlen(base)) != 0 || entry->d_name[0] == '.') {
            continue;
        }
        if (matches++ == 0) {
            strcpy(found, entry->d_name);
            common = strlen(found);
        }
        while (strncmp(found, entry->d_name, common) != 0) {
            common--;
        }
    }
    if (dir) {
        closedir(dir);
    }
    for (size_t i = strlen(slash ? slash + 1 : word); i < common; i++) {
        insert(found[i]);
    }
    if (matches == 1) {
        insert(' ');
    }
}

/* After ESC. Changes *at_history. */
static void escape(int *at_history)
{
    char c[3] = {0};

    if (read(0, c, 1) != 1 || (c[0] != '[' && c[0] != 'O') || read(0, c + 1, 1) != 1) {
        return;
    }
    if (isdigit(c[1])) {
        read(0, c + 2, 1);
    }
    if (c[1] == 'A' && *at_history > 0) {
        take_history(--*at_history);
    } else if (c[1] == 'B' && *at_history < history_count) {
        take_history(++*at_history);
    } else if (c[1] == 'C' && cursor < length) {
        cursor++;
    } else if (c[1] == 'D' && cursor > 0) {
        cursor--;
    } else if (c[1] == 'H') {
        cursor = 0;
    } else if (c[1] == 'F') {
        cursor = length;
    } else if (c[1] == '3' && cursor < length) {
        erase(cursor, cursor + 1);
        cursor = cursor > length ? length : cursor;
    }
}

/* One key. 1: the line is done, -1: the end of input. */
static int key(char c, int *at_history)
{
    size_t start = cursor;

    switch (c) {
    case '\r':
    case '\n':
        return 1;
    case 3: /* ^C */
        printf("^C");
        length = cursor = 0;
        return 1;
    case 4: /* ^D */
        if (length == 0) {
            return -1;
        }
        if (cursor < length) {
            erase(cursor, cursor + 1);
        }
        break;
    case 127:
    case '\b':
        if (cursor > 0) {
            erase(cursor - 1, cursor);
        }
        break;
    case 1: cursor = 0; break;
    case 5: cursor = length; break;
    case 11: length = cursor; break;
    case 21: erase(0, cursor); break;
    case 23:
        while (start > 0 && line[start - 1] == ' ') {
            start--;
        }
        while (start > 0 && line[start - 1] != ' ') {
            start--;
        }
        erase(start, cursor);
        break;
    case 12: printf("\033[H\033[2J"); break;
    case 9: complete(); break;
    case 27: escape(at_history); break;
    default:
        if ((unsigned char)c >= ' ') {
            insert(c);
        }
    }
    return 0;
}

char *edit_line(const char *prompt)
{
    struct termios saved, modes;
    int at_history = history_count, done = 0;
    char c;

    if (tcgetattr(0, &saved)) {
        return read_line(0);
    }
    modes = saved;
    modes.c_iflag &= ~(unsigned)(ICRNL | IXON);
    modes.c_lflag &= ~(unsigned)(ICANON | ECHO | ISIG | IEXTEN);
    modes.c_cc[VMIN] = 1;
    modes.c_cc[VTIME] = 0;
    tcsetattr(0, TCSADRAIN, &modes);
    length = cursor = 0;
    show(prompt);
    while (!done) {
        ssize_t got = read(0, &c, 1);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            done = -1;
            break;
        }
        if ((unsigned char)c >= ' ' && c != 127 && cursor == length) { /* the usual case */
            insert(c);
            putchar(c);
            fflush(stdout);
            continue;
        }
        done = key(c, &at_history);
        if (!done) {
            show(prompt);
        }
    }
    tcsetattr(0, TCSADRAIN, &saved);
    line[length] = '\0';
    printf("\n");
    fflush(stdout);
    remember();
    return done < 0 ? NULL : line;
}
