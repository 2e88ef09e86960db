/* Each CPU's own data, its GDT and its TSS (Intel SDM volume 3, sections 3.4.5 and 8.7). */
#include "arch/percpu.h"

#include "arch/cpu.h"
#include "arch/frame.h"
#include "lib/string.h"

struct cpu cpus[CPU_MAX];
uint32_t cpu_count = 1;

_Static_assert(offsetof(struct cpu, current_task) == 8, "frame.inc: CPU_CURRENT");
_Static_assert(offsetof(struct cpu, user_rsp) == 16, "frame.inc: CPU_USER_RSP");
_Static_assert(offsetof(struct cpu, need_resched) == 24, "frame.inc: CPU_WORK");
_Static_assert(offsetof(struct cpu, user_work) == 25, "frame.inc: CPU_WORK, its first two bytes");
_Static_assert(offsetof(struct cpu, exact) == 26, "frame.inc: CPU_EXACT");
_Static_assert(offsetof(struct cpu, preempt_count) == 28, "frame.inc: CPU_PREEMPT_COUNT");
_Static_assert(offsetof(struct cpu, unused) == 27, "frame.inc: CPU_WORK is four bytes");
_Static_assert(offsetof(struct cpu, tss) == 164, "frame.inc: CPU_TSS");

#define IST_SIZE 8192
/* Stacks of the double fault and of the NMI. */
static char ist_stacks[CPU_MAX][2][IST_SIZE] __attribute__((aligned(16)));

static void gdt_init(struct cpu *cpu)
{
    uint64_t tss = (uint64_t)&cpu->tss;
    struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } pointer = {sizeof(cpu->gdt) - 1, (uint64_t)cpu->gdt};

    cpu->gdt[1] = 0x00af9a000000ffff; /* kernel code, 64 bit */
    cpu->gdt[2] = 0x00cf92000000ffff; /* kernel data */
    cpu->gdt[4] = 0;                  /* 32-bit user code, which sysret counts on: there is none */
    cpu->gdt[5] = 0x00cff2000000ffff; /* user data */
    cpu->gdt[6] = 0x00affa000000ffff; /* user code, 64 bit */
    cpu->gdt[8] = 0x0000890000000000 | (sizeof(struct tss) - 1) | (tss & 0xffffff) << 16 |
                  (tss >> 24 & 0xff) << 56;
    cpu->gdt[9] = tss >> 32;
    __asm__ volatile("lgdt %0\n\t"
                     "pushq %1\n\t"
                     "leaq 1f(%%rip), %%rax\n\t"
                     "pushq %%rax\n\t"
                     "lretq\n"
                     "1:\tmovl %2, %%eax\n\t"
                     "movl %%eax, %%ss\n\t"
                     "xorl %%eax, %%eax\n\t"
                     "movl %%eax, %%ds\n\t"
                     "movl %%eax, %%es\n\t"
                     "lldt %%ax\n\t" /* after a reset the LDT is the first 64 KiB of memory */
                     "ltr %3"
                     : : "m"(pointer), "i"(SELECTOR_KERNEL_CODE), "i"(SELECTOR_KERNEL_DATA),
                       "r"((uint16_t)0x40) : "rax", "memory");
}

void percpu_init(uint32_t id)
{
    struct cpu *cpu = &cpus[id];

    cpu->self = cpu;
    cpu->id = id;
    cpu->lock_token = id + 1;
    cpu->timer_deadline = KTIME_NEVER;
    cpu->tss.ist[0] = (uint64_t)ist_stacks[id][0] + IST_SIZE;
    cpu->tss.ist[1] = (uint64_t)ist_stacks[id][1] + IST_SIZE;
    cpu->tss.iomap = sizeof(struct tss);
    gdt_init(cpu);
    wrmsr(MSR_GS_BASE, (uint64_t)cpu);
    wrmsr(MSR_KERNEL_GS_BASE, 0);
}

void preempt_check(void)
{
    if (this_cpu(preempt_count) == 0 && (read_rflags() & RFLAGS_IF)) {
        sched_preempt();
    }
}
