/* What CLONE_FS shares: the working directory and the umask; and a task's part of fs at large. */
#ifndef FS_CONTEXT_H
#define FS_CONTEXT_H
#include "arch/spinlock.h"
#include "fs/vfs.h"

struct fs {
    int references;       /* atomic */
    struct spinlock lock; /* protects the two below; a leaf */
    struct inode *cwd;
    mode_t umask;
};

struct inode *fs_cwd_of(struct task *task); /* referenced; NULL: it has ended */
struct inode *fs_cwd(void); /* the current task's, referenced */
void fs_set_cwd(struct inode *directory); /* takes over the reference */
/* Tell sched about files and fs of tasks; give the current task its first ones. */
void context_init(void);
void context_first_task(void);
/* exec(2): replace the current program. Returns only on error. */
long exec_program(struct inode *base, const char *path, uint64_t argv, uint64_t envp);
/* The first program, from kernel strings; the machine ends if it cannot be run. */
void exec_first(const char *path);
#endif
