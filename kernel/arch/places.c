/* The places in the kernel: how they are patched. What a place does is in places.asm. */
#include "arch/places.h"

#include "arch/cpu.h"
#include "lib/log.h"
#include "lib/string.h"

#define SITE_SIZE 8

extern const uint64_t places_start[], places_end[]; /* of PREEMPT_SITE: percpu.h, boot/kernel.ld */

/* `incl %gs:ADDRESS` or `decl`: 65 ff 04 25 or 65 ff 0c 25, and the address (SDM volume 2, INC). It becomes
 * a call (e8) and a nop of three bytes (0f 1f 00). */
static void place_patch(uint8_t *site)
{
    uint64_t to = site[2] == 0x04 ? (uint64_t)places_disable : (uint64_t)places_enable;
    uint8_t code[SITE_SIZE] = {0xe8, [5] = 0x0f, 0x1f, 0x00};
    int32_t distance = (int32_t)(to - ((uint64_t)site + 5));

    assert(site[0] == 0x65 && site[1] == 0xff && site[3] == 0x25);
    memcpy(code + 1, &distance, sizeof(distance));
    memcpy(site, code, sizeof(code));
}

void places_patch(void)
{
    static bool patched;
    uint64_t flags = irq_save(), cr0 = read_cr0();

    write_cr0(cr0 & ~(uint64_t)CR0_WP); /* or the kernel's code could not be written */
    for (const uint64_t *site = places_start; site < places_end && !patched; site++) {
        place_patch((uint8_t *)*site);
    }
    write_cr0(cr0);
    patched = true;
    irq_restore(flags);
}
