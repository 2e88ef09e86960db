/* The ways out of the machine: power off, restart, and what QEMU is told (tools/run knows the codes). */
#include "arch/exit.h"

#include "arch/apic.h"
#include "arch/boot.h"
#include "arch/cpu.h"
#include "lib/log.h"
#include "lib/string.h"

#define DEBUG_EXIT_PORT 0xf4

struct exit_registers exit_registers;

void machine_stop(void)
{
    for (;;) {
        irq_disable();
        __asm__ volatile("hlt");
    }
}

void machine_exit(enum machine_exit_code code)
{
    const char *exit = boot_option("exit");
    const uint64_t *frame = __builtin_frame_address(0);

    irq_disable();
    if (code == MACHINE_EXIT_PANIC || code == MACHINE_EXIT_TIMEOUT) {
        machine_last_words();
    }
    panic_alone(); /* how far the others run on until QEMU has ended would depend on the host */
    if (!exit_registers.rip) { /* otherwise a trap, which knows better */
        exit_registers.rip = frame[1] - 1; /* in the call, which may be a function's end */
        exit_registers.rsp = (uint64_t)(frame + 2);
        exit_registers.rbp = frame[0];
    }
    if (exit && strcmp(exit, "debug") == 0) {
        outl(DEBUG_EXIT_PORT, code);
        machine_stop();
    }
    if (code == MACHINE_EXIT_POWEROFF && acpi_info.pm1a_control) {
        outw(acpi_info.pm1a_control, (uint16_t)(acpi_info.s5_a << 10 | 1 << 13));
        if (acpi_info.pm1b_control) {
            outw(acpi_info.pm1b_control, (uint16_t)(acpi_info.s5_b << 10 | 1 << 13));
        }
    } else if (code == MACHINE_EXIT_RESTART) {
        outb(0x64, 0xfe); /* the keyboard controller pulls the reset line */
    }
    machine_stop();
}

void machine_poweroff(void)
{
    machine_exit(MACHINE_EXIT_POWEROFF);
}

void machine_restart(void)
{
    machine_exit(MACHINE_EXIT_RESTART);
}
