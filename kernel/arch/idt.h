/* The table by which the CPU finds the entry of each vector. */
#ifndef ARCH_IDT_H
#define ARCH_IDT_H

/* Fill the one IDT and load it, at boot, after cpu_init; each further CPU loads it. */
void idt_init(void);
void idt_load(void);

#endif
