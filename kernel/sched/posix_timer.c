/*
 * Timers of POSIX; see posix_timer.h.
 *
 * A timer sends one signal at a time, with a place of its own in the queue. Only when that is taken
 * does the next interval begin, and it is told then how many have passed (its overruns). So however
 * short the interval, it costs the process's own time.
 */
#include "sched/posix_timer.h"

#include "lib/errno.h"
#include "mm/kmalloc.h"
#include "sched/sched.h"

#define INTERVAL_MIN 10000 /* the program gets this much of each, however short */

struct posix_timer { /* tasks_lock */
    struct rb_node in_group; /* group->timers: there may be a million, found with interrupts off */
    int id, notify, clock;
    struct thread_group *group;
    struct task *target; /* the one thread that gets the signal, or NULL */
    struct queued_signal signal;
    struct timer timer;
    ktime_t next, interval; /* the expiration that no signal was taken for, by its clock; 0: none */
    ktime_t overruns;       /* of the signal that was taken last */
};

static ktime_t posix_timer_now(const struct posix_timer *timer)
{
    return timer->clock < 0 ? cpu_clock_by_id(timer->clock) : clock_now();
}

static void posix_timer_arm(struct posix_timer *timer, ktime_t now)
{
    ktime_t left = timer->next - now;

    assert_held(&tasks_lock);
    if (timer->notify != SIGEV_NONE) {
        left = left > INTERVAL_MIN ? left : INTERVAL_MIN;
        timer_set(&timer->timer, timer->clock < 0 ? cpu_clock_when(left) : clock_now() + left);
    }
}

/* The expirations up to now are over; how many there were after the first. */
static ktime_t posix_timer_advance(struct posix_timer *timer, ktime_t now)
{
    ktime_t missed = 0;

    if (timer->interval) {
        missed = (now - timer->next) / timer->interval;
        timer->next += (missed + 1) * timer->interval;
        posix_timer_arm(timer, now);
    } else {
        timer->next = 0;
    }
    return missed;
}

static void posix_timer_expired(struct timer *expired)
{
    struct posix_timer *timer = container_of(expired, struct posix_timer, timer);
    uint64_t flags = spin_lock_irqsave(&tasks_lock);
    ktime_t now = posix_timer_now(timer);

    if (timer->next && now >= 0) { /* else it was stopped, or who is measured is gone */
        if (now < timer->next) {
            posix_timer_arm(timer, now); /* a CPU clock is not so far, or it was set again */
        } else if (list_empty(&timer->signal.list)) {
            signal_send_own_locked(timer->group, timer->target, &timer->signal);
            if (list_empty(&timer->signal.list)) { /* it is ignored, for now */
                posix_timer_advance(timer, now);
            }
        }
    }
    spin_unlock_irqrestore(&tasks_lock, flags);
}

/* NULL: there is none, and it would hang at *link below *parent. */
static struct posix_timer *posix_timer_place(struct thread_group *group, int id, struct rb_node **parent,
                                             struct rb_node ***link)
{
    assert_held(&tasks_lock);
    *link = &group->timers.node;
    *parent = NULL;
    while (**link) {
        struct posix_timer *timer = rb_entry(**link, struct posix_timer, in_group);

        if (timer->id == id) {
            return timer;
        }
        *parent = **link;
        *link = timer->id < id ? &(*parent)->right : &(*parent)->left;
    }
    return NULL;
}

static struct posix_timer *posix_timer_find(struct thread_group *group, int id)
{
    struct rb_node *parent, **link;

    return posix_timer_place(group, id, &parent, &link);
}

void posix_timer_taken_locked(struct thread_group *group, struct signal_info *info)
{
    struct posix_timer *timer = posix_timer_find(group, info->pid);
    ktime_t now = timer ? posix_timer_now(timer) : 0;

    if (timer) {
        timer->overruns = timer->next && now >= timer->next ? posix_timer_advance(timer, now) : 0;
        info->uid = timer->overruns < INT32_MAX ? (int)timer->overruns : INT32_MAX;
    }
}

/* Who is to get the signal, referenced; NULL: the process. -EINVAL. */
static struct task *event_target(const struct posix_timer_event *event)
{
    struct task *task;

    if ((event->notify & ~SIGEV_THREAD_ID) > SIGEV_THREAD ||
        (event->notify & SIGEV_THREAD_ID && event->notify != SIGEV_THREAD_ID) ||
        (event->notify != SIGEV_NONE && (event->signal < 1 || event->signal > SIGNALS))) {
        return error_pointer(-EINVAL);
    }
    if (event->notify != SIGEV_THREAD_ID) {
        return NULL;
    }
    task = task_find(event->tid);
    if (!task || task->group != current->group) {
        task_put(task);
        return error_pointer(-EINVAL);
    }
    return task;
}

long posix_timer_create(int clock, const struct posix_timer_event *event)
{
    const struct posix_timer_event usual = {.signal = SIGALRM};
    struct thread_group *group = current->group;
    struct task *target = event_target(event ? event : &usual);
    struct rb_node *parent, **link;
    struct posix_timer *timer;
    uint64_t flags;
    long id = -EAGAIN;

    if (is_error(target)) {
        return pointer_error(target);
    }
    timer = kzalloc(sizeof(*timer));
    if (!timer) {
        goto out_target;
    }
    timer->clock = clock;
    timer->notify = event ? event->notify : SIGEV_SIGNAL;
    timer->group = group;
    timer->target = target;
    timer->timer.expire = posix_timer_expired;
    list_init(&timer->signal.list);
    flags = spin_lock_irqsave(&tasks_lock);
    if ((uint64_t)group->timer_count < group->limits[RLIMIT_SIGPENDING].soft) {
        do {
            id = timer->id = group->timer_next++ & INT32_MAX;
        } while (posix_timer_place(group, timer->id, &parent, &link));
        group->timer_count++;
        timer->signal.signal = event ? event->signal : SIGALRM;
        timer->signal.info = (struct signal_info){
            .code = SI_TIMER, .pid = timer->id, .value = event ? event->value : (uint64_t)id};
        rb_insert(&group->timers, &timer->in_group, parent, link);
    }
    spin_unlock_irqrestore(&tasks_lock, flags);
    if (id >= 0) {
        return id;
    }
    kfree(timer);
out_target:
    task_put(target);
    return id;
}

static struct timer_times posix_timer_left(const struct posix_timer *timer, ktime_t now)
{
    ktime_t left = timer->next - now;

    if (!timer->next || now < 0 || (left <= 0 && !timer->interval)) {
        left = timer->next && timer->notify != SIGEV_NONE && now < 0 ? 1 : 0;
    } else if (left <= 0) {
        left = timer->interval - -left % timer->interval;
    }
    return (struct timer_times){left, timer->interval};
}

long posix_timer_set(int id, bool absolute, const struct timer_times *times,
                     struct timer_times *old)
{
    uint64_t flags = spin_lock_irqsave(&tasks_lock);
    struct posix_timer *timer = posix_timer_find(current->group, id);
    ktime_t now;

    if (timer) {
        now = posix_timer_now(timer);
        *old = posix_timer_left(timer, now);
        timer->interval = times->interval;
        timer->overruns = 0;
        timer->next = times->value + (absolute ? 0 : now);
        if (absolute && timer->clock == CLOCK_REALTIME) {
            timer->next -= clock_realtime_offset;
        }
        if (times->value && timer->next <= 0) {
            timer->next = 1; /* at once; 0 would be never */
        } else if (!times->value) {
            timer->next = 0;
        }
        if (timer->next) {
            posix_timer_arm(timer, now);
        }
    }
    spin_unlock_irqrestore(&tasks_lock, flags);
    return timer ? 0 : -EINVAL;
}

long posix_timer_get(int id, struct timer_times *times)
{
    uint64_t flags = spin_lock_irqsave(&tasks_lock);
    struct posix_timer *timer = posix_timer_find(current->group, id);

    if (timer) {
        *times = posix_timer_left(timer, posix_timer_now(timer));
    }
    spin_unlock_irqrestore(&tasks_lock, flags);
    return timer ? 0 : -EINVAL;
}

long posix_timer_overrun(int id)
{
    uint64_t flags = spin_lock_irqsave(&tasks_lock);
    struct posix_timer *timer = posix_timer_find(current->group, id);
    long result = -EINVAL;

    if (timer) {
        result = timer->overruns < INT32_MAX ? timer->overruns : INT32_MAX;
    }
    spin_unlock_irqrestore(&tasks_lock, flags);
    return result;
}

/* Nobody finds it any more, and its signal is not pending. tasks_lock is held. */
static void posix_timer_remove(struct posix_timer *timer)
{
    assert_held(&tasks_lock);
    rb_remove(&timer->group->timers, &timer->in_group);
    timer->group->timer_count--;
    timer->next = 0;
    signal_set_cancel(timer->target ? &timer->target->pending : &timer->group->pending,
                      &timer->signal);
}

static void posix_timer_free(struct posix_timer *timer)
{
    timer_cancel(&timer->timer); /* its function takes tasks_lock */
    task_put(timer->target);
    kfree(timer);
}

long posix_timer_delete(int id)
{
    uint64_t flags = spin_lock_irqsave(&tasks_lock);
    struct posix_timer *timer = posix_timer_find(current->group, id);

    if (timer) {
        posix_timer_remove(timer);
    }
    spin_unlock_irqrestore(&tasks_lock, flags);
    if (!timer) {
        return -EINVAL;
    }
    posix_timer_free(timer);
    return 0;
}

void posix_timers_delete(void)
{
    const struct rb_root *timers = &current->group->timers;

    while (timers->node) { /* one thread is left, so nobody else takes one off */
        posix_timer_delete(rb_entry(timers->node, struct posix_timer, in_group)->id);
    }
}
