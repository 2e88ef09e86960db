/*
 * The interrupted kind of saved state: all registers, as each trap, interrupt and system call
 * leaves them on the kernel stack.
 *
 *      stack top (tss.rsp0) -> +----------------------+
 *                              | ss rsp rflags cs rip |  by the CPU, or by syscall_entry
 *                              | error                |
 *                              | vector (orig_rax)    |
 *                              | rdi ... r15          |  by trap.asm
 *               trap_frame  -> +----------------------+
 */
#ifndef ARCH_FRAME_H
#define ARCH_FRAME_H

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

#endif
