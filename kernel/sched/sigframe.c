/*
 * The frame a handler runs on (Linux x86-64 rt_sigframe), and rt_sigreturn(2).
 *
 *     old rsp - 128 (red zone)
 *     512 bytes of fxsave, aligned to 64     <- uc_mcontext.fpstate
 *     siginfo, ucontext
 *     return address: the restorer           <- rsp, 8 below a multiple of 16
 */
#include "arch/cpu.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/uaccess.h"
#include "sched/sched.h"

#define ALTSTACK_MIN 2048 /* MINSIGSTKSZ */
/* The flags that a handler may change. */
#define USER_FLAGS ((uint64_t)(RFLAGS_STATUS | RFLAGS_TF | RFLAGS_DF | RFLAGS_RF | RFLAGS_AC))
#define UC_SIGCONTEXT_SS 2ul     /* the frame has ss, */
#define UC_STRICT_RESTORE_SS 4ul /* which rt_sigreturn takes as it is */
#define FXSAVE_SIZE 416          /* what the CPU writes of an area of 512 bytes */

struct sigframe {
    uint64_t restorer;
    uint64_t uc_flags, uc_link;
    struct signal_stack stack;
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip;
    uint64_t rflags;
    uint16_t cs, gs, fs, ss;
    uint64_t error, trap, old_mask, cr2, fpstate, reserved[8];
    uint64_t mask;
    uint8_t siginfo[SIGINFO_SIZE];
};

/* Of other signals a code above 0 is only what a sender says of himself, and all that he says is told. */
static bool siginfo_of_fault(int signal, const struct signal_info *info)
{
    const uint64_t faults = SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGTRAP) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGFPE) |
                            SIGNAL_BIT(SIGSEGV);

    return info->code > 0 && info->code < SI_KERNEL && signal > 0 && signal <= SIGNALS && SIGNAL_BIT(signal) & faults;
}

void siginfo_fill(void *buffer, int signal, const struct signal_info *info)
{
    int32_t *words = buffer;

    memset(buffer, 0, SIGINFO_SIZE);
    words[0] = signal;
    words[1] = info->error;
    words[2] = info->code;
    if (siginfo_of_fault(signal, info)) {
        *(uint64_t *)(words + 4) = info->value; /* si_addr */
    } else {
        words[4] = info->pid;
        words[5] = info->uid;
        *(uint64_t *)(words + 6) = info->value; /* si_status, si_value */
    }
}

void siginfo_read(const void *buffer, int signal, struct signal_info *info)
{
    const int32_t *words = buffer;

    info->error = words[1];
    info->code = words[2];
    info->pid = words[4];
    info->uid = words[5];
    info->value = *(const uint64_t *)(words + (siginfo_of_fault(signal, info) ? 4 : 6));
}

static bool stack_contains(const struct signal_stack *stack, uint64_t rsp)
{
    return rsp > stack->base && rsp - stack->base <= stack->size;
}

/* Does the task run on its alternate stack? With SS_AUTODISARM it never does, for sigaltstack(2). */
static bool on_altstack(uint64_t rsp)
{
    const struct signal_stack *stack = &current->altstack;

    return !(stack->flags & SS_AUTODISARM) && stack_contains(stack, rsp);
}

struct signal_stack altstack_get(uint64_t rsp)
{
    struct signal_stack stack = current->altstack;

    stack.flags &= SS_AUTODISARM;
    if (!stack.size) {
        stack.flags |= SS_DISABLE;
    } else if (on_altstack(rsp)) {
        stack.flags |= SS_ONSTACK;
    }
    return stack;
}

long altstack_set(const struct signal_stack *stack, uint64_t rsp)
{
    int mode = stack->flags & ~SS_AUTODISARM;

    if (on_altstack(rsp)) {
        return -EPERM;
    }
    if (mode != 0 && mode != SS_ONSTACK && mode != SS_DISABLE) {
        return -EINVAL;
    }
    if (mode != SS_DISABLE && stack->size < ALTSTACK_MIN) {
        return -ENOMEM;
    }
    current->altstack = (struct signal_stack){.flags = stack->flags};
    if (mode != SS_DISABLE) {
        current->altstack.base = stack->base;
        current->altstack.size = stack->size;
    }
    return 0;
}

/* Where the frame begins: under the red zone, or on the alternate stack. */
static uint64_t frame_top(const struct signal_action *action, uint64_t rsp, bool *on_alternate)
{
    const struct signal_stack *stack = &current->altstack;

    *on_alternate = on_altstack(rsp);
    if (action->flags & SA_ONSTACK && stack->size && !on_altstack(rsp - 128)) {
        *on_alternate = true;
        return stack->base + stack->size;
    }
    return rsp - 128;
}

long sigframe_push(struct trap_frame *frame, int signal, const struct signal_action *action,
                   const struct signal_info *info, uint64_t mask)
{
    struct task *task = current;
    struct sigframe f;
    uint8_t fpu[512] __attribute__((aligned(16)));
    bool on_alternate;
    uint64_t sp = frame_top(action, frame->rsp, &on_alternate), fpstate;

    fpstate = align_down(sp - sizeof(fpu), 64);
    sp = align_down(fpstate - sizeof(f), 16) - 8;
    if (!(action->flags & SA_RESTORER) ||
        (on_alternate && !stack_contains(&task->altstack, sp))) { /* below may be anything */
        return -EFAULT;
    }
    memset(&f, 0, sizeof(f));
    f = (struct sigframe){
        .restorer = action->restorer, .uc_flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS,
        .stack = task->altstack,
        .r8 = frame->r8, .r9 = frame->r9, .r10 = frame->r10, .r11 = frame->r11,
        .r12 = frame->r12, .r13 = frame->r13, .r14 = frame->r14, .r15 = frame->r15,
        .rdi = frame->rdi, .rsi = frame->rsi, .rbp = frame->rbp, .rbx = frame->rbx,
        .rdx = frame->rdx, .rax = frame->rax, .rcx = frame->rcx, .rsp = frame->rsp,
        .rip = frame->rip, .rflags = frame->rflags, .cs = (uint16_t)frame->cs,
        .ss = (uint16_t)frame->ss, .old_mask = mask, .fpstate = fpstate, .mask = mask,
        .error = task->fault.error, .trap = task->fault.vector, .cr2 = task->fault.address,
    };
    siginfo_fill(f.siginfo, signal, info);
    memset(fpu + FXSAVE_SIZE, 0, sizeof(fpu) - FXSAVE_SIZE); /* no magic: no extended state behind */
    fxsave(fpu);
    if (copy_to_user((void __user *)fpstate, fpu, sizeof(fpu)) ||
        copy_to_user((void __user *)sp, &f, sizeof(f))) {
        return -EFAULT;
    }
    if (task->altstack.flags & SS_AUTODISARM) { /* until the handler returns */
        task->altstack = (struct signal_stack){.flags = SS_DISABLE};
    }
    frame->rsp = sp;
    frame->rip = action->handler;
    frame->rdi = (uint64_t)signal;
    frame->rsi = sp + offsetof(struct sigframe, siginfo);
    frame->rdx = sp + offsetof(struct sigframe, uc_flags);
    frame->rax = 0;
    frame->rflags &= ~(uint64_t)(RFLAGS_DF | RFLAGS_TF | RFLAGS_RF);
    frame->cs = SELECTOR_USER_CODE;
    frame->ss = SELECTOR_USER_DATA;
    frame->error = 0;
    user_fpu_reset();
    return 0;
}

long sigframe_pop(struct trap_frame *frame)
{
    uint64_t rsp = frame->rsp;
    struct sigframe f;
    uint8_t fpu[512] __attribute__((aligned(16)));

    if (copy_from_user(&f, (void __user *)(rsp - 8), sizeof(f))) {
        return -EFAULT;
    }
    if (!f.fpstate) {
        user_fpu_reset();
    } else if (f.fpstate % 16 || copy_from_user(fpu, (void __user *)f.fpstate, sizeof(fpu)) ||
               !user_fpu_load(fpu)) {
        return -EFAULT;
    }
    frame->r8 = f.r8, frame->r9 = f.r9, frame->r10 = f.r10, frame->r11 = f.r11;
    frame->r12 = f.r12, frame->r13 = f.r13, frame->r14 = f.r14, frame->r15 = f.r15;
    frame->rdi = f.rdi, frame->rsi = f.rsi, frame->rbp = f.rbp, frame->rbx = f.rbx;
    frame->rdx = f.rdx, frame->rax = f.rax, frame->rcx = f.rcx, frame->rsp = f.rsp;
    frame->rip = f.rip;
    frame->cs = f.cs | 3; /* anything of ring 3: iretq refuses what is wrong, see segment_trap */
    frame->ss = f.uc_flags & UC_STRICT_RESTORE_SS ? f.ss | 3 : SELECTOR_USER_DATA;
    frame->rflags = (frame->rflags & ~USER_FLAGS) | (f.rflags & USER_FLAGS);
    frame->error = 0; /* not a call to restart */
    (void)altstack_set(&f.stack, rsp); /* an impossible one is left out, as on Linux */
    signal_set_blocked(f.mask);
    sched_notify(current); /* all registers come from the frame */
    return 0;
}
