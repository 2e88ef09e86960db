/*
 * Layer 3: channels, and select over several of them.
 *
 * Who cannot go on hangs a waiter, on its own stack, into the channel's queue of senders or
 * receivers. Whoever completes a waiter's operation copies the element, notes which of its cases
 * it was, and wakes it; the waiter takes its other cases out of their queues when it runs. So a
 * waiter whose choice is made may still be in queues: it is skipped there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loop.h"
#include "order.h"

struct co_chan {
    size_t element_size, capacity;
    size_t first, count;            /* of the elements in the ring */
    int closed;
    struct co_list senders, receivers; /* struct waiter, in the order they came */
    char ring[];
};

/* One coroutine's wait in one or several channels. */
struct choice {
    struct loop_co *co;
    int index; /* the case that went through; -1: none yet */
    int result;
};

struct waiter {
    struct co_list link;
    struct choice *choice;
    int index;
    void *element;
};

struct co_chan *co_chan_create(size_t element_size, size_t capacity)
{
    struct co_chan *chan;
    size_t bytes;

    if (__builtin_mul_overflow(element_size, capacity, &bytes) ||
        __builtin_add_overflow(bytes, sizeof(*chan), &bytes)) {
        return NULL;
    }
    chan = malloc(bytes);
    if (!chan) {
        return NULL;
    }
    memset(chan, 0, sizeof(*chan));
    chan->element_size = element_size;
    chan->capacity = capacity;
    list_init(&chan->senders);
    list_init(&chan->receivers);
    return chan;
}

int co_chan_destroy(struct co_chan *chan)
{
    if (!list_empty(&chan->senders) || !list_empty(&chan->receivers)) {
        return -EBUSY;
    }
    free(chan);
    return 0;
}

static void *slot(struct co_chan *chan, size_t index)
{
    return chan->ring + (chan->first + index) % chan->capacity * chan->element_size;
}

static void copy(const struct co_chan *chan, void *to, const void *from)
{
    if (chan->element_size > 0) {
        memcpy(to, from, chan->element_size);
    }
}

/* The first in a queue whose choice is still open, taken out. */
static struct waiter *next_waiter(struct co_list *queue)
{
    while (!list_empty(queue)) {
        struct waiter *waiter = CO_ENTRY(queue->next, struct waiter, link);

        list_take(&waiter->link);
        if (waiter->choice->index < 0) {
            return waiter;
        }
    }
    return NULL;
}

static void complete(struct waiter *waiter, int result)
{
    waiter->choice->index = waiter->index;
    waiter->choice->result = result;
    loop_wake(waiter->choice->co, 0);
}

int co_chan_trysend(struct co_chan *chan, const void *element)
{
    struct waiter *receiver;

    if (chan->closed) {
        return -EPIPE;
    }
    receiver = next_waiter(&chan->receivers);
    if (receiver) {
        copy(chan, receiver->element, element);
        complete(receiver, 0);
        return 0;
    }
    if (chan->count == chan->capacity) {
        return -EAGAIN;
    }
    copy(chan, slot(chan, chan->count), element);
    chan->count++;
    return 0;
}

int co_chan_tryrecv(struct co_chan *chan, void *element)
{
    struct waiter *sender;

    if (chan->count > 0) {
        copy(chan, element, slot(chan, 0));
        chan->first = (chan->first + 1) % chan->capacity;
        chan->count--;
        sender = next_waiter(&chan->senders);
        if (sender) { /* there is room for it now */
            copy(chan, slot(chan, chan->count), sender->element);
            chan->count++;
            complete(sender, 0);
        }
        return 0;
    }
    sender = next_waiter(&chan->senders);
    if (sender) {
        copy(chan, element, sender->element);
        complete(sender, 0);
        return 0;
    }
    return chan->closed ? -EPIPE : -EAGAIN;
}

int co_chan_close(struct co_chan *chan)
{
    struct waiter *waiter;

    if (chan->closed) {
        return -EPIPE;
    }
    chan->closed = 1;
    while ((waiter = next_waiter(&chan->senders)) || (waiter = next_waiter(&chan->receivers))) {
        complete(waiter, -EPIPE);
    }
    return 0;
}

static int someone_waits(const struct co_list *queue)
{
    const struct co_list *node;

    for (node = queue->next; node != queue; node = node->next) {
        if (CO_ENTRY(node, struct waiter, link)->choice->index < 0) {
            return 1;
        }
    }
    return 0;
}

/* Can it go through? */
static int is_ready(const struct co_case *this)
{
    const struct co_chan *chan = this->chan;

    if (chan->closed) {
        return 1;
    }
    return this->send ? chan->count < chan->capacity || someone_waits(&chan->receivers)
                      : chan->count > 0 || someone_waits(&chan->senders);
}

/* How many of the ready cases are passed over: none, unless another order is asked for (order.c). */
static int cases_to_skip(const struct co_case *cases, int count)
{
    int ready = 0;

    for (int i = 0; order_on && i < count; i++) {
        ready += is_ready(&cases[i]);
    }
    return ready > 1 ? order_case(ready) : 0;
}

static int try_case(struct co_case *this)
{
    this->result = this->send ? co_chan_trysend(this->chan, this->element)
                              : co_chan_tryrecv(this->chan, this->element);
    return this->result != -EAGAIN;
}

int co_select(struct co_case *cases, int count, int64_t deadline)
{
    struct choice choice = {loop_current(), -1, 0};
    int error, skip;

    if (count <= 0) {
        return -EINVAL;
    }
    skip = cases_to_skip(cases, count);
    for (int i = 0; i < count; i++) {
        if (skip > 0 && is_ready(&cases[i])) {
            skip--;
        } else if (try_case(&cases[i])) {
            return i;
        }
    }
    if (deadline == 0) {
        return -EAGAIN;
    }
    if (!loop_here()) {
        return -EPERM;
    }
    struct waiter waiters[count];

    for (int i = 0; i < count; i++) {
        struct co_chan *chan = cases[i].chan;

        waiters[i] = (struct waiter){.choice = &choice, .index = i, .element = cases[i].element};
        list_add_last(cases[i].send ? &chan->senders : &chan->receivers, &waiters[i].link);
    }
    error = loop_park(count == 1 ? cases[0].send ? "channel send" : "channel receive" : "select", -1,
                      deadline);
    for (int i = 0; i < count; i++) {
        list_take(&waiters[i].link);
    }
    if (choice.index < 0) {
        return error;
    }
    cases[choice.index].result = choice.result;
    return choice.index;
}

static int one(struct co_chan *chan, int send, void *element, int64_t deadline)
{
    struct co_case only = {.chan = chan, .send = send, .element = element};
    int index = co_select(&only, 1, deadline);

    return index < 0 ? index : only.result;
}

int co_chan_send(struct co_chan *chan, const void *element, int64_t deadline)
{
    return one(chan, 1, (void *)element, deadline);
}

int co_chan_recv(struct co_chan *chan, void *element, int64_t deadline)
{
    return one(chan, 0, element, deadline);
}
