/* Calls on scheduling: nice, policies, affinity. */
#include "lib/errno.h"
#include "mm/uaccess.h"
#include "sched/sched.h"
#include "syscall/calls.h"

/* PRIO_PROCESS alone; the result of getpriority is 20 - nice, as the system call has it. */
static long priority_of(int which, int who, const int *nice)
{
    struct task *task;
    long result;

    if (which < 0 || which > 2) {
        return -EINVAL;
    }
    task = who ? task_find(who) : task_get(current);
    if (!task || which != 0) {
        task_put(task);
        return -ESRCH;
    }
    if (nice) {
        const int wanted = *nice < -20 ? -20 : *nice;

        task->nice = wanted > 19 ? 19 : wanted;
    }
    result = nice ? 0 : 20 - task->nice;
    task_put(task);
    return result;
}

long sys_getpriority(int which, int who)
{
    return priority_of(which, who, NULL);
}

long sys_setpriority(int which, int who, int nice)
{
    return priority_of(which, who, &nice);
}

static struct task *find_task(pid_t pid)
{
    return pid ? task_find(pid) : task_get(current);
}

#define SCHED_KEEP (-1)   /* for policy_set */
#define PRIORITY_MAX 99 /* sched(7) */

static bool policy_is_real_time(int policy)
{
    return policy == SCHED_FIFO || policy == SCHED_RR;
}

/* Another policy with its priority, or with SCHED_KEEP another priority. The policy is remembered; all
 * tasks are run by the class chosen at boot. */
static long policy_set(pid_t pid, int policy, const int __user *user)
{
    struct task *task;
    int priority, asked = policy & ~SCHED_RESET_ON_FORK, least;
    long error = 0;

    if (pid < 0 || !user) {
        return -EINVAL;
    }
    if (get_user(priority, user)) {
        return -EFAULT;
    }
    task = find_task(pid);
    if (!task) {
        return -ESRCH;
    }
    asked = policy == SCHED_KEEP ? task->policy & ~SCHED_RESET_ON_FORK : asked;
    least = policy_is_real_time(asked);
    if (asked > SCHED_IDLE || asked == 4 || priority < least ||
        priority > (least ? PRIORITY_MAX : 0)) {
        error = -EINVAL;
    } else {
        task->policy = policy == SCHED_KEEP ? task->policy : policy;
        task->priority = priority;
    }
    task_put(task);
    return error;
}

long sys_sched_setscheduler(pid_t pid, int policy, const int __user *priority)
{
    return policy < 0 ? -EINVAL : policy_set(pid, policy, priority);
}

long sys_sched_setparam(pid_t pid, const int __user *priority)
{
    return policy_set(pid, SCHED_KEEP, priority);
}

long sys_sched_getscheduler(pid_t pid)
{
    struct task *task;
    long policy;

    if (pid < 0) {
        return -EINVAL;
    }
    task = find_task(pid);
    policy = task ? task->policy : -ESRCH;
    task_put(task);
    return policy;
}

long sys_sched_getparam(pid_t pid, int __user *user)
{
    struct task *task;
    int priority;

    if (pid < 0 || !user) {
        return -EINVAL;
    }
    task = find_task(pid);
    if (!task) {
        return -ESRCH;
    }
    priority = task->priority;
    task_put(task);
    return put_user(priority, user);
}

static long priority_bound(int policy, int of_real_time)
{
    bool known = policy >= SCHED_OTHER && policy <= SCHED_DEADLINE && policy != 4;

    if (!known) {
        return -EINVAL;
    }
    return policy_is_real_time(policy) ? of_real_time : 0;
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
    if ((task->policy & ~SCHED_RESET_ON_FORK) != SCHED_FIFO) {
        interval.nanoseconds = sched_slice(task);
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
