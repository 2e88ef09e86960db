/*
 * A test that looks after each instruction. What comes between two of them (a signal, another
 * thread) comes where it likes, and no test can wait until it has come everywhere. So the thread
 * runs with the trap flag set (RFLAGS.TF: a debug exception after each instruction, Intel SDM vol. 3,
 * 18.3.1.4), and in the handler of SIGTRAP the test looks at everything that the next instruction
 * might meet. Exploration of schedules will find more orders of two threads than those tried so.
 */
#ifndef LABS_TRAP_H
#define LABS_TRAP_H
#include "grade.h"

/* What a handler's third argument points to, as far as we need it; sigframe of the kernel. */
struct step_context {
    unsigned long begin[5], registers[23], fpu, reserved[8], mask;
};
enum { R_RIP = 16, R_FLAGS = 17, TRAP_FLAG = 0x100 };

static void (*look)(const struct step_context *now); /* after each step */
static long steps;
static volatile int stepping;

static void on_step(int signal, siginfo_t *info, void *context)
{
    struct step_context *now = context;

    (void)signal, (void)info;
    if (stepping) {
        steps++;
        look(now);
    }
    if (!stepping) { /* it may have been the last */
        now->registers[R_FLAGS] &= ~(unsigned long)TRAP_FLAG;
    }
}

/* From here on step by step. The flags go over the stack, below what a leaf function keeps there. */
static inline __attribute__((always_inline)) void steps_begin(void)
{
    steps = 0;
    stepping = 1;
    __asm__ volatile("leaq -128(%%rsp), %%rsp\n\tpushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\t"
                     "leaq 128(%%rsp), %%rsp" : : : "memory", "cc");
}

static inline __attribute__((always_inline)) void steps_end(void)
{
    __asm__ volatile("" : : : "memory");
    stepping = 0; /* on_step ends it, after this instruction or the next */
    __asm__ volatile("nop\n\tnop" : : : "memory");
}

static void watch_steps(void (*looks)(const struct step_context *now))
{
    struct sigaction action = {.sa_flags = SA_SIGINFO};

    action.sa_sigaction = on_step;
    sigaction(SIGTRAP, &action, NULL);
    look = looks;
}

/* Two threads in turn. Who waits sleeps in the kernel: spinning would take the other one's time. */

static int turn_ours[2], turn_theirs[2]; /* pipes */

static inline void turns_begin(void)
{
    EXPECT(pipe(turn_ours) == 0 && pipe(turn_theirs) == 0, "two pipes", "errno %d", errno);
}

static inline void turn_give(int ends[2])
{
    char byte = 0;

    write(ends[1], &byte, 1);
}

static inline void turn_wait(int ends[2])
{
    char byte;

    while (read(ends[0], &byte, 1) != 1) { /* a signal may come */
    }
}
#endif
