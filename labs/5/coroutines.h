/* Lab 5: stacks made by hand, and the control words, as several of its tests use them. */
#ifndef LAB5_COROUTINES_H
#define LAB5_COROUTINES_H
#include <co.h>
#include <fcntl.h>

#include "grade.h"

#define RING 9
#define TURNS 100
#define CONTROL 0x0000037f00001f80ul /* x87 after FNINIT, MXCSR after reset */

/*
 * lab_hold(from, to, six, value): put six numbers into rbx rbp r12-r15, call co_switch, and store
 * what is in the registers afterwards. lab_entry: where a stack made by hand begins.
 */
void *lab_hold(struct co_ctx *from, struct co_ctx *to, uint64_t six[6], void *value);
void lab_entry(void);
__asm__(".text\n.globl lab_hold, lab_held, lab_entry\nlab_hold:\n\t"
        "push %rbx\n\tpush %rbp\n\tpush %r12\n\tpush %r13\n\tpush %r14\n\tpush %r15\n\tpush %rdx\n\t"
        "mov 0(%rdx), %rbx\n\tmov 8(%rdx), %rbp\n\tmov 16(%rdx), %r12\n\tmov 24(%rdx), %r13\n\t"
        "mov 32(%rdx), %r14\n\tmov 40(%rdx), %r15\n\tmov %rcx, %rdx\n\tcall co_switch\nlab_held:\n\tpop %rdx\n\t"
        "mov %rbx, 0(%rdx)\n\tmov %rbp, 8(%rdx)\n\tmov %r12, 16(%rdx)\n\tmov %r13, 24(%rdx)\n\t"
        "mov %r14, 32(%rdx)\n\tmov %r15, 40(%rdx)\n\t"
        "pop %r15\n\tpop %r14\n\tpop %r13\n\tpop %r12\n\tpop %rbp\n\tpop %rbx\n\tret\n"
        "lab_entry:\n\tmov %rax, %rdi\n\tcall *member(%rip)\n\tud2\n");

static struct co_ctx ring[RING];
static uint64_t stacks[RING][1024] __attribute__((aligned(16)));
static uint64_t sum;
void (*member)(void *value);

/* As co_switch leaves a stack: control words, r15 r14 r13 r12 rbx rbp, return address. */
static void make_stack(int index)
{
    uint64_t *top = &stacks[index][1022];

    top[-1] = (uint64_t)lab_entry;
    memset(top - 8, 0, 7 * sizeof(*top));
    top[-8] = CONTROL;
    ring[index].rsp = top - 8;
}

static uint64_t control(void)
{
    uint32_t mxcsr;
    uint16_t x87;

    __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(mxcsr), "=m"(x87));
    return (uint64_t)x87 << 32 | mxcsr;
}

static void set_control(uint64_t word)
{
    uint32_t mxcsr = (uint32_t)word;
    uint16_t x87 = (uint16_t)(word >> 32);

    __asm__ volatile("ldmxcsr %0\n\tfldcw %1" : : "m"(mxcsr), "m"(x87));
}
#endif
