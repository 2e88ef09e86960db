/*
 * inotify; see inotify.h. A set has watches, each on an inode, and a queue of events to be read.
 *
 * A watch belongs to its set and to its inode: it goes when either does, whichever is first. It holds no
 * reference to the inode, since the end of that is an event; only to what nobody deletes and that would be
 * gone at once, a file of /proc or a pipe.
 */
#include "event/inotify.h"

#include "event/poll.h"
#include "fs/notify.h"
#include "fs/tmpfs.h"
#include "lib/errno.h"
#include "lib/rbtree.h"
#include "lib/string.h"
#include "mm/kmalloc.h"
#include "mm/uaccess.h"

#define NAME_ALIGN 16 /* sizeof(struct inotify_event) */

struct inotify {
    struct inode inode;     /* first: anonymous_create */
    struct rb_root watches; /* by number */
    int last_number;        /* given to a watch; they come round after 2^31 */
    struct list queue;      /* of events */
    int queued;             /* how many; read without the lock, too: atomic */
    size_t bytes;           /* that reading all would give */
    struct event *overflow; /* kept for when there is no room: queued once, never freed */
    struct wait_queue readers;
};

struct watch {
    struct watch *next; /* on the inode */
    struct rb_node node;
    struct inotify *set;
    struct inode *inode;
    bool pins; /* it has a reference to the inode */
    int number;
    uint32_t mask;
};

struct event {
    struct list list;
    struct { /* struct inotify_event, as it is read */
        int watch;
        uint32_t mask, cookie, size; /* of the name with zeroes behind it, up to NAME_ALIGN; 0: none */
    } head;
    char name[];
};

/* Protects all watches, of inodes and of sets, and the queues. Below the lock of tmpfs' names; above wait queues
 * and the allocator. */
static struct mutex inotify_lock = MUTEX_INIT(inotify_lock);
struct inotify_limits inotify_limits = {.sets = 128, .watches = 8192, .events = 16384};
static int inotify_sets;    /* atomic */
static int inotify_watches; /* inotify_lock */
static const struct file_ops inotify_ops;

uint32_t inotify_cookie(void)
{
    static uint32_t cookie;

    return __atomic_add_fetch(&cookie, 1, __ATOMIC_RELAXED);
}

/* With room for the name; NULL: no memory. */
static struct event *event_create(int watch, uint32_t mask, const char *name, uint32_t cookie)
{
    size_t size = name ? align_up(strlen(name) + 1, NAME_ALIGN) : 0;
    struct event *event = kzalloc(sizeof(*event) + size);

    if (event) {
        event->head.watch = watch;
        event->head.mask = mask;
        event->head.cookie = cookie;
        event->head.size = (uint32_t)size;
        strlcpy(event->name, name ? name : "", size);
    }
    return event;
}

/* Would one say what the other says? Cookies are not looked at, and an end is never the same as another. */
static bool event_repeats(const struct event *event, int watch, uint32_t mask, const char *name)
{
    return event->head.watch == watch && event->head.mask == mask && !(mask & IN_IGNORED) &&
           (event->head.size != 0) == (name != NULL) && (!name || strcmp(event->name, name) == 0);
}

static int queued_count(const struct inotify *set)
{
    return __atomic_load_n(&set->queued, __ATOMIC_ACQUIRE);
}

static void queue_push(struct inotify *set, int watch, uint32_t mask, const char *name, uint32_t cookie)
{
    struct event *event = NULL;

    assert_held(&inotify_lock);
    if (!list_empty(&set->queue) &&
        event_repeats(container_of(set->queue.prev, struct event, list), watch, mask, name)) {
        return;
    }
    if (set->queued < inotify_limits.events && tmpfs_free_pages()) { /* programs keep some memory */
        event = event_create(watch, mask, name, cookie);
    }
    if (!event) {
        event = set->overflow;
        if (!list_empty(&event->list)) {
            return;
        }
    }
    list_push_back(&set->queue, &event->list);
    set->bytes += sizeof(event->head) + event->head.size;
    __atomic_store_n(&set->queued, set->queued + 1, __ATOMIC_RELEASE);
    wake_first(&set->readers, POLLIN | POLLRDNORM);
}

/* The first event of at most `room` bytes, off the queue; NULL: there is none, or *too_small. */
static struct event *queue_pop(struct inotify *set, size_t room, bool *too_small)
{
    struct event *event = NULL;

    mutex_lock(&inotify_lock);
    if (!list_empty(&set->queue)) {
        event = list_first(&set->queue, struct event, list);
        *too_small = sizeof(event->head) + event->head.size > room;
    }
    if (event && *too_small) {
        event = NULL;
    } else if (event) {
        list_remove(&event->list);
        set->bytes -= sizeof(event->head) + event->head.size;
        __atomic_store_n(&set->queued, set->queued - 1, __ATOMIC_RELEASE);
    }
    mutex_unlock(&inotify_lock);
    return event;
}

static void event_free(const struct inotify *set, struct event *event)
{
    if (event != set->overflow) {
        kfree(event);
    }
}

/* What there is and fits. What the user's memory does not take is lost. */
static ssize_t inotify_take(struct inotify *set, char __user *buffer, size_t size)
{
    bool too_small = false;
    struct event *event;
    size_t done = 0;

    while ((event = queue_pop(set, size - done, &too_small)) != NULL) {
        size_t length = sizeof(event->head) + event->head.size;
        long error = copy_to_user(buffer + done, &event->head, length);

        event_free(set, event);
        if (error) {
            return error;
        }
        done += length;
    }
    if (queued_count(set)) {
        wake_next(&set->readers);
    }
    return !done && too_small ? -EINVAL : (ssize_t)done;
}

static ssize_t inotify_read(struct file *file, char __user *buffer, size_t size, off_t *position)
{
    struct inotify *set = file->data;
    ssize_t done;

    (void)position;
    while ((done = inotify_take(set, buffer, size)) == 0) {
        long error = file_wait(file->flags, &set->readers, WAIT_INOTIFY, set->inode.number, queued_count(set) > 0);

        if (error) {
            return error;
        }
    }
    return done;
}

static int inotify_poll(struct file *file, struct poll_table *table)
{
    struct inotify *set = file->data;

    poll_wait(table, &set->readers);
    return queued_count(set) ? POLLIN | POLLRDNORM : 0;
}

static long inotify_ioctl(struct file *file, unsigned command, uint64_t argument)
{
    struct inotify *set = file->data;
    int bytes;

    if (command != FIONREAD) {
        return -ENOTTY;
    }
    mutex_lock(&inotify_lock);
    bytes = (int)set->bytes;
    mutex_unlock(&inotify_lock);
    return put_user(bytes, (int __user *)argument) ? -EFAULT : 0;
}

/* The watch, or NULL and where it would hang. */
static struct watch *watch_find(struct inotify *set, int number, struct rb_node **parent, struct rb_node ***link)
{
    assert_held(&inotify_lock);
    *link = &set->watches.node;
    *parent = NULL;
    while (**link) {
        struct watch *watch = rb_entry(**link, struct watch, node);

        if (watch->number == number) {
            return watch;
        }
        *parent = **link;
        *link = number > watch->number ? &(*parent)->right : &(*parent)->left;
    }
    return NULL;
}

static void watch_insert(struct inotify *set, struct watch *watch)
{
    struct rb_node *parent, **link;

    do {
        set->last_number = set->last_number == INT32_MAX ? 1 : set->last_number + 1;
    } while (watch_find(set, set->last_number, &parent, &link));
    watch->number = set->last_number;
    rb_insert(&set->watches, &watch->node, parent, link);
    inotify_watches++;
    watch->next = watch->inode->watches;
    watch->inode->watches = watch;
    __atomic_fetch_or(&watch->inode->watched, WATCHED_ITSELF, __ATOMIC_SEQ_CST);
}

/* Take it out and say so to its set. Its inode: to be put if it is not NULL. */
static struct inode *watch_remove(struct watch *watch)
{
    struct inode *inode = watch->inode, *pinned = watch->pins ? inode : NULL;
    struct watch **link = &inode->watches;

    assert_held(&inotify_lock);
    queue_push(watch->set, watch->number, IN_IGNORED, NULL, 0);
    rb_remove(&watch->set->watches, &watch->node);
    inotify_watches--;
    while (*link != watch) {
        link = &(*link)->next;
    }
    *link = watch->next;
    kfree(watch);
    if (!inode->watches) { /* the last look at the inode: without a watch it may go now */
        __atomic_fetch_and(&inode->watched, ~WATCHED_ITSELF, __ATOMIC_SEQ_CST);
    }
    return pinned;
}

/* The caller has a reference to the inode, so a pinned one does not go under the lock. */
static void watches_tell(struct inode *inode, uint32_t events, const char *name, uint32_t cookie, bool gone)
{
    struct watch *watch, *after;

    for (watch = inode->watches; watch; watch = after) {
        after = watch->next;
        if (!(events & watch->mask & IN_ALL_EVENTS) || (gone && watch->mask & IN_EXCL_UNLINK)) {
            continue;
        }
        queue_push(watch->set, watch->number, events, name, cookie);
        if (watch->mask & IN_ONESHOT) {
            inode_put(watch_remove(watch));
        }
    }
}

void inotify_tell(struct inode *inode, uint32_t events, const char *name, uint32_t cookie)
{
    mutex_lock(&inotify_lock);
    watches_tell(inode, events, name, cookie, false);
    mutex_unlock(&inotify_lock);
}

void inotify_tell_place(struct inode *inode, uint32_t events)
{
    struct inode *parent = NULL;
    char name[NAME_MAX + 1];
    bool gone = false;

    if (inode->watched & WATCHED_IN_PLACE) {
        parent = inode_place(inode, name, &gone);
    }
    events |= S_ISDIR(inode->mode) ? IN_ISDIR : 0;
    mutex_lock(&inotify_lock);
    if (parent) {
        watches_tell(parent, events, name, 0, gone);
    }
    watches_tell(inode, events, NULL, 0, false);
    mutex_unlock(&inotify_lock);
    if (parent && !(parent->watched & WATCHED_ITSELF) && parent->ops->mark) {
        parent->ops->mark(parent); /* nobody watches it any more: from now on it costs nothing */
    }
    inode_put(parent);
}

void inotify_forget(struct inode *inode)
{
    mutex_lock(&inotify_lock);
    while (inode->watches) {
        struct watch *watch = inode->watches;

        if (!inode->links && watch->mask & IN_DELETE_SELF) {
            queue_push(watch->set, watch->number, IN_DELETE_SELF, NULL, 0);
        }
        watch_remove(watch);
    }
    mutex_unlock(&inotify_lock);
}

static long watch_change(struct watch *watch, uint32_t mask)
{
    assert_held(&inotify_lock);
    if (mask & IN_MASK_CREATE) {
        return -EEXIST;
    }
    watch->mask = mask & IN_MASK_ADD ? watch->mask | mask : mask;
    return watch->number;
}

static long watch_create(struct inotify *set, struct inode *inode, uint32_t mask)
{
    struct watch *watch;

    assert_held(&inotify_lock);
    if (inotify_watches >= inotify_limits.watches) {
        return -ENOSPC;
    }
    watch = kzalloc(sizeof(*watch));
    if (!watch) {
        return -ENOMEM;
    }
    watch->set = set;
    watch->mask = mask;
    watch->pins = !inode->device || inode->device == PROC_DEVICE;
    watch->inode = watch->pins ? inode_get(inode) : inode;
    watch_insert(set, watch);
    return watch->number;
}

long inotify_add(struct file *file, struct inode *inode, uint32_t mask)
{
    struct inotify *set = file->data;
    struct watch *watch;
    long number;

    mutex_lock(&inotify_lock);
    for (watch = inode->watches; watch && watch->set != set; watch = watch->next) {
    }
    number = watch ? watch_change(watch, mask) : watch_create(set, inode, mask);
    mutex_unlock(&inotify_lock);
    if (!watch && number > 0 && inode->ops->mark) {
        inode->ops->mark(inode);
    }
    return number;
}

/* Take a watch away, or with number 0 any. */
static long inotify_take_away(struct inotify *set, int number)
{
    struct inode *pinned = NULL;
    struct rb_node *parent, **link;
    struct watch *watch;

    mutex_lock(&inotify_lock);
    if (number) {
        watch = watch_find(set, number, &parent, &link);
    } else {
        watch = set->watches.node ? rb_entry(set->watches.node, struct watch, node) : NULL;
    }
    if (watch) {
        pinned = watch_remove(watch);
    }
    mutex_unlock(&inotify_lock);
    inode_put(pinned);
    return watch ? 0 : -EINVAL;
}

long inotify_remove(struct file *file, int number)
{
    return number > 0 ? inotify_take_away(file->data, number) : -EINVAL;
}

/* Without its watches nobody knows the set any more. One at a time: others shall have the lock in between. */
static void inotify_close(struct file *file)
{
    struct inotify *set = file->data;
    struct event *event;
    bool too_small;

    while (inotify_take_away(set, 0) == 0) {
    }
    while ((event = queue_pop(set, SIZE_MAX, &too_small)) != NULL) {
        event_free(set, event);
    }
}

static void inotify_release(struct inode *inode)
{
    struct inotify *set = inode->data;

    __atomic_fetch_sub(&inotify_sets, 1, __ATOMIC_RELAXED);
    kfree(set->overflow);
    kfree(set);
}

static const struct file_ops inotify_ops = {
    .read = inotify_read, .poll = inotify_poll, .ioctl = inotify_ioctl, .release = inotify_close,
};

bool file_is_inotify(const struct file *file)
{
    return file->ops == &inotify_ops;
}

struct file *inotify_open(int flags)
{
    static const struct inode_ops inode_ops = {.release = inotify_release};
    struct inotify *set;

    if (__atomic_add_fetch(&inotify_sets, 1, __ATOMIC_RELAXED) > inotify_limits.sets) {
        set = error_pointer(-EMFILE);
        goto out_count;
    }
    set = anonymous_create(sizeof(*set), 0600, &inode_ops, &inotify_ops);
    if (!set) {
        set = error_pointer(-ENOMEM);
        goto out_count;
    }
    list_init(&set->queue);
    wait_queue_init(&set->readers);
    set->overflow = event_create(-1, IN_Q_OVERFLOW, NULL, 0);
    if (!set->overflow) {
        inode_put(&set->inode);
        return error_pointer(-ENOMEM);
    }
    list_init(&set->overflow->list);
    return file_open_anonymous(&set->inode, O_RDONLY | flags);

out_count:
    __atomic_fetch_sub(&inotify_sets, 1, __ATOMIC_RELAXED);
    return (struct file *)set;
}
