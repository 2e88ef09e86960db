/* The files of /proc and what they print. */
#ifndef PROCFS_FILES_H
#define PROCFS_FILES_H
#include "fs/vfs.h"
#include "lib/mutex.h"
#include "lib/types.h"
#include "mm/page_tree.h"

struct task;

/* The directories of /proc, see tree.c. */
enum proc_kind {
    PROC_ROOT, PROC_PROCESS, PROC_TASKS, PROC_THREAD, PROC_FDS, PROC_SYS, PROC_SYS_FS, PROC_SYS_KERNEL,
    PROC_SYS_VM, PROC_SYS_INOTIFY, PROC_KINDS,
};

struct proc_text {
    struct mutex lock; /* of an open file: protects the text; above mm->lock */
    struct page_tree pages; /* of any length: nothing is cut */
    size_t used;
    long error;      /* why it is not whole: to be told instead */
    bool one_thread; /* from its directory in task: not the sum of its process */
    int fd;          /* of a link in a directory of descriptors */
};

struct proc_file {
    const char *name;
    mode_t mode;
    /* task: referenced, NULL in the root. */
    void (*show)(struct proc_text *text, struct task *task);
    const char *line;  /* or this is what it shows, */
    const int *number; /* or this */
    long (*write)(struct task *task, const char *text); /* 0 or -errno; NULL: -EIO */
    /* Of a link that leads to a file, whatever its path: that one, referenced; NULL: it is gone. */
    struct inode *(*target)(struct task *task, int fd);
    enum proc_kind directory; /* of a directory: which one */
};

/* By kind of directory; each ends at a NULL name. */
extern const struct proc_file proc_root_files[], proc_task_files[], proc_sys_files[],
    proc_sys_fs_files[], proc_sys_kernel_files[], proc_sys_vm_files[], proc_sys_inotify_files[];
extern const struct proc_file proc_fd_link; /* of every descriptor */
/* Is it there, in a directory of this kind? */
bool proc_file_exists(const struct proc_file *file, enum proc_kind kind);
/* Append to the text. */
void proc_write(struct proc_text *text, const void *data, size_t size);
void proc_print(struct proc_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* machine.c: what programs ask of the machine. */
void show_cpuinfo(struct proc_text *text, struct task *task);
void show_filesystems(struct proc_text *text, struct task *task);
void show_mounts(struct proc_text *text, struct task *task);
void show_uptime(struct proc_text *text, struct task *task);
void show_version(struct proc_text *text, struct task *task);

/* maps.c. */
void show_maps(struct proc_text *text, struct task *task);
void show_smaps(struct proc_text *text, struct task *task);

/* links.c: links to the files of a task. Nothing at all is shown of what has no path (any more). */
void show_exe(struct proc_text *text, struct task *task);
void show_cwd(struct proc_text *text, struct task *task);
void show_root(struct proc_text *text, struct task *task);
struct inode *target_exe(struct task *task, int fd);
struct inode *target_cwd(struct task *task, int fd);
struct inode *target_root(struct task *task, int fd);
#endif
