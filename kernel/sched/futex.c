/*
 * Futexes: sleep until a word in memory changes (futex(2)).
 *
 * A waiter is queued under the hash of its key: (mm, address), or the page of a word that
 * processes share. It is queued first and looks at the word then; a waker changes the word first
 * and looks at the queue then. So one of the two sees the other, and no wake is lost.
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
    struct bucket *bucket; /* of the key: whose lock protects this */
    struct task *task;
    uint32_t bitset;
    bool woken;
};

static struct bucket {
    struct spinlock lock; /* protects the waiters; before run queues' locks. Two of them are taken
                             by address */
    struct list waiters;
} buckets[256];

static struct bucket *bucket_of(struct key key)
{
    return &buckets[(key.space / 64 + key.address / 4) * 0x9e3779b97f4a7c15ul >> 56];
}

static bool same(struct key a, struct key b)
{
    return a.space == b.space && a.address == b.address;
}

/* A word that other processes may have, too: known by its page, wherever that is mapped. */
static long find_shared_key(int __user *word, struct key *key)
{
    paddr_t page = mm_pin(current->mm, (vaddr_t)word, false);

    if (!page) {
        return -EFAULT;
    }
    if (mm_is_shared(current->mm, (vaddr_t)word)) {
        *key = (struct key){0, page};
    } else {
        key->space |= 1; /* a private page may move; and FUTEX_PRIVATE is another futex */
    }
    page_put(phys_to_page(page));
    return 0;
}

static inline long find_key(int __user *word, bool shared, struct key *key)
{
    if ((vaddr_t)word & 3) {
        return -EINVAL;
    }
    if (!user_range_ok(word, 4)) {
        return -EFAULT;
    }
    *key = (struct key){(uint64_t)current->mm, (vaddr_t)word};
    return shared ? find_shared_key(word, key) : 0;
}

/* Queue the waiter while *word is `value`. -EAGAIN: it is not. */
static long enter(struct waiter *waiter, const int __user *word, uint32_t value)
{
    struct bucket *bucket = waiter->bucket = bucket_of(waiter->key);
//@lab 4 wait begin
    long seen;

    do { /* under the lock, no page is made; if that is all that is missing, again */
        spin_lock(&bucket->lock);
        list_push_back(&bucket->waiters, &waiter->list);
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        seen = uaccess_load(word);
        if (seen != value) {
            list_remove(&waiter->list);
        }
        spin_unlock(&bucket->lock);
    } while (seen < 0 && uaccess_load(word) >= 0);
    return seen == value ? 0 : seen < 0 ? -EFAULT : -EAGAIN;
//@lab 4 wait stub
//|
//|     (void)bucket, (void)word, (void)value; /* lab 4, step 3: nobody ever sleeps */
//|     return -EAGAIN;
//@lab 4 wait end
}

/* Off the queue. True: it was woken. */
static bool leave(struct waiter *waiter)
{
    struct bucket *bucket;

    for (;;) { /* a requeue may take it to another one until the lock is held */
        bucket = __atomic_load_n(&waiter->bucket, __ATOMIC_RELAXED);
        spin_lock(&bucket->lock);
        if (bucket == waiter->bucket) {
            break;
        }
        spin_unlock(&bucket->lock);
    }
    list_remove(&waiter->list);
    spin_unlock(&bucket->lock);
    return waiter->woken;
}

long futex_wait(int __user *word, uint32_t value, uint32_t bitset, bool shared, ktime_t deadline)
{
    struct waiter waiter = {.task = current, .bitset = bitset};
    long error = find_key(word, shared, &waiter.key);

    error = error ? error : enter(&waiter, word, value);
    if (error) {
        return error;
    }
    for (;;) {
        wait_mark(true, WAIT_FUTEX, (uint64_t)word);
        if (error || __atomic_load_n(&waiter.woken, __ATOMIC_ACQUIRE)) {
            break;
        }
        error = wait_sleep(true, deadline);
    }
    wait_unmark();
    return leave(&waiter) ? 0 : error;
}

/* The bucket's lock is held: the waiter, which needs it to leave, is still there. */
static void wake_one(struct waiter *waiter)
{
    trace(TRACE_FUTEX_WAKE, 0, (uint32_t)waiter->task->tid, waiter->key.address);
    list_remove(&waiter->list);
    __atomic_store_n(&waiter->woken, true, __ATOMIC_RELEASE);
    task_wake(waiter->task);
}

/* Wake at most `count`, but one at least if there is one: so does Linux. The lock is held. */
static long wake_some(struct bucket *bucket, struct key key, int count, uint32_t bitset)
{
//@lab 4 wake begin
    struct waiter *waiter, *after;
    long woken = 0;

    list_for_each_safe(waiter, after, &bucket->waiters, list) {
        if (same(waiter->key, key) && waiter->bitset & bitset) {
            wake_one(waiter);
            if (++woken >= count) {
                break;
            }
        }
    }
    return woken;
//@lab 4 wake stub
//|     (void)bucket, (void)key, (void)count, (void)bitset; /* lab 4, step 4: nobody is woken */
//|     return 0;
//@lab 4 wake end
}

long futex_wake(int __user *word, int count, uint32_t bitset, bool shared)
{
    struct bucket *bucket;
    struct key key;
    long error = find_key(word, shared, &key), woken;

    if (error) {
        return error;
    }
    bucket = bucket_of(key);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (list_empty(&bucket->waiters)) {
        return 0;
    }
    spin_lock(&bucket->lock);
    woken = wake_some(bucket, key, count, bitset);
    spin_unlock(&bucket->lock);
    return woken;
}

static void lock_two(struct bucket *a, struct bucket *b)
{
    spin_lock(a < b ? &a->lock : &b->lock);
    if (a != b) {
        spin_lock(a < b ? &b->lock : &a->lock);
    }
}

static void unlock_two(struct bucket *a, struct bucket *b)
{
    if (a != b) {
        spin_unlock(&b->lock);
    }
    spin_unlock(&a->lock);
}

/* Wake `count` of `key`, in bucket `from`, and move `move` others to key_to. Both are locked. */
static long requeue(struct bucket *from, struct key key, int count, int move, struct key key_to)
{
    struct bucket *to = bucket_of(key_to);
    struct waiter *waiter, *after;
    long done = 0;

    list_for_each_safe(waiter, after, &from->waiters, list) {
        if (done - count >= move) {
            break;
        }
        if (!same(waiter->key, key)) {
            continue;
        }
        if (++done <= count) {
            wake_one(waiter);
            continue;
        }
        waiter->key = key_to;
        if (to != from) {
            __atomic_store_n(&waiter->bucket, to, __ATOMIC_RELAXED);
            list_remove(&waiter->list);
            list_push_back(&to->waiters, &waiter->list);
        }
    }
    return done;
}

long futex_requeue(int __user *word, int count, int move, int __user *to, bool compare,
                   uint32_t value, bool shared)
{
    struct bucket *first, *second;
    struct key key, key_to;
    long error = find_key(word, shared, &key), seen;

    if (count < 0 || move < 0) {
        return -EINVAL;
    }
    error = error ? error : find_key(to, shared, &key_to);
    if (error) {
        return error;
    }
    first = bucket_of(key);
    second = bucket_of(key_to);
    do {
        long done = -EAGAIN;

        lock_two(first, second);
        seen = compare ? uaccess_load(word) : value;
        if (seen == value) {
            done = requeue(first, key, count, move, key_to);
        }
        unlock_two(first, second);
        if (seen >= 0) {
            return done;
        }
    } while (uaccess_load(word) >= 0);
    return -EFAULT;
}

void futex_init(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(buckets); i++) {
        spin_init(&buckets[i].lock);
        list_init(&buckets[i].waiters);
    }
}
