/*
 * Lab 2's kernel test `registers`: a ring of stacks that hand the CPU on by switch_to alone, without
 * the scheduler, which would hide a lost register by saving it itself. Each fills the registers that C
 * keeps across a call, switches, and looks at them and at the value returned when it is its turn again.
 *
 * What comes back is summed up and reported; the grader knows the sum for the seed.
 */
#include "arch/cpu.h"
#include "stacks.h"

#define STACKS 8
#define ROUNDS 100

/* Number 0 is the boot's own stack. */
static struct task members[STACKS + 1];
static uint8_t stacks[STACKS][STACK_SIZE] __attribute__((aligned(16)));
static uint64_t ring_seed, sum, turn;
static bool wrong;

static bool registers_kept(uint64_t member, uint64_t round, const uint64_t values[6])
{
    static const char *const names[6] = {"rbx", "rbp", "r12", "r13", "r14", "r15"};

    for (uint64_t i = 0; i < 6; i++) {
        uint64_t expected = lab_number(ring_seed, member << 32 | round << 8 | i);

        LAB_EXPECT(values[i] == expected,
                   "step 3: push and pop the six registers in exactly opposite order",
                   "%s keeps 0x%lx over a switch", "0x%lx", names[i], expected, values[i]);
        sum += values[i];
    }
    return true;
}

static bool registers_prev(const struct task *prev, const struct task *before)
{
    LAB_EXPECT(prev == before, "step 3: put prev into rax; after the change of stacks it is still in rdi",
               "switch_to returns prev, task %p", "%p", (void *)before, (void *)prev);
    return true;
}

/* The member's turn ends with a switch and comes again when all others had theirs. */
static void take_turn(uint64_t member, uint64_t round)
{
    uint64_t values[6], next = (member + 1) % (STACKS + 1);
    struct task *prev;

    for (uint64_t i = 0; i < 6; i++) {
        values[i] = lab_number(ring_seed, member << 32 | round << 8 | i);
    }
    turn = next;
    prev = lab_switch_with(&members[member], &members[next], values);
    wrong = wrong || !registers_prev(prev, &members[(member + STACKS) % (STACKS + 1)]) ||
            !registers_kept(member, round, values);
}

static void member_main(void)
{
    uint64_t member = turn;

    for (uint64_t round = 0;; round++) {
        take_turn(member, round);
    }
}

static bool registers(uint64_t seed)
{
    uint64_t flags;

    ring_seed = seed;
    for (uint64_t member = 1; member <= STACKS; member++) {
        stack_prepare(&members[member], stacks[member - 1], member_main);
    }
    flags = irq_save();
    for (uint64_t round = 0; round < ROUNDS; round++) {
        take_turn(0, round);
    }
    irq_restore(flags);
    printk("lab: value registers 0x%lx\n", sum);
    return !wrong;
}
LAB_TEST(registers);
