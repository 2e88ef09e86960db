/*
 * epoll sets; see epoll.h.
 *
 * Ready means "was told so": whoever takes an item off the ready list asks its file what holds
 * now. Level-triggered items that do hold go back to the end of the list, edge-triggered ones come
 * back with the next event.
 *
 * Locks, in this order: watch_lock; epoll->lock of the outer set before the inner one's; the locks
 * inside a file's poll operation. From a wake-up: the file's queue, ready_lock of the set, the
 * set's own queues (and so on outwards, when another set watches this one).
 */
#include "event/epoll.h"

#include "event/poll.h"
#include "lib/errno.h"
#include "lib/rbtree.h"
#include "mm/kmalloc.h"
#include "mm/uaccess.h"

/* What user programs choose is bounded, since wake-ups go outwards with interrupts off. */
#define LEVELS_MAX 5    /* of sets in sets */

/* Ways from a file out to a set that no other watches, by the number of sets between: as on Linux. A
 * file's own sets are not counted: its wait queue wakes them in turns. */
static const int ways_max[LEVELS_MAX] = {0, 500, 100, 50, 10};

#define FLAGS (EPOLLEXCLUSIVE | EPOLLWAKEUP | EPOLLONESHOT | EPOLLET)
#define ALWAYS (POLLERR | POLLHUP)

struct epoll {
    struct inode inode; /* first: anonymous_create */
    struct file *file; /* the one it has, not referenced */
    uint64_t round;    /* watch_lock: this walk was here, and found so many `levels` */
    int levels;
    struct mutex lock; /* protects items and their `events`; held while the ready list is read */
    struct rb_root items;
    struct spinlock ready_lock; /* protects ready and ready_count; taken by interrupts */
    struct list ready;
    int ready_count;
    struct wait_queue waiters; /* in epoll_wait: one event wakes one */
    struct wait_queue pollers; /* who polls the set itself, as a file */
};

struct item {
    struct rb_node node;
    struct epoll *epoll;
    struct file *file; /* not referenced: closing it removes the item */
    int fd;
    uint32_t events;
    uint64_t data;
    struct list ready; /* epoll->ready_lock */
    struct list watcher; /* file->watchers: watch_lock */
    struct poll_table table;
    struct poll_entry entries[POLL_QUEUES_PER_FILE];
};

/* Protects which sets watch which files: file->watchers, and items coming and going. */
static struct mutex watch_lock = MUTEX_INIT(watch_lock);
static const struct file_ops epoll_ops;

/* Any context. */
static void push_ready(struct item *item)
{
    struct epoll *epoll = item->epoll;
    uint64_t flags = spin_lock_irqsave(&epoll->ready_lock);

    if (list_empty(&item->ready)) {
        list_push_back(&epoll->ready, &item->ready);
        epoll->ready_count++;
    }
    spin_unlock_irqrestore(&epoll->ready_lock, flags);
}

static void unlink_ready(struct item *item)
{
    struct epoll *epoll = item->epoll;
    uint64_t flags = spin_lock_irqsave(&epoll->ready_lock);

    if (!list_empty(&item->ready)) {
        list_remove(&item->ready);
        epoll->ready_count--;
    }
    spin_unlock_irqrestore(&epoll->ready_lock, flags);
}

/* The first item, off the list. There is one, and nobody else takes: epoll->lock is held. */
static struct item *pop_ready(struct epoll *epoll)
{
    struct item *item = list_first(&epoll->ready, struct item, ready);

    assert_held(&epoll->lock);
    unlink_ready(item);
    return item;
}

static int ready_count(const struct epoll *epoll)
{
    return __atomic_load_n(&epoll->ready_count, __ATOMIC_ACQUIRE);
}

/* True: somebody waited for it. */
static bool item_is_ready(struct item *item)
{
    bool taken;

    push_ready(item);
    taken = wake_first(&item->epoll->waiters, 0);
    wake_events(&item->epoll->pollers, POLLIN | POLLRDNORM);
    return taken;
}

static bool item_wake(struct poll_table *table)
{
    return item_is_ready(container_of(table, struct item, table));
}

/* Watch for these from now on; without events of files (EPOLLONESHOT was used up): for none. */
static void set_events(struct item *item, uint32_t events)
{
    item->events = events;
    item->table.events = (int)(events & ~FLAGS);
    for (int i = 0; i < item->table.count; i++) {
        __atomic_store_n(&item->entries[i].events, item->table.events, __ATOMIC_SEQ_CST);
    }
}

static uint32_t item_ask(struct item *item, struct poll_table *table)
{
    return (uint32_t)file_poll(item->file, table) & item->events & ~FLAGS;
}

static int item_compare(const struct item *item, const struct file *file, int fd)
{
    if (item->file != file) {
        return item->file < file ? -1 : 1;
    }
    return (item->fd > fd) - (item->fd < fd);
}

/* The item, or NULL and where it would hang. */
static struct item *item_find(struct epoll *epoll, const struct file *file, int fd,
                              struct rb_node **parent, struct rb_node ***link)
{
    *link = &epoll->items.node;
    *parent = NULL;
    while (**link) {
        struct item *item = rb_entry(**link, struct item, node);
        int order = item_compare(item, file, fd);

        if (order == 0) {
            return item;
        }
        *parent = **link;
        *link = order > 0 ? &(*parent)->left : &(*parent)->right;
    }
    return NULL;
}

static struct epoll *epoll_of(const struct file *file)
{
    return file->ops == &epoll_ops ? file->data : NULL;
}

static uint64_t walk_round; /* watch_lock: each walk looks at a set once */

/* How many sets are one in the other from this one down; too many if `forbidden` is there. */
static int levels_below(struct epoll *epoll, const struct epoll *forbidden)
{
    int deepest = 0;

    if (epoll == forbidden) {
        return LEVELS_MAX + 1;
    }
    if (epoll->round == walk_round) {
        return epoll->levels;
    }
    for (struct rb_node *node = rb_first(&epoll->items); node; node = rb_next(node)) {
        struct epoll *inner = epoll_of(rb_entry(node, struct item, node)->file);
        int levels = inner ? levels_below(inner, forbidden) : 0;

        deepest = levels > deepest ? levels : deepest;
    }
    epoll->round = walk_round;
    return epoll->levels = deepest + 1;
}

/* The same upwards. */
static int levels_above(struct epoll *epoll)
{
    const struct item *item;
    int highest = 0;

    if (epoll->round == walk_round) {
        return epoll->levels;
    }
    list_for_each(item, &epoll->file->watchers, watcher) {
        int levels = levels_above(item->epoll);

        highest = levels > highest ? levels : highest;
    }
    epoll->round = walk_round;
    return epoll->levels = highest + 1;
}

static long check_nesting(struct epoll *outer, struct epoll *inner)
{
    int levels;

    walk_round++;
    levels = levels_below(inner, outer);
    walk_round++;
    return levels + levels_above(outer) > LEVELS_MAX ? -ELOOP : 0;
}

/* Count the ways out from `file`, which has `between` sets below it. False: too many. */
static bool ways_fit(const struct file *file, int between, int counts[LEVELS_MAX])
{
    const struct item *item;

    list_for_each(item, &file->watchers, watcher) {
        const struct file *outer = item->epoll->file;

        if (!list_empty(&outer->watchers)) {
            if (!ways_fit(outer, between + 1, counts)) {
                return false;
            }
        } else if (between > 0 && ++counts[between] > ways_max[between]) {
            return false;
        }
    }
    return true;
}

/* The same of each file that `file` is, or that is in it. */
static bool ways_from_all_fit(const struct file *file)
{
    struct epoll *epoll = epoll_of(file);
    int counts[LEVELS_MAX] = {0};
    bool fit = true;

    if (!epoll) {
        return ways_fit(file, 0, counts);
    }
    if (epoll->round != walk_round) {
        epoll->round = walk_round;
        for (struct rb_node *node = rb_first(&epoll->items); node && fit; node = rb_next(node)) {
            fit = ways_from_all_fit(rb_entry(node, struct item, node)->file);
        }
    }
    return fit;
}

/* watch_lock and epoll->lock are held. */
static long item_add(struct epoll *epoll, struct file *file, int fd,
                     const struct epoll_event *event)
{
    struct rb_node *parent, **link;
    struct item *item;

    assert_held(&epoll->lock);
    assert_held(&watch_lock);
    if (item_find(epoll, file, fd, &parent, &link)) {
        return -EEXIST;
    }
    item = kzalloc(sizeof(*item));
    if (!item) {
        return -ENOMEM;
    }
    item->epoll = epoll;
    item->file = file;
    item->fd = fd;
    item->data = event->data;
    item->table.wake = item_wake;
    item->table.exclusive = event->events & EPOLLEXCLUSIVE;
    item->table.entries = item->entries;
    item->table.capacity = POLL_QUEUES_PER_FILE;
    list_init(&item->ready);
    set_events(item, event->events | ALWAYS);
    rb_insert(&epoll->items, &item->node, parent, link);
    list_push_back(&file->watchers, &item->watcher);
    if (item_ask(item, &item->table)) {
        item_is_ready(item);
    }
    return 0;
}

/* watch_lock and epoll->lock are held. */
static void item_remove(struct item *item)
{
    assert_held(&item->epoll->lock);
    assert_held(&watch_lock);
    poll_table_unhook(&item->table);
    unlink_ready(item);
    rb_remove(&item->epoll->items, &item->node);
    list_remove(&item->watcher);
    kfree(item);
}

/* epoll->lock is held. */
static long item_modify(struct item *item, const struct epoll_event *event)
{
    assert_held(&item->epoll->lock);
    if (item->events & EPOLLEXCLUSIVE) {
        return -EINVAL;
    }
    item->data = event->data;
    set_events(item, event->events | ALWAYS); /* before asking: nothing is lost between */
    if (item_ask(item, NULL)) {
        item_is_ready(item);
    }
    return 0;
}

static long epoll_check(const struct epoll *epoll, int operation, struct file *target,
                        const struct epoll_event *event)
{
    const uint32_t with_exclusive = POLLIN | POLLOUT | POLLERR | POLLHUP | EPOLLWAKEUP | EPOLLET |
                                    EPOLLEXCLUSIVE;

    if (!target->ops->poll) {
        return -EPERM;
    }
    if (!epoll || epoll_of(target) == epoll) {
        return -EINVAL;
    }
    if (operation != EPOLL_CTL_DEL && event->events & EPOLLEXCLUSIVE &&
        (operation != EPOLL_CTL_ADD || epoll_of(target) || event->events & ~with_exclusive)) {
        return -EINVAL;
    }
    return 0;
}

long epoll_control(struct file *file, int operation, int fd, struct file *target,
                   const struct epoll_event *event)
{
    struct epoll *epoll = epoll_of(file);
    struct rb_node *parent, **link;
    struct item *item;
    long error = epoll_check(epoll, operation, target, event);

    if (error) {
        return error;
    }
    mutex_lock(&watch_lock);
    if (operation == EPOLL_CTL_ADD && epoll_of(target)) {
        error = check_nesting(epoll, epoll_of(target));
    }
    mutex_lock(&epoll->lock);
    item = item_find(epoll, target, fd, &parent, &link);
    if (error) {
        /* keep it */
    } else if (operation == EPOLL_CTL_ADD) {
        error = item_add(epoll, target, fd, event);
        walk_round++;
        if (!error && (epoll_of(target) || !list_empty(&file->watchers)) &&
            !ways_from_all_fit(target)) {
            item_remove(item_find(epoll, target, fd, &parent, &link));
            error = -EINVAL;
        }
    } else if (operation != EPOLL_CTL_DEL && operation != EPOLL_CTL_MOD) {
        error = -EINVAL;
    } else if (!item) {
        error = -ENOENT;
    } else if (operation == EPOLL_CTL_MOD) {
        error = item_modify(item, event);
    } else {
        item_remove(item);
    }
    mutex_unlock(&epoll->lock);
    mutex_unlock(&watch_lock);
    return error;
}

void epoll_forget(struct file *file)
{
    struct item *item, *after;

    mutex_lock(&watch_lock);
    list_for_each_safe(item, after, &file->watchers, watcher) {
        struct epoll *epoll = item->epoll;

        mutex_lock(&epoll->lock);
        item_remove(item);
        mutex_unlock(&epoll->lock);
    }
    mutex_unlock(&watch_lock);
}

/* What is ready now, to user memory. Items that come back meanwhile wait for the next time. */
static long epoll_harvest(struct epoll *epoll, struct epoll_event __user *events, int max)
{
    long done = 0, error = 0;

    mutex_lock(&epoll->lock);
    for (int left = ready_count(epoll); left > 0 && done < max && !error; left--) {
        struct item *item = pop_ready(epoll);
        struct epoll_event event = {.events = item_ask(item, NULL), .data = item->data};

        if (!event.events) {
            continue;
        }
        error = copy_to_user(&events[done], &event, sizeof(event));
        done += !error;
        if (item->events & EPOLLONESHOT && !error) {
            set_events(item, item->events & FLAGS);
        } else if (!(item->events & EPOLLET) || error) {
            push_ready(item);
        }
    }
    mutex_unlock(&epoll->lock);
    if (ready_count(epoll)) {
        wake_next(&epoll->waiters);
    }
    return done ? done : error;
}

long epoll_wait(struct file *file, struct epoll_event __user *events, int max, ktime_t deadline)
{
    struct epoll *epoll = epoll_of(file);
    long result, error = 0;

    if (!epoll) {
        return -EINVAL;
    }
    for (;;) {
        result = epoll_harvest(epoll, events, max);
        if (result) {
            return result;
        }
        if (error || deadline == 0) {
            return error == -ERESTARTSYS ? -EINTR : 0;
        }
        error = wait_event_timeout(&epoll->waiters, WAIT_EPOLL, epoll->inode.number,
                                   ready_count(epoll), deadline);
    }
}

/* Readable when an item is ready, and its file says so. */
static int epoll_poll(struct file *file, struct poll_table *table)
{
    struct epoll *epoll = file->data;
    int events = 0;

    poll_wait(table, &epoll->pollers);
    mutex_lock(&epoll->lock);
    for (int left = ready_count(epoll); left > 0 && !events; left--) {
        struct item *item = pop_ready(epoll);

        if (item_ask(item, NULL)) {
            push_ready(item);
            events = POLLIN | POLLRDNORM;
        }
    }
    mutex_unlock(&epoll->lock);
    return events;
}

static void epoll_release(struct file *file)
{
    struct epoll *epoll = file->data;

    mutex_lock(&watch_lock);
    mutex_lock(&epoll->lock);
    while (epoll->items.node) {
        item_remove(rb_entry(epoll->items.node, struct item, node));
    }
    mutex_unlock(&epoll->lock);
    mutex_unlock(&watch_lock);
}

static const struct file_ops epoll_ops = {.poll = epoll_poll, .release = epoll_release};

struct file *epoll_open(void)
{
    struct epoll *epoll = anonymous_create(sizeof(*epoll), 0600, NULL, &epoll_ops);
    struct file *file;

    if (!epoll) {
        return error_pointer(-ENOMEM);
    }
    mutex_init(&epoll->lock);
    spin_init(&epoll->ready_lock);
    list_init(&epoll->ready);
    wait_queue_init(&epoll->waiters);
    wait_queue_init(&epoll->pollers);
    /* Sets in sets: no set is within itself, so these orders have no rings. */
    LOCK_DEBUG(epoll->lock.debug.nested = epoll->pollers.lock.debug.nested = true);
    file = file_open_anonymous(&epoll->inode, O_RDWR);
    if (!is_error(file)) {
        epoll->file = file;
    }
    return file;
}
