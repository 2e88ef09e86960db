/* The two terminals of the machine and the devices behind them. */
#include "dev/keyboard.h"
#include "dev/serial.h"
#include "dev/vga.h"
#include "fs/device.h"
#include "sched/task.h"
#include "tty/tty.h"

#define TTY_AUX_MAJOR 5
#define TTY_MAJOR 4
#define SERIAL_MINOR 64

static struct tty console, wire;

static void console_output(struct tty *tty, const char *bytes, size_t size)
{
    serial_write(tty == &wire, bytes, size);
    if (tty == &console) {
        vga_write(bytes, size);
    }
}

static void console_resume(struct tty *tty)
{
    serial_poll(tty == &wire);
}

static const struct tty_device console_device = {
    .output = console_output, .resume_input = console_resume,
};

bool serial_receive(int port, int byte)
{
    return tty_receive(port == 0 ? &console : &wire, byte);
}

void keyboard_receive(int byte)
{
    (void)tty_receive(&console, byte);
}

void console_init(void)
{
    tty_init(&console, &console_device, device_number(TTY_MAJOR, SERIAL_MINOR));
    tty_init(&wire, &console_device, device_number(TTY_MAJOR, SERIAL_MINOR + 1));
    /* Init has it before the first program starts, so no program can say anything in its name. */
    wire.alone = true;
    device_register(TTY_AUX_MAJOR, 0, "tty", 0666, &tty_own_file_ops, NULL);
    device_register(TTY_AUX_MAJOR, 1, "console", 0600, &tty_file_ops, &console);
    device_register(TTY_MAJOR, SERIAL_MINOR, "ttyS0", 0660, &tty_file_ops, &console);
    device_register(TTY_MAJOR, SERIAL_MINOR + 1, "ttyS1", 0660, &tty_file_ops, &wire);
}
