/* The PS/2 keyboard as a source of bytes: US layout, ANSI sequences for the arrows. */
#ifndef DEV_KEYBOARD_H
#define DEV_KEYBOARD_H

#include "lib/types.h"

void keyboard_init(void);
/* Called with interrupts off; a byte it refuses (false) is lost, as on a real keyboard. */
void keyboard_set_receiver(bool (*receiver)(int byte));

#endif
