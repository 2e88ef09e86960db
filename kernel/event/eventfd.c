/* Event counters; see eventfd.h. A write adds, a read takes; both wait when they cannot. */
#include "event/eventfd.h"

#include "event/poll.h"
#include "lib/errno.h"
#include "mm/uaccess.h"

#define COUNT_MAX (~0ul - 1)

struct eventfd {
    struct inode inode; /* first: anonymous_create */
    struct spinlock lock; /* protects count; a leaf */
    uint64_t count;       /* read without the lock, too: atomic */
    bool semaphore;
    struct wait_queue readers, writers;
};

static uint64_t count_of(const struct eventfd *event)
{
    return __atomic_load_n(&event->count, __ATOMIC_ACQUIRE);
}

/* Take one or all. 0: there is nothing. *was_full: nobody could write. */
static uint64_t eventfd_take(struct eventfd *event, bool *was_full)
{
    uint64_t value;

    spin_lock(&event->lock);
    *was_full = event->count == COUNT_MAX;
    value = event->semaphore && event->count ? 1 : event->count;
    __atomic_store_n(&event->count, event->count - value, __ATOMIC_RELEASE);
    spin_unlock(&event->lock);
    return value;
}

static ssize_t eventfd_read(struct file *file, char __user *buffer, size_t size, off_t *position)
{
    struct eventfd *event = file->data;
    uint64_t value;
    bool was_full;

    (void)position;
    if (size < sizeof(value)) {
        return -EINVAL;
    }
    while ((value = eventfd_take(event, &was_full)) == 0) {
        long error = file_wait(file->flags, &event->readers, WAIT_EVENTFD_READ,
                               event->inode.number, count_of(event) > 0);

        if (error) {
            return error;
        }
    }
    if (count_of(event)) {
        wake_next(&event->readers); /* one took only one of them: EFD_SEMAPHORE */
    }
    wake_events(&event->writers, was_full ? POLLOUT | POLLWRNORM : 0);
    return copy_to_user(buffer, &value, sizeof(value)) ? -EFAULT : (ssize_t)sizeof(value);
}

static bool eventfd_add(struct eventfd *event, uint64_t value)
{
    bool fits;

    spin_lock(&event->lock);
    fits = value <= COUNT_MAX - event->count;
    if (fits) {
        __atomic_store_n(&event->count, event->count + value, __ATOMIC_RELEASE);
    }
    spin_unlock(&event->lock);
    return fits;
}

static ssize_t eventfd_write(struct file *file, const char __user *buffer, size_t size,
                             off_t *position)
{
    struct eventfd *event = file->data;
    uint64_t value;

    (void)position;
    if (size < sizeof(value)) {
        return -EINVAL;
    }
    if (copy_from_user(&value, buffer, sizeof(value))) {
        return -EFAULT;
    }
    if (value > COUNT_MAX) {
        return -EINVAL;
    }
    while (!eventfd_add(event, value)) {
        long error = file_wait(file->flags, &event->writers, WAIT_EVENTFD_WRITE,
                               event->inode.number, value <= COUNT_MAX - count_of(event));

        if (error) {
            return error;
        }
    }
    if (value) {
        wake_first(&event->readers, POLLIN | POLLRDNORM);
    }
    return sizeof(value);
}

static int eventfd_poll(struct file *file, struct poll_table *table)
{
    struct eventfd *event = file->data;
    uint64_t count;
    int events = 0;

    poll_wait(table, &event->readers);
    poll_wait(table, &event->writers);
    count = count_of(event);
    if (count > 0) {
        events |= POLLIN | POLLRDNORM;
    }
    if (count < COUNT_MAX) {
        events |= POLLOUT | POLLWRNORM;
    }
    return events;
}

static const struct file_ops eventfd_ops = {
    .read = eventfd_read, .write = eventfd_write, .poll = eventfd_poll,
};

struct file *eventfd_open(unsigned count, bool semaphore, int flags)
{
    struct eventfd *event = anonymous_create(sizeof(*event), 0600, NULL, &eventfd_ops);

    if (!event) {
        return error_pointer(-ENOMEM);
    }
    event->count = count;
    event->semaphore = semaphore;
    wait_queue_init(&event->readers);
    wait_queue_init(&event->writers);
    return file_open_anonymous(&event->inode, O_RDWR | flags);
}
