/* What lab 2's kernel tests share: stacks that hand the CPU on by switch_to alone, without a scheduler. */
#ifndef LAB2_STACKS_H
#define LAB2_STACKS_H
#include "debug/lab.h"
#include "lib/string.h"
#include "sched/sched.h"

#define STACK_SIZE 8192

extern char switch_begin[], switch_swapped[], switch_end[]; /* in switch.asm */

/*
 * switches.asm: load rbx rbp r12 r13 r14 r15 with the values, call switch_to, and when this stack runs
 * again store what the registers hold then. Returns what switch_to returned.
 */
struct task *lab_switch_with(struct task *prev, struct task *next, uint64_t values[6]);
extern uint64_t lab_call_rsp; /* where the last such call put its return address, plus 8 */

/*
 * A stack that has never run, as switch_to finds it: r15 r14 r13 r12 rbx rbp, then where to return to.
 * Who pops more words than these returns to the same place, and the test can say so.
 * Of a task, switch_to knows `rsp` alone.
 */
static inline void stack_prepare(struct task *task, uint8_t stack[STACK_SIZE], void (*entry)(void))
{
    uint64_t *words = (uint64_t *)(stack + STACK_SIZE) - 16; /* `entry` is aligned as after a call */

    memset(words, 0, 6 * sizeof(*words));
    for (int i = 6; i < 16; i++) {
        words[i] = (uint64_t)entry;
    }
    task->rsp = (uint64_t)words;
}
#endif
