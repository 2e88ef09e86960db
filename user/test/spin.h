/*
 * To be busy at little cost: QEMU's translator makes nothing of a nop, but its clock, which counts
 * instructions (--icount), counts them. A second of these turns costs the host some 30 ms.
 */
#ifndef TEST_SPIN_H
#define TEST_SPIN_H

static inline void spin_turn(void)
{
    __asm__ volatile(".rept 4000; nop; .endr");
}

#endif
