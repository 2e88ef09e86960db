/* Traps, interrupts and the system call entry, and the upcalls by which upper layers answer. */
#ifndef ARCH_TRAP_H
#define ARCH_TRAP_H

#include "arch/frame.h"

/* Page fault error code bits: SDM volume 3, figure 4-12. */
#define FAULT_PRESENT (1u << 0)
#define FAULT_WRITE (1u << 1)
#define FAULT_USER (1u << 2)
#define FAULT_RESERVED (1u << 3)
#define FAULT_EXEC (1u << 4)
#define FAULT_KEY (1u << 5)
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
