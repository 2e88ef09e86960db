/* Calls on files that tell of events: eventfd, timerfd, signalfd, epoll, inotify. */
#include "arch/clock.h"
#include "event/epoll.h"
#include "event/eventfd.h"
#include "event/inotify.h"
#include "event/signalfd.h"
#include "event/timerfd.h"
#include "fs/notify.h"
#include "lib/errno.h"
#include "mm/uaccess.h"
#include "sched/task.h"
#include "syscall/calls.h"
#include "syscall/path.h"


enum { EFD_SEMAPHORE = 1 };
enum { TFD_TIMER_ABSTIME = 1, TFD_TIMER_CANCEL_ON_SET = 2 };

long sys_eventfd2(unsigned count, int flags)
{
    if (flags & ~(EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK)) {
        return -EINVAL;
    }
    return fd_install_new(eventfd_open(count, flags & EFD_SEMAPHORE, flags & O_NONBLOCK),
                          flags & O_CLOEXEC);
}

long sys_eventfd(unsigned count)
{
    return sys_eventfd2(count, 0);
}

long sys_timerfd_create(int clock, int flags)
{
    if ((clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME) ||
        flags & ~(O_CLOEXEC | O_NONBLOCK)) {
        return -EINVAL;
    }
    return fd_install_new(timerfd_open(clock == CLOCK_REALTIME, flags & O_NONBLOCK),
                          flags & O_CLOEXEC);
}

long sys_timerfd_settime(int fd, int flags, const struct itimerspec __user *user,
                         struct itimerspec __user *user_old)
{
    struct timer_times times, old;
    struct file *file;
    long error = timer_times_from_user(&times, user);

    if (error) {
        return error;
    }
    if (flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) {
        return -EINVAL;
    }
    file = fd_get_io(fd);
    error = file ? timerfd_set(file, &times, flags & TFD_TIMER_ABSTIME, &old) : -EBADF;
    file_put(file);
    if (error || !user_old) {
        return error;
    }
    return timer_times_to_user(user_old, &old);
}

long sys_timerfd_gettime(int fd, struct itimerspec __user *user)
{
    struct timer_times times;
    struct file *file = fd_get_io(fd);
    long error = file ? timerfd_get(file, &times) : -EBADF;

    file_put(file);
    if (error) {
        return error;
    }
    return timer_times_to_user(user, &times);
}

long sys_signalfd4(int fd, const uint64_t __user *set, size_t size, int flags)
{
    struct file *file;
    uint64_t mask;
    long error;

    if (size != sizeof(mask) || flags & ~(O_CLOEXEC | O_NONBLOCK)) {
        return -EINVAL;
    }
    if (get_user(mask, set)) {
        return -EFAULT;
    }
    mask &= ~SIGNALS_UNBLOCKABLE;
    if (fd == -1) {
        return fd_install_new(signalfd_open(mask, flags & O_NONBLOCK), flags & O_CLOEXEC);
    }
    file = fd_get_io(fd);
    error = file ? signalfd_set_mask(file, mask) : -EBADF;
    file_put(file);
    return error ? error : fd;
}

long sys_signalfd(int fd, const uint64_t __user *set, size_t size)
{
    return sys_signalfd4(fd, set, size, 0);
}

long sys_epoll_create1(int flags)
{
    return flags & ~O_CLOEXEC ? -EINVAL : fd_install_new(epoll_open(), flags & O_CLOEXEC);
}

long sys_epoll_create(int size)
{
    return size <= 0 ? -EINVAL : sys_epoll_create1(0);
}

long sys_epoll_ctl(int epoll_fd, int operation, int fd, const struct epoll_event __user *user)
{
    struct epoll_event event = {0, 0};
    struct file *file, *target;
    long error = -EBADF;

    if (operation != EPOLL_CTL_DEL && get_user(event, user)) {
        return -EFAULT;
    }
    file = fd_get_io(epoll_fd);
    target = fd_get_io(fd);
    if (file && target) {
        error = epoll_control(file, operation, fd, target, &event);
    }
    file_put(target);
    file_put(file);
    return error;
}

static long wait_masked(int fd, struct epoll_event __user *events, int max, ktime_t deadline,
                        const uint64_t __user *mask, size_t size)
{
    struct file *file;
    long result = deadline < 0 ? deadline : signal_mask_begin(mask, size);

    if (result) {
        return result;
    }
    file = fd_get_io(fd);
    if (max <= 0 || (size_t)max > 0x7fffffff / sizeof(*events)) {
        result = -EINVAL;
    } else if (!user_range_ok(events, (size_t)max * sizeof(*events))) {
        result = -EFAULT;
    } else {
        result = file ? epoll_wait(file, events, max, deadline) : -EBADF;
    }
    file_put(file);
    signal_mask_end(mask, result == -EINTR);
    return result;
}

long sys_epoll_pwait(int fd, struct epoll_event __user *events, int max, int timeout,
                     const uint64_t __user *mask, size_t size)
{
    ktime_t deadline = KTIME_NEVER;

    if (timeout >= 0) {
        deadline = timeout ? clock_now() + timeout * 1000000l : 0;
    }
    return wait_masked(fd, events, max, deadline, mask, size);
}

long sys_epoll_wait(int fd, struct epoll_event __user *events, int max, int timeout)
{
    return sys_epoll_pwait(fd, events, max, timeout, NULL, 0);
}

long sys_epoll_pwait2(int fd, struct epoll_event __user *events, int max,
                      const struct timespec __user *timeout, const uint64_t __user *mask,
                      size_t size)
{
    return wait_masked(fd, events, max, deadline_from_user(timeout), mask, size);
}

long sys_inotify_init1(int flags)
{
    if (flags & ~(O_CLOEXEC | O_NONBLOCK)) {
        return -EINVAL;
    }
    return fd_install_new(inotify_open(flags & O_NONBLOCK), flags & O_CLOEXEC);
}

long sys_inotify_init(void)
{
    return sys_inotify_init1(0);
}

static long inotify_check_mask(uint32_t mask)
{
    const uint32_t known = IN_ALL_EVENTS | IN_UNMOUNT | IN_Q_OVERFLOW | IN_IGNORED | IN_ONLYDIR | IN_DONT_FOLLOW |
                           IN_EXCL_UNLINK | IN_MASK_CREATE | IN_MASK_ADD | IN_ISDIR | IN_ONESHOT;
    const uint32_t both = IN_MASK_ADD | IN_MASK_CREATE;

    return !mask || mask & ~known || (mask & both) == both ? -EINVAL : 0;
}

long sys_inotify_add_watch(int fd, const char __user *path, uint32_t mask)
{
    struct file *file = NULL;
    struct inode *inode;
    long result = inotify_check_mask(mask);

    if (result) {
        return result;
    }
    file = fd_get_io(fd);
    if (!file || !file_is_inotify(file)) {
        result = file ? -EINVAL : -EBADF;
        goto out;
    }
    inode = path_user(AT_FDCWD, path, mask & IN_DONT_FOLLOW ? AT_SYMLINK_NOFOLLOW : 0);
    if (is_error(inode)) {
        result = pointer_error(inode);
        goto out;
    }
    result = mask & IN_ONLYDIR && !S_ISDIR(inode->mode) ? -ENOTDIR : inotify_add(file, inode, mask);
    inode_put(inode);
out:
    file_put(file);
    return result;
}

long sys_inotify_rm_watch(int fd, int number)
{
    struct file *file = fd_get_io(fd);
    long error = -EBADF;

    if (file) {
        error = file_is_inotify(file) ? inotify_remove(file, number) : -EINVAL;
    }
    file_put(file);
    return error;
}
