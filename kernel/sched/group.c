/* Process groups and sessions (credentials(7), setpgid(2), setsid(2)). */
#include "sched/task.h"

#define for_each_group(task) \
    list_for_each(task, &all_tasks, in_all) if (task->group->leader == task)

bool group_in_session(pid_t pgid, pid_t session)
{
    uint64_t flags = spin_lock_irqsave(&tasks_lock);
    struct task *task;
    bool found = false;

    for_each_group(task) {
        found |= task->group->pgid == pgid && task->group->session == session;
    }
    spin_unlock_irqrestore(&tasks_lock, flags);
    return found;
}

/* No member (but `without`) has a parent in the same session and another group. */
bool group_orphaned_locked(pid_t pgid, const struct thread_group *without)
{
    struct task *task;

    assert_held(&tasks_lock);
    for_each_group(task) {
        const struct thread_group *group = task->group, *parent = group->parent;

        if (group->pgid == pgid && group != without && parent && parent != without &&
            parent->pgid != pgid && parent->session == group->session && parent->pid != 1) {
            return false;
        }
    }
    return true;
}

bool group_orphaned(pid_t pgid)
{
    uint64_t flags = spin_lock_irqsave(&tasks_lock);
    bool orphaned = group_orphaned_locked(pgid, NULL);

    spin_unlock_irqrestore(&tasks_lock, flags);
    return orphaned;
}

bool session_take_tty(struct tty *tty)
{
    struct thread_group *group = current->group;
    uint64_t flags = spin_lock_irqsave(&tasks_lock);
    bool may = group->session == group->pid && !group->tty;

    if (may) {
        group->tty = tty;
    }
    spin_unlock_irqrestore(&tasks_lock, flags);
    return may;
}

void group_leave_tty(void)
{
    uint64_t flags = spin_lock_irqsave(&tasks_lock);

    current->group->tty = NULL;
    spin_unlock_irqrestore(&tasks_lock, flags);
}

void session_lose_tty(pid_t session)
{
    uint64_t flags = spin_lock_irqsave(&tasks_lock);
    struct task *task;

    for_each_group(task) {
        if (task->group->session == session) {
            task->group->tty = NULL;
        }
    }
    spin_unlock_irqrestore(&tasks_lock, flags);
}

static long set_pgid(pid_t pid, pid_t pgid)
{
    struct thread_group *mine = current->group, *group = group_find_locked(pid);
    struct task *task;

    assert_held(&tasks_lock);
    if (!group || (group != mine && group->parent != mine)) {
        return -ESRCH;
    }
    if (group != mine && group->has_executed) {
        return -EACCES;
    }
    if (group->session != mine->session || group->session == group->pid) {
        return -EPERM;
    }
    if (pgid != pid) {
        bool found = false;

        for_each_group(task) {
            found |= task->group->pgid == pgid && task->group->session == mine->session;
        }
        if (!found) {
            return -EPERM;
        }
    }
    group->pgid = pgid;
    return 0;
}

long group_set_pgid(pid_t pid, pid_t pgid)
{
    uint64_t flags;
    long error;

    if (pgid < 0) {
        return -EINVAL;
    }
    flags = spin_lock_irqsave(&tasks_lock);
    pid = pid ? pid : current->group->pid;
    error = set_pgid(pid, pgid ? pgid : pid);
    spin_unlock_irqrestore(&tasks_lock, flags);
    return error;
}

long group_new_session(void)
{
    struct thread_group *group = current->group;
    uint64_t flags = spin_lock_irqsave(&tasks_lock);
    struct task *task;
    long result = group->pid;

    for_each_group(task) {
        if (task->group->pgid == group->pid) {
            result = -EPERM;
        }
    }
    if (result > 0) {
        group->session = group->pgid = group->pid;
        group->tty = NULL;
    }
    spin_unlock_irqrestore(&tasks_lock, flags);
    return result;
}
