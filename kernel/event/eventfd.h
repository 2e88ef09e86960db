/* A counter to wait for (eventfd(2)). */
#ifndef EVENT_EVENTFD_H
#define EVENT_EVENTFD_H
#include "fs/file.h"

/* `flags` may hold O_NONBLOCK; `semaphore`: a read takes one, not all. Or an error pointer. */
struct file *eventfd_open(unsigned count, bool semaphore, int flags);
#endif
