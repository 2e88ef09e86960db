/*
 * The text screen at 0xb8000: 80 columns, 25 rows, and the ANSI sequences of ECMA-48 we use.
 *
 * Its memory has room for 204 rows, and a register of the card says which of them is the first that is
 * shown. So to scroll is to show the rows one further down. Only at the end of the memory are they
 * copied, back to its beginning: each byte of it is as slow as a device is, and slower in an emulator.
 */
#include "dev/vga.h"

#include "arch/cpu.h"
#include "arch/paging.h"
#include "arch/spinlock.h"
#include "lib/log.h"
#include "lib/string.h"

#define COLUMNS 80
#define ROWS 25
#define MEMORY_ROWS (0x8000 / (COLUMNS * 2))
/* Registers of the card, by their number at the first port and their value at the second. */
#define INDEX_PORT 0x3d4
#define VALUE_PORT 0x3d5
#define FIRST_SHOWN 12 /* two of eight bits, the upper ones first; both count cells */
#define CURSOR 14

static struct spinlock lock = SPINLOCK_INIT; /* protects all below; a leaf */
static uint16_t *memory;
static uint16_t *screen; /* the first row of `memory` that is shown */
static int row, column;
static uint8_t color = 7;
static bool bright;
static int state; /* 0 text, 1 after ESC, 2 in a sequence */
static int numbers[4], number_count;
static bool alone, full; /* a panic has begun at the top of the screen; it has reached the bottom */

static void vga_register(int number, size_t cell)
{
    outb(INDEX_PORT, (uint8_t)number);
    outb(VALUE_PORT, (uint8_t)(cell >> 8));
    outb(INDEX_PORT, (uint8_t)(number + 1));
    outb(VALUE_PORT, (uint8_t)cell);
}

static void vga_clear(int from, int to)
{
    for (int i = from; i < to; i++) {
        screen[i] = (uint16_t)(color << 8 | ' ');
    }
}

/* The lowest row is empty then. What has been scrolled away is empty, too, once all is copied. */
static void vga_scroll(void)
{
    if (screen + ROWS * COLUMNS < memory + MEMORY_ROWS * COLUMNS) {
        screen += COLUMNS;
    } else {
        memcpy(memory, screen + COLUMNS, (ROWS - 1) * COLUMNS * 2);
        screen = memory;
        vga_clear(ROWS * COLUMNS, MEMORY_ROWS * COLUMNS);
    }
    vga_clear((ROWS - 1) * COLUMNS, ROWS * COLUMNS);
    vga_register(FIRST_SHOWN, (size_t)(screen - memory));
}

/* In a panic nothing is scrolled away: its beginning says what is wrong, and the log has the rest. */
static void new_line(void)
{
    if (log_alone && row == ROWS - 1) {
        full = true;
    } else if (++row == ROWS) {
        vga_scroll();
        row = ROWS - 1;
    }
}

static void set_color(int n)
{
    static const uint8_t ansi_to_vga[8] = {0, 4, 2, 6, 1, 5, 3, 7};

    if (n == 0) {
        color = 7;
        bright = false;
    } else if (n == 1) {
        bright = true;
    } else if (n == 7) {
        color = (uint8_t)(color << 4 | color >> 4);
    } else if (n >= 30 && n <= 37) {
        color = (uint8_t)((color & 0xf0) | ansi_to_vga[n - 30]);
    } else if (n >= 40 && n <= 47) {
        color = (uint8_t)((color & 0x0f) | ansi_to_vga[n - 40] << 4);
    } else if (n == 39) {
        color = (uint8_t)((color & 0xf0) | 7);
    }
    if (bright) {
        color |= 8;
    }
}

static int vga_limit(int value, int max)
{
    if (value < 0) {
        return 0;
    }
    return value > max ? max : value;
}

static void vga_sequence(char end)
{
    int first = numbers[0] ? numbers[0] : 1, at = row * COLUMNS + column;

    switch (end) {
    case 'A': row = vga_limit(row - first, ROWS - 1); break;
    case 'B': row = vga_limit(row + first, ROWS - 1); break;
    case 'C': column = vga_limit(column + first, COLUMNS - 1); break;
    case 'D': column = vga_limit(column - first, COLUMNS - 1); break;
    case 'G': column = vga_limit(first - 1, COLUMNS - 1); break;
    case 'H':
        row = vga_limit(first - 1, ROWS - 1);
        column = vga_limit((numbers[1] ? numbers[1] : 1) - 1, COLUMNS - 1);
        break;
    case 'J': vga_clear(numbers[0] == 2 ? 0 : at, ROWS * COLUMNS); break;
    case 'K': vga_clear(at, (row + 1) * COLUMNS); break;
    case 'm':
        for (int i = 0; i <= number_count; i++) {
            set_color(numbers[i]);
        }
        break;
    default: break;
    }
}

static void vga_put(char c)
{
    if (state == 1) {
        state = c == '[' ? 2 : 0;
        memset(numbers, 0, sizeof(numbers));
        number_count = 0;
    } else if (state == 2) {
        if (c >= '0' && c <= '9') {
            numbers[number_count] = numbers[number_count] * 10 + c - '0';
        } else if (c == ';') {
            number_count = vga_limit(number_count + 1, 3);
        } else if (c >= '@') {
            vga_sequence(c);
            state = 0;
        }
    } else if (c == 27) {
        state = 1;
    } else if (c == '\n') {
        column = 0;
        new_line();
    } else if (c == '\r') {
        column = 0;
    } else if (c == '\b') {
        column = vga_limit(column - 1, COLUMNS - 1);
    } else if (c == '\t') {
        column = vga_limit((column + 8) & ~7, COLUMNS - 1);
    } else if ((unsigned char)c >= ' ') {
        if (column == COLUMNS) {
            column = 0;
            new_line();
        }
        screen[row * COLUMNS + column++] = (uint16_t)(color << 8 | (unsigned char)c);
    }
}

/* Of the memory, all of it empty. */
static void vga_show_beginning(void)
{
    screen = memory;
    vga_clear(0, MEMORY_ROWS * COLUMNS);
    vga_register(FIRST_SHOWN, 0);
}

void vga_write(const char *buffer, size_t size)
{
    uint64_t flags = irq_save();

    if (!log_alone) {
        spin_lock(&lock);
    }
    if (screen && log_alone && !alone) {
        alone = true;
        row = column = state = 0;
        color = 7;
        vga_show_beginning();
    }
    for (size_t i = 0; screen && !full && i < size; i++) {
        vga_put(buffer[i]);
    }
    vga_register(CURSOR, (size_t)(screen - memory + row * COLUMNS + column));
    if (!log_alone) {
        spin_unlock(&lock);
    }
    irq_restore(flags);
}

void vga_init(void)
{
    memory = phys_to_virt(0xb8000);
    vga_show_beginning();
}
