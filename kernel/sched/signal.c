/*
 * Signals: sending, choosing the thread, what is pending and what is blocked.
 *
 * A pending signal is a bit and a siginfo. It is looked at on the way to user mode only (deliver.c),
 * so the kernel itself is never interrupted by one; sleeps that may be interrupted end when one
 * comes.
 */
#include "sched/signal.h"

#include "arch/cpu.h"
#include "lib/errno.h"
#include "lib/refcount.h"
#include "lib/string.h"
#include "mm/kmalloc.h"
#include "sched/group.h"
#include "sched/posix_timer.h"
#include "sched/sched.h"
#include "trace/trace.h"

/* What a fault of the instruction sends, taken before all others (signal(7)). */
#define SYNCHRONOUS                                                                      \
    (SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGTRAP) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGFPE) | \
     SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGSYS))

#define REAL_TIMER_MIN 10000 /* the program gets this much of each interval, however short */

struct sighand *sighand_create(const struct sighand *from)
{
    struct sighand *sighand = from ? kmalloc(sizeof(*sighand)) : kzalloc(sizeof(*sighand));

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

/* Does the action say that nothing happens? */
static bool is_discarded(const struct signal_action *action, int signal)
{
    return action->handler == SIG_IGN ||
           (action->handler == SIG_DFL && (SIGNALS_IGNORED & SIGNAL_BIT(signal)));
}

bool signal_ignored(const struct task *task, int signal)
{
    return task->blocked & SIGNAL_BIT(signal) ||
           is_discarded(&task->sighand->actions[signal - 1], signal);
}

bool signal_interrupts(void)
{
    if (!signal_pending(current)) {
        return false;
    }
    sched_notify(current); /* its sender, on another CPU, may not have got to that yet */
    return true;
}

void signal_notify_locked(struct task *task)
{
    assert_held(&tasks_lock);
    sched_notify(task);
    /* Also the current one: an interrupt may come while it is about to sleep. */
    if (task->state == TASK_SLEEPING ||
        (task->state == TASK_BLOCKED && task->reason == WAIT_VFORK)) {
        task_wake(task);
    }
}

/* What would neither interrupt the task nor be taken by its signal_wait. */
static uint64_t signal_shut_out(const struct task *task)
{
    return task->blocked & ~task->awaited;
}

void signal_tell_parent_locked(struct thread_group *group, int code, int signal)
{
    struct signal_info info = {.code = code, .pid = group->pid, .value = (uint64_t)signal};

    if (group->parent) {
        group_place(group);
        if (!(group_sighand(group->parent)->actions[SIGCHLD - 1].flags & SA_NOCLDSTOP)) {
            signal_send_process_locked(group->parent, SIGCHLD, &info);
        }
        wake_in_turns(&group->parent->wake_waiters, ~0);
    }
}

/* What is pending of `mask`, for the process and for each thread, is forgotten. */
static void signal_discard(struct thread_group *group, uint64_t mask)
{
    struct task *task;

    assert_held(&tasks_lock);
    signal_set_drop(&group->pending, mask);
    list_for_each(task, &group->threads, in_group) {
        signal_set_drop(&task->pending, mask);
    }
}

void signal_set_action(int signal, const struct signal_action *action, struct signal_action *old)
{
    uint64_t flags = spin_lock_irqsave(&tasks_lock);
    struct signal_action *mine = &current->sighand->actions[signal - 1];

    *old = *mine;
    if (action) {
        *mine = *action;
        if (is_discarded(mine, signal)) {
            signal_discard(current->group, SIGNAL_BIT(signal)); /* blocked or not (sigaction(2)) */
        }
    }
    spin_unlock_irqrestore(&tasks_lock, flags);
}

/* Stop signals and SIGCONT undo each other; SIGCONT and SIGKILL wake what is stopped. */
static void signal_prepare(struct thread_group *group, int signal)
{
    assert_held(&tasks_lock);
    if (signal == SIGCONT) {
        signal_discard(group, SIGNALS_STOP);
    } else if (SIGNALS_STOP & SIGNAL_BIT(signal)) {
        signal_discard(group, SIGNAL_BIT(SIGCONT));
    }
    if (signal == SIGCONT || signal == SIGKILL) {
        group->stop_taken = false;
    }
    if ((signal == SIGCONT || signal == SIGKILL) && group->stop_signal) {
        group_set_stop(group, 0);
        if (signal == SIGCONT) {
            group->continued = true;
            signal_tell_parent_locked(group, CLD_CONTINUED, SIGCONT);
        }
        wake_in_turns(&group->wake_stopped, ~0);
    }
}

/* Would delivering do nothing at all? A blocked signal stays pending, as it may change. */
static bool signal_would_do_nothing(const struct task *task, int signal)
{
    const struct signal_action *action;

    if (task->blocked & SIGNAL_BIT(signal)) {
        return false;
    }
    if (!task->sighand) { /* it has ended */
        return true;
    }
    action = &task->sighand->actions[signal - 1];
    return is_discarded(action, signal) || (task->group->pid == 1 && action->handler == SIG_DFL);
}

/* To *set, that of the group or of a thread of it; `own` is a timer's, or NULL. */
static long signal_post(struct thread_group *group, struct signal_set *set, int signal,
                        const struct signal_info *info, struct queued_signal *own)
{
    signalfd_tell();
    if (own) {
        signal_set_queue(set, own);
        return 0;
    }
    return signal_set_add(set, signal, info, group->limits[RLIMIT_SIGPENDING].soft);
}

static long signal_send_task(struct task *task, int signal, const struct signal_info *info,
                             struct queued_signal *own)
{
    bool ends = signal == SIGKILL && info->code == SI_KERNEL; /* exit_group, exec: init's threads, too */

    long error;

    assert_held(&tasks_lock);
    signal_prepare(task->group, signal);
    if (task->state == TASK_ZOMBIE || (!ends && signal_would_do_nothing(task, signal))) {
        return 0;
    }
    error = signal_post(task->group, &task->pending, signal, info, own);
    if (error) {
        return error;
    }
    trace(TRACE_SIGNAL, 0, (uint32_t)signal, (uint64_t)task->tid);
    if (!(signal_shut_out(task) & SIGNAL_BIT(signal))) {
        signal_notify_locked(task);
        if (signal == SIGKILL) {
            task_wake_stopped(task);
        }
    }
    return 0;
}

static long signal_send_group_of(struct thread_group *group, int signal,
                                 const struct signal_info *info, struct queued_signal *own)
{
    struct task *task, *chosen = NULL;
    long error;

    assert_held(&tasks_lock);
    signal_prepare(group, signal);
    if (group->dead || list_empty(&group->threads)) {
        return 0;
    }
    list_for_each(task, &group->threads, in_group) {
        if (!(signal_shut_out(task) & SIGNAL_BIT(signal)) && (!chosen || task == group->leader)) {
            chosen = task;
        }
    }
    task = list_first(&group->threads, struct task, in_group);
    if (signal_would_do_nothing(chosen ? chosen : task, signal)) {
        return 0;
    }
    error = signal_post(group, &group->pending, signal, info, own);
    if (error) {
        return error;
    }
    trace(TRACE_SIGNAL, 0, (uint32_t)signal, (uint64_t)(chosen ? chosen : task)->tid);
    if (chosen) {
        signal_notify_locked(chosen);
        if (signal == SIGKILL) {
            task_wake_stopped(chosen);
        }
    }
    return 0;
}

long signal_send_locked(struct task *task, int signal, const struct signal_info *info)
{
    return signal_send_task(task, signal, info, NULL);
}

long signal_send_process_locked(struct thread_group *group, int signal,
                                const struct signal_info *info)
{
    return signal_send_group_of(group, signal, info, NULL);
}

void signal_send_own_locked(struct thread_group *group, struct task *task,
                            struct queued_signal *own)
{
    if (task) {
        signal_send_task(task, own->signal, &own->info, own);
    } else {
        signal_send_group_of(group, own->signal, &own->info, own);
    }
}

long signal_send(struct task *task, int signal, const struct signal_info *info)
{
    uint64_t flags = spin_lock_irqsave(&tasks_lock);
    long error = signal_send_locked(task, signal, info);

    spin_unlock_irqrestore(&tasks_lock, flags);
    return error;
}

long signal_send_process(struct thread_group *group, int signal, const struct signal_info *info)
{
    uint64_t flags = spin_lock_irqsave(&tasks_lock);
    long error = signal_send_process_locked(group, signal, info);

    spin_unlock_irqrestore(&tasks_lock, flags);
    return error;
}

void signal_send_self(int signal)
{
    signal_send(current, signal, &(struct signal_info){.code = SI_USER, .pid = current->group->pid});
}

/* Send it, if the process is to have it: those of `pgid`, or for -1 all but init and the caller. */
static int signal_send_if(struct thread_group *group, pid_t pgid, int signal,
                   const struct signal_info *info)
{
    if (!group->parent ||
        (pgid == -1 ? group->pid == 1 || group == current->group : group->pgid != pgid)) {
        return 0;
    }
    if (signal) {
        signal_send_process_locked(group, signal, info);
    }
    return 1;
}

/* To each process that is to have it, in turns; how many there are. */
static int signal_send_in_turns(pid_t pgid, int signal, const struct signal_info *info)
{
    struct process_walk walk;
    struct thread_group *group;
    int count = 0;

    process_walk_start(&walk);
    while ((group = process_walk_next(&walk)) != NULL) {
        count += signal_send_if(group, pgid, signal, info);
    }
    process_walk_end(&walk);
    return count;
}

void signal_send_group(pid_t pgid, int signal)
{
    signal_send_in_turns(pgid, signal, &(struct signal_info){.code = SI_KERNEL});
}

void signal_send_group_at_once(pid_t pgid, int signal)
{
    uint64_t flags = spin_lock_irqsave(&tasks_lock);

    group_signal_locked(pgid, signal);
    spin_unlock_irqrestore(&tasks_lock, flags);
}

long signal_kill(pid_t pid, int signal)
{
    struct signal_info info = {.code = SI_USER, .pid = current->group->pid};
    pid_t pgid = current->group->pgid;

    if (pid == -2147483647 - 1) { /* no group has the negative of it */
        return -ESRCH;
    }
    if (pid > 0) {
        uint64_t flags = spin_lock_irqsave(&tasks_lock);
        struct task *task = task_find_locked(pid);

        if (task && signal) {
            signal_send_process_locked(task->group, signal, &info);
        }
        spin_unlock_irqrestore(&tasks_lock, flags);
        return task ? 0 : -ESRCH;
    }
    if (pid < 0) {
        pgid = pid == -1 ? -1 : -pid;
    }
    return signal_send_in_turns(pgid, signal, &info) ? 0 : -ESRCH;
}

void signal_retarget_locked(struct thread_group *group, uint64_t mask)
{
    struct task *task;

    assert_held(&tasks_lock);
    mask &= group->pending.mask;
    if (!mask) {
        return;
    }
    list_for_each(task, &group->threads, in_group) {
        if (task != current && mask & ~signal_shut_out(task)) {
            signal_notify_locked(task);
            mask &= signal_shut_out(task);
        }
    }
}

void signal_set_blocked(uint64_t mask)
{
    uint64_t flags = spin_lock_irqsave(&tasks_lock);

    signal_retarget_locked(current->group, mask & ~current->blocked);
    current->blocked = mask & ~SIGNALS_UNBLOCKABLE;
    if (signal_pending(current)) {
        signal_notify_locked(current);
    }
    spin_unlock_irqrestore(&tasks_lock, flags);
}

/* The interval of setitimer(2) goes on when its signal is taken, so it costs the process's own time.
 * One that is ignored ends it. So does Linux. */
static void restart_real_timer(struct thread_group *group)
{
    struct timer *timer = &group->real_timer;
    ktime_t now = clock_now(), interval = group->real_interval, next;

    if (interval && !timer->armed && now >= timer->deadline) {
        next = timer->deadline + ((now - timer->deadline) / interval + 1) * interval;
        timer_set(timer, next < now + REAL_TIMER_MIN ? now + REAL_TIMER_MIN : next);
    }
}

int signal_take_locked(struct task *task, uint64_t mask, struct signal_info *info)
{
    struct signal_set *set = &task->pending;
    uint64_t found;
    int signal;

    assert_held(&tasks_lock);
    if (!(set->mask & mask)) {
        set = &task->group->pending;
    }
    found = set->mask & mask;
    if (!found) {
        return 0;
    }
    if (found & SIGNAL_BIT(SIGKILL)) {
        signal = SIGKILL;
    } else {
        signal = __builtin_ctzl(found & SYNCHRONOUS ? found & SYNCHRONOUS : found) + 1;
    }
    signal_set_take(set, signal, info);
    if (signal == SIGALRM) {
        restart_real_timer(task->group);
    }
    if (info->code == SI_TIMER) {
        posix_timer_taken_locked(task->group, info);
    }
    return signal;
}

/* Take one, or say which ones are to wake the current task. */
static int signal_await(uint64_t mask, struct signal_info *info)
{
    uint64_t flags = spin_lock_irqsave(&tasks_lock);
    int signal = signal_take_locked(current, mask, info);

    current->awaited = signal ? 0 : mask;
    spin_unlock_irqrestore(&tasks_lock, flags);
    return signal;
}

int signal_wait(uint64_t mask, ktime_t deadline, struct signal_info *info)
{
    struct wait_queue nobody;
    int signal;
    long error = -ETIMEDOUT;

    wait_queue_init(&nobody);
    signal = signal_await(mask, info);
    if (!signal && deadline > 0) {
        error = wait_event_timeout(&nobody, WAIT_SIGNAL, mask,
                                   (signal = signal_await(mask, info)) != 0, deadline);
    }
    if (!signal) {
        signal_await(0, info);
        return error == -ETIMEDOUT ? -EAGAIN : -EINTR;
    }
    return signal;
}

void signal_exec(struct task *task)
{
    for (int i = 0; i < SIGNALS; i++) {
        struct signal_action *action = &task->sighand->actions[i];

        *action = (struct signal_action){.handler = action->handler == SIG_IGN ? SIG_IGN : SIG_DFL};
    }
    task->altstack = (struct signal_stack){0};
}

void signal_force(int signal, int code, uint64_t value)
{
    struct signal_info info = {.code = code, .value = value};
    uint64_t flags = spin_lock_irqsave(&tasks_lock);
    struct signal_action *action = &current->sighand->actions[signal - 1];
    bool ends_init;

    if (action->handler == SIG_IGN || current->blocked & SIGNAL_BIT(signal)) {
        action->handler = SIG_DFL;
        current->blocked &= ~SIGNAL_BIT(signal);
    }
    signal_set_drop(&current->pending, SIGNAL_BIT(signal));
    signal_set_add(&current->pending, signal, &info, 0);
    signal_notify_locked(current);
    ends_init = current->group->pid == 1 && action->handler == SIG_DFL;
    spin_unlock_irqrestore(&tasks_lock, flags);
    if (ends_init) { /* not by its delivery: init is spared there */
        printk("init crashed: signal %d at %lx, rip %lx\n", signal, value, task_frame(current)->rip);
        task_exit_group(signal);
    }
}
