/*
 * What happens to files, for those who watch them (inotify(7)).
 *
 * Whoever does something to a file tells it here. Nearly always nobody watches: that is one look at
 * inode->watched. A directory that is watched marks what is in it, so a file need not ask its directory.
 */
#ifndef FS_NOTIFY_H
#define FS_NOTIFY_H
#include "fs/vfs.h"

/* inotify(7) */
enum {
    IN_ACCESS = 1, IN_MODIFY = 2, IN_ATTRIB = 4, IN_CLOSE_WRITE = 8, IN_CLOSE_NOWRITE = 0x10,
    IN_OPEN = 0x20, IN_MOVED_FROM = 0x40, IN_MOVED_TO = 0x80, IN_CREATE = 0x100, IN_DELETE = 0x200,
    IN_DELETE_SELF = 0x400, IN_MOVE_SELF = 0x800, IN_ALL_EVENTS = 0xfff,
    IN_UNMOUNT = 0x2000, IN_Q_OVERFLOW = 0x4000, IN_IGNORED = 0x8000, /* asked for or not */
    IN_ONLYDIR = 0x1000000, IN_DONT_FOLLOW = 0x2000000, IN_EXCL_UNLINK = 0x4000000, /* flags of a watch */
    IN_MASK_CREATE = 0x10000000, IN_MASK_ADD = 0x20000000, IN_ISDIR = 0x40000000,
};
#define IN_ONESHOT 0x80000000u

/* Upcall, defined in event/inotify.c: tell those who watch this inode. `name` is what it happened to in this
 * directory, or NULL for itself. It may sleep, as all of these may; the caller has a reference to the inode. */
void inotify_tell(struct inode *inode, uint32_t events, const char *name, uint32_t cookie);
/* Upcall, defined in event/inotify.c: tell those who watch the directory where `inode` is, with its name there,
 * and those who watch itself. */
void inotify_tell_place(struct inode *inode, uint32_t events);
/* Upcall, defined in event/inotify.c: what the two halves of a move have in common. */
uint32_t inotify_cookie(void);

static inline void notify_inode(struct inode *inode, uint32_t events)
{
    if (unlikely(inode->watched & WATCHED_ITSELF)) {
        inotify_tell(inode, events, NULL, 0);
    }
}

/* Something happened to the name of `inode` in `directory`. */
static inline void notify_name(struct inode *directory, uint32_t events, const char *name,
                               const struct inode *inode, uint32_t cookie)
{
    if (unlikely(directory->watched & WATCHED_ITSELF)) {
        inotify_tell(directory, events | (S_ISDIR(inode->mode) ? IN_ISDIR : 0), name, cookie);
    }
}

static inline void notify_place(struct inode *inode, uint32_t events)
{
    if (unlikely(inode->watched)) {
        inotify_tell_place(inode, events);
    }
}
#endif
