/*
 * Futexes: sleep until a word in memory changes (futex(2)).
 *
 * A waiter is queued under the hash of its key: (address space, address), or (file or shared
 * memory, place in it) of a word that processes share. These have ids that are never used again,
 * so a key may outlive what it names and no reference is needed. A waiter is queued first and looks
 * at the word then; a waker changes the word first and looks at the queue then. So one of the two
 * sees the other, and no wake is lost.
 *
 * Programs choose how many wait, and in which bucket. So whoever walks a bucket gives its lock away
 * now and then, and keeps its place by markers in the list: waiters whose key nobody has.
 */
#include "sched/futex.h"

#include "mm/kmalloc.h"
#include "mm/mm.h"
#include "mm/page.h"
#include "mm/uaccess.h"
#include "sched/sched.h"
#include "trace/trace.h"

struct waiter {
    struct list list;
    struct futex_key key;
    struct bucket *bucket; /* of the key: whose lock protects this */
    struct task *task;
    uint32_t bitset;
    bool woken;
};

static struct bucket {
    struct spinlock lock; /* protects the waiters; before run queues' locks. Two of them are taken
                             by address */
    struct list waiters;
} __attribute__((aligned(64))) buckets[256]; /* no two in a line of the cache */

static struct bucket *bucket_of(struct futex_key key)
{
    return &buckets[(key.space + key.address / 4) * 0x9e3779b97f4a7c15ul >> 56];
}

static bool key_equal(struct futex_key a, struct futex_key b)
{
    return a.space == b.space && a.address == b.address;
}

/* A word that other processes may have, too, mapped elsewhere. Its page is made, if need be. */
static long find_shared_key(int __user *word, struct futex_key *key)
{
    int value;

    if (get_user(value, word)) {
        return -EFAULT;
    }
    key->space |= 1; /* FUTEX_PRIVATE is another futex */
    return mm_shared_id(current->mm, (vaddr_t)word, &key->space, &key->address);
}

static inline long find_key(int __user *word, bool shared, struct futex_key *key)
{
    if ((vaddr_t)word & 3) {
        return -EINVAL;
    }
    if (!user_range_ok(word, 4)) {
        return -EFAULT;
    }
    *key = (struct futex_key){current->mm->id, (vaddr_t)word};
    return shared ? find_shared_key(word, key) : 0;
}

long futex_find_key(int __user *word, bool shared, struct futex_key *key)
{
    return find_key(word, shared, key);
}

/* Before whom a task waits: real-time tasks are before all others, by priority. Who leads a walk, and is no
 * waiter, has no key. */
static struct list *futex_place(struct bucket *bucket, const struct task *task)
{
    struct waiter *waiter;

    assert_held(&bucket->lock);
    if (task->realtime) {
        list_for_each(waiter, &bucket->waiters, list) {
            if (waiter->key.space && waiter->task->realtime < task->realtime) {
                return &waiter->list;
            }
        }
    }
    return &bucket->waiters;
}

/* Part of its callers: a wait for one word costs no more because there is one for several. */
static inline __attribute__((always_inline)) long futex_enqueue(struct waiter *waiter, const int __user *word,
                                                                uint32_t value);

/* Queue the waiter while *word is `value`. -EAGAIN: it is not. */
static long futex_enqueue(struct waiter *waiter, const int __user *word, uint32_t value)
{
    struct bucket *bucket = waiter->bucket = bucket_of(waiter->key);
//@lab 4 wait begin
    long seen;

    do { /* under the lock, no page is made; if that is all that is missing, again */
        spin_lock(&bucket->lock);
        list_push_back(futex_place(bucket, waiter->task), &waiter->list);
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        seen = uaccess_load(word);
        if (seen != value) {
            list_remove(&waiter->list);
        }
        spin_unlock(&bucket->lock);
    } while (seen < 0 && uaccess_load(word) >= 0);
    if (seen == value) {
        return 0;
    }
    return seen < 0 ? -EFAULT : -EAGAIN;
//@lab 4 wait stub
//|
//|     (void)bucket, (void)word, (void)value; /* lab 4, step 3: nobody ever sleeps */
//|     return -EAGAIN;
//@lab 4 wait end
}

/* Off the queue. True: it was woken. */
static inline bool futex_dequeue(struct waiter *waiter)
{
    struct bucket *bucket;

    if (__atomic_load_n(&waiter->woken, __ATOMIC_ACQUIRE) && list_empty(&waiter->list)) {
        return true; /* the waker is done with it */
    }
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
    struct waiter waiter;
    long error = find_key(word, shared, &waiter.key);

    if (error) {
        return error;
    }
    waiter.task = current;
    waiter.bitset = bitset;
    waiter.woken = false;
    error = futex_enqueue(&waiter, word, value);
    if (error) {
        return error;
    }
    error = wait_event_unqueued(WAIT_FUTEX, word,
                                __atomic_load_n(&waiter.woken, __ATOMIC_ACQUIRE), deadline);
    return futex_dequeue(&waiter) ? 0 : error;
}

/* One waiter a word. */
struct waiter_set {
    unsigned count;
    struct waiter waiters[];
};

static bool set_is_woken(const struct waiter_set *set)
{
    for (unsigned i = 0; i < set->count; i++) {
        if (__atomic_load_n(&set->waiters[i].woken, __ATOMIC_ACQUIRE)) {
            return true;
        }
    }
    return false;
}

/* Queue all of them. An error: those before set->count are queued, and may have been woken. */
static long set_enqueue(struct waiter_set *set, const struct futex_word *words, unsigned count)
{
    long error = 0;

    while (set->count < count && !error) {
        struct waiter *waiter = &set->waiters[set->count];

        waiter->task = current;
        waiter->bitset = ~0u;
        waiter->woken = false;
        error = futex_enqueue(waiter, words[set->count].word, words[set->count].value);
        set->count += !error;
    }
    return error;
}

long futex_wait_any(const struct futex_word *words, unsigned count, ktime_t deadline)
{
    struct waiter_set *set = kmalloc(sizeof(*set) + count * sizeof(set->waiters[0]));
    long result = 0;

    if (!set) {
        return -ENOMEM;
    }
    for (unsigned i = 0; i < count && !result; i++) {
        result = find_key(words[i].word, words[i].shared, &set->waiters[i].key);
    }
    set->count = 0;
    if (!result) {
        result = set_enqueue(set, words, count);
    }
    if (!result) {
        result = wait_event_unqueued(WAIT_FUTEX, words[0].word, set_is_woken(set), deadline);
    }
    while (set->count) {
        if (futex_dequeue(&set->waiters[--set->count])) {
            result = set->count;
        }
    }
    kfree(set);
    return result;
}

static inline void lock_two(struct bucket *a, struct bucket *b)
{
    spin_lock(a < b ? &a->lock : &b->lock);
    if (a != b) {
        spin_lock(a < b ? &b->lock : &a->lock);
    }
}

static inline void unlock_two(struct bucket *a, struct bucket *b)
{
    if (a != b) {
        spin_unlock(&b->lock);
    }
    spin_unlock(&a->lock);
}

#define TURN 32 /* waiters that are looked at before others may have the lock, and the CPU */

/* A walk over the waiters that a bucket has when it begins. Who walks has locked both. */
struct walk {
    struct bucket *bucket, *other; /* they may be the same */
    struct list *next, *end;
    int left;
    struct waiter here, last; /* markers, where the walk goes on and where it ends */
};

static inline void walk_start(struct walk *walk, struct bucket *bucket, struct bucket *other)
{
    walk->bucket = bucket;
    walk->other = other;
    walk->next = bucket->waiters.next;
    walk->end = &bucket->waiters;
    walk->left = TURN;
}

static inline void walk_end(struct walk *walk)
{
    if (walk->end != &walk->bucket->waiters) {
        list_remove(&walk->last.list);
    }
}

static __attribute__((noinline)) void walk_rest(struct walk *walk)
{
    walk->here.key.space = walk->last.key.space = 0;
    list_push_back(walk->next, &walk->here.list);
    if (walk->end == &walk->bucket->waiters) {
        list_push_back(walk->end, &walk->last.list);
        walk->end = &walk->last.list;
    }
    unlock_two(walk->bucket, walk->other);
    lock_two(walk->bucket, walk->other);
    walk->next = walk->here.list.next;
    list_remove(&walk->here.list);
    walk->left = TURN;
}

/* The next one, which may be taken off; NULL at the end. */
static inline struct waiter *walk_next(struct walk *walk)
{
    struct list *at;

    if (unlikely(walk->left-- == 0)) {
        walk_rest(walk);
    }
    at = walk->next;
    walk->next = at->next;
    return at == walk->end ? NULL : container_of(at, struct waiter, list);
}

/* The bucket's lock is held. The waiter needs it to leave, until it is off the queue. */
static inline void wake_one(struct waiter *waiter)
{
    uint64_t flags;

    assert_held(&waiter->bucket->lock);
    trace(TRACE_FUTEX_WAKE, 0, (uint32_t)waiter->task->tid, waiter->key.address);
    __atomic_store_n(&waiter->woken, true, __ATOMIC_RELEASE);
    flags = irq_save();
    task_wake(waiter->task);
    irq_restore(flags);
    list_remove(&waiter->list); /* from here on it may be gone */
}

/* Wake at most `count`, but one at least if there is one: so does Linux. */
static long wake_some(struct walk *walk, struct futex_key key, int count, uint32_t bitset)
{
//@lab 4 wake begin
    struct waiter *waiter;
    long woken = 0;

    while ((waiter = walk_next(walk)) != NULL) {
        if (key_equal(waiter->key, key) && waiter->bitset & bitset) {
            wake_one(waiter);
            if (++woken >= count) {
                break;
            }
        }
    }
    return woken;
//@lab 4 wake stub
//|     (void)walk_next, (void)walk, (void)key, (void)count, (void)bitset; /* lab 4, step 4: nobody is woken */
//|     return 0;
//@lab 4 wake end
}

long futex_wake(int __user *word, int count, uint32_t bitset, bool shared)
{
    struct bucket *bucket;
    struct walk walk;
    struct futex_key key;
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
    walk_start(&walk, bucket, bucket);
    woken = wake_some(&walk, key, count, bitset);
    walk_end(&walk);
    spin_unlock(&bucket->lock);
    return woken;
}

/* Wake `count` of `key`, and move `move` others to key_to, in the other bucket of the walk. */
static long futex_move(struct walk *walk, struct futex_key key, int count, int move, struct futex_key key_to)
{
    struct bucket *to = walk->other;
    struct waiter *waiter;
    long done = 0;

    while (done - count < move && (waiter = walk_next(walk)) != NULL) {
        if (!key_equal(waiter->key, key)) {
            continue;
        }
        if (++done <= count) {
            wake_one(waiter);
            continue;
        }
        waiter->key = key_to;
        if (to != walk->bucket) {
            __atomic_store_n(&waiter->bucket, to, __ATOMIC_RELAXED);
            list_remove(&waiter->list);
            list_push_back(futex_place(to, waiter->task), &waiter->list);
        }
    }
    return done;
}

long futex_requeue(int __user *word, int count, int move, int __user *to, bool compare,
                   uint32_t value, bool shared)
{
    struct walk walk;
    struct futex_key key, key_to;
    long error = find_key(word, shared, &key), seen;

    if (count < 0 || move < 0) {
        return -EINVAL;
    }
    if (error) {
        return error;
    }
    error = find_key(to, shared, &key_to);
    if (error) {
        return error;
    }
    do {
        struct bucket *from = bucket_of(key), *other = bucket_of(key_to);
        long done = -EAGAIN;

        lock_two(from, other);
        walk_start(&walk, from, other);
        seen = compare ? uaccess_load(word) : value;
        if (seen == value) {
            done = futex_move(&walk, key, count, move, key_to);
        }
        walk_end(&walk);
        unlock_two(from, other);
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
