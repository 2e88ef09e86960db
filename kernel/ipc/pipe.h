/* Pipes (pipe(7)). */
#ifndef IPC_PIPE_H
#define IPC_PIPE_H
#include "fs/file.h"

#define PIPE_BUF 4096 /* a write of no more than this is never torn */

/* Two open files, to read and to write. `flags` may hold O_NONBLOCK. 0 or -ENOMEM. */
long pipe_create(struct file *ends[2], int flags);
/* How many bytes it takes, of a pipe or a FIFO that is open. */
long pipe_size(struct file *file);
/* A power of two, of pages: what it is then, or -EBUSY (there is more in it), -EPERM (the most is
 * RING_CAPACITY), -EINVAL. */
long pipe_set_size(struct file *file, uint64_t wish);
#endif
