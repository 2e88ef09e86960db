/* What a task sets for itself: of prctl(2)'s many options those that are about processes and threads. */
#include "lib/errno.h"
#include "lib/signum.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "mm/uaccess.h"
#include "process/exit.h"
#include "sched/task.h"
#include "sched/traced.h"
#include "syscall/calls.h"

static long prctl_set_name(const char __user *user)
{
    char name[sizeof(current->name)] = "";

    if (strncpy_from_user(name, user, sizeof(name) - 1) == -EFAULT) {
        return -EFAULT;
    }
    strlcpy(current->name, name, sizeof(name)); /* one that is too long is cut */
    trace_rename(current);
    return 0;
}

static long prctl_get_name(char __user *user)
{
    char name[sizeof(current->name)] = "";

    strlcpy(name, current->name, sizeof(name)); /* what is behind its end is not told */
    return copy_to_user(user, name, sizeof(name));
}

long sys_prctl(int option, uint64_t argument)
{
    enum {
        PR_SET_PDEATHSIG = 1, PR_GET_PDEATHSIG, PR_GET_DUMPABLE, PR_SET_DUMPABLE, PR_SET_NAME = 15, PR_GET_NAME,
        PR_SET_TIMERSLACK = 29, PR_GET_TIMERSLACK, PR_SET_CHILD_SUBREAPER = 36, PR_GET_CHILD_SUBREAPER,
    };
    struct thread_group *group = current->group;

    switch (option) {
    case PR_SET_PDEATHSIG:
        if (argument > SIGNALS) {
            return -EINVAL;
        }
        group->parent_end_signal = (uint8_t)argument;
        return 0;
    case PR_GET_PDEATHSIG:
        return put_user((int)group->parent_end_signal, (int __user *)argument);
    case PR_GET_DUMPABLE:
        return !current->mm->secret;
    case PR_SET_DUMPABLE:
        if (argument > 1) { /* 2 is only what Linux itself gives to a program with another's rights */
            return -EINVAL;
        }
        current->mm->secret = !argument;
        return 0;
    case PR_SET_NAME:
        return prctl_set_name((const char __user *)argument);
    case PR_GET_NAME:
        return prctl_get_name((char __user *)argument);
    case PR_SET_TIMERSLACK: /* how late a timer may be, to be one with others: here none is */
        current->timer_slack = argument ? argument : current->timer_slack_default;
        return 0;
    case PR_GET_TIMERSLACK:
        return (long)current->timer_slack;
    case PR_SET_CHILD_SUBREAPER:
        group->subreaper = argument;
        exit_subreapers |= group->subreaper;
        return 0;
    case PR_GET_CHILD_SUBREAPER:
        return put_user((int)group->subreaper, (int __user *)argument);
    default:
        return -EINVAL;
    }
}
