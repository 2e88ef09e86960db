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
#include "lib/refcount.h"

/* open(2), fcntl(2): asm-generic/fcntl.h */
enum {
    O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2, O_ACCMODE = 3, O_CREAT = 0100, O_EXCL = 0200,
    O_NOCTTY = 0400, O_TRUNC = 01000, O_APPEND = 02000, O_NONBLOCK = 04000, O_ASYNC = 020000,
    O_DIRECT = 040000, O_DIRECTORY = 0200000, O_NOFOLLOW = 0400000, O_CLOEXEC = 02000000,
    O_PATH = 010000000, O_TMPFILE_BIT = 020000000,
    O_KNOWN = 037777703, /* all of them, and those that mean nothing here */
};

#define PIPE_SIZE_MAX 65536 /* fcntl(2), F_SETPIPE_SZ; what /proc says of it */

enum { SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA, SEEK_HOLE };

/* poll(2) */
enum {
    POLLIN = 1, POLLPRI = 2, POLLOUT = 4, POLLERR = 8, POLLHUP = 16, POLLNVAL = 32,
    POLLRDNORM = 64, POLLRDBAND = 128, POLLWRNORM = 256, POLLWRBAND = 512, POLLRDHUP = 0x2000,
};

/* ioctl(2) of what is no terminal, too: asm-generic/ioctls.h */
enum { FIONREAD = 0x541b, FIONBIO = 0x5421 };

struct poll_table;
struct task;

/* A piece of user memory, of readv(2) and sendmsg(2). */
struct iovec {
    uint64_t base, size;
};
#define TRANSFER_MAX 0x7ffff000ul /* what Linux moves in one call, read(2) */
/* Piece `i` of a vector that was checked, when `done` bytes of all pieces are moved. -EFAULT: somebody has written
 * to it since. */
long iovec_piece(const struct iovec __user *vector, size_t i, size_t done, struct iovec *piece);

/* A missing operation gives -EINVAL; a missing seek -ESPIPE, ioctl -ENOTTY, poll "ready". */
struct file_ops {
    long (*open)(struct file *file);
    /* Buffers are user pointers; at *position, which the call moves. */
    ssize_t (*read)(struct file *file, char __user *buffer, size_t size, off_t *position);
    ssize_t (*write)(struct file *file, const char __user *buffer, size_t size, off_t *position);
    /* `count` pieces of `total` bytes as one: nobody else's come between. Missing: one after the other. */
    ssize_t (*read_pieces)(struct file *file, const struct iovec __user *vector, size_t count, size_t total);
    ssize_t (*write_pieces)(struct file *file, const struct iovec __user *vector, size_t count, size_t total,
                            off_t *position);
    off_t (*seek)(struct file *file, off_t offset, int whence);
    long (*ioctl)(struct file *file, unsigned command, uint64_t argument);
    /* The events that hold now; registers with `table`, if any, for those that come. */
    int (*poll)(struct file *file, struct poll_table *table);
    void (*release)(struct file *file);
    /* What mmap maps, referenced, or an error pointer; missing: what the inode has. */
    struct vma_source *(*source)(struct file *file);
};

struct file {
    int references; /* atomic */
    int flags;      /* O_*; set by fcntl, read by calls, no lock: one word */
    off_t position; /* position_lock */
    struct mutex position_lock;
    struct list watchers; /* epoll.c: who is told of events, and forgets the file when it goes */
    struct inode *inode; /* referenced, never NULL */
    const struct file_ops *ops;
    void *data;
};

/* A new open file of `inode` (takes its own reference), or an error pointer. */
struct file *file_open_inode(struct inode *inode, int flags);
/* The same in two steps, where nothing may fail for want of memory between: NULL comes to -ENOMEM,
 * and the file is taken over in any case. */
struct file *file_alloc(void);
struct file *file_open_in(struct file *file, struct inode *inode, int flags);
/*
 * What files without a name share: an object of `size` bytes that begins with its inode, is zero
 * after it, and goes with it. `inode_ops` may be NULL if nothing else is to be freed. NULL: no memory.
 */
void *anonymous_create(size_t size, mode_t mode, const struct inode_ops *inode_ops,
                       const struct file_ops *ops);
/* file_open_inode for it; the caller's reference is taken over in any case. */
struct file *file_open_anonymous(struct inode *inode, int flags);
/* open(2) with `base` for relative paths; `mode` is what is left of the umask. */
struct file *file_open_path(struct inode *base, const char *path, int flags, mode_t mode);
static inline struct file *file_get(struct file *file)
{
    ref_get(&file->references);
    return file;
}
/* Upcall, defined in event/epoll.c: `file` is being closed: take it out of all sets. */
void epoll_forget(struct file *file);
void file_put(struct file *file); /* NULL is fine */
/* O_ACCMODE itself means neither, open(2). */
static inline bool file_readable(const struct file *file)
{
    return !(file->flags & (O_WRONLY | O_PATH));
}
static inline bool file_writable(const struct file *file)
{
    return (file->flags + 1) & O_RDWR && !(file->flags & O_PATH);
}

/* Move to the sum of two numbers of the user's; -EINVAL: it is negative, overflows or is above `max`. */
off_t file_set_position(struct file *file, off_t base, off_t offset, off_t max);
/* seek within 0 .. inode->size and beyond, for files that have a size. */
off_t file_seek_size(struct file *file, off_t offset, int whence);
/* For what has no size, a directory or a text that is made: only SEEK_SET and SEEK_CUR. */
off_t file_seek_sizeless(struct file *file, off_t offset, int whence);
/* Of every directory: entries come by getdents64, which the system call layer does. */
extern const struct file_ops directory_file_ops;
ssize_t directory_read(struct file *file, char __user *buffer, size_t size, off_t *position);
/* Make a regular file this long: as truncate of its inode, or -ETXTBSY. */
long inode_truncate(struct inode *inode, off_t size);
/* Copy kernel memory into a regular file. Bytes or -errno. */
long inode_write(struct inode *inode, const void *buffer, size_t size, off_t offset);
/* A device number as in stat(2), makedev(3). */
static inline uint64_t device_number(uint32_t major, uint32_t minor)
{
    return (minor & 0xff) | (uint64_t)major << 8 | (uint64_t)(minor & ~0xffu) << 12;
}
static inline uint32_t device_major(uint64_t number)
{
    return number >> 8 & 0xfff;
}
static inline uint32_t device_minor(uint64_t number)
{
    return (number & 0xff) | (number >> 12 & 0xfff00);
}

#define DESCRIPTORS_MAX (1 << 20) /* of one table: fs.nr_open, proc(5) */

struct files {
    int references;       /* atomic */
    struct spinlock lock; /* protects all below; a leaf */
    int capacity, used;
    struct file **slots;
    uint64_t *close_on_exec; /* one bit a slot */
    int lowest_free;         /* no free slot below this one */
};

/* The file behind a descriptor of the current task, referenced; NULL if there is none. */
struct file *fd_get(int fd);
/* The same, but also NULL for a descriptor opened with O_PATH. */
struct file *fd_get_io(int fd);
/*
 * fd_get_io for calls that are made all the time. Where nobody shares the caller's table nobody can close
 * a file until the call ends, and it needs no reference: `shared` says so from its beginning to its end.
 */
#define RESERVED ((struct file *)1) /* in a slot */
static inline bool files_shared(const struct files *files)
{
    return __atomic_load_n(&files->references, __ATOMIC_ACQUIRE) != 1;
}
/* The file in slot `fd`, or NULL; also of a number that is none. The lock is held, or nobody shares it. */
static inline struct file *slot_file(const struct files *files, int fd)
{
    struct file *file = (unsigned)fd < (unsigned)files->capacity ? files->slots[fd] : NULL;

    return file > RESERVED ? file : NULL;
}
static inline void fd_done(struct file *file, bool shared)
{
    if (shared) {
        file_put(file);
    }
}
static inline struct file *fd_use(const struct files *files, int fd, bool shared)
{
    struct file *file = shared ? fd_get(fd) : slot_file(files, fd);

    if (file && unlikely(file->flags & O_PATH)) {
        fd_done(file, shared);
        file = NULL;
    }
    return file;
}
/* The first file at *fd or above of any task, referenced, and *fd is where; NULL: there is none. */
struct file *fd_next_of(struct task *task, int *fd);
/*
 * Put `file`, whose reference is taken over, at the lowest descriptor >= minimum and below the
 * limit. Returns it, or -EMFILE, -ENOMEM, -EINVAL; then the reference stays with the caller.
 */
long fd_install(struct file *file, int minimum, bool close_on_exec);
/*
 * The same at the lowest free one for a file that was just opened, or an error pointer, which
 * is the result then. The reference is taken over in any case.
 */
long fd_install_new(struct file *file, bool close_on_exec);
/*
 * The lowest free descriptor, kept for a file that is still to be opened; or as fd_install. To be
 * followed by fd_settle, which takes the file over, or gives the number back for an error pointer,
 * and returns the number or that error.
 */
long fd_reserve(bool close_on_exec);
long fd_settle(long fd, struct file *file);
/* Descriptors for two new files, whose references are taken over, told to the user. 0 or -errno. */
long fd_install_pair(struct file *ends[2], int __user *user, bool close_on_exec);
/* Put `file` at exactly `fd`, closing what was there; the rest as fd_install, -EBADF. */
long fd_replace(struct file *file, int fd, bool close_on_exec);
long fd_close(int fd);
/* Is FD_CLOEXEC set? -EBADF. */
long fd_close_on_exec(int fd);
long fd_set_close_on_exec(int fd, bool close_on_exec);

struct files *files_create(void);
struct files *files_copy(struct files *files);
void files_put(struct files *files);
/* On exec: close what asked for it. */
void files_close_on_exec(struct files *files);
#endif
