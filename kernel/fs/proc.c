/*
 * procfs. Nothing is stored: an inode is made when a name is looked up, its text when it is read
 * from its start, so what a reader sees is one moment.
 *
 *   /proc        KIND_ROOT      files of the machine, and a directory for each process
 *   /proc/7      KIND_PROCESS   files of a process, and task
 *   .../task     KIND_TASKS     a directory for each thread
 *   .../task/8   KIND_THREAD    the same files, of one thread
 *
 * Number of an inode:  tid + 1 | kind (2 bits) | index of the file, 0 for a directory (6 bits)
 */
#include "fs/proc.h"

#include "fs/file.h"
#include "fs/proc_text.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/kmalloc.h"
#include "mm/uaccess.h"
#include "sched/task.h"

#define TEXT_MAX 65536
#define WRITE_MAX 64
#define FIRST_TASK 64 /* in a directory, the position of task 0: behind all files */

enum kind { KIND_ROOT, KIND_PROCESS, KIND_TASKS, KIND_THREAD };

static const struct inode_ops directory_ops, file_ops_plain, link_ops;
static const struct file_ops text_ops, directory_file;
static const struct proc_file no_files[1];
static const struct proc_file *const files[] = {
    [KIND_ROOT] = proc_root_files, [KIND_PROCESS] = proc_task_files, [KIND_TASKS] = no_files,
    [KIND_THREAD] = proc_task_files,
};

static uint64_t number_of(pid_t tid, enum kind kind, int index)
{
    return ((uint64_t)tid + 1) << 8 | (uint64_t)kind << 6 | (uint64_t)index;
}

static pid_t inode_tid(const struct inode *inode)
{
    return (pid_t)(inode->number >> 8) - 1;
}

static enum kind inode_kind(const struct inode *inode)
{
    return inode->number >> 6 & 3;
}

static const struct proc_file *inode_file(const struct inode *inode)
{
    return &files[inode_kind(inode)][(inode->number & 63) - 1];
}

static struct inode *make(uint64_t number, mode_t mode, struct inode *parent)
{
    struct inode *inode = kmalloc(sizeof(*inode));

    if (!inode) {
        return error_pointer(-ENOMEM);
    }
    inode_init(inode, mode, S_ISDIR(mode) ? &directory_ops : S_ISLNK(mode) ? &link_ops
                                                                          : &file_ops_plain,
               S_ISDIR(mode) ? &directory_file : &text_ops);
    inode->device = 0x1000;
    inode->number = number;
    if (parent) {
        inode_set_parent(inode, parent);
    }
    return inode;
}

/* Is there a directory for task `tid` in this one, to be found or to be listed? */
static bool contains(const struct inode *directory, pid_t tid, bool listed)
{
    uint64_t flags = spin_lock_irqsave(&tasks_lock);
    struct task *task = task_find_locked(tid), *of = task_find_locked(inode_tid(directory));
    bool found = false;

    if (inode_kind(directory) == KIND_ROOT) {
        found = task && (!listed || task->group->pid == tid); /* a thread's is there, but hidden */
    } else if (inode_kind(directory) == KIND_TASKS) {
        found = task && of && task->group == of->group;
    }
    spin_unlock_irqrestore(&tasks_lock, flags);
    return found;
}

static struct inode *lookup(struct inode *directory, const char *name)
{
    enum kind kind = inode_kind(directory);
    const struct proc_file *table = files[kind];
    char canonical[16]; /* the only way to write the number: not 07, 0x7 or 2^32 + 7 */
    uint64_t number;
    pid_t tid;

    for (int i = 0; table[i].name; i++) {
        if (strcmp(table[i].name, name) == 0 && proc_file_exists(&table[i])) {
            return make(number_of(inode_tid(directory), kind, i + 1), table[i].mode, directory);
        }
    }
    if (kind == KIND_PROCESS && strcmp(name, "task") == 0) {
        return make(number_of(inode_tid(directory), KIND_TASKS, 0), S_IFDIR | 0555, directory);
    }
    number = parse_number(name, NULL);
    tid = number < PID_MAX ? (pid_t)number : 0;
    snprintf(canonical, sizeof(canonical), "%d", tid);
    if (strcmp(name, canonical) != 0 || !contains(directory, tid, false)) {
        return error_pointer(-ENOENT);
    }
    return make(number_of(tid, kind + 1, 0), S_IFDIR | 0555, directory);
}

static long iterate(struct inode *directory, off_t position, dir_emit_t emit, void *context)
{
    enum kind kind = inode_kind(directory);
    const struct proc_file *table = files[kind];
    off_t last = position > FIRST_TASK ? position - FIRST_TASK : 0; /* any number of the user's */
    pid_t tid = last < PID_MAX ? (pid_t)last : PID_MAX;
    char name[16];
    int i;

    for (i = 0; table[i].name; i++) {
        if (i >= position && proc_file_exists(&table[i]) && !emit(context, table[i].name,
                                   number_of(inode_tid(directory), kind, i + 1), table[i].mode,
                                   i + 1)) {
            return 0;
        }
    }
    if (kind == KIND_PROCESS && position <= i) {
        emit(context, "task", number_of(inode_tid(directory), KIND_TASKS, 0), S_IFDIR, i + 1);
    }
    while ((kind == KIND_ROOT || kind == KIND_TASKS) && (tid = task_next(tid)) != 0) {
        snprintf(name, sizeof(name), "%d", tid);
        if (contains(directory, tid, true) &&
            !emit(context, name, number_of(tid, kind + 1, 0), S_IFDIR, tid + FIRST_TASK)) {
            return 0;
        }
    }
    return 0;
}

/* Positions in the directories of /proc are ints on Linux, too. */
static off_t directory_seek(struct file *file, off_t offset, int whence)
{
    if (whence != SEEK_SET && whence != SEEK_CUR) {
        return -EINVAL;
    }
    return file_set_position(file, whence == SEEK_CUR ? file->position : 0, offset, INT32_MAX);
}

static void release(struct inode *inode)
{
    kfree(inode);
}

/* Fill `text` for this inode, anew: 0, -ESRCH when the task is gone, -ENOMEM. */
static long generate(struct inode *inode, struct proc_text *text)
{
    pid_t tid = inode_tid(inode);
    struct task *task = tid ? task_find(tid) : NULL;

    if (tid && !task) {
        return -ESRCH;
    }
    text->used = 0;
    text->error = 0;
    text->one_thread = inode_kind(inode) == KIND_THREAD;
    inode_file(inode)->show(text, task);
    task_put(task);
    return text->error;
}

static long readlink(struct inode *inode, char *buffer, size_t size)
{
    struct proc_text text = {.buffer = buffer, .size = size};
    long error = generate(inode, &text);

    return error ? error : text.used ? (long)text.used : -ENOENT;
}

static long text_open(struct file *file)
{
    struct proc_text *text = kzalloc(sizeof(*text));

    if (!text) {
        return -ENOMEM;
    }
    text->size = TEXT_MAX;
    text->buffer = kmalloc(TEXT_MAX);
    if (!text->buffer) {
        kfree(text);
        return -ENOMEM;
    }
    mutex_init(&text->lock);
    file->data = text;
    return 0;
}

static ssize_t text_read(struct file *file, char __user *buffer, size_t size, off_t *position)
{
    struct proc_text *text = file->data;
    long error = 0;

    mutex_lock(&text->lock);
    if (*position == 0 || !text->used) {
        error = generate(file->inode, text);
    }
    if (error || *position >= (off_t)text->used) {
        size = 0;
    } else if (size > text->used - (size_t)*position) {
        size = text->used - (size_t)*position;
    }
    if (copy_to_user(buffer, text->buffer + *position, size)) {
        error = -EFAULT;
    }
    mutex_unlock(&text->lock);
    *position += error ? 0 : (off_t)size;
    return error ? error : (ssize_t)size;
}

static ssize_t text_write(struct file *file, const char __user *buffer, size_t size, off_t *position)
{
    const struct proc_file *proc_file = inode_file(file->inode);
    char text[WRITE_MAX + 1];
    struct task *task;
    long error;

    (void)position;
    if (!proc_file->write) {
        return -EIO;
    }
    size = size < WRITE_MAX ? size : WRITE_MAX;
    if (copy_from_user(text, buffer, size)) {
        return -EFAULT;
    }
    text[size] = '\0';
    task = task_find(inode_tid(file->inode));
    if (inode_tid(file->inode) && !task) {
        return -ESRCH;
    }
    error = proc_file->write(task, text);
    task_put(task);
    return error ? error : (ssize_t)size;
}

static void text_release(struct file *file)
{
    struct proc_text *text = file->data;

    kfree(text->buffer);
    kfree(text);
}

static const struct inode_ops directory_ops = {
    .lookup = lookup, .iterate = iterate, .release = release,
};
static const struct inode_ops file_ops_plain = {.release = release};
static const struct inode_ops link_ops = {.readlink = readlink, .release = release};
static const struct file_ops directory_file = {.read = directory_read, .seek = directory_seek};
static const struct file_ops text_ops = {
    .open = text_open, .read = text_read, .write = text_write, .seek = file_seek_sizeless,
    .release = text_release,
};

void proc_print(struct proc_text *text, const char *format, ...)
{
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(text->buffer + text->used, text->size - text->used, format, args);
    va_end(args);
    text->used += (size_t)length;
    if (text->used >= text->size) {
        text->used = text->size - 1;
    }
}

struct inode *proc_create_root(void)
{
    return make(number_of(0, KIND_ROOT, 0), S_IFDIR | 0555, NULL);
}
