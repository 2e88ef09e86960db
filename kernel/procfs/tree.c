/*
 * procfs. Nothing is stored: an inode is made when a name is looked up, its text when it is read
 * from its start, so what a reader sees is one moment.
 *
 *   /proc        PROC_ROOT      files of the machine, and a directory for each process
 *   /proc/7      PROC_PROCESS   files of a process, and task
 *   .../task     PROC_TASKS     a directory for each thread
 *   .../task/8   PROC_THREAD    the same files, of one thread
 *   .../fd       PROC_FDS       a link for each descriptor
 *   /proc/sys    PROC_SYS       directories fs, kernel, vm (PROC_SYS_*), with what sysctl(8) shows
 *
 * Number of an inode:  fd + 1 (22 bits) | tid + 1 (30 bits) | kind (4 bits) | index of the file, 0
 * for a directory (6 bits)
 */
#include "procfs/tree.h"

#include "fs/file.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/kmalloc.h"
#include "mm/page.h"
#include "mm/uaccess.h"
#include "procfs/files.h"
#include "sched/task.h"

#define WRITE_MAX 64
#define FIRST_TASK 64 /* in a directory, the position of task 0: behind all files */

static const struct inode_ops directory_ops, file_ops_plain, link_ops;
static const struct file_ops text_ops, directory_file;
static const struct proc_file no_files[1];
static const struct proc_file *const files[PROC_KINDS] = {
    [PROC_ROOT] = proc_root_files, [PROC_PROCESS] = proc_task_files, [PROC_TASKS] = no_files,
    [PROC_THREAD] = proc_task_files, [PROC_FDS] = no_files, [PROC_SYS] = proc_sys_files,
    [PROC_SYS_FS] = proc_sys_fs_files, [PROC_SYS_KERNEL] = proc_sys_kernel_files,
    [PROC_SYS_VM] = proc_sys_vm_files, [PROC_SYS_INOTIFY] = proc_sys_inotify_files,
};

static uint64_t number_of(pid_t tid, enum proc_kind kind, int index)
{
    return ((uint64_t)tid + 1) << 10 | (uint64_t)kind << 6 | (uint64_t)index;
}

static pid_t inode_tid(const struct inode *inode)
{
    return (pid_t)(inode->number >> 10 & 0x3fffffff) - 1;
}

static enum proc_kind inode_kind(const struct inode *inode)
{
    return inode->number >> 6 & 15;
}

/* A link to a descriptor has its number, plus 1. */
static uint64_t fd_number_of(pid_t tid, int fd)
{
    return (uint64_t)(fd + 1) << 40 | number_of(tid, PROC_FDS, 0);
}

static int inode_fd(const struct inode *inode)
{
    return (int)(inode->number >> 40) - 1;
}

static const struct proc_file *inode_file(const struct inode *inode)
{
    return inode_fd(inode) >= 0 ? &proc_fd_link : &files[inode_kind(inode)][(inode->number & 63) - 1];
}

/*
 * The task that an inode is about, referenced; NULL: it is gone, or the inode is the root's. The
 * id may be another task's by then, so the time of the task's start is kept, too.
 */
static struct task *inode_task(const struct inode *inode)
{
    struct task *task = task_find(inode_tid(inode));

    if (task && task->start_time != (ktime_t)inode->data) {
        task_put(task);
        return NULL;
    }
    return task;
}

static struct inode *proc_make(uint64_t number, mode_t mode, struct inode *parent, void *start_time)
{
    struct inode *inode = kmalloc(sizeof(*inode));

    if (!inode) {
        return error_pointer(-ENOMEM);
    }
    if (S_ISDIR(mode)) {
        inode_init(inode, mode, &directory_ops, &directory_file);
    } else {
        inode_init(inode, mode, S_ISLNK(mode) ? &link_ops : &file_ops_plain, &text_ops);
    }
    inode->device = PROC_DEVICE;
    inode->number = number;
    inode->data = start_time;
    if (parent) {
        inode_set_parent(inode, parent, NULL);
    }
    return inode;
}

/* Task `tid`, referenced, if it has a directory in this one, to be found or to be listed; or NULL. */
static struct task *child_task(const struct inode *directory, pid_t tid, bool listed)
{
    struct task *task = task_find(tid), *of = inode_task(directory);
    bool found = false;

    if (inode_kind(directory) == PROC_ROOT) {
        found = task && (!listed || task->group->pid == tid); /* a thread's is there, but hidden */
    } else if (inode_kind(directory) == PROC_TASKS) {
        found = task && of && task->group == of->group;
    }
    task_put(of);
    if (!found) {
        task_put(task);
        task = NULL;
    }
    return task;
}

/* Is the task gone that a directory is about? */
static bool is_dead(const struct inode *directory)
{
    struct task *task = inode_task(directory);

    task_put(task);
    return !task && inode_tid(directory);
}

/* The number that a name is, if it is written as the only way has it: not 07, 0x7 or 2^32 + 7; or -1. */
static int number_from_name(const char *name)
{
    uint64_t number = parse_number(name, NULL);
    char canonical[16];

    number = number < DESCRIPTORS_MAX ? number : 0;
    snprintf(canonical, sizeof(canonical), "%d", (int)number);
    return strcmp(name, canonical) == 0 ? (int)number : -1;
}

/* The first open descriptor from `fd` on of the task that a directory is about, or -1. */
static int fd_from(const struct inode *directory, int fd)
{
    struct task *task = inode_task(directory);
    struct file *file = task ? fd_next_of(task, &fd) : NULL;
    const bool found = file;

    file_put(file);
    task_put(task);
    return found ? fd : -1;
}

/* What a table has: the file's or the directory's number. */
static uint64_t table_number(const struct inode *directory, int i)
{
    const enum proc_kind kind = inode_kind(directory);
    const struct proc_file *file = &files[kind][i];

    return S_ISDIR(file->mode) ? number_of(inode_tid(directory), file->directory, 0)
                               : number_of(inode_tid(directory), kind, i + 1);
}

static struct inode *proc_lookup(struct inode *directory, const char *name)
{
    enum proc_kind kind = inode_kind(directory);
    const struct proc_file *table = files[kind];
    struct task *task;
    struct inode *inode;
    int number;

    if (is_dead(directory)) {
        return error_pointer(-ENOENT);
    }
    for (int i = 0; table[i].name; i++) {
        if (strcmp(table[i].name, name) == 0 && proc_file_exists(&table[i], kind)) {
            return proc_make(table_number(directory, i), table[i].mode, directory, directory->data);
        }
    }
    number = number_from_name(name);
    if (kind == PROC_FDS && number >= 0 && fd_from(directory, number) == number) {
        return proc_make(fd_number_of(inode_tid(directory), number), proc_fd_link.mode, directory,
                         directory->data);
    }
    task = number > 0 && number < PID_MAX ? child_task(directory, number, false) : NULL;
    if (!task) {
        return error_pointer(-ENOENT);
    }
    inode = proc_make(number_of(number, kind + 1, 0), S_IFDIR | 0555, directory,
                      (void *)task->start_time);
    task_put(task);
    return inode;
}

/* The numbers in a directory behind its first FIRST_TASK positions: of tasks, or of descriptors. */
static void iterate_numbers(struct inode *directory, int last, dir_emit_t emit, void *context)
{
    const enum proc_kind kind = inode_kind(directory);
    int number = last;
    char name[16];

    while (kind == PROC_FDS && (number = fd_from(directory, number)) >= 0) {
        snprintf(name, sizeof(name), "%d", number);
        if (!emit(context, name, fd_number_of(inode_tid(directory), number), proc_fd_link.mode,
                  number + 1 + FIRST_TASK)) {
            return;
        }
        number++;
    }
    while ((kind == PROC_ROOT || kind == PROC_TASKS) && (number = task_next(number)) != 0) {
        struct task *task = child_task(directory, number, true);

        snprintf(name, sizeof(name), "%d", number);
        task_put(task);
        if (task && !emit(context, name, number_of(number, kind + 1, 0), S_IFDIR,
                          number + FIRST_TASK)) {
            return;
        }
    }
}

static long proc_iterate(struct inode *directory, off_t position, dir_emit_t emit, void *context)
{
    enum proc_kind kind = inode_kind(directory);
    const struct proc_file *table = files[kind];
    off_t last = position > FIRST_TASK ? position - FIRST_TASK : 0; /* any number of the user's */

    if (is_dead(directory)) {
        return -ENOENT;
    }
    for (int i = 0; table[i].name; i++) {
        if (i >= position && proc_file_exists(&table[i], kind) &&
            !emit(context, table[i].name, table_number(directory, i), table[i].mode, i + 1)) {
            return 0;
        }
    }
    iterate_numbers(directory, last < DESCRIPTORS_MAX ? (int)last : DESCRIPTORS_MAX, emit, context);
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

static void proc_release(struct inode *inode)
{
    kfree(inode);
}

/* Fill `text` for this inode, anew: 0, -ENOMEM, or -ESRCH when the task is gone. */
static long proc_generate(struct inode *inode, struct proc_text *text)
{
    const struct proc_file *file = inode_file(inode);
    struct task *task = inode_task(inode);

    page_tree_truncate(&text->pages, 1); /* the first one stays: a short text needs no other */
    text->used = 0;
    text->error = 0;
    if (inode_tid(inode) && !task) {
        return -ESRCH;
    }
    text->one_thread = inode_kind(inode) == PROC_THREAD;
    text->fd = inode_fd(inode);
    if (file->show) {
        file->show(text, task);
    } else if (file->line) {
        proc_print(text, "%s\n", file->line);
    } else {
        proc_print(text, "%d\n", *file->number);
    }
    task_put(task);
    if (text->error) {
        text->used = 0;
    }
    return text->error;
}

static long proc_readlink(struct inode *inode, char *buffer, size_t size)
{
    struct proc_text text = {.used = 0};
    long result = proc_generate(inode, &text);

    if (!result && text.used) { /* a path: shorter than a page */
        size = size < text.used ? size : text.used;
        memcpy(buffer, page_to_virt(page_tree_find(&text.pages, 0)), size);
    }
    page_tree_truncate(&text.pages, 0);
    if (result) {
        return result;
    }
    return text.used ? (long)size : -ENOENT;
}

/* Where a link leads that is more than its text: the file itself. */
static struct inode *proc_target(struct inode *inode)
{
    const struct proc_file *file = inode_file(inode);
    struct task *task = file->target ? inode_task(inode) : NULL;
    struct inode *target = task ? file->target(task, inode_fd(inode)) : NULL;

    task_put(task);
    return !file->target || target ? target : error_pointer(-ENOENT);
}

/* The page at the text's end; NULL: there is no memory. */
static struct page *text_grow(struct proc_text *text)
{
    struct page *page = page_alloc(0);

    if (page && page_tree_insert(&text->pages, text->used >> PAGE_SHIFT, page)) {
        page_put(page);
        page = NULL;
    }
    return page;
}

static long text_open(struct file *file)
{
    struct proc_text *text = kzalloc(sizeof(*text));

    if (!text || !text_grow(text)) {
        kfree(text);
        return -ENOMEM;
    }
    mutex_init(&text->lock);
    file->data = text;
    return 0;
}

/* Copy what there is from `position` on. Bytes, or -EFAULT. */
static ssize_t text_copy(struct proc_text *text, char __user *buffer, size_t size, off_t position)
{
    size_t done = 0;

    while (done < size && position + (off_t)done < (off_t)text->used) {
        size_t at = (size_t)position + done, offset = at & (PAGE_SIZE - 1);
        size_t part = PAGE_SIZE - offset;
        char *page = page_to_virt(page_tree_find(&text->pages, at >> PAGE_SHIFT));

        part = part < text->used - at ? part : text->used - at;
        part = part < size - done ? part : size - done;
        if (copy_to_user(buffer + done, page + offset, part)) {
            return done ? (ssize_t)done : -EFAULT;
        }
        done += part;
    }
    return (ssize_t)done;
}

static ssize_t text_read(struct file *file, char __user *buffer, size_t size, off_t *position)
{
    struct proc_text *text = file->data;
    ssize_t result = 0;

    mutex_lock(&text->lock);
    if (*position == 0 || !text->used) {
        result = proc_generate(file->inode, text);
    }
    if (!result) {
        result = text_copy(text, buffer, size, *position);
    }
    mutex_unlock(&text->lock);
    *position += result > 0 ? result : 0;
    return result;
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
    task = inode_task(file->inode);
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

    page_tree_truncate(&text->pages, 0);
    kfree(text);
}

static const struct inode_ops directory_ops = {
    .lookup = proc_lookup, .iterate = proc_iterate, .release = proc_release,
};
static const struct inode_ops file_ops_plain = {.release = proc_release};
static const struct inode_ops link_ops = {
    .readlink = proc_readlink, .target = proc_target, .release = proc_release,
};
static const struct file_ops directory_file = {.read = directory_read, .seek = directory_seek};
static const struct file_ops text_ops = {
    .open = text_open, .read = text_read, .write = text_write, .seek = file_seek_sizeless,
    .release = text_release,
};

void proc_write(struct proc_text *text, const void *data, size_t size)
{
    const char *from = data;

    while (size > 0 && !text->error) {
        size_t offset = text->used & (PAGE_SIZE - 1), part = PAGE_SIZE - offset;
        struct page *page = page_tree_find(&text->pages, text->used >> PAGE_SHIFT);

        if (!page) {
            page = text_grow(text);
        }
        if (!page) {
            text->error = -ENOMEM;
            break;
        }
        part = part < size ? part : size;
        memcpy((char *)page_to_virt(page) + offset, from, part);
        text->used += part;
        from += part;
        size -= part;
    }
}

void proc_print(struct proc_text *text, const char *format, ...)
{
    char line[256], *whole = line;
    va_list args;
    size_t length;

    va_start(args, format);
    length = (size_t)vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    if (length >= sizeof(line)) { /* with a path, it may be */
        whole = kmalloc(length + 1);
        if (!whole) {
            text->error = -ENOMEM;
            return;
        }
        va_start(args, format);
        vsnprintf(whole, length + 1, format, args);
        va_end(args);
    }
    proc_write(text, whole, length);
    if (whole != line) {
        kfree(whole);
    }
}

struct inode *proc_create_root(void)
{
    return proc_make(number_of(0, PROC_ROOT, 0), S_IFDIR | 0555, NULL, NULL);
}
