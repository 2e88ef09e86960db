/*
 * What of the processor belongs to user mode and is not in the trap frame: the bases of FS and GS,
 * the selectors of ds, es, fs and gs, and the registers of the x87 and SSE units.
 *
 * While a task runs all that is in the processor, where user mode changes it without asking
 * (wrgsbase, mov ds); the task's struct holds it while others run. Kernel threads have no use for
 * any of it: they carry bases and selectors of the task before them, which costs less than to ask.
 *
 * In the kernel swapgs has put the user's GS base away (MSR_KERNEL_GS_BASE).
 */
#ifndef ARCH_USER_STATE_H
#define ARCH_USER_STATE_H

#include "arch/cpu.h"

struct user_state {
    uint64_t fs_base, gs_base;
    union {
        struct {
            uint16_t ds, es, fs, gs;
        };
        uint64_t all;
    } selectors;
    uint8_t fpu[512] __attribute__((aligned(16))); /* as FXSAVE64 has it */
};

/* Copy what the running task has, for a new one. Like all up to the selectors it is about the current
 * task, and a switch in the middle does no harm: the state moves with the task. */
void user_state_save(struct user_state *state);
/* Load what a program starts with. */
void user_state_reset(void);

/* The FPU and SSE registers alone: load what is in kernel memory, aligned to 16 (false, and nothing is
 * loaded: its MXCSR is impossible); or what a program starts with. */
bool user_fpu_load(const uint8_t fpu[512]);
void user_fpu_reset(void);

static inline void fxsave(uint8_t area[512])
{
    __asm__ volatile("fxsave64 %0" : "=m"(*(uint8_t (*)[512])area));
}

static inline void fxrstor(const uint8_t area[512])
{
    __asm__ volatile("fxrstor64 %0" : : "m"(*(const uint8_t (*)[512])area));
}

/* As arch_prctl(2) has it; below USER_TOP. The selector becomes 0, for it would bring its own base. */
void user_fs_base_set(uint64_t base);
void user_gs_base_set(uint64_t base);
uint64_t user_fs_base(void);
uint64_t user_gs_base(void);

static inline void user_selectors_save(struct user_state *state)
{
    __asm__ volatile("movw %%ds, %0\n\tmovw %%es, 2+%0\n\tmovw %%fs, 4+%0\n\tmovw %%gs, 6+%0"
                     : "=m"(state->selectors));
}

/* The rest of user_segments_switch, where selectors differ or the CPU has no wrgsbase. Interrupts
 * off. */
void user_segments_finish(struct user_state *prev, const struct user_state *next)
    __attribute__((cold));

/* Put selectors and bases of `prev` away, and load those of `next`. Interrupts are off. */
static inline void user_segments_switch(struct user_state *prev, const struct user_state *next)
{
    user_selectors_save(prev);
    if (likely(cpu_features.fsgsbase)) {
        __asm__ volatile("rdfsbase %0\n\twrfsbase %2\n\t"
                         "swapgs\n\trdgsbase %1\n\twrgsbase %3\n\tswapgs"
                         : "=&r"(prev->fs_base), "=&r"(prev->gs_base)
                         : "r"(next->fs_base), "r"(next->gs_base) : "memory");
        if (likely(prev->selectors.all == next->selectors.all)) {
            return;
        }
    }
    user_segments_finish(prev, next);
}

#endif
