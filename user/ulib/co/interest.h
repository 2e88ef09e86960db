/*
 * Who waits for which descriptor: a queue for each, and one epoll set for all of a thread, so that
 * a look at the outside costs what has happened and not how many wait.
 */
#ifndef CO_INTEREST_H
#define CO_INTEREST_H
#include <sys/epoll.h>

#include "loop.h"

/* A coroutine's wish to use a descriptor, on its own stack, from wait_begin to wait_end. */
struct fd_wait {
    struct co_list link; /* in the descriptor's queue: first come, first served */
    struct loop_co *co;
    int fd;
    short events;        /* poll(2)'s that it waits for */
    short takes;         /* it will read or write what there is, so one at a time is woken */
    int error;           /* the descriptor was closed meanwhile, or cannot be used so */
};

/*
 * Stand in line for wait->fd and wait->events. 0, -EBADF, -ENOMEM; then too wait_end must follow.
 */
int wait_begin(struct fd_wait *wait);
/* Leave the line. `result`, or the reason for which the descriptor cannot be used any more. */
int wait_end(struct fd_wait *wait, int result);
/* Is nobody before it who wants to take the same? */
int wait_is_first(const struct fd_wait *wait);
/* Have the set tell when its descriptor is ready. -EBADF: it cannot be used so. -EMFILE, ... */
int wait_arm(struct fd_wait *wait);
/* The queue of a descriptor; NULL: nobody has ever waited for it. */
struct co_list *waits_of(int fd);
/* Whoever waits for it gets `error`. */
void waits_fail(int fd, int error);

/*
 * What the set has to tell, at most until `deadline`: how many events, or an error. The data of an
 * event is its descriptor, or HELPERS.
 */
#define HELPERS (-1)
int set_wait(struct epoll_event *events, int max, int64_t deadline);
/* Have the set tell of HELPERS when `fd` can be read: each time, until it is closed. */
int set_watch_helpers(int fd);
#endif
