/*
 * What is pending: of each old signal one, in a place of its own; of the real-time ones any number,
 * in the order in which they came, each with its value (signal(7)).
 *
 * The places of these are a fixed number for all, since they are given out under tasks_lock, also in
 * interrupts. That is the limit that Linux has for each user: here everybody is one, root.
 * tasks_lock protects all.
 */
#include "sched/task.h"

static struct queued_signal places[SIGNAL_QUEUE_MAX];
static struct list unused = LIST_INIT(unused);
static int touched; /* those below it are in use or in `unused` */
static uint64_t used;

static struct queued_signal *place_take(uint64_t limit)
{
    struct queued_signal *place;

    assert_held(&tasks_lock);
    if (used >= limit || (list_empty(&unused) && touched == SIGNAL_QUEUE_MAX)) {
        return NULL;
    }
    used++;
    if (list_empty(&unused)) {
        return &places[touched++];
    }
    place = list_first(&unused, struct queued_signal, list);
    list_remove(&place->list);
    return place;
}

/* Off its queue. One that a timer owns goes back to it so. */
static void place_give_back(struct queued_signal *place)
{
    assert_held(&tasks_lock);
    list_remove(&place->list);
    if (place >= places && place < places + SIGNAL_QUEUE_MAX) {
        list_push_back(&unused, &place->list);
        used--;
    }
}

void signal_set_init(struct signal_set *set)
{
    set->mask = set->noted = 0;
    list_init(&set->queue);
}

void signal_set_queue(struct signal_set *set, struct queued_signal *place)
{
    assert_held(&tasks_lock);
    list_push_back(&set->queue, &place->list);
    set->mask |= SIGNAL_BIT(place->signal);
}

long signal_set_add(struct signal_set *set, int signal, const struct signal_info *info,
                    uint64_t limit)
{
    struct queued_signal *place;

    assert_held(&tasks_lock);
    if (signal < SIGRTMIN) {
        if (!(set->noted & SIGNAL_BIT(signal))) {
            set->info[signal - 1] = *info;
        }
        set->noted |= SIGNAL_BIT(signal);
        set->mask |= SIGNAL_BIT(signal);
        return 0;
    }
    place = place_take(limit);
    if (place) {
        place->signal = signal;
        place->info = *info;
        signal_set_queue(set, place);
    } else if (info->code != SI_USER) {
        return -EAGAIN;
    }
    set->mask |= SIGNAL_BIT(signal); /* that of kill comes, without who sent it: so does Linux */
    return 0;
}

void signal_set_drop(struct signal_set *set, uint64_t mask)
{
    struct queued_signal *place, *after;

    assert_held(&tasks_lock);
    set->mask &= ~mask;
    set->noted &= ~mask;
    list_for_each_safe(place, after, &set->queue, list) {
        if (SIGNAL_BIT(place->signal) & mask) {
            place_give_back(place);
        }
    }
}

/* Nothing of `signal` is left to tell of. */
static void forget_if_last(struct signal_set *set, int signal, bool more)
{
    if (!more && !(set->noted & SIGNAL_BIT(signal))) {
        set->mask &= ~SIGNAL_BIT(signal);
    }
}

/* The oldest one of `signal`; *more: it is not the only one. */
static struct queued_signal *queue_find(struct signal_set *set, int signal, bool *more)
{
    struct queued_signal *place, *found = NULL;

    *more = false;
    list_for_each(place, &set->queue, list) {
        if (place->signal == signal && found) {
            *more = true;
            break;
        }
        found = place->signal == signal ? place : found;
    }
    return found;
}

void signal_set_take(struct signal_set *set, int signal, struct signal_info *info)
{
    struct queued_signal *place;
    bool more;

    assert_held(&tasks_lock);
    *info = (struct signal_info){.code = SI_USER};
    if (set->noted & SIGNAL_BIT(signal)) {
        set->noted &= ~SIGNAL_BIT(signal);
        *info = set->info[signal - 1];
        more = queue_find(set, signal, &more) != NULL;
    } else {
        place = queue_find(set, signal, &more);
        if (place) {
            *info = place->info;
            place_give_back(place);
        }
    }
    forget_if_last(set, signal, more);
}

void signal_set_cancel(struct signal_set *set, struct queued_signal *place)
{
    bool more;

    assert_held(&tasks_lock);
    if (!list_empty(&place->list)) {
        list_remove(&place->list);
        forget_if_last(set, place->signal, queue_find(set, place->signal, &more) != NULL);
    }
}
