/* See user_state.h. Segments and bases: Intel SDM volume 3, section 3.4.4; FXSAVE: volume 1, 10.5. */
#include "arch/user_state.h"

#include "lib/log.h"

/* All zero but for what FNINIT and a reset leave: x87 control word 0x37f, MXCSR 0x1f80. */
static const struct user_state initial = {
    .fpu = {[0] = 0x7f, [1] = 0x03, [24] = 0x80, [25] = 0x1f},
};

uint64_t user_fs_base(void)
{
    uint64_t base;

    if (!cpu_features.fsgsbase) {
        return rdmsr(MSR_FS_BASE);
    }
    __asm__ volatile("rdfsbase %0" : "=r"(base));
    return base;
}

/* The MSR is the user's base as long as nobody is between two swapgs: see user_segments_switch. */
uint64_t user_gs_base(void)
{
    return rdmsr(MSR_KERNEL_GS_BASE);
}

static void fs_base_write(uint64_t base)
{
    if (cpu_features.fsgsbase) {
        __asm__ volatile("wrfsbase %0" : : "r"(base));
    } else {
        wrmsr(MSR_FS_BASE, base);
    }
}

/* Between the two swapgs the kernel has no data of its CPU, so no interrupt may come. */
static void gs_selector_load(uint16_t selector)
{
    __asm__ volatile("swapgs\n\tmovl %0, %%gs\n\tswapgs" : : "r"((uint32_t)selector) : "memory");
}

/* The bases last: loading a selector changes its base. */
static void segments_load(const struct user_state *next)
{
    assert(!irq_enabled());
    __asm__ volatile("movl %0, %%ds\n\tmovl %1, %%es\n\tmovl %2, %%fs"
                     : : "r"((uint32_t)next->selectors.ds), "r"((uint32_t)next->selectors.es),
                       "r"((uint32_t)next->selectors.fs));
    gs_selector_load(next->selectors.gs);
    fs_base_write(next->fs_base);
    wrmsr(MSR_KERNEL_GS_BASE, next->gs_base);
}

void user_segments_finish(struct user_state *prev, const struct user_state *next)
{
    assert_irqs_off();
    if (!cpu_features.fsgsbase) {
        prev->fs_base = rdmsr(MSR_FS_BASE);
        prev->gs_base = rdmsr(MSR_KERNEL_GS_BASE);
    }
    segments_load(next);
}

void user_fs_base_set(uint64_t base)
{
    __asm__ volatile("movl %0, %%fs" : : "r"(0));
    fs_base_write(base);
}

void user_gs_base_set(uint64_t base)
{
    uint64_t flags = irq_save();

    gs_selector_load(0);
    wrmsr(MSR_KERNEL_GS_BASE, base);
    irq_restore(flags);
}

void user_state_save(struct user_state *state)
{
    fxsave(state->fpu);
    state->fs_base = user_fs_base();
    state->gs_base = user_gs_base();
    user_selectors_save(state);
}

/* From read-only memory, not by way of the task's own: a switch in between would save over that. */
void user_state_reset(void)
{
    uint64_t flags = irq_save();

    segments_load(&initial);
    irq_restore(flags);
    user_fpu_reset();
}

void user_fpu_reset(void)
{
    fxrstor(initial.fpu);
}

bool user_fpu_load(const uint8_t fpu[512])
{
    uint8_t own[512] __attribute__((aligned(16)));
    uint32_t mask, mxcsr = *(const uint32_t *)(fpu + 24);

    fxsave(own);
    mask = *(uint32_t *)(own + 28);
    if (mxcsr & ~(mask ? mask : 0xffbf)) { /* volume 1, section 11.6.6: FXRSTOR would fault */
        return false;
    }
    fxrstor(fpu);
    return true;
}
