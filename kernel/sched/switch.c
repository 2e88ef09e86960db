/*
 * The yielded kind of saved state: what switch_to (switch.asm) leaves of a task on its kernel stack.
 * The interrupted kind, with all registers, is struct trap_frame (arch/frame.h).
 *
 *                +----------------+
 *                | return_address |  by the call of switch_to
 *                | rbp rbx        |  by its pushes: what C keeps over a call
 *                | r12 ... r15    |
 *   task->rsp -> +----------------+
 *
 * A new task has never called switch_to. It gets this frame as if it had, below its trap frame, so
 * its first switch is like any other; task_first_switch in switch.asm is where that one returns to.
 */
#include "lib/string.h"
#include "sched/sched.h"

struct switch_frame {
    uint64_t r15, r14, r13, r12, rbx, rbp, return_address;
};
_Static_assert(offsetof(struct task, rsp) == 0, "switch.asm: TASK_RSP");

void switch_first_frame(struct task *task, bool kernel)
{
//@lab 2 first-frame begin
    struct switch_frame *frame = (struct switch_frame *)task_frame(task) - 1;

    memset(frame, 0, sizeof(*frame));
    frame->rbx = kernel;
    frame->return_address = (uint64_t)task_first_switch;
    task->rsp = (uint64_t)frame;
//@lab 2 first-frame stub
//|     panic("lab 2: write switch_first_frame for %s, kernel %d (labs/2/README.md, step 2)", task->name, kernel);
//@lab 2 first-frame end
}
