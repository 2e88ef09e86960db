/*
 * Signals on the way to user mode: what each does by default, handlers, stops, and calls that go
 * again.
 *
 * What depends on the action (a stop, SA_RESETHAND) is done under the lock under which the signal is
 * taken: a SIGCONT or a sigaction that comes later finds it done, and undoes it.
 */
#include "arch/cpu.h"
#include "lib/errno.h"
#include "mm/mm.h"
#include "mm/uaccess.h"
#include "sched/group.h"
#include "sched/sched.h"
#include "sched/signal.h"

/* One thread less that the stop waits for; the last one tells the parent. tasks_lock is held. */
static void stop_count_down(struct thread_group *group)
{
    assert_held(&tasks_lock);
    if (--group->stop_left == 0) {
        group->stop_waitable = true;
        signal_tell_parent_locked(group, CLD_STOPPED, group->stop_signal);
    }
}

void signal_leave_stop_locked(void)
{
    struct thread_group *group = current->group;

    if (group->stop_signal && group->thread_count > 1) {
        stop_count_down(group);
    }
}

static bool wake_stopped(struct wait_entry *entry, int events)
{
    (void)events;
    task_wake_stopped(entry->task);
    return false; /* the others, too */
}

/* Stay stopped until SIGCONT or SIGKILL. */
static void stop_here(void)
{
    struct thread_group *group = current->group;
    struct wait_entry entry = {.wake = wake_stopped, .task = current};
    uint64_t flags = spin_lock_irqsave(&tasks_lock);

    if (!group->stop_signal) {
        spin_unlock_irqrestore(&tasks_lock, flags);
        return;
    }
    wait_queue_add(&group->stop_queue, &entry);
    current->state = TASK_STOPPED;
    current->reason = WAIT_STOPPED;
    stop_count_down(group);
    spin_unlock(&tasks_lock); /* interrupts stay off: a preemption would have it stop twice */
    schedule();
    irq_restore(flags);
    wait_queue_remove(&group->stop_queue, &entry);
}

/* All threads of the process are to stop: stop_spread tells them. tasks_lock is held. */
static void stop_begin(int signal)
{
    struct thread_group *group = current->group;

    assert_held(&tasks_lock);
    if (group->pid == 1 || group->stop_signal) {
        return;
    }
    group_set_stop(group, signal);
    group->stop_left = group->thread_count;
    group->stop_waitable = group->continued = false;
    group_place(group);
    signal_notify_locked(current);
}

/* None is born meanwhile that does not know: who is to stop gets no thread. */
static void stop_spread(struct thread_group *group)
{
    for (pid_t tid = 0; group->thread_count > 1 && (tid = task_next(tid)) != 0;) {
        uint64_t flags = spin_lock_irqsave(&tasks_lock);
        struct task *task = task_find_locked(tid);

        if (task && task->group == group && group->stop_signal) {
            signal_notify_locked(task);
        }
        spin_unlock_irqrestore(&tasks_lock, flags);
    }
}

/*
 * A stop signal of the terminal does nothing to an orphaned group, for nobody could continue it. That
 * is found out in turns; a SIGCONT that comes meanwhile undoes the stop.
 */
static void stop_unless_orphaned(int signal)
{
    struct thread_group *group = current->group;
    bool orphaned = group_orphaned(group->pgid);
    uint64_t flags = spin_lock_irqsave(&tasks_lock);

    if (group->stop_taken && !orphaned) {
        stop_begin(signal);
    }
    group->stop_taken = false;
    spin_unlock_irqrestore(&tasks_lock, flags);
}

static bool is_system_call(const struct trap_frame *frame)
{
    return frame->error == (uint64_t)-1;
}

/* A call that a signal interrupted: again, or EINTR. */
static void call_restart(struct trap_frame *frame, bool handled, const struct signal_action *action)
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

/* What wait says of the end by `signal`. Nothing keeps the image of the memory here: so does a Linux
 * whose core_pattern (core(5)) gives it to a program that throws it away. */
static int signal_status(int signal)
{
    bool kept = current->group->limits[RLIMIT_CORE].soft >= PAGE_SIZE && !current->mm->secret;

    return kept && SIGNALS_CORE & SIGNAL_BIT(signal) ? signal | WAIT_CORE : signal;
}

/*
 * Set a handler up. Where its frame cannot be written, or where it begins at no user address, the task
 * gets SIGSEGV instead, once: what cannot be delivered and is SIGSEGV itself is the end.
 */
static void handler_call(struct trap_frame *frame, int signal, const struct signal_action *action,
                         const struct signal_info *info)
{
    struct task *task = current;
    uint64_t mask = task->restore_blocked ? task->saved_blocked : task->blocked;

    call_restart(frame, true, action);
    task->restart_deadline = 0;
    if (sigframe_push(frame, signal, action, info, mask)) {
        if (signal == SIGSEGV) {
            task_exit_group(signal_status(SIGSEGV));
        }
        signal_force(SIGSEGV, SI_KERNEL, 0);
        return;
    }
    task->restore_blocked = false;
    signal_set_blocked(task->blocked | action->mask |
                       (action->flags & SA_NODEFER ? 0 : SIGNAL_BIT(signal)));
    if (frame->rip >= USER_TOP) {
        signal_force(SIGSEGV, SI_KERNEL, 0);
    }
}

/* True: a handler was set up, or something was taken and there may be more. */
static bool deliver_one(struct trap_frame *frame)
{
    struct task *task = current;
    struct signal_action action = {.handler = SIG_DFL}, *entry;
    struct signal_info info;
    uint64_t flags = spin_lock_irqsave(&tasks_lock);
    int signal = signal_take_locked(task, ~task->blocked, &info);

    if (signal) {
        entry = &task->sighand->actions[signal - 1];
        action = *entry;
        if (action.handler == SIG_DFL && signal == SIGSTOP) {
            stop_begin(signal);
        } else if (action.handler == SIG_DFL && SIGNALS_STOP & SIGNAL_BIT(signal)) {
            task->group->stop_taken = true;
        } else if (action.handler != SIG_IGN && action.flags & SA_RESETHAND) {
            entry->handler = SIG_DFL;
        }
    }
    spin_unlock_irqrestore(&tasks_lock, flags);
    if (!signal) {
        return false;
    }
    if (SIGNALS_STOP & SIGNAL_BIT(signal) && task->group->stop_signal) {
        stop_spread(task->group);
    }
    if (signal == SIGKILL && info.code == SI_KERNEL && info.value == SIGNAL_THREAD_ENDS && task->group->exec_task) {
        task_exit(SIGKILL);
    }
    if (action.handler == SIG_DFL && signal != SIGSTOP && SIGNALS_STOP & SIGNAL_BIT(signal)) {
        stop_unless_orphaned(signal);
    } else if (action.handler != SIG_DFL && action.handler != SIG_IGN) {
        handler_call(frame, signal, &action, &info);
    } else if (signal == SIGKILL || (action.handler == SIG_DFL && task->group->pid != 1 &&
                                     !((SIGNALS_STOP | SIGNALS_IGNORED) & SIGNAL_BIT(signal)))) {
        task_exit_group(signal_status(signal));
    }
    return true;
}

void signal_return_to_user(struct trap_frame *frame)
{
    struct task *task = current;

    this_cpu(user_work) = false;
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
    call_restart(frame, false, NULL);
    if (task->restore_blocked) {
        task->restore_blocked = false;
        signal_set_blocked(task->saved_blocked);
    }
    irq_disable();
}

void signal_user_fault(struct trap_frame *frame, int signal, int code, vaddr_t address)
{
    current->fault.vector = frame->vector;
    current->fault.error = frame->error;
    if (frame->vector == 14) {
        current->fault.address = address;
        current->fault.error |= address >= USER_TOP; /* what the kernel has there is not told */
    }
    signal_force(signal, code, address);
}
