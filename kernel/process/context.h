/* What CLONE_FS shares: the working directory and the umask; and what clone and exit do with it
 * and with the descriptor table. */
#ifndef PROCESS_CONTEXT_H
#define PROCESS_CONTEXT_H
#include "arch/spinlock.h"
#include "fs/vfs.h"

struct cwd {
    int references;       /* atomic */
    struct spinlock lock; /* protects the two below; a leaf */
    struct inode *directory;
    mode_t umask;
};

/* A working directory, referenced: another task's, to which the caller has a reference (NULL: it has
 * ended); the current one's. Interrupts on. */
struct inode *cwd_of(struct task *task);
struct inode *cwd_get(void);
void cwd_set(struct inode *directory); /* of the current task; takes over the reference */
/* Give the current task, the first one, a descriptor table and a working directory. */
void context_first_task(void);
/* The child's part, shared with the parent's or copied as the clone flags say. 0, or -ENOMEM, and it
 * has what context_exit gives back. */
long context_clone(struct task *parent, struct task *child, uint64_t flags);
/* Give it back. Of a task that is current, or was never started. The last thread of a session's
 * leader hangs its terminal up. May sleep. */
void context_exit(struct task *task);
#endif
