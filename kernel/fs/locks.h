/* Locks on files, fcntl(2) and flock(2): they bind only those who ask for them. */
#ifndef FS_LOCKS_H
#define FS_LOCKS_H
#include "fs/file.h"

enum { F_RDLCK, F_WRLCK, F_UNLCK };

/* flock's and fcntl's do not know each other, as on Linux. */
enum lock_kind { LOCK_WHOLE, LOCK_RECORD };

/*
 * A lock, or the wish for one. Its owner is a descriptor table (a process's lock: fcntl), or an
 * open file (flock, and fcntl's OFD locks).
 */
struct lock {
    struct inode *inode;
    enum lock_kind kind;
    int type;
    off_t start, end; /* the last byte is in it */
    const void *owner;
    pid_t pid; /* -1: of an open file */
};

/*
 * Take it, or with F_UNLCK give it back. Others' locks stand against it: -EAGAIN, or with `wait` sleep.
 * Also -EDEADLK: an owner who waits for us stands against it. -ENOLCK: no memory. -ERESTARTSYS.
 */
long lock_set(const struct lock *wish, bool wait);
/* What stands against `wish` comes into *found; false: nothing. */
bool lock_find(const struct lock *wish, struct lock *found);
/* `owner` gives back what it has of this file, if anybody has something. */
void lock_drop_all(struct inode *inode, const void *owner);
static inline void lock_drop(struct inode *inode, const void *owner)
{
    if (unlikely(__atomic_load_n(&inode->locks, __ATOMIC_RELAXED))) {
        lock_drop_all(inode, owner);
    }
}
#endif
