/* Device nodes: which numbers open what. */
#ifndef FS_DEVICE_H
#define FS_DEVICE_H
#include "fs/file.h"

/*
 * Character device `major`:`minor` opens with `ops`, and its nodes have `data` (inode->data); name
 * and mode for /dev. Without a name: all of `major`, and no node. At boot only, before the first
 * device node is made.
 */
void device_register(uint32_t major, uint32_t minor, const char *name, mode_t mode,
                     const struct file_ops *ops, void *data);
/* A node of type `mode` and number `rdev` opens with these, and has *data; NULL: nothing is there. */
const struct file_ops *device_find(mode_t mode, uint64_t rdev, void **data);
/* A node of /dev/zero? */
bool device_is_zero(const struct inode *inode);
/* Register null zero full random. */
void device_init(void);
/* Make a node for each registered device in a new tmpfs root, as devtmpfs has it. */
void device_fill(struct inode *root);
/* Bytes from the kernel's random source. */
void random_bytes(void *buffer, size_t size);
/* The same for the user; a signal ends it after some page. Bytes, or -EFAULT. */
ssize_t random_to_user(char __user *buffer, size_t size);
#endif
