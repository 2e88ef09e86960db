/*
 * A function, one instruction at a time (trap.h), for tests that look in front of each of them. So a
 * test sees each system call that a function makes, and can be "the other thread" at any place, also
 * at those that preemption meets once in a million.
 */
#ifndef LABS_STEP_H
#define LABS_STEP_H
#include "trap.h"

enum { STEP_RDI = 8, STEP_RSI = 9, STEP_RDX = 12, STEP_RAX = 13, STEP_RSP = 15, STEP_RIP = 16 };

#define STEP_SYSCALL 0x050f /* its two bytes, read as a number */
#define STEP_FUTEX 202

#define step_count (steps - 1) /* of those before this one */

static void (*step_each)(const uint64_t *registers); /* called in front of each instruction */

static void step_look(const struct step_context *now)
{
    step_each(now->registers);
}

/* From here to step_end. */
static inline void step_begin(void (*each)(const uint64_t *registers))
{
    step_each = each;
    watch_steps(step_look);
    steps_begin();
}

static inline void step_end(void)
{
    steps_end();
}

/* Is the next instruction a system call? */
static inline int step_is_call(const uint64_t *registers)
{
    return *(const uint16_t *)registers[STEP_RIP] == STEP_SYSCALL;
}

/* Is it a futex call with this operation, its flags left out, on this word? */
static inline int step_is_futex(const uint64_t *registers, uint64_t operation,
                                const volatile void *word)
{
    return step_is_call(registers) && registers[STEP_RAX] == STEP_FUTEX &&
           (registers[STEP_RSI] & 127) == operation && registers[STEP_RDI] == (uint64_t)word;
}

/* Does the instruction at `rip` change memory in one go, also for other CPUs? With a lock prefix (F0), or
 * xchg (86, 87), whose first byte may be another prefix or two. */
static inline int step_is_atomic(uint64_t rip)
{
    const uint8_t *code = (const uint8_t *)rip;

    while (*code == 0x66 || *code == 0xf2 || *code == 0xf3 || (*code & 0xf0) == 0x40) {
        code++;
    }
    return *code == 0xf0 || *code == 0x86 || *code == 0x87;
}
#endif
