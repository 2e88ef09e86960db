/* The interrupt descriptor table: a gate for each vector, to its entry in trap.asm. */
#include "arch/idt.h"

#include "arch/cpu.h"
#include "arch/frame.h"

bool cpu_clac_needed;

/* A gate of the IDT, SDM volume 3, figure 6-8. */
static struct {
    uint16_t offset_low, selector;
    uint8_t ist, type;
    uint16_t offset_middle;
    uint32_t offset_high, reserved;
} idt[256];
extern const uint64_t trap_table[256];

static void idt_set_stub(int vector, uint64_t stub)
{
    idt[vector].offset_low = (uint16_t)stub;
    idt[vector].offset_middle = (uint16_t)(stub >> 16);
    idt[vector].offset_high = (uint32_t)(stub >> 32);
}

void idt_replace(const uint64_t stubs[256])
{
    for (int i = 0; i < 256; i++) {
        if (i != 2 && i != 8) {
            idt_set_stub(i, stubs[i]);
        }
    }
}

void idt_init(void)
{
    for (int i = 0; i < 256; i++) {
        idt_set_stub(i, trap_table[i]);
        idt[i].selector = SELECTOR_KERNEL_CODE;
        idt[i].type = i == 3 || i == 4 ? 0xee : 0x8e; /* interrupt gates; int 3 and 4 are for all */
        idt[i].ist = i == 8 ? 1 : i == 2 ? 2 : 0;
    }
    cpu_clac_needed = cpu_features.smap;
    idt_load();
}

void idt_load(void)
{
    struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } pointer = {sizeof(idt) - 1, (uint64_t)idt};

    __asm__ volatile("lidt %0" : : "m"(pointer));
}
