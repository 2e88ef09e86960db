/* Traps: who answers which vector. */
#include "arch/trap.h"

#include "arch/apic.h"
#include "arch/clock.h"
#include "arch/cpu.h"
#include "arch/paging.h"
#include "arch/panic.h"
#include "arch/percpu.h"
#include "arch/smp.h"
#include "arch/user_clock.h"
#include "lib/log.h"
#include "lib/signum.h"
#include "trace/trace.h"

static struct {
    void (*handler)(void *);
    void *data;
} irq_handlers[16];

/* What a fault of user mode is: signal(7), sigaction(2) for the codes. 0: see fault_code. */
struct fault {
    const char *name;
    int signal, code;
};
static const struct fault faults[32] = {
    [0] = {"divide error", SIGFPE, FPE_INTDIV},
    [1] = {"debug", SIGTRAP, 0},
    [2] = {"NMI", 0, 0},
    [3] = {"breakpoint", SIGTRAP, SI_KERNEL},
    [4] = {"overflow", SIGSEGV, SI_KERNEL},
    [5] = {"bound range", SIGSEGV, SI_KERNEL},
    [6] = {"invalid opcode", SIGILL, ILL_ILLOPN},
    [7] = {"no FPU", SIGSEGV, SI_KERNEL},
    [8] = {"double fault", 0, 0},
    [10] = {"invalid TSS", SIGSEGV, SI_KERNEL},
    [11] = {"segment not present", SIGBUS, SI_KERNEL},
    [12] = {"stack segment", SIGBUS, SI_KERNEL},
    [13] = {"general protection", SIGSEGV, SI_KERNEL},
    [14] = {"page fault", SIGSEGV, SEGV_MAPERR},
    [16] = {"x87 error", SIGFPE, 0},
    [17] = {"alignment check", SIGBUS, BUS_ADRALN},
    [18] = {"machine check", 0, 0},
    [19] = {"SIMD error", SIGFPE, 0},
};

struct extable_entry {
    uint64_t address, fixup;
};
extern const struct extable_entry extable_start[], extable_end[];

static const struct extable_entry *extable_find(uint64_t rip)
{
    for (const struct extable_entry *entry = extable_start; entry < extable_end; entry++) {
        if (entry->address == rip) {
            return entry;
        }
    }
    return NULL;
}

static bool extable_fixup(struct trap_frame *frame)
{
    const struct extable_entry *entry = extable_find(frame->rip);

    if (entry) {
        frame->rip = entry->fixup;
    }
    return entry;
}

/*
 * A fault that no page can cure: a bit of the error code that must not come (a reserved bit in an
 * entry), or one of the kernel that is not its copying from and to user memory: at an address of its
 * own, or by SMAP or SMEP at a user's.
 */
static bool page_fault_is_bug(const struct trap_frame *frame, vaddr_t address)
{
    return frame->error & ~(uint64_t)FAULT_KNOWN ||
           (!trap_from_user(frame) && (address >= USER_TOP || !extable_find(frame->rip)));
}

static void trap_page_fault(struct trap_frame *frame)
{
    vaddr_t address = read_cr2();

    trace(TRACE_FAULT, 0, (uint32_t)frame->error, address);
    if (page_fault_is_bug(frame, address)) {
        panic_trap(frame, "page fault");
    }
    if (frame->rflags & RFLAGS_IF) {
        irq_enable();
    }
    if (!mm_page_fault(frame, address, frame->error)) {
        extable_fixup(frame);
    }
}

/* A single step, or the instruction int1. The CPU only ever sets bits in DR6. */
static int debug_code(void)
{
    uint64_t dr6 = read_dr6();

    write_dr6(DR6_NOTHING);
    return dr6 & DR6_BS ? TRAP_TRACE : TRAP_BRKPT;
}

/* Which error: its bit is set and its mask is not (SDM volume 1, sections 8.1 and 10.2.3). */
static int fpu_code(bool sse)
{
    uint32_t mxcsr;
    uint16_t status, control, errors;

    if (sse) {
        __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
        errors = (uint16_t)(mxcsr & ~(mxcsr >> 7));
    } else {
        __asm__ volatile("fnstsw %0\n\tfnstcw %1" : "=m"(status), "=m"(control));
        errors = (uint16_t)(status & ~control);
    }
    return errors & 1           ? FPE_FLTINV
           : errors & 4         ? FPE_FLTDIV
           : errors & 8         ? FPE_FLTOVF
           : errors & (2 | 16)  ? FPE_FLTUND
           : errors & 32        ? FPE_FLTRES
                                : 0;
}

static void trap_user_fault(struct trap_frame *frame)
{
    const struct fault *fault = &faults[frame->vector];
    int code;

    if (frame->vector == 1 && user_clock_debug(frame)) {
        return;
    }
    code = frame->vector == 1 ? debug_code()
               : fault->code == 0 ? fpu_code(frame->vector == 19) : fault->code;

    irq_enable();
    if (code) { /* none: there was an error, but no more */
        signal_user_fault(frame, fault->signal, code,
                        code == SI_KERNEL || frame->vector == 17 ? 0 : frame->rip);
    }
}

static void trap_fault(struct trap_frame *frame)
{
    const struct fault *fault = &faults[frame->vector];

    if (frame->vector == 14) {
        trap_page_fault(frame);
    } else if (!trap_from_user(frame) && frame->vector == 13 && extable_fixup(frame)) {
        return; /* a user pointer that is not canonical */
    } else if (trap_from_user(frame) && fault->signal) {
        trap_user_fault(frame);
    } else {
        panic_trap(frame, fault->name ? fault->name : "unknown trap");
    }
}

static void trap_interrupt(const struct trap_frame *frame)
{
    uint64_t vector = frame->vector;

    if (vector == VECTOR_SPURIOUS) {
        return;
    }
    lapic_eoi();
    if (vector == VECTOR_TIMER) {
        sched_timer_interrupt(trap_from_user(frame));
    } else if (vector == VECTOR_RESCHEDULE) {
        sched_kicked();
    } else if (vector == VECTOR_CALL) {
        smp_answer_calls();
    } else if (vector < VECTOR_IRQ + 16 && irq_handlers[vector - VECTOR_IRQ].handler) {
        irq_handlers[vector - VECTOR_IRQ].handler(irq_handlers[vector - VECTOR_IRQ].data);
    }
}

void trap_dispatch(struct trap_frame *frame)
{
    if (frame->vector < 32) {
        trap_fault(frame);
        return;
    }
    /*
     * A PAUSE ends a turn where CPUs take turns (QEMU's icount):
     * - After all have slept, whose turn ends when another one wakes depends on which thread of QEMU
     *   has seen that the time has come. It does not any more once each has had a turn: here, before
     *   it could change anything.
     * - A CPU that never waits has each turn until some timer is due, and leaves none of it to the
     *   next CPU. Here the next time is far away: others have a turn, or some never would.
     */
    if (current == this_cpu(idle) || frame->vector == VECTOR_TIMER) {
        cpu_pause();
    }
    preempt_disable();
    this_cpu(interrupts)++;
    LOCK_DEBUG(lock_debug_interrupt(true));
    trace(TRACE_IRQ_IN, 0, (uint32_t)frame->vector, 0);
    trap_interrupt(frame);
    trace(TRACE_IRQ_OUT, 0, (uint32_t)frame->vector, 0);
    LOCK_DEBUG(lock_debug_interrupt(false));
    preempt_enable_no_resched();
    if (this_cpu(need_resched) && !trap_from_user(frame) && frame->rflags & RFLAGS_IF &&
        this_cpu(preempt_count) == 0) {
        sched_preempt();
    }
}

void irq_register(int irq, void (*handler)(void *), void *data)
{
    irq_handlers[irq].data = data;
    irq_handlers[irq].handler = handler;
    ioapic_route(irq, VECTOR_IRQ + irq);
}
