/*
 * Lab 2's kernel test `picture`: the stack of a task that does not run, word by word, as the handout
 * draws it. Debuggers unwind by it. First that of one which called switch_to, then that of a new one.
 */
#include "arch/cpu.h"
#include "mm/kstack.h"
#include "process/fork.h"
#include "stacks.h"

#define ROUNDS 20
#define WORDS 7

static const char *const picture_names[WORDS] = {"r15", "r14", "r13", "r12", "rbx", "rbp",
                                                 "return_address"};
static struct task here, there;
static uint8_t picture_stack[STACK_SIZE] __attribute__((aligned(16)));
/* What `there` saw of `here`: the saved rsp, where its call began, the words. */
static uint64_t seen_rsp, seen_call, seen[WORDS];

static void picture_look(void)
{
    __asm__ volatile("cld"); /* as in lab_switch_with */
    for (;;) {
        uint64_t values[6] = {0};

        seen_rsp = here.rsp;
        seen_call = lab_call_rsp;
        memcpy(seen, (void *)here.rsp, sizeof(seen));
        lab_switch_with(&there, &here, values);
    }
}

static bool picture_of_call(uint64_t seed, uint64_t round, uint64_t *sum)
{
    static const int order[WORDS - 1] = {5, 4, 3, 2, 0, 1}; /* values has rbx rbp r12 r13 r14 r15 */
    uint64_t values[6];

    for (uint64_t i = 0; i < 6; i++) {
        values[i] = lab_number(seed, round << 8 | i);
    }
    lab_switch_with(&here, &there, values);
    LAB_EXPECT(seen_rsp == seen_call - WORDS * 8,
               "step 3: push six registers, no more, and save rsp then",
               "prev->rsp is %d bytes below where the call of switch_to began", "%ld bytes", WORDS * 8,
               (long)(seen_call - seen_rsp));
    for (int i = 0; i < WORDS - 1; i++) {
        uint64_t expected = lab_number(seed, round << 8 | (uint64_t)order[i]);

        LAB_EXPECT(seen[i] == expected, "step 3: the picture shows which is pushed first",
                   "%s, 0x%lx, as word %d from prev->rsp", "0x%lx", picture_names[i], expected, i, seen[i]);
        *sum += seen[i] * ((uint64_t)i + 1);
    }
    return true;
}

/* It only waits to be looked at. */
static void picture_model(void *unused)
{
    (void)unused;
    current->state = TASK_SLEEPING;
    schedule();
}

/* The next new task gets a stack that somebody had before it. */
static void picture_leave_stack(void)
{
    vaddr_t top = kstack_alloc();

    memset((void *)(top - 1024), 0x5a, 1024);
    kstack_free(top);
}

/* A new task's frame is there until it runs, which on another CPU may be at once: try again. */
static const struct task *picture_new_task(uint64_t words[WORDS])
{
    for (int attempt = 0; attempt < 30; attempt++) {
        const struct task *task;

        picture_leave_stack();
        task = kernel_thread("model", picture_model, NULL);
        memcpy(words, (void *)task->rsp, WORDS * 8);
        if (__atomic_load_n(&task->queued, __ATOMIC_ACQUIRE)) {
            return task;
        }
    }
    return NULL;
}

static bool picture_of_new_task(void)
{
    uint64_t words[WORDS];
    const struct task *task = picture_new_task(words);

    LAB_EXPECT(task, "make grade K=picture again, with --smp 1", "a new task that waits for its turn", "none");
    LAB_EXPECT(task->rsp == (uint64_t)task_frame((struct task *)task) - WORDS * 8,
               "step 2: the frame lies directly below the trap frame, and task->rsp is its address",
               "task->rsp %d bytes below the trap frame", "%ld", WORDS * 8,
               (long)((uint64_t)task_frame((struct task *)task) - task->rsp));
    for (int i = 0; i < WORDS; i++) {
        bool is_rbx = i == 4, is_return = i == WORDS - 1;
        bool right = is_return ? words[i] == (uint64_t)task_first_switch : (words[i] != 0) == is_rbx;

        LAB_EXPECT(right, "step 2: all words are zero but return_address and, in a kernel thread, rbx",
                   "%s of a new kernel thread: %s", "0x%lx", picture_names[i],
                   is_return ? "task_first_switch" : is_rbx ? "not zero" : "zero", words[i]);
    }
    return true;
}

static bool picture(uint64_t seed)
{
    uint64_t flags, sum = 0;
    bool right = true;

    stack_prepare(&there, picture_stack, picture_look);
    flags = irq_save();
    for (uint64_t round = 0; round < ROUNDS && right; round++) {
        right = picture_of_call(seed, round, &sum);
    }
    irq_restore(flags);
    if (!right) {
        return false;
    }
    preempt_disable(); /* on this CPU it does not run meanwhile */
    right = picture_of_new_task();
    preempt_enable();
    printk("lab: value words 0x%lx\n", sum);
    return right;
}
LAB_TEST(picture);
