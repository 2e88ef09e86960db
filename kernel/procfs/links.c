/*
 * Links of /proc to the files of a task: exe, cwd, root, and one for each descriptor.
 *
 * They lead to the file itself: also to one that has no path any more, or never had one, as a pipe.
 */
#include "fs/file.h"
#include "lib/errno.h"
#include "mm/kmalloc.h"
#include "mm/mm.h"
#include "process/context.h"
#include "procfs/files.h"
#include "sched/task.h"

static void show_path(struct proc_text *text, struct inode *inode)
{
    char *path = kmalloc(PATH_MAX);
    long length = path ? path_of(inode, path, PATH_MAX) : -ENOMEM;

    if (length > 0) {
        proc_write(text, path, (size_t)length);
    } else if (length != -ENOENT) {
        text->error = length == -ERANGE ? -ENAMETOOLONG : length;
    }
    kfree(path);
}

struct inode *target_exe(struct task *task, int fd)
{
    struct mm *mm = task_mm(task);
    struct inode *inode = mm && mm->executable ? inode_get(mm->executable) : NULL;

    (void)fd;
    mm_put(mm);
    return inode;
}

struct inode *target_cwd(struct task *task, int fd)
{
    (void)fd;
    return cwd_of(task);
}

struct inode *target_root(struct task *task, int fd)
{
    (void)task, (void)fd;
    return inode_get(vfs_root());
}

static struct inode *target_descriptor(struct task *task, int fd)
{
    int found = fd;
    struct file *file = fd_next_of(task, &found);
    struct inode *inode = file && found == fd ? inode_get(file->inode) : NULL;

    file_put(file);
    return inode;
}

static void show_target(struct proc_text *text, struct inode *inode)
{
    if (inode) {
        show_path(text, inode);
    }
    inode_put(inode);
}

void show_exe(struct proc_text *text, struct task *task)
{
    show_target(text, target_exe(task, 0));
}

void show_cwd(struct proc_text *text, struct task *task)
{
    show_target(text, target_cwd(task, 0));
}

void show_root(struct proc_text *text, struct task *task)
{
    show_target(text, target_root(task, 0));
}

/* What has no path is told by its kind and number. */
static void show_descriptor(struct proc_text *text, struct task *task)
{
    struct inode *inode = target_descriptor(task, text->fd);

    if (inode) {
        show_path(text, inode);
    }
    if (inode && !text->used && !text->error) {
        const char *kind = S_ISFIFO(inode->mode) ? "pipe" : S_ISSOCK(inode->mode) ? "socket" : NULL;

        if (inode->device || !(inode->mode & S_IFMT)) {
            proc_print(text, inode->device ? "(deleted)" : "anon_inode:inode");
        } else {
            proc_print(text, "%s:[%lu]", kind, inode->number);
        }
    }
    inode_put(inode);
}

const struct proc_file proc_fd_link = {
    .mode = S_IFLNK | 0700, .show = show_descriptor, .target = target_descriptor,
};
