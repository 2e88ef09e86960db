/* Single instructions of the processor, and what CPUID says it can do. */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

#include "lib/log.h"
#include "lib/types.h"

enum {
    MSR_SYSENTER_CS = 0x174, MSR_STAR = 0xc0000081, MSR_LSTAR = 0xc0000082, MSR_SFMASK = 0xc0000084,
    MSR_FS_BASE = 0xc0000100, MSR_GS_BASE = 0xc0000101, MSR_KERNEL_GS_BASE = 0xc0000102,
};
#define MSR_EFER 0xc0000080u
#define EFER_SCE (1u << 0)
#define EFER_NXE (1u << 11)

/* SDM volume 3, figure 2-5. */
#define RFLAGS_STATUS 0x8d5u /* CF, PF, AF, ZF, SF, OF: of the last sum */
#define RFLAGS_TF (1u << 8)
#define RFLAGS_IF (1u << 9)
#define RFLAGS_DF (1u << 10)
#define RFLAGS_IOPL (3u << 12)
#define RFLAGS_NT (1u << 14)
#define RFLAGS_RF (1u << 16)
#define RFLAGS_AC (1u << 18)
#define RFLAGS_ID (1u << 21)

/* SDM volume 3, section 2.5. */
#define CR0_PE (1u << 0)
#define CR0_MP (1u << 1)
#define CR0_ET (1u << 4)
#define CR0_NE (1u << 5)
#define CR0_WP (1u << 16)
#define CR0_AM (1u << 18)
#define CR0_PG (1u << 31)
#define CR4_PAE (1u << 5)
#define CR4_PGE (1u << 7)
#define CR4_OSFXSR (1u << 9)
#define CR4_OSXMMEXCPT (1u << 10)
#define CR4_UMIP (1u << 11)
#define CR4_FSGSBASE (1u << 16)
#define CR4_SMEP (1u << 20)
#define CR4_SMAP (1u << 21)

/* Filled by cpu_init(); all CPUs are alike. */
extern struct cpu_features {
    bool smap, smep, umip, fsgsbase, huge_1g;
} cpu_features;

#define DR6_BS (1u << 14)          /* a single step (TF); SDM volume 3, section 17.2.3 */
#define DR6_NOTHING 0xffff0ff0u    /* what never clears itself, cleared */
#define DR7_NOTHING 0x400u

/* Set this CPU's control and debug registers, EFER, the syscall MSRs, and cpu_features. Interrupts off.
 * Panics if the CPU lacks what the kernel needs. */
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
CPU_REGISTER(dr6)
CPU_REGISTER(dr7)

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

/* Let those come that are pending: sti holds them back for one instruction more (SDM volume 2, STI). */
static inline void irq_enable_once(void)
{
    __asm__ volatile("sti; nop; cli" : : : "memory");
}

static inline void irq_disable(void)
{
    __asm__ volatile("cli" : : : "memory");
}

static inline bool irq_enabled(void)
{
    return read_rflags() & RFLAGS_IF;
}

/* At the mouth of what needs the one or the other: in the debug build. */
#define assert_irqs_off() debug_assert(!irq_enabled())
#define assert_irqs_on() debug_assert(irq_enabled())

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
