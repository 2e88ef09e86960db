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
 * -EINVAL, -EPERM, -EAGAIN, -ENOMEM as clone(2), or -ERESTARTNOINTR: a signal goes first. May sleep.
 */
long task_clone(const struct clone_args *args);
/* A task of the kernel's own that runs entry(argument), interrupts on. That returns only when it has
 * made a program of the task, which begins then. Panics without memory: for the boot. */
struct task *kernel_thread(const char *name, void (*entry)(void *), void *argument);

#endif
