/* Calls on scheduling: nice, policies, affinity. */
#include "lib/errno.h"
#include "mm/uaccess.h"
#include "sched/futex.h"
#include "sched/sched.h"
#include "syscall/calls.h"

enum { PRIO_PROCESS, PRIO_PGRP, PRIO_USER };

/* Is the task one of those that a call on priorities names? All users are root. tasks_lock is not held:
 * it may change. */
static bool priority_is_of(const struct task *task, int which, int who)
{
    switch (which) {
    case PRIO_PROCESS: return task->tid == (who ? who : current->tid);
    case PRIO_PGRP: return task->group->pgid == (who ? who : current->group->pgid);
    default: return who == 0;
    }
}

/* A task's niceness in its bounds. SCHED_IDLE makes as little of any. */
static void nice_set(struct task *task, int nice)
{
    nice = nice < -20 ? -20 : nice;
    task->own_nice = nice > 19 ? 19 : nice;
    if (task_policy(task) != SCHED_IDLE) {
        task->nice = task->own_nice;
    }
}

/* The highest priority of all that are named, as getpriority has it: 20 - nice; they get `nice`. */
static long priority_walk(int which, int who, const int *nice)
{
    long best = -ESRCH;
    pid_t first = which == PRIO_PROCESS ? (who ? who : current->tid) : task_next(0), tid;

    if (which < PRIO_PROCESS || which > PRIO_USER) {
        return -EINVAL;
    }
    for (tid = first; tid > 0; tid = which == PRIO_PROCESS ? 0 : task_next(tid)) {
        struct task *task = task_find(tid);

        if (task && priority_is_of(task, which, who)) {
            if (nice) {
                nice_set(task, *nice);
            }
            best = 20 - task->own_nice > best ? 20 - task->own_nice : best;
        }
        task_put(task);
    }
    return best;
}

long sys_getpriority(int which, int who)
{
    return priority_walk(which, who, NULL);
}

long sys_setpriority(int which, int who, int nice)
{
    long result = priority_walk(which, who, &nice);

    return result < 0 ? result : 0;
}

static struct task *find_task(pid_t pid)
{
    return pid ? task_find(pid) : task_get(current);
}

#define SCHED_KEEP (-1) /* for policy_set */

/* Another policy with its priority, or with SCHED_KEEP another priority; and with `nice` another niceness. */
static long policy_set(pid_t pid, int policy, int64_t priority, const int *nice)
{
    struct task *task = find_task(pid);
    long error = 0;
    int asked;

    if (!task) {
        return -ESRCH;
    }
    policy = policy == SCHED_KEEP ? task->policy : policy;
    asked = policy & ~SCHED_RESET_ON_FORK;
    if (asked > SCHED_IDLE || asked == 4 || priority < 0 || priority > PRIORITY_MAX ||
        policy_is_realtime(asked) != (priority > 0)) {
        error = -EINVAL;
    } else {
        sched_set_policy(task, policy, (int)priority);
        if (nice && !policy_is_realtime(asked)) {
            nice_set(task, *nice);
        }
        futex_pi_adjust(task);
    }
    task_put(task);
    return error;
}

static long policy_set_user(pid_t pid, int policy, const int __user *user)
{
    int priority;

    if (pid < 0 || !user) {
        return -EINVAL;
    }
    return get_user(priority, user) ? -EFAULT : policy_set(pid, policy, priority, NULL);
}

long sys_sched_setscheduler(pid_t pid, int policy, const int __user *priority)
{
    return policy < 0 ? -EINVAL : policy_set_user(pid, policy, priority);
}

long sys_sched_setparam(pid_t pid, const int __user *priority)
{
    return policy_set_user(pid, SCHED_KEEP, priority);
}

static long policy_get(pid_t pid, bool of_priority)
{
    struct task *task;
    long value = -ESRCH;

    if (pid < 0) {
        return -EINVAL;
    }
    task = find_task(pid);
    if (task) {
        value = of_priority ? task->priority : task->policy;
    }
    task_put(task);
    return value;
}

long sys_sched_getscheduler(pid_t pid)
{
    return policy_get(pid, false);
}

long sys_sched_getparam(pid_t pid, int __user *user)
{
    long priority = user ? policy_get(pid, true) : -EINVAL;

    return priority < 0 ? priority : put_user((int)priority, user);
}

/* sched_setattr(2). The last three numbers are SCHED_DEADLINE's. */
struct sched_attr {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};
/* All but those for the CPU's frequency are known; the second and third are SCHED_DEADLINE's. */
enum { SCHED_FLAG_RESET_ON_FORK = 1, SCHED_FLAG_KEEP_POLICY = 8, SCHED_FLAG_KEEP_PARAMS = 16, SCHED_FLAGS = 31 };

/* A user's one of any size: what is behind ours must be 0. -E2BIG: then our size is told. */
static long policy_attr_from_user(struct sched_attr *attr, struct sched_attr __user *user)
{
    uint32_t size = 0;
    char byte;
    long error;

    if (get_user(size, &user->size)) {
        return -EFAULT;
    }
    size = size ? size : sizeof(*attr);
    error = size < sizeof(*attr) || size > PAGE_SIZE ? -E2BIG : copy_from_user(attr, user, sizeof(*attr));
    for (uint32_t at = sizeof(*attr); at < size && !error; at++) {
        error = copy_from_user(&byte, (char __user *)user + at, 1);
        error = !error && byte ? -E2BIG : error;
    }
    if (error == -E2BIG && put_user((uint32_t)sizeof(*attr), &user->size)) {
        error = -EFAULT;
    }
    return error;
}

static void policy_attr_of(const struct task *task, struct sched_attr *attr)
{
    bool realtime = policy_is_realtime(task_policy(task));

    attr->priority = realtime ? (uint32_t)task->priority : 0;
    attr->nice = realtime ? 0 : task->own_nice;
}

long sys_sched_setattr(pid_t pid, struct sched_attr __user *user, unsigned flags)
{
    struct sched_attr attr;
    long error = !user || pid < 0 || flags ? -EINVAL : policy_attr_from_user(&attr, user);
    struct task *task;
    int policy;

    if (error) {
        return error;
    }
    policy = (int)attr.policy | (attr.flags & SCHED_FLAG_RESET_ON_FORK ? SCHED_RESET_ON_FORK : 0);
    if ((int)attr.policy < 0 || attr.policy & SCHED_RESET_ON_FORK) {
        return -EINVAL;
    }
    task = find_task(pid);
    if (!task) {
        return -ESRCH;
    }
    if (attr.flags & SCHED_FLAG_KEEP_PARAMS) {
        policy_attr_of(task, &attr);
    }
    task_put(task);
    if (attr.flags & ~(uint64_t)SCHED_FLAGS) {
        return -EINVAL;
    }
    return policy_set(pid, attr.flags & SCHED_FLAG_KEEP_POLICY ? SCHED_KEEP : policy, attr.priority, &attr.nice);
}

long sys_sched_getattr(pid_t pid, struct sched_attr __user *user, unsigned size, unsigned flags)
{
    struct sched_attr attr = {.size = sizeof(attr)};
    struct task *task;

    if (!user || pid < 0 || size < sizeof(attr) || size > PAGE_SIZE || flags) {
        return -EINVAL;
    }
    task = find_task(pid);
    if (!task) {
        return -ESRCH;
    }
    attr.policy = (uint32_t)task_policy(task);
    attr.flags = task->policy & SCHED_RESET_ON_FORK ? SCHED_FLAG_RESET_ON_FORK : 0;
    policy_attr_of(task, &attr);
    task_put(task);
    return copy_to_user(user, &attr, sizeof(attr));
}

static long priority_bound(int policy, int of_realtime)
{
    bool known = policy >= SCHED_OTHER && policy <= SCHED_DEADLINE && policy != 4;

    if (!known) {
        return -EINVAL;
    }
    return policy_is_realtime(policy) ? of_realtime : 0;
}

long sys_sched_get_priority_max(int policy)
{
    return priority_bound(policy, PRIORITY_MAX);
}

long sys_sched_get_priority_min(int policy)
{
    return priority_bound(policy, 1);
}

/* The time for which the task may go on while others wait; SCHED_FIFO has no such limit. */
long sys_sched_rr_get_interval(pid_t pid, struct timespec __user *user)
{
    struct timespec interval = {0, 0};
    struct task *task;

    if (pid < 0) {
        return -EINVAL;
    }
    task = find_task(pid);
    if (!task) {
        return -ESRCH;
    }
    if (task_policy(task) != SCHED_FIFO) {
        interval.nanoseconds = task_policy(task) == SCHED_RR ? SCHED_RR_SLICE : sched_slice(task);
    }
    task_put(task);
    return copy_to_user(user, &interval, sizeof(interval));
}

long sys_getcpu(unsigned __user *cpu, unsigned __user *node)
{
    unsigned mine = this_cpu(id);

    return (cpu && put_user(mine, cpu)) || (node && put_user(0, node)) ? -EFAULT : 0;
}

long sys_sched_setaffinity(pid_t pid, size_t size, const uint64_t __user *user)
{
    struct task *task;
    uint64_t mask = 0;

    if (copy_from_user(&mask, user, size < sizeof(mask) ? size : sizeof(mask))) {
        return -EFAULT;
    }
    task = find_task(pid);
    if (!task) {
        return -ESRCH;
    }
    mask &= cpu_mask();
    if (mask) {
        sched_set_affinity(task, mask);
    }
    task_put(task);
    return mask ? 0 : -EINVAL;
}

long sys_sched_getaffinity(pid_t pid, size_t size, uint64_t __user *user)
{
    struct task *task;
    uint64_t mask;

    if (size < sizeof(mask) || size % sizeof(mask)) {
        return -EINVAL;
    }
    task = find_task(pid);
    if (!task) {
        return -ESRCH;
    }
    mask = task->affinity & cpu_mask();
    task_put(task);
    return copy_to_user(user, &mask, sizeof(mask)) ? -EFAULT : (long)sizeof(mask);
}
