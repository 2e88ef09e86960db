/* What the CPU enters the kernel by: vectors, what it says of a page fault, and where that leads. */
#ifndef ARCH_VECTOR_H
#define ARCH_VECTOR_H

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

/* Labels of trap.asm, not to be called: the way back to user mode (or what was interrupted), rsp at the
 * trap frame; and where MSR_LSTAR points. */
void trap_return(void);
void syscall_entry(void);

#endif
