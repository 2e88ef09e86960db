/* Calls on signals. */
#include "lib/errno.h"
#include "mm/uaccess.h"
#include "sched/task.h"
#include "syscall/calls.h"

#define ACTION_FLAGS                                                                      \
    (SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_EXPOSE_TAGBITS | SA_RESTORER | SA_ONSTACK | \
     SA_RESTART | SA_NODEFER | SA_RESETHAND)

long sys_rt_sigaction(int signal, const void __user *user, void __user *old, size_t size)
{
    struct signal_action before, fresh = {0};

    if (size != 8 || signal < 1 || signal > SIGNALS) {
        return -EINVAL;
    }
    if (user && copy_from_user(&fresh, user, sizeof(fresh))) {
        return -EFAULT;
    }
    if (user && SIGNAL_BIT(signal) & SIGNALS_UNBLOCKABLE) {
        return -EINVAL;
    }
    fresh.mask &= ~SIGNALS_UNBLOCKABLE;
    fresh.flags &= ACTION_FLAGS; /* a program sees by that which ones there are */
    signal_set_action(signal, user ? &fresh : NULL, &before);
    return old ? copy_to_user(old, &before, sizeof(before)) : 0;
}

long sys_rt_sigprocmask(int how, const uint64_t __user *set, uint64_t __user *old, size_t size)
{
    enum { SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK };
    uint64_t before = current->blocked, mask;

    if (size != 8) {
        return -EINVAL;
    }
    if (set) {
        if (get_user(mask, set)) {
            return -EFAULT;
        }
        if (how < SIG_BLOCK || how > SIG_SETMASK) {
            return -EINVAL;
        }
        if (how == SIG_BLOCK) {
            mask |= before;
        } else if (how == SIG_UNBLOCK) {
            mask = before & ~mask;
        }
        signal_set_blocked(mask);
    }
    return old ? put_user(before, old) : 0;
}

long sys_rt_sigreturn(void)
{
    struct trap_frame *frame = task_frame(current);

    if (sigframe_pop(frame)) {
        signal_force(SIGSEGV, SI_KERNEL, 0);
    }
    return (long)frame->rax;
}

static long signal_suspend(void)
{
    wait_event_unqueued(WAIT_SIGNAL, 0, false, KTIME_NEVER);
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

    if (error) {
        return error;
    }
    return signal_suspend();
}

long sys_pause(void)
{
    return signal_suspend();
}

long sys_kill(pid_t pid, int signal)
{
    bool valid = signal >= 0 && signal <= SIGNALS;
    long error = signal_kill(pid, valid ? signal : 0);

    return error || valid ? error : -EINVAL; /* who is not there comes first */
}

/* To one thread; tgid 0: of whatever process. */
static long signal_thread(pid_t tgid, pid_t tid, int signal, const struct signal_info *info)
{
    struct task *task;
    long error = -ESRCH;

    task = task_find(tid);
    if (task && (!tgid || task->group->pid == tgid)) {
        error = signal < 0 || signal > SIGNALS ? -EINVAL : 0;
        if (signal && !error) {
            error = signal_send(task, signal, info);
        }
    }
    task_put(task);
    return error;
}

long sys_tgkill(pid_t tgid, pid_t tid, int signal)
{
    struct signal_info info = {.code = SI_TKILL, .pid = current->group->pid};

    return tgid <= 0 || tid <= 0 ? -EINVAL : signal_thread(tgid, tid, signal, &info);
}

long sys_tkill(pid_t tid, int signal)
{
    struct signal_info info = {.code = SI_TKILL, .pid = current->group->pid};

    return tid <= 0 ? -EINVAL : signal_thread(0, tid, signal, &info);
}

/* What the sender tells of itself is believed, but for what only the kernel and kill(2) say: this it
 * may say to itself alone. */
static long queueinfo_read(pid_t to, int signal, const void __user *user, struct signal_info *info)
{
    uint8_t buffer[SIGINFO_SIZE];

    if (copy_from_user(buffer, user, sizeof(buffer))) {
        return -EFAULT;
    }
    siginfo_read(buffer, signal, info);
    return (info->code >= 0 || info->code == SI_TKILL) && to != current->tid ? -EPERM : 0;
}

long sys_rt_sigqueueinfo(pid_t pid, int signal, const void __user *user)
{
    struct signal_info info;
    long error = queueinfo_read(pid, signal, user, &info);
    struct task *task;

    if (error) {
        return error;
    }
    task = task_find(pid);
    if (!task) {
        return -ESRCH;
    }
    error = signal < 0 || signal > SIGNALS ? -EINVAL : 0;
    if (signal && !error) {
        error = signal_send_process(task->group, signal, &info);
    }
    task_put(task);
    return error;
}

long sys_rt_tgsigqueueinfo(pid_t tgid, pid_t tid, int signal, const void __user *user)
{
    struct signal_info info;
    long error;

    if (tgid <= 0 || tid <= 0) {
        return -EINVAL;
    }
    error = queueinfo_read(tid, signal, user, &info);
    if (error) {
        return error;
    }
    return signal_thread(tgid, tid, signal, &info);
}

long sys_rt_sigpending(uint64_t __user *set, size_t size)
{
    uint64_t pending = (current->pending.mask | current->group->pending.mask) & current->blocked;

    return size > sizeof(pending) ? -EINVAL : copy_to_user(set, &pending, size);
}

long sys_rt_sigtimedwait(const uint64_t __user *set, void __user *user,
                         const struct timespec __user *timeout, size_t size)
{
    struct signal_info info;
    uint8_t buffer[SIGINFO_SIZE];
    ktime_t deadline;
    uint64_t mask;
    int signal;

    if (size != sizeof(mask)) {
        return -EINVAL;
    }
    if (get_user(mask, set)) {
        return -EFAULT;
    }
    deadline = deadline_from_user(timeout);
    if (deadline < 0) {
        return deadline;
    }
    signal = signal_wait(mask & ~SIGNALS_UNBLOCKABLE, deadline, &info);
    if (signal > 0 && user) {
        siginfo_fill(buffer, signal, &info);
        return copy_to_user(user, buffer, sizeof(buffer)) ? -EFAULT : signal;
    }
    return signal;
}

long sys_sigaltstack(const void __user *user, void __user *old)
{
    uint64_t rsp = task_frame(current)->rsp;
    struct signal_stack stack, before = altstack_get(rsp);
    long error;

    if (user && copy_from_user(&stack, user, sizeof(stack))) {
        return -EFAULT;
    }
    error = user ? altstack_set(&stack, rsp) : 0;
    return error || !old ? error : copy_to_user(old, &before, sizeof(before));
}
