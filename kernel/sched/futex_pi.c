/*
 * Futexes with priority inheritance (FUTEX_LOCK_PI and its like, futex(2)).
 *
 * The word holds the owner's tid. It becomes it, or 0 again, without the kernel, as long as nobody
 * waits. Who has to wait comes here, sets FUTEX_WAITERS, and so makes the owner come here, too, which
 * then gives the lock to the most important one that waits.
 *
 *     task --waits--> pi_futex --owner--> task --waits--> pi_futex --owner--> task
 *      50                                  50 (20)                             50 (10)
 *
 * Who waits lends its priority to the owner, and that, if it waits, to the next one, to the end of the
 * chain. So the one in the middle cannot be kept from going on by tasks of 30, which would keep the one
 * of 50 waiting.
 */
#include "mm/kmalloc.h"
#include "mm/uaccess.h"
#include "sched/futex.h"
#include "sched/sched.h"

#define CHAIN_MAX 256 /* links that are followed with preemption off */

/* In trees in which the most important comes first, and of equals who came first. */
struct pi_node {
    struct rb_node node;
    int priority;
    uint64_t order;
};

/* One word that somebody waits for. */
struct pi_futex {
    struct rb_node node; /* pi_futexes, by key */
    struct futex_key key;
    struct task *owner;
    struct rb_root waiters;
    struct pi_node held; /* owner->pi_held: as important as the first that waits */
    bool handed;         /* by the old owner's death: the new one has yet to write so into the word */
};

struct pi_waiter {
    struct pi_node place;
    struct task *task;
    struct pi_futex *futex;
    bool granted; /* atomic */
    bool handed;  /* and `futex` is still there */
};

static struct spinlock pi_lock = SPINLOCK_INIT; /* protects all of it, and what tasks have of it */
static struct rb_root pi_futexes;
static uint64_t pi_order;

static void pi_insert(struct rb_root *root, struct pi_node *node)
{
    struct rb_node **link = &root->node, *parent = NULL;

    assert_held(&pi_lock);
    while (*link) {
        const struct pi_node *other = rb_entry(*link, struct pi_node, node);
        bool behind = other->priority == node->priority ? other->order < node->order
                                                        : other->priority > node->priority;

        parent = *link;
        link = behind ? &parent->right : &parent->left;
    }
    rb_insert(root, &node->node, parent, link);
}

static struct pi_node *pi_first(const struct rb_root *root)
{
    struct rb_node *first = rb_first(root);

    return first ? rb_entry(first, struct pi_node, node) : NULL;
}

static struct pi_futex *pi_find(struct futex_key key, struct rb_node **parent, struct rb_node ***link)
{
    assert_held(&pi_lock);
    *link = &pi_futexes.node;
    *parent = NULL;
    while (**link) {
        struct pi_futex *futex = rb_entry(**link, struct pi_futex, node);
        bool same = futex->key.space == key.space;

        if (same && futex->key.address == key.address) {
            return futex;
        }
        *parent = **link;
        *link = (same ? futex->key.address < key.address : futex->key.space < key.space)
                    ? &(*parent)->right : &(*parent)->left;
    }
    return NULL;
}

/* The task's held futexes have changed. True: what it has inherited, too, and where it waits. */
static bool pi_inherit(struct task *task)
{
    const struct pi_node *first = pi_first(&task->pi_held);
    int priority = first ? first->priority : 0;
    struct pi_waiter *waiter = task->pi_waiter;

    assert_held(&pi_lock);
    if (priority != task->inherited) {
        sched_inherit(task, priority);
    }
    if (!waiter || waiter->place.priority == task->realtime) {
        return false;
    }
    rb_remove(&waiter->futex->waiters, &waiter->place.node);
    waiter->place.priority = task->realtime;
    pi_insert(&waiter->futex->waiters, &waiter->place);
    return true;
}

/* Who waits has changed: the owner inherits from the first, and so on along the chain. */
static void pi_lend(struct pi_futex *futex)
{
    for (int left = CHAIN_MAX; left > 0; left--) {
        const struct pi_node *first = pi_first(&futex->waiters);
        struct task *owner = futex->owner;

        if (futex->held.order) {
            rb_remove(&owner->pi_held, &futex->held.node);
            futex->held.order = 0;
        }
        if (first) {
            futex->held.priority = first->priority;
            futex->held.order = ++pi_order;
            pi_insert(&owner->pi_held, &futex->held);
        }
        if (!pi_inherit(owner)) {
            break;
        }
        futex = owner->pi_waiter->futex;
    }
}

/* Nobody waits any more, and the word is as it should be. */
static void pi_forget_if_done(struct pi_futex *futex)
{
    assert_held(&pi_lock);
    if (!futex->waiters.node && !futex->handed) {
        rb_remove(&pi_futexes, &futex->node);
        kfree(futex);
    }
}

static void pi_stop_waiting(struct pi_waiter *waiter)
{
    assert_held(&pi_lock);
    rb_remove(&waiter->futex->waiters, &waiter->place.node);
    waiter->task->pi_waiter = NULL;
}

/* The first that waits is the owner. `handed`: the word does not say so yet. */
static void pi_hand_over(struct pi_futex *futex, bool handed)
{
    struct pi_waiter *waiter = container_of(pi_first(&futex->waiters), struct pi_waiter, place);
    struct task *old = futex->owner;
    uint64_t flags;

    assert_held(&pi_lock);
    pi_stop_waiting(waiter);
    rb_remove(&old->pi_held, &futex->held.node);
    futex->held.order = 0;
    pi_inherit(old);
    futex->owner = waiter->task;
    futex->handed = handed;
    pi_lend(futex);
    pi_forget_if_done(futex);
    waiter->handed = handed;
    __atomic_store_n(&waiter->granted, true, __ATOMIC_RELEASE);
    flags = irq_save();
    task_wake(waiter->task);
    irq_restore(flags);
}

/* Would the current task wait for itself? Or for too many. */
static bool pi_is_circle(const struct task *owner)
{
    for (int left = CHAIN_MAX; owner && left > 0; left--) {
        if (owner == current) {
            return true;
        }
        owner = owner->pi_waiter ? owner->pi_waiter->futex->owner : NULL;
    }
    return owner != NULL;
}

enum {
    AGAIN = 1, /* the word has changed, or its page is to be made */
    IN_LINE,
};

/* *word, which is `seen`, becomes `value`. 0, AGAIN, -EFAULT. */
static long pi_exchange(int __user *word, long seen, uint32_t value)
{
    long before = uaccess_exchange(word, (uint32_t)seen, value);

    assert_held(&pi_lock);
    if (before == seen) {
        return 0;
    }
    return before < 0 ? before : AGAIN;
}

/* The current task takes the lock, or gets in line behind `owner`, whom the word names (NULL: it has not
 * been looked for). 0: it has it; IN_LINE; -ESRCH: no such owner; AGAIN; others: no. */
static long pi_enter(int __user *word, struct pi_waiter *waiter, struct pi_futex *spare,
                     struct task *owner, bool only_try)
{
    struct rb_node *parent, **link;
    struct pi_futex *futex = pi_find(spare->key, &parent, &link);
    long seen = uaccess_load(word), error;
    pid_t tid = (pid_t)(seen & FUTEX_TID_MASK);

    if (seen < 0) {
        return seen;
    }
    if (!futex && tid == 0) {
        return pi_exchange(word, seen, (uint32_t)current->tid | (seen & FUTEX_OWNER_DIED));
    }
    if (futex && !futex->handed && futex->owner->tid != tid && !(seen & FUTEX_OWNER_DIED)) {
        return -EINVAL; /* somebody has written into it */
    }
    owner = futex ? futex->owner : owner;
    if (!owner || (!futex && (owner->tid != tid || owner->pi_ended))) {
        return tid == current->tid ? -EDEADLK : -ESRCH;
    }
    if (pi_is_circle(owner)) {
        return -EDEADLK;
    }
    if (only_try) {
        return -EAGAIN;
    }
    error = seen & FUTEX_WAITERS ? 0 : pi_exchange(word, seen, (uint32_t)seen | FUTEX_WAITERS);
    if (error) {
        return error;
    }
    if (!futex) {
        futex = spare;
        futex->owner = owner;
        rb_insert(&pi_futexes, &futex->node, parent, link);
    }
    waiter->futex = futex;
    waiter->place = (struct pi_node){.priority = current->realtime, .order = ++pi_order};
    current->pi_waiter = waiter;
    pi_insert(&futex->waiters, &waiter->place);
    pi_lend(futex);
    return IN_LINE;
}

/* Make the page, writable. False: there is none. */
static bool pi_fault_in(int __user *word)
{
    long seen = uaccess_load(word);

    return seen >= 0 && uaccess_exchange(word, (uint32_t)seen, (uint32_t)seen) >= 0;
}

/* Until it is the current task's, or in line. */
static long pi_enter_or_wait(int __user *word, struct pi_waiter *waiter, struct pi_futex *spare,
                             bool only_try)
{
    struct task *owner = NULL;
    long result, seen, before = -1;

    do {
        spin_lock(&pi_lock);
        result = pi_enter(word, waiter, spare, owner, only_try);
        spin_unlock(&pi_lock);
        task_put(owner);
        owner = NULL;
        if (result == -EFAULT && pi_fault_in(word)) {
            result = AGAIN;
        } else if (result == -ESRCH) {
            seen = uaccess_load(word);
            if (seen >= 0 && (seen & FUTEX_TID_MASK) != before) { /* look for this one */
                before = seen & FUTEX_TID_MASK;
                owner = task_find((pid_t)before);
                result = AGAIN;
            }
        }
    } while (result == AGAIN);
    return result;
}

/* The lock was handed to us by its owner's death: say so in the word. */
static long pi_settle(int __user *word, struct pi_futex *futex)
{
    long error, seen;

    do {
        spin_lock(&pi_lock);
        seen = uaccess_load(word);
        error = seen < 0 ? seen : pi_exchange(word, seen, (uint32_t)current->tid | FUTEX_OWNER_DIED |
                                              (futex->waiters.node ? FUTEX_WAITERS : 0));
        if (!error) {
            futex->handed = false;
            pi_forget_if_done(futex);
        }
        spin_unlock(&pi_lock);
        if (error == -EFAULT && pi_fault_in(word)) {
            error = AGAIN;
        }
    } while (error == AGAIN);
    if (error) { /* there is no word: perhaps the next one has it */
        spin_lock(&pi_lock);
        if (futex->waiters.node) {
            pi_hand_over(futex, true);
        } else {
            futex->handed = false;
            pi_forget_if_done(futex);
        }
        spin_unlock(&pi_lock);
    }
    return error;
}

long futex_lock_pi(int __user *word, bool shared, bool only_try, ktime_t deadline)
{
    struct pi_waiter waiter = {.task = current};
    struct pi_futex *spare = kzalloc(sizeof(*spare));
    long result;

    if (!spare) {
        return -ENOMEM;
    }
    result = futex_find_key(word, shared, &spare->key);
    if (!result) {
        result = pi_enter_or_wait(word, &waiter, spare, only_try);
    }
    if (waiter.futex != spare) {
        kfree(spare);
    }
    if (result != IN_LINE) {
        return result;
    }
    result = wait_event_unqueued(WAIT_FUTEX, word, __atomic_load_n(&waiter.granted, __ATOMIC_ACQUIRE),
                                 deadline);
    spin_lock(&pi_lock);
    if (!waiter.granted) {
        pi_stop_waiting(&waiter);
        pi_lend(waiter.futex);
        pi_forget_if_done(waiter.futex);
    }
    spin_unlock(&pi_lock);
    if (waiter.granted) {
        return waiter.handed ? pi_settle(word, waiter.futex) : 0;
    }
    return result == -ERESTARTSYS ? -ERESTARTNOINTR : result;
}

long futex_unlock_pi(int __user *word, bool shared)
{
    struct futex_key key;
    long result = futex_find_key(word, shared, &key);

    while (!result) {
        struct rb_node *parent, **link;
        struct pi_futex *futex;
        long seen;

        spin_lock(&pi_lock);
        futex = pi_find(key, &parent, &link);
        seen = uaccess_load(word);
        if (seen < 0) {
            result = seen;
        } else if ((seen & FUTEX_TID_MASK) != (uint32_t)current->tid) {
            result = -EPERM;
        } else if (!futex) {
            result = pi_exchange(word, seen, 0);
        } else if (futex->owner != current) {
            result = -EINVAL;
        } else {
            const struct pi_node *first = pi_first(&futex->waiters);
            pid_t next = container_of(first, struct pi_waiter, place)->task->tid;

            result = pi_exchange(word, seen, (uint32_t)next | FUTEX_WAITERS);
            if (!result) {
                pi_hand_over(futex, false);
            }
        }
        spin_unlock(&pi_lock);
        if (!result) {
            return 0;
        }
        if (result == AGAIN || (result == -EFAULT && pi_fault_in(word))) {
            result = 0;
        }
    }
    return result;
}

void futex_pi_adjust(struct task *task)
{
    spin_lock(&pi_lock);
    if (pi_inherit(task)) {
        pi_lend(task->pi_waiter->futex);
    }
    spin_unlock(&pi_lock);
}

void futex_release_pi(bool ends)
{
    struct task *task = current;

    if (ends) { /* from now on nobody waits for it */
        spin_lock(&pi_lock);
        task->pi_ended = true;
        spin_unlock(&pi_lock);
    }
    while (task->pi_held.node) {
        spin_lock(&pi_lock);
        if (task->pi_held.node) {
            pi_hand_over(container_of(pi_first(&task->pi_held), struct pi_futex, held), true);
        }
        spin_unlock(&pi_lock);
    }
}
