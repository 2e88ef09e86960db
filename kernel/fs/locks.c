/*
 * Locks on files. There are few, LOCKS_MAX at most, so all are in one list, and who waits for one
 * looks again when any was given back.
 *
 * A new lock takes the place of what its owner had there: that is cut, or grown together with the
 * new one if it is of the same type.
 */
#include "fs/locks.h"

#include "lib/errno.h"
#include "mm/kmalloc.h"
#include "sched/wait.h"

#define LOCKS_MAX 4096 /* as many are looked at with the CPU held: some 20 us */

struct held {
    struct list link;
    struct lock lock;
};

struct waiter {
    struct list link;
    const void *owner, *against;
};

static struct spinlock locks_lock = SPINLOCK_INIT; /* protects all of this; a leaf */
static struct list held_locks = LIST_INIT(held_locks), waiters = LIST_INIT(waiters);
static int held_count;
static uint64_t given_back; /* how often somebody did */
static struct wait_queue lock_queue = {.entries = LIST_INIT(lock_queue.entries)};

static bool lock_same_owner(const struct lock *a, const struct lock *b)
{
    return a->inode == b->inode && a->kind == b->kind && a->owner == b->owner;
}

static struct held *lock_against(const struct lock *wish)
{
    struct held *held;

    assert_held(&locks_lock);
    list_for_each(held, &held_locks, link) {
        const struct lock *lock = &held->lock;

        if (lock->inode == wish->inode && lock->kind == wish->kind && lock->owner != wish->owner &&
            lock->start <= wish->end && wish->start <= lock->end &&
            (lock->type == F_WRLCK || wish->type == F_WRLCK)) {
            return held;
        }
    }
    return NULL;
}

/* Does `owner` wait, for one or through others, for `me`? Long chains are not followed to their end. */
static bool lock_waits_for(const void *owner, const void *me)
{
    struct waiter *waiter;
    int steps = 0;

    assert_held(&locks_lock);
    list_for_each(waiter, &waiters, link) {
        if (waiter->owner == owner && waiter->against == me) {
            return true;
        }
        if (waiter->owner == owner && ++steps < 16) {
            owner = waiter->against;
            waiter = container_of(&waiters, struct waiter, link); /* from the start again */
        }
    }
    return false;
}

/* An owner's locks stand together, by start: F_GETLK tells of the first that is in the way, as on Linux. */
static void lock_add(struct held *held, const struct lock *lock)
{
    struct list *before = &held_locks;
    struct held *other;

    list_for_each(other, &held_locks, link) {
        if (lock_same_owner(&other->lock, lock)) {
            before = &other->link;
            if (other->lock.start > lock->start) {
                break;
            }
            before = before->next;
        }
    }
    held->lock = *lock;
    list_push_back(before, &held->link);
    held_count++;
    __atomic_fetch_add(&lock->inode->locks, 1, __ATOMIC_RELAXED);
}

static void lock_remove(struct held *held)
{
    list_remove(&held->link);
    held_count--;
    __atomic_fetch_sub(&held->lock.inode->locks, 1, __ATOMIC_RELAXED);
    kfree(held);
}

/* Put `wish` among its owner's locks; `spare` are for it, and for the end of one that it splits.
 * -ENOLCK: there are too many, nothing has changed. */
static long lock_apply(const struct lock *wish, struct held *spare[2])
{
    struct lock fresh = *wish, rest;
    struct held *held, *next;

    assert_held(&locks_lock);
    if (fresh.type != F_UNLCK && held_count >= LOCKS_MAX) {
        return -ENOLCK;
    }
    list_for_each_safe(held, next, &held_locks, link) {
        struct lock *old = &held->lock;
        const bool grows = old->type == fresh.type;

        if (!lock_same_owner(old, wish) || old->start > fresh.end + (grows && fresh.end < INT64_MAX) ||
            fresh.start > old->end + (grows && old->end < INT64_MAX)) {
            continue;
        }
        if (grows) {
            fresh.start = old->start < fresh.start ? old->start : fresh.start;
            fresh.end = old->end > fresh.end ? old->end : fresh.end;
            lock_remove(held);
            continue;
        }
        rest = *old;
        if (old->end > fresh.end && old->start < fresh.start) {
            if (held_count + 1 >= LOCKS_MAX) {
                return -ENOLCK; /* the only one of this owner here: none was touched */
            }
            rest.start = fresh.end + 1;
            lock_add(spare[1], &rest);
            spare[1] = NULL;
            old->end = fresh.start - 1;
        } else if (old->start < fresh.start) {
            old->end = fresh.start - 1;
        } else if (old->end > fresh.end) {
            old->start = fresh.end + 1;
        } else {
            lock_remove(held);
        }
    }
    if (fresh.type != F_UNLCK) {
        lock_add(spare[0], &fresh);
        spare[0] = NULL;
    }
    given_back++; /* a write lock may have become a read lock */
    return 0;
}

/* flock gives the old lock back before it waits for one of the other type: flock(2). */
static void lock_give_other(const struct lock *wish)
{
    struct held *held, *next;

    assert_held(&locks_lock);
    list_for_each_safe(held, next, &held_locks, link) {
        if (lock_same_owner(&held->lock, wish) && held->lock.type != wish->type) {
            lock_remove(held);
            given_back++;
        }
    }
}

/* One try: 0, -ENOLCK, or what stands against it is in waiter->against: -EAGAIN, -EDEADLK. */
static long lock_try(const struct lock *wish, struct held *spare[2], struct waiter *waiter, bool wait)
{
    struct held *against;

    if (wish->kind == LOCK_WHOLE) {
        lock_give_other(wish);
    }
    against = wish->type == F_UNLCK ? NULL : lock_against(wish);
    if (!against) {
        return lock_apply(wish, spare);
    }
    if (wait && wish->pid > 0 && lock_waits_for(against->lock.owner, wish->owner)) {
        return -EDEADLK;
    }
    waiter->against = against->lock.owner;
    return -EAGAIN;
}

long lock_set(const struct lock *wish, bool wait)
{
    struct held *spare[2] = {kmalloc(sizeof(*spare[0])), kmalloc(sizeof(*spare[1]))};
    struct waiter waiter = {.owner = wish->owner};
    long error = spare[0] && spare[1] ? -EAGAIN : -ENOLCK;

    while (error == -EAGAIN) {
        uint64_t before, seen;

        spin_lock(&locks_lock);
        before = given_back;
        error = lock_try(wish, spare, &waiter, wait);
        seen = given_back;
        list_init(&waiter.link);
        if (error == -EAGAIN && wait && wish->pid > 0) {
            list_push_back(&waiters, &waiter.link); /* only processes are looked at for deadlocks */
        }
        spin_unlock(&locks_lock);
        if (seen != before) {
            wake_all(&lock_queue);
        }
        if (error != -EAGAIN || !wait) {
            break;
        }
        error = wait_event_interruptible(&lock_queue, WAIT_FILE_LOCK, wish->inode->number,
                                         __atomic_load_n(&given_back, __ATOMIC_RELAXED) != seen);
        spin_lock(&locks_lock);
        list_remove(&waiter.link);
        spin_unlock(&locks_lock);
        error = error ? error : -EAGAIN;
    }
    kfree(spare[0]);
    kfree(spare[1]);
    return error;
}

bool lock_find(const struct lock *wish, struct lock *found)
{
    struct held *against;

    spin_lock(&locks_lock);
    against = lock_against(wish);
    if (against) {
        *found = against->lock;
    }
    spin_unlock(&locks_lock);
    return against;
}

void lock_drop_all(struct inode *inode, const void *owner)
{
    struct held *held, *next;

    spin_lock(&locks_lock);
    list_for_each_safe(held, next, &held_locks, link) {
        if (held->lock.inode == inode && held->lock.owner == owner) {
            lock_remove(held);
        }
    }
    given_back++;
    spin_unlock(&locks_lock);
    wake_all(&lock_queue);
}
