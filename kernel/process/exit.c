/*
 * The end of tasks: exit, exit_group, and what becomes of children.
 *
 * A task that ends gives back what it shares at once; its struct stays for wait4 if it leads a
 * thread group. Its kernel stack is freed by the next task, in switch_finish.
 */
#include "arch/panic.h"
#include "mm/mm.h"
#include "mm/uaccess.h"
#include "process/context.h"
#include "process/exit.h"
#include "sched/explore.h"
#include "sched/futex.h"
#include "sched/group.h"
#include "sched/posix_timer.h"
#include "sched/sched.h"
#include "trace/trace.h"

bool exit_subreapers;

#define TURN 32 /* children that are looked at before others may have tasks_lock */

void task_release_mm(struct task *task, bool ends)
{
    struct mm *mm = task->mm;

    if (mm) {
        futex_release_robust();
        futex_release_pi(ends);
    }
    /* set_tid_address(2): for others that share the memory, not for a process that ends. */
    if (mm && task->clear_tid && __atomic_load_n(&mm->users, __ATOMIC_RELAXED) > 1) {
//@lab 4 last-word begin
        put_user(0, task->clear_tid);
        futex_wake(task->clear_tid, 1, ~0u, true);
//@lab 4 last-word stub
//|         /* Lab 4, step 4: who waits for the end of this thread hears nothing. */
//@lab 4 last-word end
    }
    task->clear_tid = NULL;
    if (task->vfork_parent) {
        __atomic_store_n(&task->vfork_parent, NULL, __ATOMIC_RELEASE);
        wake_all(&task->vfork_queue);
    }
}

static int wait_code(int status)
{
    if ((status & 0x7f) == 0) {
        return CLD_EXITED;
    }
    return status & WAIT_CORE ? CLD_DUMPED : CLD_KILLED;
}

/* Tell the parent, and say whether nobody will wait for the group. tasks_lock is held. */
static bool notify_parent(struct thread_group *group)
{
    struct thread_group *parent = group->parent;
    struct signal_action *action = &group_sighand(parent)->actions[SIGCHLD - 1];
    int status = group->exit_status;
    struct signal_info info = {
        .code = wait_code(status),
        .pid = group->pid,
        .value = (uint64_t)((status & 0x7f) ? status & 0x7f : status >> 8 & 0xff),
    };
    bool ignored = group->exit_signal == SIGCHLD &&
                   (action->handler == SIG_IGN || action->flags & SA_NOCLDWAIT);

    assert_held(&tasks_lock);
    if (group->exit_signal && !(ignored && action->handler == SIG_IGN)) {
        signal_send_process_locked(parent, group->exit_signal, &info);
    }
    wake_in_turns(&parent->wake_waiters, ~0);
    return ignored;
}

/* The group is gone for good: nobody may find it any more. tasks_lock is held; *gone is for tasks_put_all,
 * without it. */
static void release_group(struct thread_group *group, struct list *gone)
{
    struct task *leader = group->leader;

    assert_held(&tasks_lock);
    group_leave(group);
    list_remove(&group->sibling);
    task_release_tid(leader);
    list_push_back(gone, &leader->in_all);
}

/* Nothing is freed under tasks_lock: an interrupt handler that wants it may have come while its CPU
 * held the lock of the slab. */
static void tasks_put_all(struct list *gone)
{
    struct task *task, *after;

    list_for_each_safe(task, after, gone, in_all) {
        list_remove(&task->in_all);
        task_put(task);
    }
}

static struct thread_group *group_first_child(const struct thread_group *group)
{
    const struct list *list = list_empty(&group->children) ? &group->children_with_news : &group->children;

    return list_empty(list) ? NULL : list_first(list, struct thread_group, sibling);
}

/* Who gets the children of a process that ends: an ancestor that asked for them, or init. No ancestor has ended:
 * if it does, it gives them on. */
static struct thread_group *group_reaper(const struct thread_group *group)
{
    struct thread_group *reaper = exit_subreapers ? group->parent : group_find_locked(1);

    assert_held(&tasks_lock);
    while (reaper->pid != 1 && !reaper->subreaper) {
        reaper = reaper->parent;
    }
    return reaper;
}

/*
 * `parent` could continue the stopped ones of the group of `child`. One of the two ends now, `ends`, and if it
 * was the only one that could, all of the group go on with SIGHUP (_exit(2)). True: they do. tasks_lock is held.
 */
static bool orphans_go_on(const struct thread_group *child, const struct thread_group *parent,
                          const struct thread_group *ends)
{
    assert_held(&tasks_lock);
    if (child->pgid == parent->pgid || child->session != parent->session || !group_left_stopped(child->pgid, ends)) {
        return false;
    }
    group_signal_locked(child->pgid, SIGHUP);
    group_signal_locked(child->pgid, SIGCONT);
    return true;
}

/* Give some children of a process that ends to another one. True: there may be more. tasks_lock is held. */
static bool orphan_some(struct thread_group *group, struct list *gone)
{
    struct thread_group *child = group_first_child(group), *reaper = child ? group_reaper(group) : NULL;
    int left = TURN;

    assert_held(&tasks_lock);
    for (; left > 0 && (child = group_first_child(group)) != NULL; left--) {
        child->parent = reaper;
        child->parent_pid = reaper->pid;
        child->exit_signal = SIGCHLD;
        if (child->parent_end_signal && !child->dead) {
            signal_send_process_locked(child, child->parent_end_signal,
                                       &(struct signal_info){.code = SI_USER, .pid = group->pid});
        }
        group_place(child);
        if (child->dead && notify_parent(child)) {
            release_group(child, gone);
        }
        if (orphans_go_on(child, group, group)) {
            left = 1; /* this was a turn of its own */
        }
    }
    return group_first_child(group) != NULL;
}

static void end_group(struct thread_group *group, struct list *gone)
{
    int status = group->exit_status;

    assert_held(&tasks_lock);
    if (group->pid == 1 && status & 0x7f) {
        machine_init_ended("killed by signal", status & 0x7f);
    } else if (group->pid == 1) {
        machine_init_ended("exited with status", status >> 8);
    }
    group->dead = true;
    group_set_stop(group, 0);
    group_place(group);
    orphans_go_on(group, group->parent, group);
    signal_set_drop(&group->pending, ~0ul);
    if (notify_parent(group)) {
        release_group(group, gone);
    }
}

void task_exit(int status)
{
    struct task *task = current;
    struct thread_group *group = task->group;
    struct mm *mm = task->mm;
    struct sighand *sighand = task->sighand;
    struct list gone = LIST_INIT(gone);
    struct cpu_usage usage;
    uint64_t flags;
    bool last;

    trace(TRACE_EXIT, 0, (uint32_t)group->pid, (uint64_t)status);
    task_release_mm(task, true);
    context_exit(task);
    flags = spin_lock_irqsave(&tasks_lock);
    task->mm = NULL;
    spin_unlock_irqrestore(&tasks_lock, flags);
    mm_put(mm);
    flags = spin_lock_irqsave(&tasks_lock);
    while (group->thread_count == 1 && group->pid != 1 && orphan_some(group, &gone)) {
        spin_unlock_irqrestore(&tasks_lock, flags);
        tasks_put_all(&gone);
        flags = spin_lock_irqsave(&tasks_lock);
    }
    usage = sched_usage(task);
    usage_add(&group->ended_usage, &usage);
    list_remove(&task->in_group);
    signal_retarget_locked(group, ~0ul);
    signal_leave_stop_locked();
    if (!group->exiting) {
        group->exit_status = status;
    }
    task->state = TASK_ZOMBIE;
    signal_set_drop(&task->pending, ~0ul);
    if (task != group->leader) {
        task_release_tid(task);
        task_put(task); /* not the last one: the CPU's is left */
    }
    group->leaving--;
    last = --group->thread_count == 0;
    if (last) {
        end_group(group, &gone);
    } else if (group->exec_task) {
        wake_in_turns(&group->wake_waiters, ~0);
    }
    task->sighand = NULL;
    preempt_disable(); /* a zombie that is preempted does not come back */
    spin_unlock_irqrestore(&tasks_lock, flags);
    tasks_put_all(&gone);
    sighand_put(sighand);
    if (last) {
        timer_cancel(&group->real_timer); /* its function takes tasks_lock */
        cpu_timers_cancel(group);
        posix_timers_delete();
        wake_later_cancel(&group->wake_waiters);
        wake_later_cancel(&group->wake_stopped);
    }
    explore_exit(task);
    preempt_enable_no_resched();
    schedule();
    panic("a dead task runs again");
}

/* Make all other threads of the group end: by themselves (SIGNAL_THREAD_ENDS), when one of them
 * goes on in an exec. None is born meanwhile: `exiting` or `exec_task` says so. */
static void kill_others(struct thread_group *group, uint64_t value)
{
    const struct signal_info info = {.code = SI_KERNEL, .value = value};

    for (pid_t tid = 0; group->thread_count > 1 && (tid = task_next(tid)) != 0;) {
        uint64_t flags = spin_lock_irqsave(&tasks_lock);
        struct task *other = task_find_locked(tid);

        if (other && other != current && other->group == group) {
            signal_send_locked(other, SIGKILL, &info);
        }
        spin_unlock_irqrestore(&tasks_lock, flags);
    }
}

void task_exit_group(int status)
{
    struct thread_group *group = current->group;
    uint64_t flags = spin_lock_irqsave(&tasks_lock);
    bool first = !group->exiting;

    if (first) {
        group->exiting = true;
        group->exit_status = status;
    }
    spin_unlock_irqrestore(&tasks_lock, flags);
    if (first) {
        kill_others(group, 0);
    }
    task_exit(status);
}

long task_end_other_threads(void)
{
    struct task *task = current, *leader;
    struct thread_group *group = task->group;
    uint64_t flags = spin_lock_irqsave(&tasks_lock);

    if (group->exiting || group->exec_task) {
        spin_unlock_irqrestore(&tasks_lock, flags);
        return -EINTR;
    }
    if (group->thread_count > 1) {
        group->exec_task = task;
        spin_unlock_irqrestore(&tasks_lock, flags);
        kill_others(group, SIGNAL_THREAD_ENDS);
        wait_event(&group->child_queue, WAIT_THREADS, group->pid, group->thread_count == 1);
        flags = spin_lock_irqsave(&tasks_lock);
        group->exec_task = NULL;
    }
    leader = group->leader;
    if (leader != task) { /* take over the dead leader's id */
        task_release_tid(leader);
        task_release_tid(task);
        task_adopt_tid(task, leader->tid);
        task->start_time = leader->start_time; /* it is that process */
        group->leader = task;
    }
    spin_unlock_irqrestore(&tasks_lock, flags);
    if (leader != task) {
        task_put(leader);
    }
    return 0;
}

/* Does `child` fit the call? tasks_lock is held. */
static bool wait_matches(const struct thread_group *child, int type, pid_t id, int options)
{
    bool is_clone = child->exit_signal != SIGCHLD;

    if (!(options & WALL) && is_clone != !!(options & WCLONE)) {
        return false;
    }
    return type == P_ALL || (type == P_PID && child->pid == id) ||
           (type == P_PGID && child->pgid == id);
}

static bool wait_collect(struct thread_group *child, int options, struct wait_result *result)
{
    int status = child->exit_status;

    assert_held(&tasks_lock);
    if (child->dead && options & WEXITED) {
        result->status = status;
        result->code = wait_code(status);
    } else if (child->stop_signal && child->stop_waitable && options & WUNTRACED) {
        result->status = child->stop_signal << 8 | 0x7f;
        result->code = CLD_STOPPED;
        child->stop_waitable = options & WNOWAIT;
    } else if (child->continued && options & WCONTINUED) {
        result->status = 0xffff;
        result->code = CLD_CONTINUED;
        child->continued = options & WNOWAIT;
    } else {
        return false;
    }
    result->pid = child->pid;
    result->usage = group_usage(child);
    usage_add(&result->usage, &child->children_usage);
    return true;
}

/* 1: the child has told what is asked for; 0: not yet, -ECHILD: the question is not about it. */
static long wait_ask(struct thread_group *child, int type, pid_t id, int options,
                     struct wait_result *result, struct list *gone)
{
    struct thread_group *group = current->group;

    if (!child || child->parent != group || !wait_matches(child, type, id, options)) {
        return -ECHILD;
    }
    if (!wait_collect(child, options, result)) {
        return 0;
    }
    if (child->dead && !(options & WNOWAIT)) {
        usage_add(&group->children_usage, &result->usage);
        release_group(child, gone);
    } else {
        group_place(child);
    }
    return 1;
}

/*
 * Ask the children of a list: all of those with news, and of the others until there is one that may
 * have some. tasks_lock is held, with *flags, and given to others now and then.
 */
static long wait_ask_all(bool news, int type, pid_t id, int options, struct wait_result *result,
                         struct list *gone, uint64_t *flags)
{
    struct thread_group *group = current->group, *child;
    struct list *all = news ? &group->children_with_news : &group->children, *next = all->next;
    long found = -ECHILD, answer;

    assert_held(&tasks_lock);
    for (int left = TURN; next != all; left--) {
        child = container_of(next, struct thread_group, sibling);
        if (left == 0) {
            pid_t pid = child->pid;

            spin_unlock_irqrestore(&tasks_lock, *flags);
            *flags = spin_lock_irqsave(&tasks_lock);
            left = TURN;
            if (group_find_locked(pid) != child || child->parent != group ||
                group_has_news(child) != news) { /* it is not there any more: again */
                next = all->next;
                continue;
            }
        }
        next = next->next;
        answer = wait_ask(child, type, id, options, result, gone);
        found = answer > found ? answer : found;
        if (found == 1 || (found == 0 && !news)) {
            break;
        }
    }
    return found;
}

/* One look over the children: a result, 0 for none now, -ECHILD for none at all. */
static long wait_scan(int type, pid_t id, int options, struct wait_result *result)
{
    struct list gone = LIST_INIT(gone);
    uint64_t flags = spin_lock_irqsave(&tasks_lock);
    long found;

    if (type == P_PID) {
        found = wait_ask(group_find_locked(id), type, id, options, result, &gone);
    } else {
        found = wait_ask_all(true, type, id, options, result, &gone, &flags);
        if (found == -ECHILD) {
            found = wait_ask_all(false, type, id, options, result, &gone, &flags);
        }
    }
    spin_unlock_irqrestore(&tasks_lock, flags);
    tasks_put_all(&gone);
    return found;
}

long task_wait(int type, pid_t id, int options, struct wait_result *result)
{
    long found = 0, error = 0;

    if (options & WNOHANG) {
        found = wait_scan(type, id, options, result);
    } else {
        error = wait_event_interruptible(&current->group->child_queue, WAIT_CHILD, id,
                                         (found = wait_scan(type, id, options, result)) != 0);
    }
    found = error ? error : found;
    if (found == 0) {
        result->pid = 0;
    }
    return found > 0 ? 0 : found;
}
