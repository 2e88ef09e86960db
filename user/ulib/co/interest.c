/*
 * Layer 3: the queues of descriptors and the thread's epoll set; see interest.h.
 *
 * A descriptor is armed for one event (EPOLLONESHOT) and armed again by whoever leaves its queue
 * while others stay. So nothing is told twice, and with nobody in the queue nothing at all. What
 * the set told may be old when the coroutine runs: it looks again. The set is made when somebody
 * waits first, and given back when the run loop ends.
 */
#include "interest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>

#define ALWAYS (EPOLLERR | EPOLLHUP) /* told whether asked for or not, epoll_ctl(2) */

struct queue {
    struct co_list waits; /* struct fd_wait */
    uint32_t all;         /* events that were waited for since it was empty */
    uint32_t armed;       /* what the set will tell, once; 0: it has told, or nobody waits */
    int known;            /* to the set; a close(2) that we did not see makes that wrong */
};

static _Thread_local struct queue **queues; /* by descriptor */
static _Thread_local int queue_count;
static _Thread_local int set_plus_one; /* the epoll set; 0: none */

/* The queue of `fd`, which is made if need be. NULL without memory. */
static struct queue *queue_of(int fd)
{
    if (fd >= queue_count) {
        int count = fd < 32 ? 64 : fd * 2;
        struct queue **grown = realloc(queues, (size_t)count * sizeof(struct queue *));

        if (!grown) {
            return NULL;
        }
        while (queue_count < count) {
            grown[queue_count++] = NULL;
        }
        queues = grown;
    }
    if (!queues[fd] && (queues[fd] = calloc(1, sizeof(struct queue)))) {
        list_init(&queues[fd]->waits);
    }
    return queues[fd];
}

struct co_list *waits_of(int fd)
{
    return fd >= 0 && fd < queue_count && queues[fd] ? &queues[fd]->waits : NULL;
}

static struct fd_wait *wait_at(struct co_list *node)
{
    return CO_ENTRY(node, struct fd_wait, link);
}

/* The set */

static int set_control(int operation, int fd, uint32_t events, int data)
{
    struct epoll_event event = {.events = events, .data.fd = data};

    return (int)co_call(SYS_epoll_ctl, set_plus_one - 1, operation, fd, (long)&event, 0, 0);
}

static int set_open(void)
{
    long set;

    if (set_plus_one) {
        return 0;
    }
    set = co_call(SYS_epoll_create1, EPOLL_CLOEXEC, 0, 0, 0, 0, 0);
    if (set < 0) {
        return (int)set;
    }
    set_plus_one = (int)set + 1;
    return 0;
}

static void set_close(void)
{
    if (set_plus_one) {
        co_call(SYS_close, set_plus_one - 1, 0, 0, 0, 0, 0);
        set_plus_one = 0;
    }
}

int set_watch_helpers(int fd)
{
    int error = set_open();

    if (error == 0) {
        error = set_control(EPOLL_CTL_ADD, fd, EPOLLIN, HELPERS);
    }
    return error;
}

/* With a set or without one, to sleep for exactly so long: epoll_wait(2) counts milliseconds. */
static long set_sleep(struct epoll_event *events, int max, int64_t nanoseconds)
{
    struct {
        int64_t seconds, nanoseconds;
    } time = {nanoseconds / SECOND, nanoseconds % SECOND};
    struct pollfd set = {.fd = set_plus_one - 1, .events = POLLIN};
    long result;

    if (!set_plus_one) {
        return co_call(SYS_ppoll, 0, 0, (long)&time, 0, 8, 0);
    }
    result = co_call(SYS_epoll_pwait2, set.fd, (long)events, max, (long)&time, 0, 8);
    if (result == -ENOSYS) { /* Linux before 5.11 */
        result = co_call(SYS_ppoll, (long)&set, 1, (long)&time, 0, 8, 0);
        result = result <= 0 ? result : co_call(SYS_epoll_wait, set.fd, (long)events, max, 0, 0, 0);
    }
    return result;
}

int set_wait(struct epoll_event *events, int max, int64_t deadline)
{
    int64_t left = deadline > 0 ? deadline - co_now() : 0;
    long count = 0;

    if (left > 0) {
        count = set_sleep(events, max, left);
    } else if (set_plus_one) {
        count = co_call(SYS_epoll_wait, set_plus_one - 1, (long)events, max,
                        deadline == CO_NEVER ? -1 : 0, 0, 0);
    }
    for (long i = 0; i < count; i++) {
        if (waits_of(events[i].data.fd)) {
            queues[events[i].data.fd]->armed = 0;
        }
    }
    return (int)count;
}

/* Have the set tell once when anything holds that one of the queue waits for. */
static int queue_arm(struct queue *queue, int fd)
{
    uint32_t events = ALWAYS;
    int error = set_open();

    for (struct co_list *node = queue->waits.next; node != &queue->waits; node = node->next) {
        events |= (uint16_t)wait_at(node)->events;
        if (events == queue->all) {
            break;
        }
    }
    if (error || queue->armed == events) {
        return error;
    }
    error = set_control(queue->known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, events | EPOLLONESHOT, fd);
    if (error == -ENOENT || error == -EEXIST) { /* the number is another file's than we knew */
        error = set_control(error == -EEXIST ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd,
                            events | EPOLLONESHOT, fd);
    }
    queue->known = error == 0;
    queue->armed = error == 0 ? events : 0;
    return error == -EPERM ? 0 : error; /* a regular file: poll(2) calls it ready at all times */
}

/* Standing in line */

int wait_begin(struct fd_wait *wait)
{
    struct queue *queue = wait->fd < 0 ? NULL : queue_of(wait->fd);

    wait->co = loop_current();
    wait->error = queue ? 0 : wait->fd < 0 ? -EBADF : -ENOMEM;
    if (queue && list_empty(&queue->waits)) {
        queue->armed = 0; /* what was armed may have been another file's number */
        queue->all = ALWAYS;
    }
    if (queue) {
        queue->all |= (uint16_t)wait->events;
        list_add_last(&queue->waits, &wait->link);
    } else {
        list_init(&wait->link);
    }
    return wait->error;
}

int wait_end(struct fd_wait *wait, int result)
{
    struct co_list *waits = waits_of(wait->fd);

    list_take(&wait->link);
    if (wait->error) {
        return wait->error;
    }
    if (!list_empty(waits)) { /* the next one's turn */
        queue_arm(queues[wait->fd], wait->fd);
    }
    return result;
}

int wait_is_first(const struct fd_wait *wait)
{
    for (struct co_list *node = wait->link.prev; node != waits_of(wait->fd); node = node->prev) {
        if (wait_at(node)->takes && wait_at(node)->events & wait->events) {
            return 0;
        }
    }
    return 1;
}

int wait_arm(struct fd_wait *wait)
{
    int wrong = wait->events & POLLIN ? O_WRONLY : O_RDONLY;
    long flags;

    if (wait->error) {
        return wait->error;
    }
    if (wait->takes) { /* poll(2) waits for ever for a pipe's wrong end; read(2) and write(2) do not */
        flags = co_call(SYS_fcntl, wait->fd, F_GETFL, 0, 0, 0, 0);
        if (flags < 0 || (flags & O_ACCMODE) == wrong) {
            return -EBADF;
        }
    }
    return queue_arm(queues[wait->fd], wait->fd);
}

void waits_fail(int fd, int error)
{
    struct co_list *waits = waits_of(fd), *node, *next;

    if (!waits) {
        return;
    }
    for (node = waits->next; node != waits; node = next) {
        next = node->next;
        list_take(node); /* the number's next owner has a queue without them */
        wait_at(node)->error = error;
        loop_wake(wait_at(node)->co, error);
    }
    if (queues[fd]->known) {
        set_control(EPOLL_CTL_DEL, fd, 0, 0); /* a copy made by dup(2) would keep it there */
        queues[fd]->known = 0;
        queues[fd]->armed = 0;
    }
}

/* The end, and a child's beginning */

void io_release(void)
{
    for (int fd = 0; fd < queue_count; fd++) {
        free(queues[fd]);
    }
    free(queues);
    queues = NULL;
    queue_count = 0;
    set_close();
}

/* The child's set is its parent's: it needs one of its own, where all who wait are armed again. */
void io_forked(void)
{
    if (!set_plus_one) {
        return;
    }
    set_close();
    for (int fd = 0; fd < queue_count; fd++) {
        int error = 0;

        if (queues[fd]) {
            queues[fd]->known = 0;
            queues[fd]->armed = 0;
            error = list_empty(&queues[fd]->waits) ? 0 : queue_arm(queues[fd], fd);
        }
        if (error) {
            waits_fail(fd, error);
        }
    }
}
