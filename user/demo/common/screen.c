/*
 * What a lesson shows: colours and pictures that move where standard output is a terminal, plain
 * lines without an escape code where it is not. No meaning is in the colour alone.
 */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "lesson.h"

#define FRAME_NS 50000000
#define PICTURE_ROWS 14 /* what the highest picture needs */
#define HIDE_CURSOR "\033[?25l"
#define SHOW_CURSOR "\033[?25h"

static bool silent, colours;
static bool terminal; /* where a picture can move: it fits, and none of its lines is broken in two */
static int columns = PICTURE_COLUMNS;
static void (*picture)(void);
static pid_t painter;
static volatile int *over;  /* shared: the painter is to end */
static bool in_picture;     /* what is said belongs to the picture */
static int picture_lines;

void screen_start(bool json)
{
    static char buffer[16384]; /* a picture goes out in one write, or it would flicker */
    const char *term = getenv("TERM"), *none = getenv("NO_COLOR");
    struct winsize size = {0};

    setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
    silent = json;
    terminal = !json && isatty(1) && term && *term && strcmp(term, "dumb") != 0;
    colours = terminal && !(none && *none);
    if (isatty(1) && ioctl(1, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        columns = size.ws_col < 20 ? 20 : size.ws_col;
        terminal &= size.ws_col >= PICTURE_COLUMNS && size.ws_row >= PICTURE_ROWS;
    }
}

int screen_columns(void)
{
    return columns;
}

void say(const char *format, ...)
{
    char text[1024];
    va_list args;

    if (silent) {
        return;
    }
    va_start(args, format);
    vsnprintf(text, sizeof(text), translate(format), args);
    va_end(args);
    for (const char *at = text; *at; at++) {
        if (*at == '\n' && in_picture) {
            picture_lines++;
            fputs(terminal ? "\033[K" : "", stdout); /* nothing of the older picture stays */
        }
        putchar(*at);
    }
    if (!in_picture) {
        fflush(stdout);
    }
}

const char *paint(enum colour colour)
{
    static const char *const codes[] = {
        [PLAIN] = "\033[0m", [BOLD] = "\033[1m", [DIM] = "\033[2m", [RED] = "\033[31m",
        [GREEN] = "\033[32m", [YELLOW] = "\033[33m", [BLUE] = "\033[34m", [CYAN] = "\033[36m",
    };

    return colours ? codes[colour] : "";
}

const char *bar(double share, int width)
{
    static char texts[4][96];
    static int next;
    char *text = texts[next++ % 4];
    int full = (int)(share * width + 0.5);

    full = full < 0 ? 0 : full > width ? width : full;
    full = share > 0 && full == 0 ? 1 : full; /* something is not nothing */
    memset(text, '#', (size_t)full);
    memset(text + full, ' ', (size_t)(width - full));
    text[width] = '\0';
    return text;
}

const char *duration(double ns)
{
    static const char *const units[] = {"ns", "us", "ms", "s"};
    static char texts[8][16];
    static int next;
    char *text = texts[next++ % 8];
    int unit = 0;

    while (unit < 3 && ns >= 999.5) {
        ns /= 1000;
        unit++;
    }
    snprintf(text, sizeof(texts[0]), "%.*f %s", ns >= 99.95 ? 0 : ns >= 9.995 ? 1 : 2, ns,
             units[unit]);
    return text;
}

static void draw_picture(void)
{
    if (picture_lines) {
        printf("\r\033[%dA", picture_lines);
    }
    picture_lines = 0;
    in_picture = true;
    picture();
    in_picture = false;
    fflush(stdout);
}

static void show_cursor(int number)
{
    (void)number;
    write(1, SHOW_CURSOR "\033[0m\n", sizeof(SHOW_CURSOR "\033[0m\n") - 1);
    _exit(0);
}

/* ^Z: the shell's prompt has its cursor, and the next frame hides it again. */
static void stop_with_cursor(int number)
{
    write(1, SHOW_CURSOR "\033[0m", sizeof(SHOW_CURSOR "\033[0m") - 1);
    signal(number, SIG_DFL);
    raise(number);
}

/* The painter's life: it ends when told, when interrupted, or when the lesson itself has died. */
static void paint_until_over(void)
{
    pid_t lesson = getppid();

    signal(SIGINT, show_cursor);
    signal(SIGTERM, show_cursor);
    while (!*over && getppid() == lesson) {
        signal(SIGTSTP, stop_with_cursor);
        fputs(HIDE_CURSOR, stdout);
        draw_picture();
        sleep_ns(FRAME_NS);
    }
    if (!*over) {
        show_cursor(0);
    }
    draw_picture();
    fputs(SHOW_CURSOR, stdout);
    fflush(stdout);
    _exit(0);
}

void live_begin(void (*draw)(void))
{
    picture = draw;
    picture_lines = 0;
    if (!terminal) {
        return;
    }
    over = over ? over : shared_memory(sizeof(*over));
    *over = 0;
    painter = lesson_fork();
    if (painter == 0) {
        paint_until_over();
    }
}

void live_end(void)
{
    if (painter > 0) {
        *over = 1;
        lesson_join(painter);
        painter = 0;
    } else if (!silent) {
        draw_picture();
    }
}

/* ---- Keys ---- */

static struct termios lines, keys; /* how the terminal was, and is while a lesson wants keys */
static bool keys_wanted;

static void keys_stop(int number)
{
    keys_end();
    signal(number, SIG_DFL);
    raise(number); /* it comes when this handler has returned */
}

static void keys_go_on(int number)
{
    (void)number;
    keys_begin();
}

void keys_begin(void)
{
    static const int ends[] = {SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGTSTP};

    if (tcgetattr(0, &lines)) {
        lesson_failed(translate("the terminal"));
    }
    keys = lines;
    keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    keys.c_cc[VMIN] = 1;
    keys.c_cc[VTIME] = 0;
    keys_wanted = true;
    for (size_t i = 0; i < COUNT(ends); i++) {
        signal(ends[i], keys_stop);
    }
    signal(SIGCONT, keys_go_on);
    tcsetattr(0, TCSANOW, &keys);
}

void keys_forget(void)
{
    tcsetattr(0, TCSAFLUSH, &keys);
}

void keys_end(void)
{
    if (keys_wanted) {
        tcsetattr(0, TCSANOW, &lines);
    }
    keys_wanted = false;
}
