/*
 * Being told what happens to files (poll(2), epoll(7)).
 *
 * A file's poll operation says what holds now, and calls poll_wait for each wait queue whose
 * wake-up may change that. So hooks of one poll table come to hang in the queues of many files.
 */
#ifndef EVENT_POLL_H
#define EVENT_POLL_H
#include "fs/file.h"
#include "sched/wait.h"

/* The longest list of queues that one file's poll operation names. */
#define POLL_QUEUES_PER_FILE 2

struct poll_entry {
    struct wait_entry wait;
    struct wait_queue *queue;
    struct poll_table *table;
    int events; /* atomic: which of them count */
};

struct poll_table {
    /* One of an entry's events came. True: somebody waited here for it. Interrupts off, a queue's lock
     * held. */
    bool (*wake)(struct poll_table *table);
    int events;          /* for the entries that poll_wait makes */
    bool exclusive;      /* it takes its turn among the tasks: who was waiting here took what there is */
    int count, capacity; /* of entries: in use, in all */
    struct poll_entry *entries;
};

/* For poll operations: `table` may be NULL, when only the present state is asked for. */
void poll_wait(struct poll_table *table, struct wait_queue *queue);
/* Take all hooks out; `wake` is not called any more. The files are still there. */
void poll_table_unhook(struct poll_table *table);

/*
 * A file's operation waits for `condition`, if `flags`, those of the open file, let it: 0, or
 * -EAGAIN with O_NONBLOCK, or -ERESTARTSYS.
 */
#define file_wait(flags, queue, reason, object, condition) \
    ((flags)&O_NONBLOCK ? -EAGAIN : wait_event_interruptible(queue, reason, object, condition))

/* What holds for `file`: its own poll operation, or always ready. */
static inline int file_poll(struct file *file, struct poll_table *table)
{
    return file->ops->poll ? file->ops->poll(file, table)
                           : POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
}
#endif
