/* Names of the kernel's functions, for backtraces. */
#ifndef ARCH_SYMBOLS_H
#define ARCH_SYMBOLS_H

/* The name of the function around `address` and the distance into it, or NULL. Both: any context. */
const char *symbol_find(unsigned long address, unsigned long *offset);
/* Print "  WHAT: function+offset [address]". */
void symbol_print(const char *what, const void *address);

#endif
