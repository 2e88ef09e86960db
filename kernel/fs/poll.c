/* Poll tables: hooks into the wait queues of many files, for one sleeper. */
#include "fs/poll.h"

#include "lib/errno.h"
#include "mm/kmalloc.h"

static void poll_wake(struct wait_entry *wait)
{
    struct poll_table *table = container_of(wait, struct poll_entry, wait)->table;

    __atomic_store_n(&table->triggered, true, __ATOMIC_RELEASE);
    wake_all(&table->owner);
}

long poll_table_init(struct poll_table *table, int capacity)
{
    *table = (struct poll_table){.capacity = capacity};
    wait_queue_init(&table->owner);
    table->entries = capacity ? kmalloc((size_t)capacity * sizeof(*table->entries)) : NULL;
    return capacity && !table->entries ? -ENOMEM : 0;
}

void poll_table_free(struct poll_table *table)
{
    for (int i = 0; i < table->count; i++) {
        wait_queue_remove(table->entries[i].queue, &table->entries[i].wait);
    }
    kfree(table->entries);
}

void poll_wait(struct poll_table *table, struct wait_queue *queue)
{
    struct poll_entry *entry;

    if (!table || table->count == table->capacity) {
        return;
    }
    entry = &table->entries[table->count++];
    entry->queue = queue;
    entry->table = table;
    entry->wait.wake = poll_wake;
    wait_queue_add(queue, &entry->wait);
}

int file_poll(struct file *file, struct poll_table *table)
{
    return file->ops->poll ? file->ops->poll(file, table)
                           : POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
}
