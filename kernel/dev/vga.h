/* The 80x25 text screen, with the ANSI sequences the shell needs. Output bytes as they come. */
#ifndef DEV_VGA_H
#define DEV_VGA_H

#include "lib/types.h"

void vga_init(void);
void vga_write(const char *buffer, size_t size); /* any context; \n also returns the carriage */

#endif
