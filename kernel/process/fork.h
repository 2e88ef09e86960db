/* clone(2) in the kernel's terms, and threads of the kernel's own. */
#ifndef PROCESS_FORK_H
#define PROCESS_FORK_H
#include "sched/task.h"

struct clone_args {
    uint64_t flags, stack, tls;
    int __user *parent_tid, *child_tid;
};

/*
 * Make a task that starts as a copy of the current one, which is in a system call. The child's tid, or
 * -EINVAL, -EAGAIN, -ENOMEM, -EFAULT as clone(2). May sleep.
 */
long task_clone(const struct clone_args *args);
/* A task of the kernel's own that runs entry(argument) and then ends. NULL without memory. */
struct task *kernel_thread(const char *name, void (*entry)(void *), void *argument);

#endif
