/* Process groups and sessions (credentials(7), setpgid(2), setsid(2)). */
#include "lib/mutex.h"
#include "sched/group.h"
#include "sched/signal.h"
#include "sched/task.h"

#define TURN 32 /* tasks that a walk looks at before others may have tasks_lock */

/* Of each process group, by its id: how many are in it, how many of them are stopped, and of which session
 * they are. tasks_lock */
static struct {
    uint16_t members, stopped, session;
} groups[PID_MAX];

static struct mutex walk_lock = MUTEX_INIT(walk_lock); /* one walk at a time: protects the mark */
static struct thread_group no_group;
static struct task walk_mark = {.group = &no_group}; /* in all_tasks: leads no group */

void group_enter(struct thread_group *group, pid_t pgid, pid_t session)
{
    assert_held(&tasks_lock);
    group->pgid = pgid;
    group->session = session;
    groups[pgid].members++;
    groups[pgid].stopped += group->stop_signal != 0;
    groups[pgid].session = (uint16_t)session;
}

void group_leave(struct thread_group *group)
{
    assert_held(&tasks_lock);
    groups[group->pgid].members--;
    groups[group->pgid].stopped -= group->stop_signal != 0;
}

void group_set_stop(struct thread_group *group, int signal)
{
    assert_held(&tasks_lock);
    groups[group->pgid].stopped += (signal != 0) - (group->stop_signal != 0);
    group->stop_signal = signal;
}

void group_signal_locked(pid_t pgid, int signal)
{
    const struct signal_info info = {.code = SI_KERNEL};
    struct task *task;

    assert_held(&tasks_lock);
    list_for_each(task, &all_tasks, in_all) {
        if (task->group->leader == task && task->group->pgid == pgid) {
            signal_send_process_locked(task->group, signal, &info);
        }
    }
}

bool group_has_news(const struct thread_group *group)
{
    return group->dead || group->stop_waitable || group->continued;
}

void group_place(struct thread_group *group)
{
    struct thread_group *parent = group->parent;

    assert_held(&tasks_lock);
    list_remove(&group->sibling);
    list_push_back(group_has_news(group) ? &parent->children_with_news : &parent->children, &group->sibling);
}

bool group_has_members(pid_t pgid)
{
    assert_held(&tasks_lock);
    return pgid > 0 && pgid < PID_MAX && groups[pgid].members;
}

static bool is_of_session(pid_t pgid, pid_t session)
{
    return group_has_members(pgid) && groups[pgid].session == session;
}

void process_walk_start(struct process_walk *walk)
{
    mutex_lock(&walk_lock);
    walk->flags = spin_lock_irqsave(&tasks_lock);
    walk->next = all_tasks.next;
    walk->left = TURN;
}

struct thread_group *process_walk_next(struct process_walk *walk)
{
    while (walk->next != &all_tasks) {
        struct task *task = container_of(walk->next, struct task, in_all);

        if (walk->left-- == 0) {
            list_push_back(&task->in_all, &walk_mark.in_all); /* before it */
            spin_unlock_irqrestore(&tasks_lock, walk->flags);
            walk->flags = spin_lock_irqsave(&tasks_lock);
            walk->next = walk_mark.in_all.next;
            list_remove(&walk_mark.in_all);
            walk->left = TURN;
            continue;
        }
        walk->next = walk->next->next;
        if (task->group->leader == task) {
            return task->group;
        }
    }
    return NULL;
}

void process_walk_end(struct process_walk *walk)
{
    spin_unlock_irqrestore(&tasks_lock, walk->flags);
    mutex_unlock(&walk_lock);
}

long group_check_session(pid_t pgid, pid_t session)
{
    uint64_t flags = spin_lock_irqsave(&tasks_lock);
    long error = group_has_members(pgid) ? -EPERM : -ESRCH;

    if (is_of_session(pgid, session)) {
        error = 0;
    }
    spin_unlock_irqrestore(&tasks_lock, flags);
    return error;
}

/* Is it a member whose parent, in the same session and another group, could continue the group? The
 * group is orphaned if there is none, but for `without`, which ends. tasks_lock */
static bool group_guards(const struct thread_group *group, pid_t pgid,
                         const struct thread_group *without)
{
    const struct thread_group *parent = group->parent;

    return group->pgid == pgid && !group->dead && group != without && parent && parent != without &&
           parent->pgid != pgid && parent->session == group->session && parent->pid != 1;
}

bool group_left_stopped(pid_t pgid, const struct thread_group *without)
{
    struct task *task;

    assert_held(&tasks_lock);
    if (!groups[pgid].stopped) {
        return false;
    }
    list_for_each(task, &all_tasks, in_all) {
        if (task->group->leader == task && group_guards(task->group, pgid, without)) {
            return false;
        }
    }
    return true;
}

bool group_orphaned(pid_t pgid)
{
    struct process_walk walk;
    struct thread_group *group;

    process_walk_start(&walk);
    while ((group = process_walk_next(&walk)) != NULL && !group_guards(group, pgid, NULL)) {
    }
    process_walk_end(&walk);
    return !group;
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
    struct process_walk walk;
    struct thread_group *group;

    process_walk_start(&walk);
    while ((group = process_walk_next(&walk)) != NULL) {
        if (group->session == session) {
            group->tty = NULL;
        }
    }
    process_walk_end(&walk);
}

static long set_pgid(pid_t pid, pid_t pgid)
{
    struct thread_group *mine = current->group, *group = group_find_locked(pid);

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
    if (pgid != pid && !is_of_session(pgid, mine->session)) {
        return -EPERM;
    }
    group_leave(group);
    group_enter(group, pgid, mine->session);
    return 0;
}

long group_set_pgid(pid_t pid, pid_t pgid)
{
    uint64_t flags;
    long error;

    pid = pid ? pid : current->group->pid;
    pgid = pgid ? pgid : pid;
    if (pgid < 0) {
        return -EINVAL;
    }
    flags = spin_lock_irqsave(&tasks_lock);
    error = set_pgid(pid, pgid);
    spin_unlock_irqrestore(&tasks_lock, flags);
    return error;
}

long group_new_session(void)
{
    struct thread_group *group = current->group;
    uint64_t flags = spin_lock_irqsave(&tasks_lock);
    long result = group_has_members(group->pid) ? -EPERM : group->pid;

    if (result > 0) {
        group_leave(group);
        group_enter(group, group->pid, group->pid);
        group->tty = NULL;
    }
    spin_unlock_irqrestore(&tasks_lock, flags);
    return result;
}
