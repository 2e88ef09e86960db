/*
 * Lab 2's kernel test `floating`: switch_to leaves the registers of the FPU alone. schedule() has saved
 * them and loaded those of the next task before it calls switch_to, so they are the next task's already.
 */
#include "arch/cpu.h"
#include "arch/user_state.h"
#include "stacks.h"

#define ROUNDS 20
#define FPU_SIZE 416 /* of FXSAVE's 512 bytes; the rest is not the CPU's (SDM volume 1, table 10-2) */

static struct task here, there;
static uint8_t floating_stack[STACK_SIZE] __attribute__((aligned(16)));
static uint8_t before[512] __attribute__((aligned(16))), after[512] __attribute__((aligned(16)));

static void floating_look(void)
{
    for (;;) {
        fxsave(after);
        switch_to(&there, &here);
    }
}

/* The control word, MXCSR with a way of rounding of its own, and xmm0 to xmm15. */
static void floating_fill(uint64_t seed, uint64_t round)
{
    uint64_t *xmm = (uint64_t *)(before + 160);

    fxsave(before);
    *(uint16_t *)before = (uint16_t)(0x37f | (round & 3) << 10);
    *(uint32_t *)(before + 24) = (uint32_t)(0x1f80 | (round & 3) << 13);
    for (uint64_t i = 0; i < 32; i++) {
        xmm[i] = lab_number(seed, round << 8 | i);
    }
    fxrstor(before);
    fxsave(before);
}

static bool floating_kept(uint64_t *sum)
{
    for (int i = 0; i < FPU_SIZE; i++) {
        LAB_EXPECT(before[i] == after[i],
                   "step 3: switch_to needs none of the FPU's registers, and saves none: that is done before",
                   "the FPU's state as it was, 0x%02x at byte %d of FXSAVE's area", "0x%02x", before[i], i,
                   after[i]);
    }
    for (int i = 0; i < 32; i++) {
        *sum += ((uint64_t *)(after + 160))[i];
    }
    return true;
}

static bool floating(uint64_t seed)
{
    static uint8_t own[512] __attribute__((aligned(16)));
    uint64_t flags, sum = 0;
    bool right = true;

    stack_prepare(&there, floating_stack, floating_look);
    flags = irq_save();
    fxsave(own);
    for (uint64_t round = 0; round < ROUNDS && right; round++) {
        floating_fill(seed, round);
        switch_to(&here, &there);
        right = floating_kept(&sum);
        fxsave(after); /* nor on the way back */
        right = right && floating_kept(&sum);
    }
    fxrstor(own);
    irq_restore(flags);
    printk("lab: value xmm 0x%lx\n", sum);
    return right;
}
LAB_TEST(floating);
