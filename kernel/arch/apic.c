/* The local APIC and the IOAPIC (Intel SDM volume 3, chapter 11; 82093AA data sheet). */
#include "arch/apic.h"

#include "arch/cpu.h"
#include "arch/paging.h"
#include "arch/percpu.h"
#include "arch/vector.h"

static volatile uint32_t *lapic, *ioapic;

uint32_t lapic_read(uint32_t reg)
{
    return lapic[reg / 4];
}

void lapic_write(uint32_t reg, uint32_t value)
{
    lapic[reg / 4] = value;
}

volatile uint32_t *lapic_register(uint32_t reg)
{
    return &lapic[reg / 4];
}

void lapic_init(void)
{
    /* The old interrupt controllers first: a request of theirs that is already on its way would
     * otherwise arrive after LINT0 is masked, as an interrupt without a vector. */
    outb(0x21, 0xff);
    outb(0xa1, 0xff);
    lapic = paging_map_device(acpi_info.lapic, 4096);
    lapic_init_cpu();
    cpu_self()->lapic_id = lapic_id();
}

void lapic_init_cpu(void)
{
    lapic_write(LAPIC_SPURIOUS, 0x100 | VECTOR_SPURIOUS);
    lapic_write(LAPIC_TPR, 0);
    lapic_write(LAPIC_LINT0, 0x10000);
    lapic_write(LAPIC_LINT1, 0x400); /* NMI */
    lapic_write(LAPIC_ERROR, 0x10000);
    lapic_write(LAPIC_TIMER_DIVIDE, 0xb); /* by 1 */
    lapic_write(LAPIC_TIMER, VECTOR_TIMER);
}

void lapic_eoi(void)
{
    lapic_write(LAPIC_EOI, 0);
}

bool lapic_is_pending(uint32_t vector)
{
    return lapic_read(LAPIC_IRR + vector / 32 * 0x10) >> vector % 32 & 1;
}

uint32_t lapic_id(void)
{
    return lapic_read(LAPIC_ID) >> 24;
}

/* The interrupt command register, SDM volume 3, section 11.6.1. */
static void lapic_send(uint32_t id, uint32_t command)
{
    uint64_t flags = irq_save(); /* an interrupt's own would come between the two halves */

    lapic_write(LAPIC_ICR_HIGH, id << 24);
    lapic_write(LAPIC_ICR_LOW, command);
    while (lapic_read(LAPIC_ICR_LOW) & 0x1000) { /* not accepted yet */
        cpu_pause();
    }
    irq_restore(flags);
}

void lapic_send_ipi(uint32_t id, int vector)
{
    lapic_send(id, 0x4000 | (uint32_t)vector);
}

void lapic_send_init(uint32_t id)
{
    lapic_send(id, 0x4500);
}

void lapic_send_startup(uint32_t id, paddr_t page)
{
    lapic_send(id, 0x4600 | (uint32_t)(page >> PAGE_SHIFT));
}

void lapic_nmi_others(void)
{
    lapic_send(0, 0xc4400); /* NMI to all but this one */
}

static void ioapic_write(uint32_t reg, uint32_t value)
{
    ioapic[0] = reg;
    ioapic[4] = value;
}

void ioapic_init(void)
{
    ioapic = paging_map_device(acpi_info.ioapic, 4096);
    for (uint32_t line = 0; line < 24; line++) {
        ioapic_write(0x10 + line * 2, 0x10000);
    }
}

void ioapic_route(int irq, int vector)
{
    uint32_t line = acpi_info.irq_gsi[irq] - acpi_info.ioapic_base;
    uint16_t flags = acpi_info.irq_flags[irq];
    uint32_t low = (uint32_t)vector;

    low |= (flags & 3) == 3 ? 1u << 13 : 0;  /* active low */
    low |= (flags & 12) == 12 ? 1u << 15 : 0; /* level */
    ioapic_write(0x11 + line * 2, lapic_id() << 24);
    ioapic_write(0x10 + line * 2, low);
}
