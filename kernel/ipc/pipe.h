/* Pipes (pipe(7)). */
#ifndef IPC_PIPE_H
#define IPC_PIPE_H
#include "fs/file.h"

#define PIPE_BUF 4096 /* a write of no more than this is never torn */

/* Two open files, to read and to write. `flags` may hold O_NONBLOCK. 0 or -ENOMEM. */
long pipe_create(struct file *ends[2], int flags);
#endif
