/*
 * Signals: sending, choosing the thread, default actions, delivery.
 *
 * A pending signal is a bit and a siginfo. It is looked at on the way to user mode only, so the
 * kernel itself is never interrupted by one; sleeps that may be interrupted end when one comes.
 */
#include "sched/signal.h"

#include "arch/cpu.h"
#include "lib/errno.h"
#include "lib/refcount.h"
#include "lib/string.h"
#include "mm/kmalloc.h"
#include "sched/sched.h"
#include "trace/trace.h"

#define SIG_DFL 0ul
#define SIG_IGN 1ul
#define SA_NOCLDSTOP 1ul
#define SA_NODEFER 0x40000000ul
#define SA_RESETHAND 0x80000000ul
#define SA_RESTART 0x10000000ul
#define UNBLOCKABLE (SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP))
#define STOPS (SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU))
#define IGNORED_BY_DEFAULT \
    (SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGCONT) | SIGNAL_BIT(SIGURG) | SIGNAL_BIT(SIGWINCH))

struct sighand *sighand_create(const struct sighand *from)
{
    struct sighand *sighand = kzalloc(sizeof(*sighand));

    if (sighand) {
        if (from) {
            memcpy(sighand, from, sizeof(*sighand));
        }
        sighand->references = 1;
    }
    return sighand;
}

void sighand_put(struct sighand *sighand)
{
    if (sighand && ref_put(&sighand->references)) {
        kfree(sighand);
    }
}

bool signal_pending(const struct task *task)
{
    const struct thread_group *group = task->group;

    return ((task->pending.mask | group->pending.mask) & ~task->blocked) ||
           (group->stop_signal && task->state != TASK_STOPPED);
}

bool signal_kill_pending(const struct task *task)
{
    return (task->pending.mask | task->group->pending.mask) & SIGNAL_BIT(SIGKILL);
}

bool signal_ignored(const struct task *task, int signal)
{
    uint64_t handler = task->sighand->actions[signal - 1].handler;

    return handler == SIG_IGN || (task->blocked & SIGNAL_BIT(signal)) ||
           (handler == SIG_DFL && (IGNORED_BY_DEFAULT & SIGNAL_BIT(signal)));
}

/* Make the task look at its signals soon. tasks_lock is held. */
static void notify(struct task *task)
{
    sched_notify(task);
    /* Also the current one: an interrupt may come while it is about to sleep. */
    if (task->state == TASK_SLEEPING ||
        (task->state == TASK_BLOCKED && task->reason == WAIT_VFORK)) {
        task_wake(task);
    }
}

static void add(struct signal_set *set, int signal, const struct signal_info *info)
{
    if (!(set->mask & SIGNAL_BIT(signal))) {
        set->mask |= SIGNAL_BIT(signal);
        set->info[signal - 1] = *info;
    }
}

/* SIGCHLD for a stop or its end; an exit is told in exit.c. */
static void tell_parent(struct thread_group *group, int code, int signal)
{
    struct signal_info info = {code, group->pid, (uint64_t)signal};

    if (group->parent) {
        if (!(group_sighand(group->parent)->actions[SIGCHLD - 1].flags & SA_NOCLDSTOP)) {
            signal_send_process_locked(group->parent, SIGCHLD, &info);
        }
        wake_all(&group->parent->child_queue);
    }
}

/* Stop signals and SIGCONT undo each other; SIGCONT and SIGKILL wake what is stopped. */
static void prepare(struct thread_group *group, int signal)
{
    uint64_t remove = signal == SIGCONT ? STOPS
                      : STOPS & SIGNAL_BIT(signal) ? SIGNAL_BIT(SIGCONT) : 0;
    struct task *task;

    group->pending.mask &= ~remove;
    list_for_each(task, &group->threads, in_group) {
        task->pending.mask &= ~remove;
    }
    if ((signal == SIGCONT || signal == SIGKILL) && group->stop_signal) {
        group->stop_signal = 0;
        if (signal == SIGCONT) {
            group->continued = true;
            tell_parent(group, CLD_CONTINUED, SIGCONT);
        }
        list_for_each(task, &group->threads, in_group) {
            task_wake_stopped(task);
        }
    }
}

/* Would delivering do nothing at all? A blocked signal stays pending, as it may change. */
static bool useless(const struct task *task, int signal)
{
    uint64_t handler = task->sighand ? task->sighand->actions[signal - 1].handler : SIG_IGN;

    if (task->blocked & SIGNAL_BIT(signal)) {
        return false;
    }
    return task->group->pid == 1 && handler == SIG_DFL
               ? true
               : handler == SIG_IGN ||
                     (handler == SIG_DFL && (IGNORED_BY_DEFAULT & SIGNAL_BIT(signal)));
}

void signal_send_locked(struct task *task, int signal, const struct signal_info *info)
{
    bool ends = signal == SIGKILL && info->code == SI_KERNEL; /* exit_group, exec: init's threads, too */

    prepare(task->group, signal);
    if (task->state == TASK_ZOMBIE || (!ends && useless(task, signal))) {
        return;
    }
    trace(TRACE_SIGNAL, 0, (uint32_t)signal, (uint64_t)task->tid);
    add(&task->pending, signal, info);
    if (!(task->blocked & SIGNAL_BIT(signal))) {
        notify(task);
        if (signal == SIGKILL) {
            task_wake_stopped(task);
        }
    }
}

void signal_send_process_locked(struct thread_group *group, int signal,
                                const struct signal_info *info)
{
    struct task *task, *chosen = NULL;

    prepare(group, signal);
    if (group->dead || list_empty(&group->threads)) {
        return;
    }
    list_for_each(task, &group->threads, in_group) {
        if (!(task->blocked & SIGNAL_BIT(signal)) && (!chosen || task == group->leader)) {
            chosen = task;
        }
    }
    task = list_first(&group->threads, struct task, in_group);
    if (useless(chosen ? chosen : task, signal)) {
        return;
    }
    trace(TRACE_SIGNAL, 0, (uint32_t)signal, (uint64_t)(chosen ? chosen : task)->tid);
    add(&group->pending, signal, info);
    if (chosen) {
        notify(chosen);
        if (signal == SIGKILL) {
            task_wake_stopped(chosen);
        }
    }
}

void signal_send(struct task *task, int signal, const struct signal_info *info)
{
    uint64_t flags = spin_lock_irqsave(&tasks_lock);

    signal_send_locked(task, signal, info);
    spin_unlock_irqrestore(&tasks_lock, flags);
}

void signal_send_process(struct thread_group *group, int signal, const struct signal_info *info)
{
    uint64_t flags = spin_lock_irqsave(&tasks_lock);

    signal_send_process_locked(group, signal, info);
    spin_unlock_irqrestore(&tasks_lock, flags);
}

void signal_send_self(int signal)
{
    signal_send(current, signal, &(struct signal_info){.code = SI_USER, .pid = current->group->pid});
}

/* Send to all groups that fit: pgid, or -1 for all but init and the caller. tasks_lock is held. */
static int send_many(pid_t pgid, int signal, const struct signal_info *info)
{
    struct task *task;
    int count = 0;

    list_for_each(task, &all_tasks, in_all) {
        struct thread_group *group = task->group;

        if (group->leader == task && group->parent &&
            (pgid == -1 ? group->pid > 1 && group != current->group : group->pgid == pgid)) {
            count++;
            if (signal) {
                signal_send_process_locked(group, signal, info);
            }
        }
    }
    return count;
}

int signal_send_group(pid_t pgid, int signal)
{
    struct signal_info info = {.code = SI_KERNEL};
    uint64_t flags = spin_lock_irqsave(&tasks_lock);
    int count = send_many(pgid, signal, &info);

    spin_unlock_irqrestore(&tasks_lock, flags);
    return count;
}

long signal_kill(pid_t pid, int signal)
{
    struct signal_info info = {.code = SI_USER, .pid = current->group->pid};
    uint64_t flags = spin_lock_irqsave(&tasks_lock);
    long error = -ESRCH;

    if (pid > 0) {
        struct task *task = task_find_locked(pid);

        if (task) {
            error = 0;
            if (signal) {
                signal_send_process_locked(task->group, signal, &info);
            }
        }
    } else if (send_many(pid == 0 ? current->group->pgid : pid == -1 ? -1 : -pid, signal, &info)) {
        error = 0;
    }
    spin_unlock_irqrestore(&tasks_lock, flags);
    return error;
}

void signal_retarget_locked(struct thread_group *group, uint64_t mask)
{
    struct task *task;

    mask &= group->pending.mask;
    if (!mask) {
        return;
    }
    list_for_each(task, &group->threads, in_group) {
        if (task != current && mask & ~task->blocked) {
            notify(task);
            mask &= task->blocked;
        }
    }
}

void signal_set_blocked(uint64_t mask)
{
    uint64_t flags = spin_lock_irqsave(&tasks_lock);

    signal_retarget_locked(current->group, mask & ~current->blocked);
    current->blocked = mask & ~UNBLOCKABLE;
    if (signal_pending(current)) {
        notify(current);
    }
    spin_unlock_irqrestore(&tasks_lock, flags);
}

int signal_take_locked(struct task *task, uint64_t mask, struct signal_info *info)
{
    struct signal_set *set = &task->pending;
    int signal;

    if (!(set->mask & mask)) {
        set = &task->group->pending;
    }
    if (!(set->mask & mask)) {
        return 0;
    }
    signal = set->mask & mask & SIGNAL_BIT(SIGKILL) ? SIGKILL : __builtin_ctzl(set->mask & mask) + 1;
    set->mask &= ~SIGNAL_BIT(signal);
    *info = set->info[signal - 1];
    return signal;
}

void signal_exec(struct task *task)
{
    for (int i = 0; i < SIGNALS; i++) {
        struct signal_action *action = &task->sighand->actions[i];

        *action = (struct signal_action){.handler = action->handler == SIG_IGN ? SIG_IGN : SIG_DFL};
    }
    task->altstack.stack = task->altstack.size = 0;
    task->altstack.flags = 2; /* SS_DISABLE */
}

/* Stay stopped until SIGCONT or SIGKILL. The first to come tells the parent. */
static void stop_here(void)
{
    struct thread_group *group = current->group;
    uint64_t flags = spin_lock_irqsave(&tasks_lock);

    if (!group->stop_signal) {
        spin_unlock_irqrestore(&tasks_lock, flags);
        return;
    }
    current->state = TASK_STOPPED;
    current->reason = WAIT_STOPPED;
    if (!group->stop_reported) {
        group->stop_reported = group->stop_waitable = true;
        tell_parent(group, CLD_STOPPED, group->stop_signal);
    }
    spin_unlock_irqrestore(&tasks_lock, flags);
    schedule();
}

static void start_stop(int signal)
{
    struct thread_group *group = current->group;
    uint64_t flags = spin_lock_irqsave(&tasks_lock);
    struct task *task;

    if (signal == SIGSTOP || !group_orphaned_locked(group->pgid, NULL)) {
        group->stop_signal = signal;
        group->stop_reported = group->stop_waitable = false;
        group->continued = false;
        list_for_each(task, &group->threads, in_group) {
            notify(task);
        }
    }
    spin_unlock_irqrestore(&tasks_lock, flags);
}

static void default_action(int signal)
{
    if (STOPS & SIGNAL_BIT(signal)) {
        start_stop(signal);
    } else if (!(IGNORED_BY_DEFAULT & SIGNAL_BIT(signal)) && current->group->pid != 1) {
        task_exit_group(signal);
    }
}

static bool is_system_call(const struct trap_frame *frame)
{
    return frame->error == (uint64_t)-1;
}

/* A call that a signal interrupted: again, or EINTR. */
static void restart(struct trap_frame *frame, bool handled, const struct signal_action *action)
{
    long result = (long)frame->rax;

    if (!is_system_call(frame) ||
        (result != -ERESTARTSYS && result != -ERESTARTNOINTR && result != -ERESTARTNOHAND)) {
        return;
    }
    if (handled && result != -ERESTARTNOINTR &&
        (result == -ERESTARTNOHAND || !(action->flags & SA_RESTART))) {
        frame->rax = (uint64_t)-EINTR;
    } else {
        frame->rax = frame->orig_rax;
        frame->rip -= 2; /* the length of the syscall instruction */
    }
    frame->error = 0; /* only once */
}

static void deliver(struct trap_frame *frame, int signal, struct signal_action action,
                    const struct signal_info *info)
{
    struct task *task = current;
    uint64_t mask = task->restore_blocked ? task->saved_blocked : task->blocked;

    task->restore_blocked = false;
    restart(frame, true, &action);
    if (sigframe_push(frame, signal, &action, info, mask)) {
        task->sighand->actions[SIGSEGV - 1].handler = SIG_DFL;
        task_exit_group(SIGSEGV);
    }
    if (action.flags & SA_RESETHAND) {
        task->sighand->actions[signal - 1].handler = SIG_DFL;
    }
    signal_set_blocked(task->blocked | action.mask |
                       (action.flags & SA_NODEFER ? 0 : SIGNAL_BIT(signal)));
}

/* True: a handler was set up, or something was taken and there may be more. */
static bool deliver_one(struct trap_frame *frame)
{
    struct task *task = current;
    struct signal_action action;
    struct signal_info info;
    uint64_t flags = spin_lock_irqsave(&tasks_lock);
    int signal = signal_take_locked(task, ~task->blocked, &info);

    if (signal) {
        action = task->sighand->actions[signal - 1];
    }
    spin_unlock_irqrestore(&tasks_lock, flags);
    if (!signal) {
        return false;
    }
    if (signal == SIGKILL) {
        if (info.value == SIGNAL_THREAD_ENDS && task->group->exec_task) {
            task_exit(SIGKILL);
        }
        task_exit_group(SIGKILL);
    }
    if (action.handler == SIG_DFL) {
        default_action(signal);
    } else if (action.handler != SIG_IGN) {
        deliver(frame, signal, action, &info);
    }
    return true;
}

void signal_return_to_user(struct trap_frame *frame)
{
    struct task *task = current;

    this_cpu(return_work) = false;
    if (this_cpu(need_resched)) {
        schedule();
    }
    if (!task->notify) {
        return;
    }
    task->notify = false;
    irq_enable();
    while (deliver_one(frame) || task->group->stop_signal) {
        if (task->group->stop_signal) {
            stop_here();
        }
    }
    restart(frame, false, NULL);
    if (task->restore_blocked) {
        task->restore_blocked = false;
        signal_set_blocked(task->saved_blocked);
    }
    irq_disable();
}

/* A fault cannot be put off: a blocked or ignored signal kills. */
void signal_user_fault(struct trap_frame *frame, int signal, int code, vaddr_t address)
{
    struct signal_info info = {.code = code, .value = address};
    uint64_t flags = spin_lock_irqsave(&tasks_lock);
    struct signal_action *action = &current->sighand->actions[signal - 1];
    bool ends_init;

    if (action->handler == SIG_IGN || current->blocked & SIGNAL_BIT(signal) ||
        (current->group->pid == 1 && action->handler == SIG_DFL)) {
        action->handler = SIG_DFL;
        current->blocked &= ~SIGNAL_BIT(signal);
    }
    current->pending.mask &= ~SIGNAL_BIT(signal);
    add(&current->pending, signal, &info);
    notify(current);
    ends_init = current->group->pid == 1 && action->handler == SIG_DFL;
    spin_unlock_irqrestore(&tasks_lock, flags);
    if (ends_init) { /* not by deliver_one: init is spared there */
        printk("init crashed: signal %d at %lx, rip %lx\n", signal, address, frame->rip);
        task_exit_group(signal);
    }
}
