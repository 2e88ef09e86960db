/*
 * Lab 2's kernel test, run by the option lab=registers:SEED before the first program: a ring of
 * stacks that hand the CPU on by switch_to alone, without the scheduler, which would hide a lost
 * register by saving it itself. Each fills the registers that C keeps across a call, switches,
 * and looks at them and at the value returned when it is its turn again.
 *
 * What comes back is summed up and reported in the log; the grader knows the sum for the seed.
 */
#include "arch/boot.h"
#include "arch/cpu.h"
#include "lib/log.h"
#include "lib/string.h"
#include "sched/sched.h"

#define STACKS 8
#define ROUNDS 100
#define STACK_SIZE 8192

void lab_boot(void);
struct task *lab_switch_with(struct task *prev, struct task *next, uint64_t values[6]);

/* Number 0 is the boot's own stack. Of a task, switch_to knows `rsp` alone. */
static struct task members[STACKS + 1];
static uint8_t stacks[STACKS][STACK_SIZE] __attribute__((aligned(16)));
static uint64_t seed, sum, turn;

/* As grade_mix in labs/grade.h. */
static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

/* The member's turn ends with a switch and comes again when all others had theirs. */
static void take_turn(uint64_t member, uint64_t round)
{
    static const char *const names[6] = {"rbx", "rbp", "r12", "r13", "r14", "r15"};
    uint64_t values[6], next = (member + 1) % (STACKS + 1);
    struct task *prev, *before = &members[(member + STACKS) % (STACKS + 1)];

    for (uint64_t i = 0; i < 6; i++) {
        values[i] = mix(seed + mix(member << 32 | round << 8 | i));
    }
    turn = next;
    prev = lab_switch_with(&members[member], &members[next], values);
    if (prev != before) {
        printk("lab: expected: switch_to returns prev, task %p\nlab: seen: %p\n", (void *)before,
               (void *)prev);
    }
    for (uint64_t i = 0; i < 6; i++) {
        uint64_t expected = mix(seed + mix(member << 32 | round << 8 | i));

        if (values[i] != expected) {
            printk("lab: expected: %s keeps 0x%lx over a switch\nlab: seen: 0x%lx\n", names[i],
                   expected, values[i]);
        }
        sum += values[i];
    }
}

static void member_main(void)
{
    uint64_t member = turn;

    for (uint64_t round = 0;; round++) {
        take_turn(member, round);
    }
}

/* What switch_to finds on a stack: r15 r14 r13 r12 rbx rbp, then where to return to. */
static void prepare(uint64_t member)
{
    uint64_t *top = (uint64_t *)(stacks[member - 1] + STACK_SIZE);

    top[-2] = (uint64_t)member_main; /* its entry is aligned as after a call */
    members[member].rsp = (uint64_t)(top - 8);
}

void lab_boot(void)
{
    const char *option = boot_option("lab");
    uint64_t flags;

    if (!option || strncmp(option, "registers:", 10) != 0) {
        return;
    }
    seed = parse_number(option + 10, NULL);
    for (uint64_t member = 1; member <= STACKS; member++) {
        prepare(member);
    }
    flags = irq_save();
    for (uint64_t round = 0; round < ROUNDS; round++) {
        take_turn(0, round);
    }
    irq_restore(flags);
    printk("lab: value registers 0x%lx\n", sum);
}
