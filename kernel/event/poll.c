/* Poll tables: hooks in the wait queues of many files, for one who waits. */
#include "event/poll.h"

static bool poll_wake(struct wait_entry *wait, int events)
{
    struct poll_entry *entry = container_of(wait, struct poll_entry, wait);

    if (events & __atomic_load_n(&entry->events, __ATOMIC_RELAXED)) {
        entry->table->wake(entry->table);
    }
    return false; /* it takes nothing by itself */
}

static bool poll_wake_exclusive(struct wait_entry *wait, int events)
{
    struct poll_entry *entry = container_of(wait, struct poll_entry, wait);

    return events & __atomic_load_n(&entry->events, __ATOMIC_RELAXED) && entry->table->wake(entry->table);
}

void poll_table_unhook(struct poll_table *table)
{
    for (int i = 0; i < table->count; i++) {
        wait_queue_remove(table->entries[i].queue, &table->entries[i].wait);
    }
    table->count = 0;
}

void poll_wait(struct poll_table *table, struct wait_queue *queue)
{
    struct poll_entry *entry;

    if (!table || table->count == table->capacity) {
        return;
    }
    entry = &table->entries[table->count++];
    *entry = (struct poll_entry){
        .wait.wake = table->exclusive ? poll_wake_exclusive : poll_wake,
        .queue = queue, .table = table, .events = table->events,
    };
    if (table->exclusive) {
        wait_queue_add(queue, &entry->wait);
    } else {
        wait_queue_add_hook(queue, &entry->wait);
    }
}
