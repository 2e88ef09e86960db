/* poll, ppoll and select: wait for any of several descriptors. */
#include "fs/poll.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/kmalloc.h"
#include "mm/uaccess.h"
#include "sched/task.h"
#include "syscall/calls.h"

struct pollfd {
    int fd;
    int16_t events, revents;
};

/* One round over all descriptors: how many have events. */
static long poll_round(struct pollfd *fds, size_t count, struct file **files,
                       struct poll_table *table)
{
    long ready = 0;

    for (size_t i = 0; i < count; i++) {
        int events = POLLNVAL;

        if (fds[i].fd < 0) {
            events = 0;
        } else if (files[i]) {
            events = file_poll(files[i], table) & (fds[i].events | POLLERR | POLLHUP);
        }
        fds[i].revents = (int16_t)events;
        ready += events != 0;
    }
    return ready;
}

/* `deadline` 0: do not wait. */
static long poll_files(struct pollfd *fds, size_t count, struct file **files, ktime_t deadline)
{
    bool timeout = deadline != 0;
    struct poll_table table;
    long ready, error;

    error = poll_table_init(&table, timeout ? (int)count * POLL_QUEUES_PER_FILE : 0);
    if (error) {
        return error;
    }
    ready = poll_round(fds, count, files, timeout ? &table : NULL);
    while (!ready && timeout) {
        error = wait_event_timeout(&table.owner, WAIT_POLL, count,
                                   __atomic_exchange_n(&table.triggered, false, __ATOMIC_ACQ_REL),
                                   deadline);
        ready = poll_round(fds, count, files, NULL);
        if (error) {
            break;
        }
    }
    poll_table_free(&table);
    return ready ? ready : error == -ERESTARTSYS ? -ERESTARTNOHAND : 0;
}

static long poll_user(struct pollfd __user *user, uint64_t count, ktime_t deadline)
{
    struct pollfd *fds;
    struct file **files;
    long result = -ENOMEM;

    if (count > current->group->limits[RLIMIT_NOFILE].soft || count > 1u << 20) {
        return -EINVAL;
    }
    fds = kmalloc(count * sizeof(*fds) + 1);
    files = kzalloc(count * sizeof(*files) + 1);
    if (fds && files) {
        result = copy_from_user(fds, user, count * sizeof(*fds));
    }
    if (!result) {
        for (size_t i = 0; i < count; i++) {
            files[i] = fds[i].fd < 0 ? NULL : fd_get_io(fds[i].fd);
        }
        result = poll_files(fds, count, files, deadline);
        for (size_t i = 0; i < count; i++) {
            file_put(files[i]);
        }
        if (result >= 0 && copy_to_user(user, fds, count * sizeof(*fds))) {
            result = -EFAULT;
        }
    }
    kfree(fds);
    kfree(files);
    return result;
}

long sys_poll(struct pollfd __user *fds, uint64_t count, int timeout)
{
    return poll_user(fds, count, timeout < 0 ? KTIME_NEVER
                                 : timeout ? clock_now() + timeout * 1000000l : 0);
}

/* From a relative time; NULL: for ever. Negative: an error. */
static ktime_t deadline_from_user(const struct timespec __user *timeout)
{
    ktime_t duration = timeout ? time_from_user(timeout) : 0;

    return !timeout ? KTIME_NEVER : duration <= 0 ? duration : clock_now() + duration;
}

long sys_ppoll(struct pollfd __user *fds, uint64_t count, const struct timespec __user *timeout,
               const uint64_t __user *mask, size_t size)
{
    ktime_t deadline = deadline_from_user(timeout);
    uint64_t set;
    long result;

    if (deadline < 0) {
        return deadline;
    }
    if (mask) {
        if (size != 8) {
            return -EINVAL;
        }
        if (get_user(set, mask)) {
            return -EFAULT;
        }
        current->saved_blocked = current->blocked;
        current->restore_blocked = true;
        signal_set_blocked(set);
    }
    result = poll_user(fds, count, deadline);
    if (mask && result != -ERESTARTNOHAND) {
        current->restore_blocked = false;
        signal_set_blocked(current->saved_blocked);
    }
    return result;
}

#define SELECT_MAX 1024
#define SELECT_READ (POLLIN | POLLRDNORM | POLLHUP | POLLERR)
#define SELECT_WRITE (POLLOUT | POLLWRNORM | POLLERR)

static bool bit(const uint64_t *set, int fd)
{
    return set[fd / 64] >> (fd % 64) & 1;
}

/* The three sets as one list for poll, and back. */
static long select_fds(int count, uint64_t sets[3][SELECT_MAX / 64], ktime_t deadline)
{
    struct pollfd *fds = kmalloc(sizeof(*fds) * SELECT_MAX);
    struct file **files = kzalloc(sizeof(*files) * SELECT_MAX);
    size_t used = 0;
    long result = fds && files ? 0 : -ENOMEM, ready = 0;

    for (int fd = 0; fd < count && !result; fd++) {
        int events = (bit(sets[0], fd) ? SELECT_READ : 0) | (bit(sets[1], fd) ? SELECT_WRITE : 0) |
                     (bit(sets[2], fd) ? POLLPRI : 0);

        if (events) {
            fds[used] = (struct pollfd){.fd = fd, .events = (int16_t)events};
            files[used] = fd_get_io(fd);
            result = files[used++] ? 0 : -EBADF;
        }
    }
    result = result ? result : poll_files(fds, used, files, deadline);
    memset(sets, 0, 3 * SELECT_MAX / 8);
    for (size_t i = 0; i < used; i++) {
        static const int kinds[3] = {SELECT_READ, SELECT_WRITE, POLLPRI};

        for (int kind = 0; kind < 3 && result >= 0; kind++) {
            if (fds[i].revents & fds[i].events & kinds[kind]) {
                sets[kind][fds[i].fd / 64] |= 1ul << (fds[i].fd % 64);
                ready++;
            }
        }
        file_put(files[i]);
    }
    kfree(fds);
    kfree(files);
    return result < 0 ? result : ready;
}

long sys_select(int count, uint64_t __user *reads, uint64_t __user *writes,
                uint64_t __user *errors, struct timespec __user *timeout)
{
    uint64_t __user *const users[3] = {reads, writes, errors};
    uint64_t sets[3][SELECT_MAX / 64] = {{0}};
    size_t bytes = align_up((uint64_t)count, 64) / 8;
    struct timespec time;
    ktime_t deadline = KTIME_NEVER;
    long result;

    if (count < 0 || count > SELECT_MAX) {
        return -EINVAL;
    }
    if (timeout) {
        if (get_user(time, timeout)) {
            return -EFAULT;
        }
        if (time.seconds < 0 || time.nanoseconds < 0) {
            return -EINVAL;
        }
        time.nanoseconds = time.nanoseconds > 1l << 40 ? 1l << 40 : time.nanoseconds;
        deadline = time_duration(time.seconds, time.nanoseconds * 1000l); /* microseconds */
        deadline = deadline ? clock_now() + deadline : 0;
    }
    for (int i = 0; i < 3; i++) {
        if (users[i] && copy_from_user(sets[i], users[i], bytes)) {
            return -EFAULT;
        }
    }
    result = select_fds(count, sets, deadline);
    for (int i = 0; i < 3 && result >= 0; i++) {
        if (users[i] && copy_to_user(users[i], sets[i], bytes)) {
            return -EFAULT;
        }
    }
    return result;
}
