/* /proc: the kernel's tables as text (proc(5)). */
#ifndef PROCFS_TREE_H
#define PROCFS_TREE_H
#include "fs/vfs.h"
struct inode *proc_create_root(void);
#endif
