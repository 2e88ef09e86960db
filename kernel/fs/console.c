/* The two terminals of the machine and the devices behind them. */
#include "dev/keyboard.h"
#include "dev/serial.h"
#include "dev/vga.h"
#include "fs/device.h"
#include "fs/tty.h"
#include "sched/task.h"

#define TTY_AUX_MAJOR 5
#define TTY_MAJOR 4
#define SERIAL_MINOR 64

static struct tty console, wire;

static void console_output(const char *bytes, size_t size)
{
    serial_write(0, bytes, size);
    vga_write(bytes, size);
}

static void wire_output(const char *bytes, size_t size)
{
    serial_write(1, bytes, size);
}

static bool console_receive(int byte)
{
    return tty_receive(&console, byte);
}

static bool wire_receive(int byte)
{
    return tty_receive(&wire, byte);
}

static void console_resume(void)
{
    serial_poll(0);
}

static void wire_resume(void)
{
    serial_poll(1);
}

struct tty *tty_find(uint64_t rdev)
{
    if (rdev == device_number(TTY_AUX_MAJOR, 0)) {
        return current->group->tty;
    }
    return rdev == device_number(TTY_MAJOR, SERIAL_MINOR + 1) ? &wire : &console;
}

void console_init(void)
{
    tty_init(&console, console_output, console_resume);
    tty_init(&wire, wire_output, wire_resume);
    /* Init has it before the first program starts, so no program can say anything in its name. */
    wire.alone = true;
    device_register(TTY_AUX_MAJOR, 0, "tty", 0666, &tty_file_ops);
    device_register(TTY_AUX_MAJOR, 1, "console", 0600, &tty_file_ops);
    device_register(TTY_MAJOR, SERIAL_MINOR, "ttyS0", 0660, &tty_file_ops);
    device_register(TTY_MAJOR, SERIAL_MINOR + 1, "ttyS1", 0660, &tty_file_ops);
    serial_set_receiver(0, console_receive);
    serial_set_receiver(1, wire_receive);
    keyboard_set_receiver(console_receive);
}
