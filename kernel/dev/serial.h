/* The two serial ports: 0 is the console, 1 is the wire to tools/run. */
#ifndef DEV_SERIAL_H
#define DEV_SERIAL_H

#include "lib/types.h"

#define SERIAL_PORTS 2

void serial_init(void); /* polled output works after this */
void serial_irq_init(void);

/* Write all of it, in one piece; any context. */
void serial_write(int port, const char *buffer, size_t size);

/*
 * Upcall, defined in tty/console.c: a byte has come; interrupts off. False for "no room": the byte is
 * kept and the UART holds its sender back until serial_poll(port).
 */
bool serial_receive(int port, int byte);
void serial_poll(int port);

/* Log sinks. */
void serial_log_console(const char *text, size_t size);
void serial_log_wire(const char *text, size_t size);

#endif
