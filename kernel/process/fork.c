/*
 * clone(2): fork, vfork and threads are rows of flags over one function.
 *
 * A new task starts as a copy of its parent; each shared object is then counted or copied. Its
 * kernel stack begins with the parent's trap frame, rax changed to 0, and the frame of a switch_to
 * that never happened (sched/switch.c).
 */
#include "lib/refcount.h"
#include "lib/string.h"
#include "mm/kmalloc.h"
#include "mm/mm.h"
#include "mm/page.h"
#include "mm/uaccess.h"
#include "process/context.h"
#include "process/fork.h"
#include "sched/explore.h"
#include "sched/group.h"
#include "sched/sched.h"
#include "sched/traced.h"

static struct thread_group *group_create(struct task *leader, struct thread_group *parent)
{
    struct thread_group *group = kmalloc(sizeof(*group));

    if (!group) {
        return NULL;
    }
    memset(group, 0, offsetof(struct thread_group, pending));
    signal_set_init(&group->pending);
    list_init(&group->threads);
    list_init(&group->children);
    list_init(&group->children_with_news);
    list_init(&group->sibling);
    wait_queue_init(&group->child_queue);
    wake_later_init(&group->wake_waiters, &group->child_queue, false);
    wait_queue_init(&group->stop_queue);
    wake_later_init(&group->wake_stopped, &group->stop_queue, false);
    group->leader = leader;
    group->start_time = clock_now();
    if (parent) {
        memcpy(group->limits, parent->limits, sizeof(group->limits));
    } else {
        for (int i = 0; i < RLIMIT_COUNT; i++) {
            group->limits[i] = (struct rlimit){UINT64_MAX, UINT64_MAX};
        }
        group->limits[RLIMIT_NOFILE] = (struct rlimit){1024, 4096};
        group->limits[RLIMIT_STACK].soft = 8ul << 20;
        group->limits[RLIMIT_CORE].soft = 0;
        group->limits[RLIMIT_SIGPENDING] = (struct rlimit){SIGNAL_QUEUE_MAX, SIGNAL_QUEUE_MAX};
    }
    return group;
}

/* What clone(2) refuses; there are no namespaces and no descriptors of processes. */
static long clone_check_flags(const struct clone_args *args)
{
    uint64_t flags = args->flags;

    if ((flags & CLONE_PARENT) && !current->group->parent) {
        return -EINVAL; /* init has no siblings */
    }
    if (((flags & CLONE_THREAD) && !(flags & CLONE_SIGHAND)) ||
        ((flags & CLONE_SIGHAND) && !(flags & CLONE_VM)) ||
        (flags & (CLONE_NAMESPACES | CLONE_PIDFD))) {
        return -EINVAL;
    }
    return flags & CLONE_SETTLS && args->tls >= USER_TOP ? -EPERM : 0;
}

/* A tid, and the task's place in the tree. -EAGAIN: too many, or the process is ending. */
static long fork_enter(struct task *task, struct thread_group *group, uint64_t flags)
{
    struct thread_group *mine = current->group;
    uint64_t limit = mine->limits[RLIMIT_NPROC].soft;
    uint64_t irq = spin_lock_irqsave(&tasks_lock);
    long error = 0;

    if ((uint64_t)task_count >= limit) {
        error = -EAGAIN;
    } else if (current->mm && signal_pending(current)) {
        sched_notify(current); /* its sender's message may still be on the way */
        error = -ERESTARTNOINTR; /* one that ends the process must not miss the new task */
    } else if (flags & CLONE_THREAD && (mine->exiting || mine->exec_task)) {
        sched_notify(current);
        error = -ERESTARTNOINTR; /* its SIGKILL is on the way */
    } else if (!task_assign_tid(task)) {
        error = -EAGAIN;
    } else {
        task->group = group;
        list_push_back(&group->threads, &task->in_group);
        group->thread_count++;
        if (group == mine) {
            ref_get(&group->references);
        } else {
            group->references = 1;
            group->pid = task->tid;
            group->parent = flags & CLONE_PARENT ? mine->parent : mine;
            group->exit_signal = flags & CLONE_PARENT ? mine->exit_signal
                                 : (flags & CSIGNAL) <= SIGNALS ? (int)(flags & CSIGNAL) : 0;
            if (task->tid == 1 || !group->parent) {
                group_enter(group, 0, 0);
                group->parent = NULL;
            } else {
                group_enter(group, mine->pgid, mine->session);
                group->tty = mine->tty; /* it may go away, but whoever takes it away finds us from now on */
                group->parent_pid = group->parent->pid;
                group_place(group);
            }
        }
    }
    spin_unlock_irqrestore(&tasks_lock, irq);
    return error;
}

static long task_share(struct task *task, uint64_t flags)
{
    struct task *parent = current;
    long error;

    if (flags & CLONE_SIGHAND) {
        ref_get(&parent->sighand->references);
        task->sighand = parent->sighand;
    } else {
        task->sighand = sighand_create(parent->sighand);
    }
    if (!task->sighand) {
        return -ENOMEM;
    }
    error = context_clone(parent, task, flags);
    if (error) {
        return error;
    }
//@lab 4 share begin
    task->mm = parent->mm ? flags & CLONE_VM ? mm_get(parent->mm) : mm_clone(parent->mm) : NULL;
//@lab 4 share stub
//|     task->mm = parent->mm ? mm_clone(parent->mm) : NULL; /* lab 4, step 2: always a copy */
//@lab 4 share end
    return parent->mm && !task->mm ? -ENOMEM : 0;
}

static void task_unshare(struct task *task)
{
    context_exit(task);
    sighand_put(task->sighand);
    mm_put(task->mm);
}

/* A real-time priority that the parent has from others stays with it. */
static void task_inherit_policy(struct task *task, const struct task *parent)
{
    task->own_nice = parent->own_nice;
    task->policy = parent->policy;
    task->priority = parent->priority;
    if (task->policy & SCHED_RESET_ON_FORK) {
        task->own_nice = task->priority || task->own_nice < 0 ? 0 : task->own_nice;
        task->policy = task->priority ? SCHED_OTHER : task_policy(task);
        task->priority = 0;
    }
    task->nice = task->policy == SCHED_IDLE ? NICE_IDLE : task->own_nice;
    task->realtime = task->priority;
}

/* Everything but the start. NULL group: a new one. */
static long task_prepare(struct task *task, uint64_t flags)
{
    struct thread_group *group = current->group;
    long error;

    task_inherit_policy(task, current);
    task->affinity = current->affinity;
    task->blocked = current->blocked;
    task->timer_slack = task->timer_slack_default = current->timer_slack;
    if (!(flags & CLONE_VM) || flags & CLONE_VFORK) {
        task->altstack = current->altstack;
    }
    error = task_share(task, flags);
    if (!error && !(flags & CLONE_THREAD)) {
        group = group_create(task, current->group);
        error = group ? 0 : -ENOMEM;
    }
    if (!error) {
        error = fork_enter(task, group, flags);
        if (error && group != current->group) {
            kfree(group);
        }
    }
    if (error) {
        task_unshare(task);
    }
    return error;
}

static void wait_for_vfork(struct task *task)
{
    wait_event(&task->vfork_queue, WAIT_VFORK, task->tid,
               !__atomic_load_n(&task->vfork_parent, __ATOMIC_ACQUIRE) ||
                   signal_kill_pending(current));
    task_put(task);
}

long task_clone(const struct clone_args *args)
{
    uint64_t flags = args->flags;
    struct trap_frame *frame;
    struct task *task;
    long error = clone_check_flags(args);
    pid_t tid;

    if (error) {
        return error;
    }
    task = task_create(current->name);
    if (!task) {
        return -ENOMEM;
    }
    error = task_prepare(task, flags);
    if (error) {
        task_free_unstarted(task);
        return error;
    }
    frame = task_frame(task);
    *frame = *task_frame(current);
    frame->rax = 0;
    frame->error = 0;
    if (args->stack) {
        frame->rsp = args->stack;
    }
    user_state_save(&task->user);
    if (flags & CLONE_SETTLS) {
        task->user.fs_base = args->tls;
        task->user.selectors.fs = 0;
    }
    switch_first_frame(task, false);
    tid = task->tid;
    if (flags & CLONE_PARENT_SETTID) {
        put_user(tid, args->parent_tid);
    }
    task->set_tid = flags & CLONE_CHILD_SETTID ? args->child_tid : NULL;
    task->clear_tid = flags & CLONE_CHILD_CLEARTID ? args->child_tid : NULL;
    if (flags & CLONE_VFORK) {
        task->vfork_parent = current;
        task_get(task);
    }
    if (!(flags & CLONE_THREAD) && task->group->limits[RLIMIT_CPU].soft != UINT64_MAX) {
        cpu_limit_changed(task->group);
    }
    explore_clone(task);
    trace_clone(task, flags);
    sched_start(task);
    if (flags & CLONE_VFORK) {
        wait_for_vfork(task);
    }
    return tid;
}

/* What task_first_switch calls for a task that starts in the kernel. */
void kernel_thread_main(void)
{
    irq_enable(); /* they are off over a switch */
    current->kernel_entry(current->kernel_argument);
}

struct task *kernel_thread(const char *name, void (*entry)(void *), void *argument)
{
    struct task *task = task_create(name);
    struct thread_group *group = task ? group_create(task, NULL) : NULL;
    uint64_t flags;

    if (!group) {
        panic("no memory for kernel thread %s", name);
    }
    task->sighand = sighand_create(NULL);
    task->kernel_entry = entry;
    task->kernel_argument = argument;
    memset(task_frame(task), 0, sizeof(struct trap_frame));
    switch_first_frame(task, true);
    flags = spin_lock_irqsave(&tasks_lock);
    task_assign_tid(task);
    task->group = group;
    group->references = 1;
    group->pid = task->tid;
    group_enter(group, task->tid, task->tid);
    group->thread_count = 1;
    list_push_back(&group->threads, &task->in_group);
    spin_unlock_irqrestore(&tasks_lock, flags);
    trace_clone(task, 0);
    sched_start(task);
    return task;
}
