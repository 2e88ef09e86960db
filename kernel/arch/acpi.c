/* The few ACPI tables we need (ACPI 6.5, sections 5.2.5 to 5.2.12): MADT, FADT, and \_S5. */
#include "arch/apic.h"

#include "arch/boot.h"
#include "arch/paging.h"
#include "lib/log.h"
#include "lib/string.h"

struct acpi_info acpi_info = {.lapic = 0xfee00000, .ioapic = 0xfec00000};

struct __attribute__((packed)) table {
    char signature[4];
    uint32_t length;
    uint8_t rest[28];
};

static uint32_t acpi_read32(const void *at)
{
    uint32_t value;

    memcpy(&value, at, 4);
    return value;
}

static const uint8_t *find_rsdp(paddr_t start, paddr_t end)
{
    for (paddr_t at = start; at < end; at += 16) {
        const uint8_t *p = phys_to_virt(at);

        if (memcmp(p, "RSD PTR ", 8) == 0) {
            return p;
        }
    }
    return NULL;
}

static void read_madt(const struct table *madt)
{
    const uint8_t *at = (const uint8_t *)madt + 44, *end = (const uint8_t *)madt + madt->length;

    acpi_info.lapic = acpi_read32((const uint8_t *)madt + 36);
    for (; at + 2 <= end && at[1]; at += at[1]) {
        if (at[0] == 0 && (acpi_read32(at + 4) & 1) && acpi_info.cpus < 64) { /* a local APIC */
            acpi_info.cpu_ids[acpi_info.cpus++] = at[3];
        } else if (at[0] == 1) { /* the IOAPIC */
            acpi_info.ioapic = acpi_read32(at + 4);
            acpi_info.ioapic_base = acpi_read32(at + 8);
        } else if (at[0] == 2 && at[3] < 16) { /* an ISA line that goes elsewhere */
            acpi_info.irq_gsi[at[3]] = acpi_read32(at + 4);
            acpi_info.irq_flags[at[3]] = (uint16_t)(at[8] | at[9] << 8);
        }
    }
}

/* \_S5 is a package of small integers; finding its name is enough without an AML interpreter. */
static void read_fadt(const struct table *fadt)
{
    const uint8_t *bytes = (const uint8_t *)fadt;
    const struct table *dsdt = phys_to_virt(acpi_read32(bytes + 40));
    const uint8_t *at = (const uint8_t *)dsdt, *end = at + dsdt->length - 12;

    acpi_info.pm1a_control = (uint16_t)acpi_read32(bytes + 64);
    acpi_info.pm1b_control = (uint16_t)acpi_read32(bytes + 68);
    for (; at < end; at++) {
        if (memcmp(at, "_S5_\x12", 5) == 0) {
            const uint8_t *p = at + 7 + (at[5] >> 6); /* PkgLength, NumElements */

            acpi_info.s5_a = *p == 0x0a ? *++p : *p;
            acpi_info.s5_b = p[1] == 0x0a ? p[2] : p[1];
        }
    }
}

void acpi_init(void)
{
    const uint8_t *rsdp = find_rsdp(0xe0000, 0x100000);
    const struct table *rsdt;

    for (uint32_t i = 0; i < 16; i++) {
        acpi_info.irq_gsi[i] = i;
    }
    if (!rsdp) {
        printk("acpi: no tables; one CPU, default devices\n");
        acpi_info.cpus = 1;
        return;
    }
    rsdt = phys_to_virt(acpi_read32(rsdp + 16));
    for (uint32_t i = 0; i < (rsdt->length - 36) / 4; i++) {
        const struct table *table = phys_to_virt(acpi_read32((const uint8_t *)rsdt + 36 + i * 4));

        if (memcmp(table->signature, "APIC", 4) == 0) {
            read_madt(table);
        } else if (memcmp(table->signature, "FACP", 4) == 0) {
            read_fadt(table);
        }
    }
}
