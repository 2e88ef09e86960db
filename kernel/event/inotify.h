/* Being told what happens to files (inotify(7)). fs/notify.h is the other end: who does it, tells. */
#ifndef EVENT_INOTIFY_H
#define EVENT_INOTIFY_H
#include "fs/file.h"

/* How many there may be of all, and of events in each set: what /proc/sys/fs/inotify says, and is told. Everybody
 * is root, so these are no one user's. Words, no lock. */
extern struct inotify_limits {
    int sets, watches, events;
} inotify_limits;
#define INOTIFY_LIMIT_MAX (1 << 20)

/* A new set of watches; `flags` may hold O_NONBLOCK. Or an error pointer, -EMFILE: there are too many. */
struct file *inotify_open(int flags);
/*
 * Watch `inode` for the events in `mask`, or change the watch that the set has on it. Its number, which is
 * above 0; or -EEXIST (IN_MASK_CREATE), -ENOSPC for too many, -ENOMEM. The file is one of inotify_open's.
 */
long inotify_add(struct file *file, struct inode *inode, uint32_t mask);
/* Take a watch away. -EINVAL: there is no such. */
long inotify_remove(struct file *file, int number);
bool file_is_inotify(const struct file *file);
#endif
