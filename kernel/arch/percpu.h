/*
 * What each CPU has of its own, reached through the GS base.
 *
 * this_cpu(field) is one instruction; it names the CPU the caller runs on at that moment, so the
 * caller keeps preemption off where that matters (`current` and `active_mm` move with the task).
 * Assembly knows the first fields by offset: kernel/arch/frame.inc, checked in percpu.c.
 */
#ifndef ARCH_PERCPU_H
#define ARCH_PERCPU_H

#include "arch/cpu.h"
#include "lib/lock_debug.h"
#include "lib/types.h"

#define CPU_MAX 16

struct task;
struct runqueue;
struct mm;
struct trace_ring;

struct __attribute__((packed)) tss {
    uint32_t reserved0;
    uint64_t rsp0; /* the kernel stack's top: for traps from user mode and for syscall */
    uint64_t rsp1, rsp2, reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3, iomap;
};

struct cpu {
    struct cpu *self;
    struct task *current_task;
    uint64_t user_rsp; /* scratch of syscall_entry */
    /* The four are one word for the assembly, the first two half of it: anything to do before user
     * mode? */
    bool need_resched; /* a better task waits: set by sched */
    bool user_work;    /* call signal_return_to_user, and reload every register from the frame */
    bool exact;        /* the current task's time in user mode is counted (user_clock.h) */
    bool unused;       /* never set */
    int32_t preempt_count;
    uint32_t lock_token; /* id + 1, what a spinlock that this CPU holds contains */
    uint32_t id, lapic_id;
    struct runqueue *rq;
    struct mm *active_mm; /* whose page tables are loaded; kernel threads borrow */
    struct task *idle;
    ktime_t timer_deadline; /* what the timer is set to; KTIME_NEVER: nothing */
    uint64_t gdt[10];
    uint32_t padding;
    struct tss tss;
    uint64_t interrupts;           /* taken since the boot */
    struct trace_ring *trace_ring; /* for the events of this CPU, while the trace is on */
    LOCK_DEBUG(struct held_locks *mutexes_held;) /* by the current task */
} __attribute__((aligned(64)));

extern struct cpu cpus[CPU_MAX];
extern uint32_t cpu_count; /* CPUs that run: cpus[0] to cpus[cpu_count - 1] */

/* All of them, as a set of bits by id. */
static inline uint64_t cpu_mask(void)
{
    return (1ul << __atomic_load_n(&cpu_count, __ATOMIC_ACQUIRE)) - 1;
}

#define this_cpu(field) (((struct cpu __seg_gs *)0)->field)
#define current (this_cpu(current_task))

static inline struct cpu *cpu_self(void)
{
    return this_cpu(self);
}

/* Where traps and system calls from user mode start: the switch sets it for each task. */
static inline void cpu_set_kernel_stack(uint64_t top)
{
    this_cpu(tss.rsp0) = top;
}

/* Notes where an instruction is, for arch/places.h. */
#define PREEMPT_SITE(instruction) \
    "771: " instruction "\n\t.pushsection .places, \"a\"\n\t.quad 771b\n\t.popsection"

static inline void preempt_disable(void)
{
    __asm__ volatile(PREEMPT_SITE("incl %%gs:%c0") : : "i"(offsetof(struct cpu, preempt_count)) : "memory", "cc");
}

static inline void preempt_enable_no_resched(void)
{
    __asm__ volatile(PREEMPT_SITE("decl %%gs:%c0") : : "i"(offsetof(struct cpu, preempt_count)) : "memory", "cc");
}

/* Upcall, defined in sched/core.c: give the CPU to a better task. Preemption is not off; the task stays
 * runnable, also one that has marked itself asleep. */
void sched_preempt(void);
/* need_resched is set: sched_preempt(), unless preemption or interrupts are off. */
void preempt_check(void);

static inline void preempt_enable(void)
{
    preempt_enable_no_resched();
    if (unlikely(this_cpu(need_resched))) {
        preempt_check();
    }
}

/* Interrupts as they were; then a better task that woke meanwhile gets the CPU. */
static inline void irq_restore_preempt(uint64_t flags)
{
    irq_restore(flags);
    if (unlikely(this_cpu(need_resched))) {
        preempt_check();
    }
}

/* Fill cpus[id], load its GDT and TSS, and point this CPU's GS at it. A CPU's first call: before it
 * there is no this_cpu(). Interrupts off. */
void percpu_init(uint32_t id);

#endif
