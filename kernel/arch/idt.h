/* The table by which the CPU finds the entry of each vector. */
#ifndef ARCH_IDT_H
#define ARCH_IDT_H
#include "lib/types.h"

/* Fill the one IDT and load it, at boot, after cpu_init; each further CPU loads it. */
void idt_init(void);
void idt_load(void);
/* Have all vectors but the NMI's and the double fault's enter by these stubs instead. */
void idt_replace(const uint64_t stubs[256]);

#endif
