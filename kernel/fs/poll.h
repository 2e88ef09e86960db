/*
 * Waiting for any of several files (poll(2)).
 *
 * A file's poll operation says what holds now, and calls poll_wait for each wait queue whose
 * wake-up may change that. One waker is enough: it marks the table and wakes its owner, who asks
 * all files again.
 */
#ifndef FS_POLL_H
#define FS_POLL_H
#include "fs/file.h"
#include "sched/wait.h"

struct poll_entry {
    struct wait_entry wait;
    struct wait_queue *queue;
    struct poll_table *table;
};

struct poll_table {
    struct wait_queue owner; /* where the one who polls sleeps */
    bool triggered;          /* atomic: something happened since it was cleared */
    int count, capacity;
    struct poll_entry *entries;
};

/* At most `capacity` queues may be waited for. -ENOMEM. */
long poll_table_init(struct poll_table *table, int capacity);
void poll_table_free(struct poll_table *table);
/* For poll operations: `table` may be NULL, when only the present state is asked for. */
void poll_wait(struct poll_table *table, struct wait_queue *queue);

/* What holds for `file`: its own poll operation, or always ready. */
int file_poll(struct file *file, struct poll_table *table);
/* The longest list of queues that one file's poll operation names. */
#define POLL_QUEUES_PER_FILE 2
#endif
