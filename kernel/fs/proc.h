/* /proc: the kernel's tables as text (proc(5)). */
#ifndef FS_PROC_H
#define FS_PROC_H
#include "fs/vfs.h"
struct inode *proc_create_root(void);
#endif
