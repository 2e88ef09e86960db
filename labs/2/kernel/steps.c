/*
 * Lab 2's kernel test `steps`: one instruction of switch_to after the other, by the CPU's trap flag.
 * After each, the stack pointer, the flags and the labels are looked at, and two other stacks hand on
 * this CPU, as another CPU could do at that moment.
 *
 * So any order of two CPUs in switch_to comes about, without waiting for it.
 */
#include "arch/cpu.h"
#include "arch/trap.h"
#include "stacks.h"

#define ROUNDS 10
#define STEPS_MAX 300

struct step { /* what the CPU pushes for a trap */
    uint64_t rip, cs, rflags, rsp, ss;
};
struct __attribute__((packed)) table { /* what LIDT and SIDT know */
    uint16_t limit;
    uint64_t base;
};

/* switches.asm: switch_to, with these flags set before the call; and where it comes back to. */
struct task *lab_step_switch(struct task *prev, struct task *next, uint64_t flags);
extern char lab_step_return[];
void lab_step_trap(void);
void lab_step(struct step *step); /* from lab_step_trap */

static struct task here, there, others[2];
static uint8_t there_stack[STACK_SIZE] __attribute__((aligned(16)));
static uint8_t other_stack[STACK_SIZE] __attribute__((aligned(16)));
static uint64_t step_seed, step_sum;
static bool step_wrong;

/* What the steps of one switch showed; a place is the address of an instruction, 0: there was none. */
static struct {
    struct task *prev;
    int count;
    uint64_t first, swapped, last, interruptible;
    uint64_t old_rsp; /* on prev's stack; the last is what must be saved */
    uint64_t saved_rsp, flags, end_flags;
    bool ended;
} seen;

static void step_end(struct step *step)
{
    step->rflags &= ~(uint64_t)RFLAGS_TF;
    seen.ended = step->rip == (uint64_t)lab_step_return;
    seen.end_flags = step->rflags;
    step->rflags &= ~(uint64_t)(RFLAGS_DF | RFLAGS_AC);
    seen.saved_rsp = seen.prev->rsp;
    seen.prev->rsp = seen.old_rsp; /* so that the test comes to its end, and can say that it was wrong */
}

static void step_look(struct step *step)
{
    bool old_stack = step->rsp - seen.old_rsp + 256 < 512;

    if (seen.count++ == 0) {
        seen.first = step->rip;
        seen.flags = step->rflags;
        seen.old_rsp = step->rsp;
    } else if (!seen.swapped && old_stack) {
        seen.old_rsp = step->rsp;
    } else if (!seen.swapped) {
        seen.swapped = step->rip;
    }
    if (step->rflags & RFLAGS_IF && !seen.interruptible) {
        seen.interruptible = step->rip;
    }
    step->rflags &= ~(uint64_t)RFLAGS_IF;
    seen.last = step->rip;
}

/* Before the instruction at step->rip. */
void lab_step(struct step *step)
{
    if (step->rip == (uint64_t)lab_step_return || seen.count == STEPS_MAX) {
        step_end(step);
    } else {
        step_look(step);
        switch_to(&others[0], &others[1]);
    }
}

static void step_others(void)
{
    for (;;) {
        switch_to(&others[1], &others[0]);
    }
}

static long step_place(uint64_t rip)
{
    return (long)(rip - (uint64_t)switch_to);
}

static bool step_labels(void)
{
    LAB_EXPECT(seen.first == (uint64_t)switch_begin, "step 3: switch_begin before your first instruction",
               "switch_begin where the switch begins", "switch_begin at switch_to+%ld",
               step_place((uint64_t)switch_begin));
    LAB_EXPECT(seen.swapped == (uint64_t)switch_swapped, "step 3: switch_swapped right after rsp has changed",
               "switch_swapped at switch_to+%ld, behind the change of stacks", "switch_to+%ld",
               step_place(seen.swapped), step_place((uint64_t)switch_swapped));
    LAB_EXPECT(seen.last == (uint64_t)switch_end, "step 3: switch_end before ret",
               "switch_end at switch_to+%ld, the last instruction", "switch_to+%ld", step_place(seen.last),
               step_place((uint64_t)switch_end));
    return true;
}

static bool step_judge(const struct task *returned)
{
    LAB_EXPECT(seen.ended, "step 3: pushes, two moves of rsp, pops, and ret: no more",
               "at most %d instructions, which leave the flags alone", "%d, and then not the end",
               STEPS_MAX, seen.count);
    LAB_EXPECT(returned == seen.prev,
               "step 3: prev is in rdi all the time, which is this CPU's own; memory is every CPU's",
               "prev in rax, though another CPU switched meanwhile", "the task at %p instead of %p",
               (const void *)returned, (const void *)seen.prev);
    LAB_EXPECT(seen.saved_rsp == seen.old_rsp,
               "step 3: store rsp itself to [rdi + TASK_RSP], once the six are pushed; nothing else knows it "
               "when another CPU switches meanwhile", "rsp of the old stack in prev->rsp, 0x%lx", "0x%lx",
               seen.old_rsp, seen.saved_rsp);
    LAB_EXPECT(!seen.interruptible, "step 3: interrupts are off over a switch, and are not yours to enable",
               "no instruction that an interrupt could follow", "interrupts on at switch_to+%ld",
               step_place(seen.interruptible));
    LAB_EXPECT(((seen.flags ^ seen.end_flags) & (RFLAGS_DF | RFLAGS_AC | RFLAGS_IOPL | RFLAGS_NT)) == 0,
               "step 3: the flags that are no result of a sum are not yours to change",
               "flags 0x%lx after the switch, but for those of the last sum", "0x%lx", seen.flags,
               seen.end_flags);
    return step_labels();
}

/* Hand on, and judge the switch that comes back here. */
static void step_turn(struct task *me, struct task *other)
{
    struct task *returned;

    memset(&seen, 0, sizeof(seen));
    seen.prev = me;
    returned = lab_step_switch(me, other, RFLAGS_TF);
    step_wrong = step_wrong || !step_judge(returned);
}

static void step_there(void)
{
    for (uint64_t round = 0;; round++) {
        step_sum += lab_number(step_seed, round);
        step_turn(&there, &here);
    }
}

/* The debug trap is ours for a while. */
static void step_take_trap(struct table *old)
{
    static struct gate { /* SDM volume 3, figure 6-8 */
        uint16_t offset_low, selector;
        uint16_t type;
        uint16_t offset_middle;
        uint32_t offset_high, reserved;
    } gates[256];
    struct table new = {sizeof(gates) - 1, (uint64_t)gates};
    uint64_t entry = (uint64_t)lab_step_trap;

    __asm__ volatile("sidt %0" : "=m"(*old));
    memcpy(gates, (void *)old->base, sizeof(gates));
    gates[1].offset_low = (uint16_t)entry;
    gates[1].offset_middle = (uint16_t)(entry >> 16);
    gates[1].offset_high = (uint32_t)(entry >> 32);
    __asm__ volatile("lidt %0" : : "m"(new));
}

static bool steps(uint64_t seed)
{
    struct table table;
    uint64_t flags = irq_save();

    step_seed = seed;
    stack_prepare(&there, there_stack, step_there);
    stack_prepare(&others[1], other_stack, step_others);
    step_take_trap(&table);
    memset(&seen, 0, sizeof(seen));
    seen.prev = &here;
    lab_step_switch(&here, &there, 0); /* `there` begins; its first step comes back here */
    step_wrong = !step_judge(&there);
    for (int round = 1; round < ROUNDS && !step_wrong; round++) {
        step_turn(&here, &there);
    }
    __asm__ volatile("lidt %0" : : "m"(table));
    write_dr6(DR6_NOTHING);
    irq_restore(flags);
    printk("lab: value steps 0x%lx\n", step_sum);
    return !step_wrong;
}
LAB_TEST(steps);
