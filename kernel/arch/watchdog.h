/*
 * QEMU's watchdog "ib700": it sends an NMI if nobody has put it off for two seconds, so somebody
 * kept interrupts off for as long. Without the device its ports do nothing.
 */
#ifndef ARCH_WATCHDOG_H
#define ARCH_WATCHDOG_H
#include "arch/cpu.h"

#define WATCHDOG_START 0x443 /* ports; the time counts down from 30 s in steps of two */
#define WATCHDOG_STOP 0x441
#define WATCHDOG_2S 14

static inline void watchdog_put_off(void)
{
    outb(WATCHDOG_START, WATCHDOG_2S);
}

static inline void watchdog_stop(void)
{
    outb(WATCHDOG_STOP, 0);
}

#endif
