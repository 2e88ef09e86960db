/*
 * procfs. Nothing is stored: an inode is made when a name is looked up, its text when it is
 * opened, so what a reader sees is one moment. Number of an inode: pid * 64 + file.
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

#define ROOT_PID 0
#define TEXT_MAX 65536

static const struct inode_ops directory_ops, file_ops_plain, link_ops;
static const struct file_ops text_ops;

static pid_t inode_pid(const struct inode *inode)
{
    return (pid_t)(inode->number / 64) - 1;
}

static const struct proc_file *table_of(pid_t pid)
{
    return pid == ROOT_PID ? proc_root_files : proc_task_files;
}

static struct inode *make(pid_t pid, int index, mode_t mode, struct inode *parent)
{
    struct inode *inode = kmalloc(sizeof(*inode));

    if (!inode) {
        return error_pointer(-ENOMEM);
    }
    inode_init(inode, mode, S_ISDIR(mode) ? &directory_ops : S_ISLNK(mode) ? &link_ops
                                                                          : &file_ops_plain,
               S_ISDIR(mode) ? &directory_file_ops : &text_ops);
    inode->device = 0x1000;
    inode->number = (uint64_t)(pid + 1) * 64 + (uint64_t)index;
    if (parent) {
        inode_set_parent(inode, parent);
    }
    return inode;
}

static struct inode *lookup(struct inode *directory, const char *name)
{
    pid_t pid = inode_pid(directory);
    const struct proc_file *table = table_of(pid);
    const char *end;
    struct task *task;

    for (int i = 0; table[i].name; i++) {
        if (strcmp(table[i].name, name) == 0) {
            return make(pid, i + 1, table[i].mode, directory);
        }
    }
    pid = directory->number == 64 ? (pid_t)parse_number(name, &end) : 0;
    task = pid > 0 && !*end ? task_find(pid) : NULL;
    if (!task) {
        return error_pointer(-ENOENT);
    }
    task_put(task);
    return make(pid, 0, S_IFDIR | 0555, directory);
}

static long iterate(struct inode *directory, off_t position, dir_emit_t emit, void *context)
{
    pid_t pid = inode_pid(directory);
    const struct proc_file *table = table_of(pid);
    char name[16];

    for (int i = 0; table[i].name; i++) {
        if (i >= position && !emit(context, table[i].name, (uint64_t)(pid + 1) * 64 + (uint64_t)i + 1,
                                   table[i].mode, i + 1)) {
            return 0;
        }
    }
    for (pid_t p = position > 64 ? (pid_t)position - 64 : 1; pid == ROOT_PID && p < 32768; p++) {
        uint64_t flags = spin_lock_irqsave(&tasks_lock);
        bool exists = group_find_locked(p);

        spin_unlock_irqrestore(&tasks_lock, flags);
        if (exists) {
            snprintf(name, sizeof(name), "%d", p);
            if (!emit(context, name, (uint64_t)(p + 1) * 64, S_IFDIR, p + 65)) {
                return 0;
            }
        }
    }
    return 0;
}

static void release(struct inode *inode)
{
    kfree(inode);
}

/* Fill `text` for this inode: 0, or -ESRCH when the task is gone. */
static long generate(struct inode *inode, struct proc_text *text)
{
    pid_t pid = inode_pid(inode);
    const struct proc_file *file = &table_of(pid)[inode->number % 64 - 1];
    struct task *task = pid ? task_find(pid) : NULL;

    if (pid && !task) {
        return -ESRCH;
    }
    file->show(text, task);
    task_put(task);
    return 0;
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
    long error = -ENOMEM;

    if (text) {
        text->size = TEXT_MAX;
        text->buffer = kmalloc(TEXT_MAX);
        error = text->buffer ? file_readable(file) ? generate(file->inode, text) : 0 : -ENOMEM;
    }
    if (error && text) {
        kfree(text->buffer);
        kfree(text);
    }
    file->data = text;
    return error;
}

static ssize_t text_read(struct file *file, char __user *buffer, size_t size, off_t *position)
{
    struct proc_text *text = file->data;

    if (*position >= (off_t)text->used) {
        return 0;
    }
    if (size > text->used - (size_t)*position) {
        size = text->used - (size_t)*position;
    }
    if (copy_to_user(buffer, text->buffer + *position, size)) {
        return -EFAULT;
    }
    *position += (off_t)size;
    return (ssize_t)size;
}

static ssize_t text_write(struct file *file, const char __user *buffer, size_t size, off_t *position)
{
    char first;

    (void)position;
    if (strcmp(table_of(inode_pid(file->inode))[file->inode->number % 64 - 1].name,
               "sysrq-trigger") != 0) {
        return -EIO;
    }
    if (get_user(first, buffer)) {
        return -EFAULT;
    }
    if (first == 'c') {
        panic("sysrq-trigger: a crash was asked for by %s", current->name);
    }
    return (ssize_t)size;
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
static const struct file_ops text_ops = {
    .open = text_open, .read = text_read, .write = text_write, .seek = file_seek_size,
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
    return make(ROOT_PID, 0, S_IFDIR | 0555, NULL);
}
