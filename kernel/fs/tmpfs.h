/* The file system in memory: the root, /tmp, and the tree under /dev. */
#ifndef FS_TMPFS_H
#define FS_TMPFS_H
#include "fs/vfs.h"

/* Upcall, defined in ipc/pipe.c: what opening a FIFO gives. */
const struct file_ops *fifo_file_ops(void);

/* How many pages files and names may still have. Some memory is left to programs, or who has filled it with a
 * file could not even start the one that removes it. Without a lock: the number may be old. */
size_t tmpfs_free_pages(void);
/* The root directory of a new, empty tmpfs; NULL without memory. */
struct inode *tmpfs_create_root(mode_t mode);

/* From tmpfs_dir.c: what the entries of a directory are. */
struct tmpfs_directory;
struct tmpfs_directory *tmpfs_directory_create(void);
extern const struct inode_ops tmpfs_directory_ops;

/* From tmpfs.c: what the bytes of a regular file are, none at first; NULL without memory. */
void *tmpfs_file_create(void);
extern const struct inode_ops tmpfs_file_inode_ops;
extern const struct file_ops regular_file_ops;

/* A new inode without a name, with the right ops for its type. NULL without memory. */
struct inode *tmpfs_inode_create(uint64_t device, mode_t mode, uint64_t rdev);
/* Make `inode` a symbolic link to `target`. 0 or -ENOMEM. */
long tmpfs_set_target(struct inode *inode, const char *target);
#endif
