/* A task's files and working directory: shared or copied by clone, given back by exit. */
#include "fs/context.h"

#include "fs/file.h"
#include "fs/tty.h"
#include "lib/errno.h"
#include "lib/refcount.h"
#include "mm/kmalloc.h"
#include "mm/mm.h"
#include "sched/signal.h"
#include "sched/task.h"

static struct fs *fs_copy(struct fs *from)
{
    struct fs *fs = kmalloc(sizeof(*fs));

    if (fs) {
        *fs = (struct fs){.references = 1};
        spin_init(&fs->lock);
        spin_lock(&from->lock);
        fs->cwd = inode_get(from->cwd);
        fs->umask = from->umask;
        spin_unlock(&from->lock);
    }
    return fs;
}

static void fs_put(struct fs *fs)
{
    if (fs && ref_put(&fs->references)) {
        inode_put(fs->cwd);
        kfree(fs);
    }
}

static long clone_resources(struct task *parent, struct task *child, uint64_t flags)
{
    if (flags & CLONE_FILES) {
        ref_get(&parent->files->references);
        child->files = parent->files;
    } else {
        child->files = files_copy(parent->files);
    }
    if (flags & CLONE_FS) {
        ref_get(&parent->fs->references);
        child->fs = parent->fs;
    } else {
        child->fs = fs_copy(parent->fs);
    }
    return child->files && child->fs ? 0 : -ENOMEM;
}

static void exit_resources(struct task *task)
{
    struct files *files = task->files;
    struct fs *fs = task->fs;
    struct thread_group *group = task == current ? task->group : NULL;
    uint64_t flags = spin_lock_irqsave(&tasks_lock);
    struct tty *tty = NULL;

    task->files = NULL;
    task->fs = NULL;
    if (group && ++group->leaving == group->thread_count && group->session == group->pid) {
        tty = group->tty;
    }
    spin_unlock_irqrestore(&tasks_lock, flags);
    if (tty) { /* the end of a session's leader */
        tty_hang_up(tty);
    }
    files_put(files);
    fs_put(fs);
}

static struct inode *fs_get_cwd(struct fs *fs)
{
    struct inode *cwd;

    spin_lock(&fs->lock);
    cwd = inode_get(fs->cwd);
    spin_unlock(&fs->lock);
    return cwd;
}

struct inode *fs_cwd(void)
{
    return fs_get_cwd(current->fs);
}

/* The lock of a `struct fs` is taken with interrupts on, so not under tasks_lock, which timers take. */
struct inode *fs_cwd_of(struct task *task)
{
    uint64_t flags = spin_lock_irqsave(&tasks_lock); /* against the task's exit */
    struct fs *fs = task->fs;
    struct inode *cwd;

    if (fs) {
        ref_get(&fs->references);
    }
    spin_unlock_irqrestore(&tasks_lock, flags);
    cwd = fs ? fs_get_cwd(fs) : NULL;
    fs_put(fs);
    return cwd;
}

void fs_set_cwd(struct inode *directory)
{
    struct fs *fs = current->fs;
    struct inode *old;

    spin_lock(&fs->lock);
    old = fs->cwd;
    fs->cwd = directory;
    spin_unlock(&fs->lock);
    inode_put(old);
}

void context_init(void)
{
    static const struct task_resource_ops ops = {clone_resources, exit_resources};

    task_resources = &ops;
}

void context_first_task(void)
{
    struct fs *fs = kzalloc(sizeof(*fs));

    fs->references = 1;
    fs->umask = 022;
    fs->cwd = inode_get(vfs_root());
    current->fs = fs;
    current->files = files_create();
}
