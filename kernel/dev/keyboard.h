/* The PS/2 keyboard as a source of bytes: US layout, ANSI sequences for the arrows. */
#ifndef DEV_KEYBOARD_H
#define DEV_KEYBOARD_H

#include "lib/types.h"

void keyboard_init(void);
/* Upcall, defined in tty/console.c, interrupts off; what there is no room for is lost. */
void keyboard_receive(int byte);

#endif
