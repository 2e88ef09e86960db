/*
 * Traps, interrupts and the system call entry: the frame they leave on the kernel stack, and the
 * hooks by which upper layers answer.
 *
 *      stack top (tss.rsp0) -> +----------------------+
 *                              | ss rsp rflags cs rip |  by the CPU, or by syscall_entry
 *                              | error                |
 *                              | vector (orig_rax)    |
 *                              | rdi ... r15          |  by trap.asm
 *               trap_frame  -> +----------------------+
 */
#ifndef ARCH_TRAP_H
#define ARCH_TRAP_H

#include "lib/types.h"

#define SELECTOR_KERNEL_CODE 0x08
#define SELECTOR_KERNEL_DATA 0x10
#define SELECTOR_USER_DATA 0x2b /* the order sysret wants: 32-bit code, data, 64-bit code */
#define SELECTOR_USER_CODE 0x33

struct trap_frame {
    uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
    union {
        uint64_t vector;   /* of a trap */
        uint64_t orig_rax; /* the system call's number; (uint64_t)-1 for none */
    };
    uint64_t error, rip, cs, rflags, rsp, ss;
};
_Static_assert(sizeof(struct trap_frame) == 22 * 8, "trap.asm pushes 22 words");

static inline bool trap_from_user(const struct trap_frame *frame)
{
    return frame->cs & 3;
}

/* The frame of a task's entry from user mode, given the top of its kernel stack. */
static inline struct trap_frame *trap_user_frame(uint64_t kernel_stack_top)
{
    return (struct trap_frame *)kernel_stack_top - 1;
}

/* Page fault error code bits: SDM volume 3, figure 4-12. */
#define FAULT_PRESENT (1u << 0)
#define FAULT_WRITE (1u << 1)
#define FAULT_USER (1u << 2)
#define FAULT_EXEC (1u << 4)
#define FAULT_KNOWN (FAULT_PRESENT | FAULT_WRITE | FAULT_USER | FAULT_EXEC)

#define VECTOR_IRQ 0x20 /* IOAPIC line n arrives as VECTOR_IRQ + n */
#define VECTOR_TIMER 0xf0
#define VECTOR_RESCHEDULE 0xf1 /* from another CPU */
#define VECTOR_CALL 0xf2
#define VECTOR_SPURIOUS 0xff

/*
 * mm: a fault of user mode, or of an instruction in .extable at a user address, interrupts as they
 * were there. True: resolved, or user_fault_hook was told. False: the kernel goes on at the fix-up.
 */
extern bool (*page_fault_hook)(struct trap_frame *frame, vaddr_t address, uint64_t error);
/* sched: user mode did wrong; send `signal` with si_code `code` and si_addr. Interrupts on. */
extern void (*user_fault_hook)(struct trap_frame *frame, int signal, int code, vaddr_t address);
/*
 * sched: the last thing before user mode, called in a loop with interrupts off while
 * need_resched or return_work is set. It clears both, may enable interrupts and schedule(), and
 * returns with them off. Whoever changes a frame of a system call (signal delivery, rt_sigreturn,
 * exec) sets return_work, so that every register is taken from the frame.
 */
extern void (*return_to_user_hook)(struct trap_frame *frame);

/* Call handler(data) for interrupt line `irq` (ISA number), interrupts off. Unmasks the line. */
void irq_register(int irq, void (*handler)(void *), void *data);

/* The same for what another CPU sends, VECTOR_RESCHEDULE or VECTOR_CALL. */
void ipi_register(int vector, void (*handler)(void));

void idt_init(void);
void idt_load(void);

/* Assembly labels. A new task's first switch returns to trap_return, rsp at its trap_frame. */
void trap_return(void);
void syscall_entry(void);

/* Written by trap_dispatch's callers in assembly; not for others. */
void trap_dispatch(struct trap_frame *frame);

/* syscall/table.c: called straight from syscall_entry. */
extern long (*syscall_table[])(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);
extern const uint64_t syscall_count;

#endif
