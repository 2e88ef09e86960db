/*
 * Signals as a file (signalfd(2)): a program that polls takes its signals where it takes all the rest.
 *
 * The file knows only which signals; whose they are is decided by who reads or polls. So there is
 * one queue for all, and each who is woken looks for itself.
 */
#include "event/signalfd.h"

#include "event/poll.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/uaccess.h"
#include "sched/signal.h"
#include "sched/task.h"

#define SIGNALFD_INFO 128 /* struct signalfd_siginfo */

struct signalfd {
    struct inode inode; /* first: anonymous_create */
    uint64_t mask;      /* one word, no lock */
};

static struct wait_queue signalfd_readers;
static struct wake_later wake_signalfd;

void signalfd_tell(void)
{
    assert_held(&tasks_lock);
    wake_in_turns(&wake_signalfd, POLLIN | POLLRDNORM);
}

static bool signalfd_ready(uint64_t mask)
{
    uint64_t flags = spin_lock_irqsave(&tasks_lock);
    bool ready = (current->pending.mask | current->group->pending.mask) & mask;

    spin_unlock_irqrestore(&tasks_lock, flags);
    return ready;
}

static int signalfd_take(uint64_t mask, struct signal_info *info)
{
    uint64_t flags = spin_lock_irqsave(&tasks_lock);
    int signal = signal_take_locked(current, mask, info);

    spin_unlock_irqrestore(&tasks_lock, flags);
    return signal;
}

static void signalfd_fill(int32_t *words, int signal, const struct signal_info *info)
{
    memset(words, 0, SIGNALFD_INFO);
    words[0] = signal;
    words[2] = info->code;
    if (info->code == SI_TIMER) {
        words[6] = info->pid; /* ssi_tid, ssi_overrun */
        words[8] = info->uid;
    } else {
        words[3] = info->pid;
        words[4] = info->uid;
    }
    if (signal == SIGCHLD && info->code > 0) {
        words[10] = (int32_t)info->value; /* ssi_status */
    } else {
        words[11] = (int32_t)info->value; /* ssi_int, ssi_ptr */
        memcpy(words + 12, &info->value, sizeof(info->value));
    }
}

static ssize_t signalfd_read(struct file *file, char __user *buffer, size_t size, off_t *position)
{
    const struct signalfd *signals = file->data;
    int32_t words[SIGNALFD_INFO / sizeof(int32_t)];
    struct signal_info info;
    size_t done = 0;

    (void)position;
    if (size < SIGNALFD_INFO) {
        return -EINVAL;
    }
    while (size - done >= SIGNALFD_INFO) {
        int signal = signalfd_take(signals->mask, &info);
        long error = 0;

        if (signal) {
            signalfd_fill(words, signal, &info);
            error = copy_to_user(buffer + done, words, SIGNALFD_INFO);
            done += error ? 0 : SIGNALFD_INFO;
        } else if (done) {
            break;
        } else {
            error = file_wait(file->flags, &signalfd_readers, WAIT_SIGNAL, signals->mask,
                              signalfd_ready(signals->mask));
        }
        if (error) {
            return done ? (ssize_t)done : error;
        }
    }
    return (ssize_t)done;
}

static int signalfd_poll(struct file *file, struct poll_table *table)
{
    const struct signalfd *signals = file->data;

    poll_wait(table, &signalfd_readers);
    return signalfd_ready(signals->mask) ? POLLIN | POLLRDNORM : 0;
}

static const struct file_ops signalfd_ops = {.read = signalfd_read, .poll = signalfd_poll};

struct file *signalfd_open(uint64_t mask, int flags)
{
    struct signalfd *signals = anonymous_create(sizeof(*signals), 0600, NULL, &signalfd_ops);

    if (!signals) {
        return error_pointer(-ENOMEM);
    }
    signals->mask = mask;
    return file_open_anonymous(&signals->inode, O_RDWR | flags);
}

long signalfd_set_mask(struct file *file, uint64_t mask)
{
    struct signalfd *signals = file->data;

    if (file->ops != &signalfd_ops) {
        return -EINVAL;
    }
    signals->mask = mask;
    wake_events(&signalfd_readers, POLLIN | POLLRDNORM);
    return 0;
}

void signalfd_init(void)
{
    wait_queue_init(&signalfd_readers);
    wake_later_init(&wake_signalfd, &signalfd_readers, false);
}
