/* Signals as a file (signalfd(2)). */
#ifndef EVENT_SIGNALFD_H
#define EVENT_SIGNALFD_H
#include "fs/file.h"

/* Whoever reads it takes signals of `mask` that are pending for the reader. Or an error pointer. */
struct file *signalfd_open(uint64_t mask, int flags);
/* -EINVAL: the file is none. */
long signalfd_set_mask(struct file *file, uint64_t mask);
void signalfd_init(void); /* at boot */
#endif
