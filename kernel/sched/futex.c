/*
 * Futexes: sleep until a word in memory changes.
 *
 * A waiter is queued under the hash of (mm, address), or of the page for shared words. The
 * word is read under the bucket's lock, so a wake between reading and sleeping cannot be lost.
 */
#include "sched/futex.h"

#include "mm/mm.h"
#include "mm/page.h"
#include "mm/uaccess.h"
#include "sched/sched.h"
#include "trace/trace.h"

struct key {
    uint64_t space, address;
};

struct waiter {
    struct list list;
    struct key key;
    struct task *task;
    uint32_t bitset;
    bool woken;
    struct wait_queue queue;
};

static struct bucket {
    struct spinlock lock; /* protects waiters, their keys and `woken`; before wait queues */
    struct list waiters;
} buckets[64];

static struct bucket *bucket_of(struct key key)
{
    return &buckets[(key.space / 64 + key.address / 4) * 0x9e3779b97f4a7c15ul >> 58];
}

static bool same(struct key a, struct key b)
{
    return a.space == b.space && a.address == b.address;
}

/* The key, and the word's place in the direct map with its page pinned, if `pinned` is given. */
static long find_key(int __user *word, bool shared, struct key *key, uint32_t **pinned)
{
    paddr_t page = 0;

    if ((vaddr_t)word & 3) {
        return -EINVAL;
    }
    if (!user_range_ok(word, 4)) {
        return -EFAULT;
    }
    /* A private page may move (copy on write): its address is what stays. */
    shared = shared && mm_is_shared(current->mm, (vaddr_t)word);
    if (shared || pinned) {
        page = mm_pin(current->mm, (vaddr_t)word, shared);
        if (!page) {
            return -EFAULT;
        }
    }
    *key = shared ? (struct key){0, page} : (struct key){(uint64_t)current->mm, (vaddr_t)word};
    if (pinned) {
        *pinned = phys_to_virt(page);
    } else if (page) {
        page_put(phys_to_page(page));
    }
    return 0;
}

long futex_wait(int __user *word, uint32_t value, uint32_t bitset, bool shared, ktime_t deadline)
{
    struct waiter waiter = {.task = current, .bitset = bitset};
    struct bucket *bucket;
    uint32_t *pinned, seen;
    long error = find_key(word, shared, &waiter.key, &pinned);

    if (error) {
        return error;
    }
    wait_queue_init(&waiter.queue);
    bucket = bucket_of(waiter.key);
    spin_lock(&bucket->lock);
    seen = __atomic_load_n(pinned, __ATOMIC_SEQ_CST);
    if (seen == value) {
        list_push_back(&bucket->waiters, &waiter.list);
    }
    spin_unlock(&bucket->lock);
    page_put(virt_to_page(pinned));
    if (seen != value) {
        return -EAGAIN;
    }
    trace(TRACE_FUTEX_WAIT, 0, value, (uint64_t)word);
    error = wait_event_timeout(&waiter.queue, WAIT_FUTEX, word,
                               __atomic_load_n(&waiter.woken, __ATOMIC_ACQUIRE), deadline);
    for (;;) { /* a requeue may have changed the key */
        bucket = bucket_of(waiter.key);
        spin_lock(&bucket->lock);
        if (bucket == bucket_of(waiter.key)) {
            break;
        }
        spin_unlock(&bucket->lock);
    }
    if (!waiter.woken) {
        list_remove(&waiter.list);
    } else {
        error = 0;
    }
    spin_unlock(&bucket->lock);
    return error;
}

static void wake_one(struct waiter *waiter)
{
    trace(TRACE_FUTEX_WAKE, 0, (uint32_t)waiter->task->tid, waiter->key.address);
    list_remove(&waiter->list);
    __atomic_store_n(&waiter->woken, true, __ATOMIC_RELEASE);
    wake_all(&waiter->queue);
}

long futex_wake(int __user *word, int count, uint32_t bitset, bool shared)
{
    struct waiter *waiter, *after;
    struct bucket *bucket;
    struct key key;
    long error = find_key(word, shared, &key, NULL), woken = 0;

    if (error) {
        return error;
    }
    bucket = bucket_of(key);
    spin_lock(&bucket->lock);
    list_for_each_safe(waiter, after, &bucket->waiters, list) {
        if (woken >= count) {
            break;
        }
        if (same(waiter->key, key) && waiter->bitset & bitset) {
            wake_one(waiter);
            woken++;
        }
    }
    spin_unlock(&bucket->lock);
    return woken;
}

long futex_requeue(int __user *word, int count, int move, int __user *to, bool compare,
                   uint32_t value, bool shared)
{
    struct waiter *waiter, *after;
    struct bucket *first, *second;
    struct key key, key_to;
    uint32_t *pinned;
    long error = find_key(to, shared, &key_to, NULL), done = 0, moved = 0;

    if (!error) {
        error = find_key(word, shared, &key, &pinned);
    }
    if (error) {
        return error;
    }
    first = bucket_of(key);
    second = bucket_of(key_to);
    spin_lock(first <= second ? &first->lock : &second->lock); /* by address */
    if (first != second) {
        spin_lock(first < second ? &second->lock : &first->lock);
    }
    if (compare && __atomic_load_n(pinned, __ATOMIC_SEQ_CST) != value) {
        done = -EAGAIN;
    } else {
        list_for_each_safe(waiter, after, &first->waiters, list) {
            if (!same(waiter->key, key)) {
                continue;
            }
            if (done < count) {
                wake_one(waiter);
                done++;
            } else if (moved < move) {
                list_remove(&waiter->list);
                waiter->key = key_to;
                list_push_back(&second->waiters, &waiter->list);
                moved++;
            }
        }
    }
    if (first != second) {
        spin_unlock(&second->lock);
    }
    spin_unlock(&first->lock);
    page_put(virt_to_page(pinned));
    return done < 0 ? done : done + moved;
}

void futex_init(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(buckets); i++) {
        list_init(&buckets[i].waiters);
    }
}
