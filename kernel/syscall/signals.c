/* Calls on signals. */
#include "lib/errno.h"
#include "mm/uaccess.h"
#include "sched/task.h"
#include "syscall/calls.h"

#define UNBLOCKABLE (SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP))

long sys_rt_sigaction(int signal, const void __user *user, void __user *old, size_t size)
{
    struct signal_action *action, before, fresh;
    uint64_t flags;

    if (size != 8 || signal < 1 || signal > SIGNALS) {
        return -EINVAL;
    }
    if (user && copy_from_user(&fresh, user, sizeof(fresh))) {
        return -EFAULT;
    }
    if (user && SIGNAL_BIT(signal) & UNBLOCKABLE) {
        return -EINVAL;
    }
    action = &current->sighand->actions[signal - 1];
    flags = spin_lock_irqsave(&tasks_lock);
    before = *action;
    if (user) {
        *action = fresh;
        action->mask &= ~UNBLOCKABLE;
        if (signal_ignored(current, signal) && !(current->blocked & SIGNAL_BIT(signal))) {
            current->pending.mask &= ~SIGNAL_BIT(signal);
            current->group->pending.mask &= ~SIGNAL_BIT(signal);
        }
    }
    spin_unlock_irqrestore(&tasks_lock, flags);
    return old ? copy_to_user(old, &before, sizeof(before)) : 0;
}

long sys_rt_sigprocmask(int how, const uint64_t __user *set, uint64_t __user *old, size_t size)
{
    uint64_t before = current->blocked, mask;

    if (size != 8) {
        return -EINVAL;
    }
    if (set) {
        if (get_user(mask, set)) {
            return -EFAULT;
        }
        if (how < 0 || how > 2) {
            return -EINVAL;
        }
        signal_set_blocked(how == 0 ? before | mask : how == 1 ? before & ~mask : mask);
    }
    return old ? put_user(before, old) : 0;
}

long sys_rt_sigreturn(void)
{
    struct trap_frame *frame = task_frame(current);

    if (sigframe_pop(frame)) {
        signal_send_self(SIGSEGV);
        return -EFAULT;
    }
    return (long)frame->rax;
}

static long suspend(void)
{
    struct wait_queue nobody;

    wait_queue_init(&nobody);
    wait_event_interruptible(&nobody, WAIT_SIGNAL, 0, false);
    return -ERESTARTNOHAND;
}

/* Until a handler has run, or signal_mask_end: the blocked set is another one. */
static long mask_replace(const uint64_t __user *set, size_t size)
{
    uint64_t mask;

    if (size != 8) {
        return -EINVAL;
    }
    if (get_user(mask, set)) {
        return -EFAULT;
    }
    current->saved_blocked = current->blocked;
    current->restore_blocked = true;
    signal_set_blocked(mask);
    return 0;
}

long signal_mask_begin(const uint64_t __user *set, size_t size)
{
    return set ? mask_replace(set, size) : 0;
}

void signal_mask_end(const uint64_t __user *set, bool interrupted)
{
    if (set && !interrupted) {
        current->restore_blocked = false;
        signal_set_blocked(current->saved_blocked);
    }
}

long sys_rt_sigsuspend(const uint64_t __user *set, size_t size)
{
    long error = mask_replace(set, size);

    return error ? error : suspend();
}

long sys_pause(void)
{
    return suspend();
}

long sys_kill(pid_t pid, int signal)
{
    return signal < 0 || signal > SIGNALS ? -EINVAL : signal_kill(pid, signal);
}

long sys_tgkill(pid_t tgid, pid_t tid, int signal)
{
    struct signal_info info = {.code = SI_TKILL, .pid = current->group->pid};
    struct task *task;
    long error = -ESRCH;

    if (tgid <= 0 || tid <= 0 || signal < 0 || signal > SIGNALS) {
        return -EINVAL;
    }
    task = task_find(tid);
    if (task && task->group->pid == tgid) {
        error = 0;
        if (signal) {
            signal_send(task, signal, &info);
        }
    }
    task_put(task);
    return error;
}

struct user_stack {
    uint64_t base;
    int flags;
    uint64_t size;
};

long sys_sigaltstack(const void __user *user, void __user *old)
{
    struct task *task = current;
    uint64_t rsp = task_frame(task)->rsp;
    bool inside = task->altstack.size && rsp > task->altstack.stack &&
                  rsp - task->altstack.stack <= task->altstack.size;
    struct user_stack stack, before = {task->altstack.stack,
                                       !task->altstack.size ? 2 : inside ? 1 : 0,
                                       task->altstack.size};

    if (user) {
        if (copy_from_user(&stack, user, sizeof(stack))) {
            return -EFAULT;
        }
        if (inside) {
            return -EPERM;
        }
        if (stack.flags & ~3) {
            return -EINVAL;
        }
        if (!(stack.flags & 2) && stack.size < 2048) {
            return -ENOMEM;
        }
        task->altstack.stack = stack.flags & 2 ? 0 : stack.base;
        task->altstack.size = stack.flags & 2 ? 0 : stack.size;
    }
    return old ? copy_to_user(old, &before, sizeof(before)) : 0;
}
