/* A task's files and working directory: shared or copied by clone, given back by exit. */
#include "process/context.h"

#include "fs/file.h"
#include "lib/errno.h"
#include "lib/refcount.h"
#include "mm/kmalloc.h"
#include "mm/mm.h"
#include "sched/signal.h"
#include "sched/task.h"
#include "tty/tty.h"

static struct cwd *cwd_copy(struct cwd *from)
{
    struct cwd *cwd = kmalloc(sizeof(*cwd));

    if (cwd) {
        *cwd = (struct cwd){.references = 1};
        spin_init(&cwd->lock);
        spin_lock(&from->lock);
        cwd->directory = inode_get(from->directory);
        cwd->umask = from->umask;
        spin_unlock(&from->lock);
    }
    return cwd;
}

static void cwd_put(struct cwd *cwd)
{
    if (cwd && ref_put(&cwd->references)) {
        inode_put(cwd->directory);
        kfree(cwd);
    }
}

long context_clone(struct task *parent, struct task *child, uint64_t flags)
{
    if (flags & CLONE_FILES) {
        ref_get(&parent->files->references);
        child->files = parent->files;
    } else {
        child->files = files_copy(parent->files);
    }
    if (flags & CLONE_FS) {
        ref_get(&parent->cwd->references);
        child->cwd = parent->cwd;
    } else {
        child->cwd = cwd_copy(parent->cwd);
    }
    return child->files && child->cwd ? 0 : -ENOMEM;
}

void context_exit(struct task *task)
{
    struct files *files = task->files;
    struct cwd *cwd = task->cwd;
    struct thread_group *group = task == current ? task->group : NULL;
    uint64_t flags = spin_lock_irqsave(&tasks_lock);
    bool leader_ends;

    task->files = NULL;
    task->cwd = NULL;
    leader_ends = group && ++group->leaving == group->thread_count && group->session == group->pid;
    spin_unlock_irqrestore(&tasks_lock, flags);
    if (leader_ends) {
        tty_leader_ends();
    }
    files_put(files);
    cwd_put(cwd);
}

static struct inode *cwd_directory(struct cwd *cwd)
{
    struct inode *directory;

    spin_lock(&cwd->lock);
    directory = inode_get(cwd->directory);
    spin_unlock(&cwd->lock);
    return directory;
}

struct inode *cwd_get(void)
{
    return cwd_directory(current->cwd);
}

/* The lock of a `struct cwd` is taken with interrupts on, so not under tasks_lock, which timers take. */
struct inode *cwd_of(struct task *task)
{
    uint64_t flags = spin_lock_irqsave(&tasks_lock); /* against the task's exit */
    struct cwd *cwd = task->cwd;
    struct inode *directory;

    if (cwd) {
        ref_get(&cwd->references);
    }
    spin_unlock_irqrestore(&tasks_lock, flags);
    directory = cwd ? cwd_directory(cwd) : NULL;
    cwd_put(cwd);
    return directory;
}

void cwd_set(struct inode *directory)
{
    struct cwd *cwd = current->cwd;
    struct inode *old;

    spin_lock(&cwd->lock);
    old = cwd->directory;
    cwd->directory = directory;
    spin_unlock(&cwd->lock);
    inode_put(old);
}

void context_first_task(void)
{
    struct cwd *cwd = kzalloc(sizeof(*cwd));

    cwd->references = 1;
    cwd->umask = 022;
    cwd->directory = inode_get(vfs_root());
    current->cwd = cwd;
    current->files = files_create();
}
