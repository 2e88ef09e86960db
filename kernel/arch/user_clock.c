/* The clock of user mode: how it is switched on. What it does is in user_clock.asm. */
#include "arch/user_clock.h"

#include "arch/apic.h"
#include "arch/cpu.h"
#include "arch/idt.h"
#include "arch/vector.h"

#define NOPS 1000
#define SLACK 10 /* what the compiler may put in between */

void user_clock_init(void)
{
    user_clock_timer = lapic_register(LAPIC_TIMER_INITIAL);
    idt_replace(user_clock_table);
    wrmsr(MSR_LSTAR, (uint64_t)user_clock_syscall);
}

bool user_clock_is_exact(void)
{
    uint64_t flags = irq_save(), once, twice, start;

    start = rdtsc();
    __asm__ volatile(".rept %c0\n\tnop\n\t.endr" : : "i"(NOPS));
    once = rdtsc() - start;
    start = rdtsc();
    __asm__ volatile(".rept %c0\n\tnop\n\t.endr" : : "i"(2 * NOPS));
    twice = rdtsc() - start;
    irq_restore(flags);
    return twice - once + SLACK - NOPS <= 2 * SLACK;
}
