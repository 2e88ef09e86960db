/* Single instructions of the processor, and what CPUID says it can do. */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

#include "lib/types.h"

enum {
    MSR_APIC_BASE = 0x1b, MSR_TSC_DEADLINE = 0x6e0,
    MSR_STAR = 0xc0000081, MSR_LSTAR = 0xc0000082, MSR_SFMASK = 0xc0000084,
    MSR_FS_BASE = 0xc0000100, MSR_GS_BASE = 0xc0000101, MSR_KERNEL_GS_BASE = 0xc0000102,
};
#define MSR_EFER 0xc0000080u
#define EFER_SCE (1u << 0)
#define EFER_NXE (1u << 11)

#define RFLAGS_CF (1u << 0)
#define RFLAGS_TF (1u << 8)
#define RFLAGS_IF (1u << 9)
#define RFLAGS_DF (1u << 10)
#define RFLAGS_AC (1u << 18)

#define CR0_WP (1u << 16)
#define CR4_PGE (1u << 7)
#define CR4_OSFXSR (1u << 9)
#define CR4_OSXMMEXCPT (1u << 10)
#define CR4_UMIP (1u << 11)
#define CR4_FSGSBASE (1u << 16)
#define CR4_SMEP (1u << 20)
#define CR4_SMAP (1u << 21)

/* Filled once by cpu_init() of the first CPU. */
extern struct cpu_features {
    bool smap, smep, umip, fsgsbase, tsc_deadline, huge_1g, hypervisor;
} cpu_features;

/* Set CR0/CR4/EFER bits, the syscall MSRs and cpu_features. */
void cpu_init(void);

static inline void cpuid(uint32_t leaf, uint32_t sub, uint32_t out[4])
{
    __asm__ volatile("cpuid" : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
                     : "a"(leaf), "c"(sub));
}

static inline uint64_t rdmsr(uint32_t msr)
{
    uint32_t low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                     : "memory");
}

static inline uint64_t rdtsc(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

#define CPU_REGISTER(name)                                                                     \
    static inline uint64_t read_##name(void)                                                   \
    {                                                                                          \
        uint64_t value;                                                                        \
        __asm__ volatile("mov %%" #name ", %0" : "=r"(value) : : "memory");                    \
        return value;                                                                          \
    }                                                                                          \
    static inline void write_##name(uint64_t value)                                            \
    {                                                                                          \
        __asm__ volatile("mov %0, %%" #name : : "r"(value) : "memory");                        \
    }
CPU_REGISTER(cr0)
CPU_REGISTER(cr2)
CPU_REGISTER(cr3)
CPU_REGISTER(cr4)

static inline void invlpg(vaddr_t address)
{
    __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

static inline uint64_t read_rflags(void)
{
    uint64_t flags;

    __asm__ volatile("pushfq; popq %0" : "=r"(flags) : : "memory");
    return flags;
}

static inline void irq_enable(void)
{
    __asm__ volatile("sti" : : : "memory");
}

static inline void irq_disable(void)
{
    __asm__ volatile("cli" : : : "memory");
}

static inline bool irq_enabled(void)
{
    return read_rflags() & RFLAGS_IF;
}

/* Switch interrupts off; the result goes to irq_restore(). */
static inline uint64_t irq_save(void)
{
    uint64_t flags = read_rflags();

    irq_disable();
    return flags;
}

static inline void irq_restore(uint64_t flags)
{
    if (flags & RFLAGS_IF) {
        irq_enable();
    }
}

/* Enable interrupts and sleep until one comes, with nothing lost between the two. */
static inline void cpu_idle(void)
{
    __asm__ volatile("sti; hlt" : : : "memory");
}

static inline void cpu_pause(void)
{
    __asm__ volatile("pause" : : : "memory");
}

/* Open and close the window in which the kernel may touch user pages (SMAP). */
static inline void stac(void)
{
    if (cpu_features.smap) {
        __asm__ volatile("stac" : : : "memory");
    }
}

static inline void clac(void)
{
    if (cpu_features.smap) {
        __asm__ volatile("clac" : : : "memory");
    }
}

/* The FPU and SSE state, 512 bytes aligned to 16. */
static inline void fxsave(void *area)
{
    __asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}

static inline void fxrstor(const void *area)
{
    __asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
}

static inline uint64_t fs_base_read(void)
{
    uint64_t base;

    if (!cpu_features.fsgsbase) {
        return rdmsr(MSR_FS_BASE);
    }
    __asm__ volatile("rdfsbase %0" : "=r"(base));
    return base;
}

static inline void fs_base_write(uint64_t base)
{
    if (!cpu_features.fsgsbase) {
        wrmsr(MSR_FS_BASE, base);
        return;
    }
    __asm__ volatile("wrfsbase %0" : : "r"(base));
}

#define CPU_PORT(suffix, type)                                                                 \
    static inline type in##suffix(uint16_t port)                                               \
    {                                                                                          \
        type value;                                                                            \
        __asm__ volatile("in %1, %0" : "=a"(value) : "Nd"(port));                              \
        return value;                                                                          \
    }                                                                                          \
    static inline void out##suffix(uint16_t port, type value)                                  \
    {                                                                                          \
        __asm__ volatile("out %0, %1" : : "a"(value), "Nd"(port));                             \
    }
CPU_PORT(b, uint8_t)
CPU_PORT(w, uint16_t)
CPU_PORT(l, uint32_t)

#endif
