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
        task->nice = *nice < -20 ? -20 : *nice > 19 ? 19 : *nice;
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

/* The policy is remembered; all tasks are run by the class chosen at boot. */
long sys_sched_setscheduler(pid_t pid, int policy, const int __user *user)
{
    enum { SCHED_OTHER, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_IDLE = 5 };
    struct task *task;
    int priority;
    bool real_time = policy == SCHED_FIFO || policy == SCHED_RR;

    if (pid < 0 || policy < 0 || !user) {
        return -EINVAL;
    }
    if (get_user(priority, user)) {
        return -EFAULT;
    }
    task = find_task(pid);
    if (!task) {
        return -ESRCH;
    }
    if (policy > SCHED_IDLE || policy == 4 ||
        (real_time ? priority < 1 || priority > 99 : priority != 0)) {
        task_put(task);
        return -EINVAL;
    }
    task->policy = policy;
    task->priority = priority;
    task_put(task);
    return 0;
}

long sys_sched_getscheduler(pid_t pid)
{
    struct task *task = pid < 0 ? NULL : find_task(pid);
    long policy = pid < 0 ? -EINVAL : task ? task->policy : -ESRCH;

    task_put(task);
    return policy;
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
