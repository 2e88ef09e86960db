/* The files of /proc and what they print. */
#ifndef PROCFS_FILES_H
#define PROCFS_FILES_H
#include "lib/mutex.h"
#include "lib/types.h"
#include "mm/page_tree.h"

struct task;

struct proc_text {
    struct mutex lock; /* of an open file: protects the text; above mm->lock */
    struct page_tree pages; /* of any length: nothing is cut */
    size_t used;
    long error;      /* why it is not whole: to be told instead */
    bool one_thread; /* from its directory in task: not the sum of its process */
};

struct proc_file {
    const char *name;
    mode_t mode;
    /* task: referenced, NULL in the root. */
    void (*show)(struct proc_text *text, struct task *task);
    long (*write)(struct task *task, const char *text); /* 0 or -errno; NULL: -EIO */
};

extern const struct proc_file proc_root_files[], proc_task_files[]; /* end at a NULL name */
bool proc_file_exists(const struct proc_file *file);
/* Append to the text. */
void proc_write(struct proc_text *text, const void *data, size_t size);
void proc_print(struct proc_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
#endif
