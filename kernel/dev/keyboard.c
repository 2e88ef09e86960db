/* The PS/2 keyboard, scan code set 1, US layout. */
#include "dev/keyboard.h"

#include "arch/cpu.h"
#include "arch/trap.h"

static bool shift, control, caps, extended;

static const char plain[] = "\0\0331234567890-=\177\tqwertyuiop[]\r\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[] = "\0\033!@#$%^&*()_+\177\tQWERTYUIOP{}\r\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";

static void keyboard_send(const char *text)
{
    while (*text) {
        keyboard_receive(*text++);
    }
}

static void keyboard_send_extended(uint8_t code)
{
    switch (code) {
    case 0x48: keyboard_send("\033[A"); break;
    case 0x50: keyboard_send("\033[B"); break;
    case 0x4d: keyboard_send("\033[C"); break;
    case 0x4b: keyboard_send("\033[D"); break;
    case 0x47: keyboard_send("\033[H"); break;
    case 0x4f: keyboard_send("\033[F"); break;
    case 0x53: keyboard_send("\033[3~"); break;
    case 0x1c: keyboard_send("\r"); break;
    default: break;
    }
}

static void keyboard_key(uint8_t scan)
{
    uint8_t code = scan & 0x7f;
    bool down = !(scan & 0x80), was_extended = extended;
    char c;

    extended = scan == 0xe0;
    if (extended) {
        return;
    }
    if (code == 0x2a || code == 0x36) {
        shift = down;
    } else if (code == 0x1d) {
        control = down;
    } else if (code == 0x3a && down) {
        caps = !caps;
    } else if (down && was_extended) {
        keyboard_send_extended(code);
    } else if (down && code < sizeof(plain) - 1) {
        c = plain[code];
        if (shift != (caps && c >= 'a' && c <= 'z')) {
            c = shifted[code];
        }
        if (control && ((c | 32) >= 'a' && (c | 32) <= 'z')) {
            c &= 31;
        }
        if (c) {
            keyboard_receive((unsigned char)c);
        }
    }
}

static void keyboard_interrupt(void *data)
{
    (void)data;
    while (inb(0x64) & 1) {
        keyboard_key(inb(0x60));
    }
}

void keyboard_init(void)
{
    for (int i = 0; i < 16 && (inb(0x64) & 1); i++) {
        inb(0x60);
    }
    irq_register(1, keyboard_interrupt, NULL);
}
