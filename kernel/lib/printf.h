/* Formatted text into a buffer: %d %i %u %x %X %o %c %s %p %%, flags 0 - +, width, .precision, *, l ll z h. */
#ifndef LIB_PRINTF_H
#define LIB_PRINTF_H
#include <stdarg.h>
#include "lib/types.h"
/* At most size - 1 bytes and a terminator. Returns the length the whole text needs. */
int vsnprintf(char *buffer, size_t size, const char *format, va_list args);
int snprintf(char *buffer, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
#endif
