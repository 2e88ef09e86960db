/* Control registers and the syscall MSRs (Intel SDM volume 3, sections 2.5 and 5.8.8). */
#include "arch/cpu.h"

#include "arch/percpu.h"
#include "arch/spinlock.h"
#include "arch/trap.h"

struct cpu_features cpu_features;

void cpu_init(void)
{
    uint32_t r[4];
    uint64_t cr4 = read_cr4() | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT;

    cpuid(1, 0, r);
    cpu_features.tsc_deadline = r[2] >> 24 & 1;
    cpu_features.hypervisor = r[2] >> 31;
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
    write_cr0((read_cr0() | CR0_WP | 2) & ~(1ul << 2 | 1ul << 3)); /* MP, no EM, no TS */
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE | EFER_NXE);
    wrmsr(MSR_STAR, (uint64_t)SELECTOR_KERNEL_CODE << 32 | (uint64_t)0x23 << 48);
    wrmsr(MSR_LSTAR, (uint64_t)syscall_entry);
    wrmsr(MSR_SFMASK, RFLAGS_IF | RFLAGS_DF | RFLAGS_TF | RFLAGS_AC | RFLAGS_CF);
}

void spin_wait(struct spinlock *lock)
{
    uint32_t holder;

    if (spin_is_held(lock)) {
        panic("spinlock %p: this CPU holds it already", (void *)lock);
    }
    do {
        while (__atomic_load_n(&lock->holder, __ATOMIC_RELAXED)) {
            cpu_pause();
        }
        holder = 0;
    } while (!__atomic_compare_exchange_n(&lock->holder, &holder, this_cpu(lock_token), false,
                                          __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
}
