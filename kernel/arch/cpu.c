/* Control registers and the syscall MSRs (Intel SDM volume 3, sections 2.5 and 5.8.8). */
#include "arch/cpu.h"

#include "arch/frame.h"
#include "arch/vector.h"
#include "lib/log.h"

struct cpu_features cpu_features;

/* What there is no way without; CPUID 1 and 0x80000001, edx (SDM volume 2, CPUID). */
static void cpu_check(void)
{
    static const struct {
        uint32_t leaf, bit;
        const char *name;
    } needed[] = {
        {1, 4, "TSC"}, {1, 9, "APIC"}, {1, 13, "PGE"}, {1, 24, "FXSR"}, {1, 26, "SSE2"},
        {0x80000001, 11, "SYSCALL"},
    };
    uint32_t r[4];

    for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
        cpuid(needed[i].leaf, 0, r);
        if (!(r[3] >> needed[i].bit & 1)) {
            panic("this CPU has no %s: Baton needs it", needed[i].name);
        }
    }
}

/* All bits that the kernel does not use are off, whatever the firmware left. No OSXSAVE: then AVX
 * and protection keys raise #UD, and no task has state that FXSAVE does not save. */
void cpu_init(void)
{
    uint32_t r[4];
    uint64_t cr4 = CR4_PAE | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT;

    cpu_check();
    cpuid(7, 0, r);
    cpu_features.fsgsbase = r[1] & 1;
    cpu_features.smep = r[1] >> 7 & 1;
    cpu_features.smap = r[1] >> 20 & 1;
    cpu_features.umip = r[2] >> 2 & 1;
    cpuid(0x80000001, 0, r);
    cpu_features.huge_1g = r[3] >> 26 & 1;
    cr4 |= cpu_features.fsgsbase ? CR4_FSGSBASE : 0;
    cr4 |= cpu_features.smep ? CR4_SMEP : 0;
    cr4 |= cpu_features.smap ? CR4_SMAP : 0;
    cr4 |= cpu_features.umip ? CR4_UMIP : 0;
    write_cr4(cr4);
    /* NE: an x87 error is a fault, not an interrupt. AM: AC in RFLAGS has its meaning. */
    write_cr0(CR0_PG | CR0_AM | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_PE);
    write_dr7(DR7_NOTHING);
    write_dr6(DR6_NOTHING);
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE | EFER_NXE);
    wrmsr(MSR_STAR, (uint64_t)SELECTOR_KERNEL_CODE << 32 | (uint64_t)0x23 << 48);
    wrmsr(MSR_LSTAR, (uint64_t)syscall_entry);
    /* Nothing of user mode's flags survives: NT would make iretq fault, AC switch SMAP off. */
    wrmsr(MSR_SFMASK, RFLAGS_STATUS | RFLAGS_TF | RFLAGS_IF | RFLAGS_DF | RFLAGS_IOPL | RFLAGS_NT |
                          RFLAGS_RF | RFLAGS_AC | RFLAGS_ID);
    /* sysenter raises #GP. A 32-bit syscall would go to MSR_CSTAR, but there is no 32-bit code. */
    wrmsr(MSR_SYSENTER_CS, 0);
}
