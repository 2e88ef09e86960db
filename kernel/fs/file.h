/*
 * Open files and descriptor tables.
 *
 * A `struct file` is an open file description (open(2)): fork and dup share it and its position.
 * A `struct files` is a descriptor table, shared by tasks cloned with CLONE_FILES.
 */
#ifndef FS_FILE_H
#define FS_FILE_H
#include "arch/spinlock.h"
#include "fs/vfs.h"
#include "sched/wait.h"

/* open(2), fcntl(2): asm-generic/fcntl.h */
enum {
    O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2, O_ACCMODE = 3, O_CREAT = 0100, O_EXCL = 0200,
    O_NOCTTY = 0400, O_TRUNC = 01000, O_APPEND = 02000, O_NONBLOCK = 04000,
    O_DIRECTORY = 0200000, O_NOFOLLOW = 0400000, O_CLOEXEC = 02000000, O_PATH = 010000000,
};

/* poll(2) */
enum {
    POLLIN = 1, POLLPRI = 2, POLLOUT = 4, POLLERR = 8, POLLHUP = 16, POLLNVAL = 32,
    POLLRDNORM = 64, POLLRDBAND = 128, POLLWRNORM = 256, POLLWRBAND = 512, POLLRDHUP = 0x2000,
};

struct poll_table;

struct file_ops {
    long (*open)(struct inode *inode, struct file *file);
    /* Buffers are user pointers; at *position, which the call moves. */
    ssize_t (*read)(struct file *file, char __user *buffer, size_t size, off_t *position);
    ssize_t (*write)(struct file *file, const char __user *buffer, size_t size, off_t *position);
    off_t (*seek)(struct file *file, off_t offset, int whence);
    long (*ioctl)(struct file *file, unsigned command, uint64_t argument);
    /* The events that hold now; registers with `table`, if any, for those that come. */
    int (*poll)(struct file *file, struct poll_table *table);
    void (*release)(struct file *file);
};

struct file {
    int references; /* atomic */
    int flags;      /* O_*; lock-free: set by fcntl, read by calls */
    off_t position; /* position_lock */
    struct mutex position_lock;
    struct inode *inode; /* referenced; NULL for anonymous objects */
    const struct file_ops *ops;
    void *data;
};

/* A new open file of `inode` (takes its own reference), or an error pointer. */
struct file *file_open_inode(struct inode *inode, int flags);
/* A file without a name: eventfd and the like. */
struct file *file_create(const struct file_ops *ops, void *data, int flags);
struct file *file_get(struct file *file);
void file_put(struct file *file);

struct files {
    int references; /* atomic */
    struct spinlock lock; /* protects all below; leaf but for the allocator */
    int capacity;
    struct file **slots;
    uint64_t *close_on_exec;
    int lowest_free; /* no free slot below this one */
};

/* The file behind a descriptor of the current task, referenced; NULL if there is none. */
struct file *fd_get(int fd);
/* Put `file` (whose reference is taken over) at the lowest descriptor >= minimum.
 * Returns it, -EMFILE or -ENOMEM; the reference stays with the caller on error. */
int fd_install(struct file *file, int minimum, bool close_on_exec);
/* Put `file` at exactly `fd`, closing what was there. */
int fd_replace(struct file *file, int fd, bool close_on_exec);
long fd_close(int fd);
long fd_flags(int fd);
long fd_set_flags(int fd, bool close_on_exec);

struct files *files_create(void);
struct files *files_copy(struct files *files);
void files_put(struct files *files);
/* On exec: close what asked for it. */
void files_close_on_exec(struct files *files);
#endif
