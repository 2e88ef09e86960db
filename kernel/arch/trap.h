/* Traps, interrupts and the system call entry, and the upcalls by which upper layers answer. */
#ifndef ARCH_TRAP_H
#define ARCH_TRAP_H

#include "arch/frame.h"
#include "arch/vector.h"

/*
 * Upcall, defined in mm/fault.c: a fault of user mode, or of an instruction in .extable at a user
 * address; interrupts as they were there. True: resolved, or signal_user_fault was told. False: the
 * kernel goes on at the fix-up.
 */
bool mm_page_fault(struct trap_frame *frame, vaddr_t address, uint64_t error);
/*
 * Upcall, defined in sched/deliver.c: user mode did wrong; send `signal` with si_code `code` and
 * si_addr `address`. Interrupts on.
 */
void signal_user_fault(struct trap_frame *frame, int signal, int code, vaddr_t address);
/*
 * Upcall, defined in sched/deliver.c: the last thing before user mode, called by the assembly in a
 * loop with interrupts off while need_resched or user_work is set. It clears both, may enable
 * interrupts and schedule(), and returns with them off. Whoever changes a frame of a system call
 * (signal delivery, rt_sigreturn, exec) sets user_work, so that every register is taken from the
 * frame.
 */
void signal_return_to_user(struct trap_frame *frame);

/* Call handler(data), interrupts off, on the first CPU, for interrupt line `irq` (ISA number, below
 * 16). Unmasks the line. A line has one handler. */
void irq_register(int irq, void (*handler)(void *), void *data);

/* From trap.asm alone, interrupts off: answer a trap or interrupt. It may change the frame, enable
 * interrupts and switch tasks; the assembly leaves by the frame. Panics for a fault of the kernel. */
void trap_dispatch(struct trap_frame *frame);

#define SYSCALLS_MAX 512
/* Defined in syscall/table.c. syscall_entry calls straight from it. */
extern long (*syscall_table[SYSCALLS_MAX])(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                                           uint64_t);
extern const uint64_t syscall_count;
/* How often each number was called that there is nothing for. */
extern uint32_t syscall_unimplemented[SYSCALLS_MAX];

#endif
