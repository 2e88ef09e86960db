/* The local APIC (timer, IPIs, end of interrupt), the IOAPIC, and the ACPI tables they are in. */
#ifndef ARCH_APIC_H
#define ARCH_APIC_H

#include "lib/types.h"

/* From the MADT and FADT; defaults of the PC where they are missing. */
extern struct acpi_info {
    paddr_t lapic, ioapic;
    uint32_t ioapic_base;       /* the first global interrupt of the IOAPIC */
    uint32_t cpu_ids[64], cpus; /* LAPIC ids of usable CPUs */
    uint32_t irq_gsi[16];       /* ISA line -> global interrupt */
    uint16_t irq_flags[16];
    uint16_t pm1a_control, pm1b_control, s5_a, s5_b;
} acpi_info;

/* Fill acpi_info. At boot, before the rest here: that is where the devices are. */
void acpi_init(void);
/* Mask the old PIC, map the local APIC, switch it on; lapic_init_cpu is a further CPU's part of it. */
void lapic_init(void);
void lapic_init_cpu(void);
/* From an interrupt's handler: the next one may come. */
void lapic_eoi(void);
/* Interrupt the CPU with local APIC `id`: by a vector, by INIT, STARTUP at `page`. They wait until the
 * APIC has taken the request, not until the other CPU has. Any context. */
void lapic_send_ipi(uint32_t id, int vector);
void lapic_send_init(uint32_t id);
void lapic_send_startup(uint32_t id, paddr_t page);
void lapic_nmi_others(void); /* NMI to all others: see nmi_dispatch */
uint32_t lapic_id(void);     /* of this CPU */
/* A register of this CPU's local APIC: one of LAPIC_*, below. */
uint32_t lapic_read(uint32_t reg);
void lapic_write(uint32_t reg, uint32_t value);
volatile uint32_t *lapic_register(uint32_t reg); /* where it is */
/* Has this CPU's local APIC an interrupt with this vector for it, which is not taken yet? */
bool lapic_is_pending(uint32_t vector);
/* Map the IOAPIC and mask all its lines. */
void ioapic_init(void);
/* Send ISA line `irq` to `vector` on the first CPU, and unmask it. */
void ioapic_route(int irq, int vector);

enum {
    LAPIC_ID = 0x20, LAPIC_TPR = 0x80, LAPIC_EOI = 0xb0, LAPIC_SPURIOUS = 0xf0,
    LAPIC_IRR = 0x200, LAPIC_ICR_LOW = 0x300, LAPIC_ICR_HIGH = 0x310, LAPIC_TIMER = 0x320, LAPIC_LINT0 = 0x350,
    LAPIC_LINT1 = 0x360, LAPIC_ERROR = 0x370, LAPIC_TIMER_INITIAL = 0x380,
    LAPIC_TIMER_CURRENT = 0x390, LAPIC_TIMER_DIVIDE = 0x3e0,
};

#endif
