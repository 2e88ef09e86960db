/* Calls for locks on files: flock, and those of fcntl. */
#include "fs/locks.h"
#include "lib/errno.h"
#include "mm/uaccess.h"
#include "sched/task.h"
#include "syscall/calls.h"

/* fcntl(2), asm-generic/fcntl.h */
enum { F_GETLK = 5, F_SETLK, F_SETLKW, F_OFD_GETLK = 36, F_OFD_SETLK, F_OFD_SETLKW };
struct user_flock {
    int16_t type, whence;
    int32_t padding;
    int64_t start, length; /* 0: to the end, however far that will be */
    pid_t pid;
};

/* Where the lock is: from `whence`, and before it if its length is negative. 0, -EINVAL, -EOVERFLOW. */
static long flock_range(struct file *file, const struct user_flock *user, struct lock *lock)
{
    off_t base = 0;

    if (user->whence < SEEK_SET || user->whence > SEEK_END) {
        return -EINVAL;
    }
    if (user->whence != SEEK_SET) {
        base = user->whence == SEEK_CUR ? file->position : file->inode->size;
    }
    if (__builtin_add_overflow(base, user->start, &lock->start)) {
        return -EOVERFLOW;
    }
    if (lock->start < 0 || (user->length < 0 && lock->start + user->length < 0)) {
        return -EINVAL;
    }
    lock->end = INT64_MAX;
    if (user->length > 0 && __builtin_add_overflow(lock->start, user->length - 1, &lock->end)) {
        return -EOVERFLOW;
    }
    if (user->length < 0) {
        lock->end = lock->start - 1;
        lock->start += user->length;
    }
    return 0;
}

static long flock_get(const struct lock *wish, struct user_flock *user, struct user_flock __user *result)
{
    struct lock found;

    user->type = F_UNLCK;
    if (lock_find(wish, &found)) {
        *user = (struct user_flock){
            .type = (int16_t)found.type, .whence = SEEK_SET, .start = found.start,
            .length = found.end == INT64_MAX ? 0 : found.end - found.start + 1, .pid = found.pid,
        };
    }
    return copy_to_user(result, user, sizeof(*user));
}

long fcntl_lock(int fd, struct file *file, int command, void __user *argument)
{
    const bool of_file = command >= F_OFD_GETLK, asks = command == F_GETLK || command == F_OFD_GETLK;
    struct lock lock = {
        .inode = file->inode, .kind = LOCK_RECORD, .owner = of_file ? (void *)file : current->files,
        .pid = of_file ? -1 : current->group->pid,
    };
    struct user_flock user;
    struct file *still;
    bool known;
    long error;

    if ((command < F_GETLK || command > F_SETLKW) && (command < F_OFD_GETLK || command > F_OFD_SETLKW)) {
        return -EINVAL;
    }
    if (copy_from_user(&user, argument, sizeof(user))) {
        return -EFAULT;
    }
    lock.type = user.type;
    known = user.type >= F_RDLCK && user.type <= (asks ? F_WRLCK : F_UNLCK);
    error = asks && !known ? -EINVAL : flock_range(file, &user, &lock);
    if (!error && (!known || (of_file && user.pid))) {
        error = -EINVAL;
    }
    if (error) {
        return error;
    }
    if (asks) {
        return flock_get(&lock, &user, argument);
    }
    if ((lock.type == F_RDLCK && !file_readable(file)) || (lock.type == F_WRLCK && !file_writable(file))) {
        return -EBADF;
    }
    error = lock_set(&lock, command == F_SETLKW || command == F_OFD_SETLKW);
    still = fd_get(fd);
    if (!error && !of_file && still != file) { /* another thread closed it meanwhile: the lock goes, too */
        lock_drop(file->inode, lock.owner);
        error = -EBADF;
    }
    file_put(still);
    return error;
}

long sys_flock(int fd, int operation)
{
    enum { LOCK_SH = 1, LOCK_EX = 2, LOCK_NB = 4, LOCK_UN = 8 };
    struct file *file = fd_get_io(fd);
    struct lock lock = {.kind = LOCK_WHOLE, .end = INT64_MAX, .owner = file, .pid = -1};
    long error = 0;

    if (!file) {
        return -EBADF;
    }
    lock.inode = file->inode;
    switch (operation & ~LOCK_NB) {
    case LOCK_SH:
        lock.type = F_RDLCK;
        break;
    case LOCK_EX:
        lock.type = F_WRLCK;
        break;
    case LOCK_UN:
        lock.type = F_UNLCK;
        break;
    default:
        error = -EINVAL;
        break;
    }
    if (!error) {
        error = lock_set(&lock, !(operation & LOCK_NB));
    }
    file_put(file);
    return error;
}
