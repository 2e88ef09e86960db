/*
 * The policy `explore`: see explore.h. Tasks outside of the group take turns as under `rr`; for
 * them the group counts as one task.
 *
 * Nothing here depends on how long the kernel takes for anything, so a schedule means the same in
 * each run. What a timer wakes is the one exception: when that happens depends on the kernel's time,
 * too. So it stays `late` until nobody else can run.
 */
#include "sched/explore.h"

#include "arch/apic.h"
#include "arch/boot.h"
#include "arch/clock.h"
#include "arch/places.h"
#include "arch/user_clock.h"
#include "arch/vector.h"
#include "arch/watchdog.h"
#include "sched/sched.h"


#define VAIN_MAX 100
#define SOON 2000          /* ns: a timer that comes so soon may come before user mode */
#define OTHERS 4096        /* room for events that are no steps */
#define STEPS_MAX 1000000  /* so many instructions are taken one by one; that is slow */

struct explore explore;

uint64_t explore_now(void)
{
    return user_clock - explore.started;
}

void explore_record(enum explore_kind kind, struct task *task, uint64_t rip)
{
    struct explore_event *event = explore.events + explore.event_count;

    if (explore.verdict || explore.closed) {
        return;
    }
    if (explore.event_count + (kind == EXPLORE_STEP ? OTHERS : 0) >= explore.event_max) {
        explore.dropped++;
        return;
    }
    explore.event_count++;
    rip = task->explored_elsewhere ? 0 : rip;
    *event = (struct explore_event){.at = explore_now(), .rip = rip, .task = task->explored,
                                    .kind = (uint8_t)kind, .why = (uint8_t)explore.why};
    if (kind == EXPLORE_STOPS && explore.why == EXPLORE_BLOCKS) {
        event->reason = (uint8_t)task->reason;
        event->object = task->wait_object;
        event->nth = task->reason == WAIT_NANOSLEEP;
    } else if (explore.site && (kind == EXPLORE_STOPS || kind == EXPLORE_PLACE)) {
        event->object = explore.site;
        event->nth = explore.nth;
    }
}

/* In sets of tasks; the last one for all above. */
static uint64_t explore_bit(uint32_t number)
{
    return 1ul << (number < 63 ? number : 63);
}

static void explore_tell(struct timer *timer)
{
    (void)timer;
    wake_all(&explore.over);
}

void explore_reset(void)
{
    assert(explore.alive == 0);
    explore.starting = explore.closed = explore.diverged = explore.passes = false;
    explore.verdict = EXPLORE_NONE;
    explore.tasks = explore.place = explore.event_count = explore.dropped = 0;
    explore.started = user_clock;
    explore.turn = explore.since = explore.nth = explore.site = 0;
    explore.lowest = 0;
    explore.sleepers = 0;
    explore.late = 0;
    explore.watched = NULL;
    explore.runs++;
    explore.running = NULL;
}

/* The run is over, or the last of its tasks has ended. From within the scheduler, too: a timer tells
 * who waits for it. */
static void explore_judge(enum explore_verdict verdict)
{
    if (!explore.verdict) {
        explore.verdict = verdict;
        explore.ended = explore_now();
    }
    timer_set(&explore.tell, 0);
}

void explore_clone(struct task *task)
{
    if (current->explored || explore.starting) {
        task->explored_elsewhere = !explore.starting && current->explored_elsewhere;
        explore.starting = false;
        explore.alive++;
        task->explored = (uint16_t)++explore.tasks;
    }
}

void explore_exit(struct task *task)
{
    explore.alive -= task->explored != 0;
    if (task == explore.template) {
        wake_all(&explore.over);
    }
}

static void explore_init(struct runqueue *rq)
{
    uint64_t seconds;

    list_init(&rq->queue);
    if (rq->cpu == 0) {
        explore.machine_ends = boot_number("timeout", 1, KTIME_NEVER / SECOND / 2, &seconds)
                                   ? (ktime_t)seconds * SECOND : KTIME_NEVER;
        wait_queue_init(&explore.over);
        explore.tell.expire = explore_tell;
        user_clock_init();
    }
}

static void explore_enqueue(struct runqueue *rq, struct task *task, enum enqueue_kind kind)
{
    assert_held(&rq->lock);
    list_push_back(&rq->queue, &task->run_list);
    if (!task->explored) {
        return;
    }
    if (kind == ENQUEUE_WOKEN || kind == ENQUEUE_FRESH) {
        explore.sleepers &= ~explore_bit(task->explored);
        task->late = timer_is_running();
        if (!task->late) {
            explore_record(EXPLORE_READY, task, 0);
        }
    }
}

/* The next one of the queue behind `task` (NULL: the first) that is in the group, or is not. */
static struct task *explore_find(struct runqueue *rq, struct task *task, bool member)
{
    struct list *at = task ? task->run_list.next : rq->queue.next;

    assert_held(&rq->lock);
    for (; at != &rq->queue; at = at->next) {
        struct task *found = container_of(at, struct task, run_list);

        if (!found->explored == !member && !found->late) {
            return found;
        }
    }
    return NULL;
}

/* Nobody else can run: those come whom a timer has woken. */
static void explore_late_ones(struct runqueue *rq)
{
    struct task *task;

    list_for_each(task, &rq->queue, run_list) {
        if (task->late) {
            task->late = false;
            explore_record(EXPLORE_READY, task, 0);
        }
    }
}

/* How many places in the kernel the group has come by since its last step in user mode. */
static uint32_t explore_nth(void)
{
    return explore.since == explore_now() ? explore.nth : 0;
}

/* Has the group come so far, which is at its nth place in the kernel since `now`? */
static bool place_is_reached(const struct explore_place *place, uint64_t now, uint32_t nth)
{
    return place->at < now || (place->at == now && place->nth <= nth);
}

static int32_t *explore_priority(const struct task *task)
{
    return &explore.priorities[task->explored < EXPLORE_TASKS ? task->explored : EXPLORE_TASKS - 1];
}

/* Of those that are ready, the one of the highest priority. */
static struct task *explore_best(struct runqueue *rq)
{
    struct task *best = NULL;

    for (struct task *task = NULL; (task = explore_find(rq, task, true)) != NULL;) {
        if (!best || *explore_priority(task) > *explore_priority(best)) {
            best = task;
        }
    }
    return best;
}

/* Does the task that has just run give the group's CPU away? */
static void explore_stop(struct task *task)
{
    if (task != explore.running || (task->state == TASK_RUNNING && !explore.passes)) {
        return;
    }
    if (task->state != TASK_RUNNING) {
        explore.why = task->state == TASK_ZOMBIE ? EXPLORE_ENDS : EXPLORE_BLOCKS;
    } else if (explore.why != EXPLORE_TAKEN) {
        *explore_priority(task) = --explore.lowest; /* others first, or it would go on in vain */
    }
    if (explore.why == EXPLORE_BLOCKS && task->reason == WAIT_NANOSLEEP) {
        explore.sleepers |= explore_bit(task->explored);
    }
    explore_record(EXPLORE_STOPS, task, task_frame(task)->rip);
    if (explore.alive == 0) {
        explore_judge(EXPLORE_DONE);
    }
    explore.passes = false;
    explore.site = 0;
    explore.watched = NULL; /* it has not executed that instruction yet */
    explore.running = NULL;
}

/* Who comes, of those that are ready: the first one, or whom the schedule names. */
static struct task *explore_choose(struct runqueue *rq)
{
    struct task *first = explore_find(rq, NULL, true), *chosen = first;
    struct explore_place *place = explore.schedule + explore.place;
    uint64_t ready = 0;
    uint32_t count = 0, event = explore.event_count;

    if (!first) {
        explore_late_ones(rq);
        first = chosen = explore_find(rq, NULL, true);
    }
    for (struct task *task = first; task; task = explore_find(rq, task, true)) {
        ready |= explore_bit(task->explored);
        count++;
    }
    if (!first) {
        return NULL;
    }
    if (explore.pct) {
        chosen = explore_best(rq);
    } else if (explore.place < explore.places && (count > 1 || explore.why == EXPLORE_TAKEN) &&
               place_is_reached(place, explore_now(), explore_nth())) {
        while (chosen && chosen->explored != place->task) {
            chosen = explore_find(rq, chosen, true);
        }
        explore.diverged |= !chosen;
        chosen = chosen ?: first;
        explore.place++;
    }
    explore_record(EXPLORE_RUNS, chosen, task_frame(chosen)->rip);
    if (explore.event_count > event) {
        explore.events[event].ready = ready;
    }
    explore.turn = explore_now();
    explore.fresh = true;
    return chosen;
}

static struct task *explore_pick_next(struct runqueue *rq)
{
    struct task *prev = rq->running, *outsider = explore_find(rq, NULL, false), *next = NULL;

    assert_held(&rq->lock);
    explore_stop(prev);
    if (!outsider || (!explore.verdict && !prev->explored)) { /* they take turns */
        if (!explore.running) {
            explore.running = explore_choose(rq);
        }
        next = explore.running;
    }
    next = next ?: outsider;
    if (next) {
        list_remove(&next->run_list);
    } else {
        explore.guarded = false;
        watchdog_stop(); /* who sleeps is not silent */
        if (explore.alive && explore_is_stuck()) {
            explore_judge(EXPLORE_DEADLOCK);
        }
    }
    this_cpu(exact) = next && next->explored;
    return next;
}

static struct task *explore_yield(struct runqueue *rq, struct task *task)
{
    if (task->explored && task == explore.running) {
        explore.passes = true;
        explore.why = EXPLORE_YIELDS;
    }
    explore_enqueue(rq, task, ENQUEUE_AGAIN);
    return explore_pick_next(rq);
}

/* After the verdict the group has to make way for who ends it. */
static bool explore_preempts(struct runqueue *rq, struct task *woken)
{
    return explore.verdict && rq->running->explored && !woken->explored;
}

const struct sched_class explore_class = {
    .name = "explore", .init = explore_init, .enqueue = explore_enqueue,
    .pick_next = explore_pick_next, .yield = explore_yield, .preempts = explore_preempts,
    .charge = explore_charge,
};

/* The running task is to give the CPU away: before it goes to user mode, or at once (`site`: where in
 * the kernel). Debuggers stop here. */
static __attribute__((noinline)) uint32_t explore_take(enum explore_why why, vaddr_t site)
{
    explore.passes = true;
    explore.why = why;
    explore.site = site;
    this_cpu(need_resched) = true;
    return 0;
}

/*
 * The schedule names a task that sleeps for a time: that is over then, for whoever has the CPU may lose
 * it for so long. The clock is set on to one timer after another, up to that task's. Interrupts off.
 */
static void explore_end_sleep(struct runqueue *rq, uint32_t number)
{
    while (explore.sleepers & explore_bit(number) && explore_next_timer() != KTIME_NEVER) {
        ktime_t wait = explore_next_timer() - clock_now();

        if (wait > 0) {
            clock_skip(wait);
        }
        timer_program(timer_run());
        spin_lock(&rq->lock);
        explore_late_ones(rq);
        spin_unlock(&rq->lock);
    }
}

/* The running task is at a place of the schedule: at the instruction that it names? */
static void explore_arrive(struct runqueue *rq, uint64_t now)
{
    const struct explore_place *place = explore.schedule + explore.place;

    if (explore.pct) {
        return;
    }
    explore.diverged |= place->nth > 0; /* it was not in the kernel */
    explore.late = place->nth ? explore.late : now - place->at;
    explore_end_sleep(rq, place->task);
}

/* Does the running task lose the CPU here: by the schedule, or to a better one that is ready? */
static bool explore_is_due(struct runqueue *rq, uint64_t now, uint32_t nth)
{
    struct task *best;

    if (explore.verdict || explore.closed) {
        return false;
    }
    if (!explore.pct) {
        return explore.place < explore.places &&
               place_is_reached(explore.schedule + explore.place, now, nth);
    }
    for (; explore.place < explore.places; explore.place++) {
        if (!place_is_reached(explore.schedule + explore.place, now, nth)) {
            break;
        }
        *explore_priority(current) = (int32_t)explore.schedule[explore.place].task;
    }
    spin_lock(&rq->lock);
    best = explore_best(rq);
    spin_unlock(&rq->lock);
    return best && *explore_priority(best) > *explore_priority(current);
}

void kernel_place(vaddr_t site)
{
    struct runqueue *rq = this_cpu(rq);
    uint64_t now = explore_now(), flags;
    bool others, ours = explore.place < explore.places && explore.schedule[explore.place].nth;

    if (!explore.in_kernel || explore.closed || explore.verdict || current != explore.running ||
        current->state == TASK_ZOMBIE) { /* it gives the CPU away for good, at the end of task_exit */
        return;
    }
    explore.nth = explore_nth() + 1;
    explore.since = now;
    flags = irq_save();
    spin_lock(&rq->lock);
    others = explore_find(rq, NULL, true);
    spin_unlock(&rq->lock);
    explore.site = site;
    if (others) {
        explore_record(EXPLORE_PLACE, current, 0);
    }
    explore.site = 0;
    others = others && (ours || explore.pct) && explore_is_due(rq, now, explore.nth);
    irq_restore(flags);
    if (others) {
        explore_take(EXPLORE_TAKEN, site);
        this_cpu(preempt_count)--; /* not by preempt_enable(), which would come here */
        preempt_check();
        this_cpu(preempt_count)++;
    }
}

/* Its turn is over if somebody else is ready; otherwise a new one begins. */
static bool explore_turn_is_over(struct runqueue *rq)
{
    bool others;

    spin_lock(&rq->lock);
    explore_late_ones(rq);
    others = explore_find(rq, NULL, true);
    spin_unlock(&rq->lock);
    explore.turn = explore_now();
    return others;
}

/*
 * The timer is to come after `left` instructions, or when the kernel wants it to, but not before the
 * first. Returns what user_clock_leave does. To set it is expensive: not where it comes before anyway.
 *
 * It is stopped first, and what has come while interrupts were off is taken here. Taken in user
 * mode, before the first instruction, it would last until the next one comes, and so on.
 */
static uint32_t user_clock_set(uint64_t now, ktime_t left)
{
    ktime_t time, wait;

    for (;;) {
        time = clock_now();
        wait = this_cpu(timer_deadline) - time;
        if (wait > SOON && wait <= left) {
            return 0; /* we are asked again */
        }
        lapic_write(LAPIC_TIMER_INITIAL, 0);
        if (!lapic_is_pending(VECTOR_TIMER)) {
            break;
        }
        irq_enable_once(); /* who answers it sets the timer for the kernel */
        if (this_cpu(need_resched) || this_cpu(user_work)) {
            return 0;
        }
    }
    if (wait < left) {
        left = wait > 1 ? wait : 1;
    }
    this_cpu(timer_deadline) = time + left;
    explore.in_vain = now == explore.left ? explore.in_vain + 1 : 0;
    explore.left = now;
    return (uint32_t)left + (explore.in_vain > VAIN_MAX); /* or it would come in vain for ever */
}

uint32_t user_clock_leave(struct trap_frame *frame)
{
    uint64_t now = explore_now(), until = explore.limit;
    const struct explore_place *place;

    assert_irqs_off();
    if (explore.steps && !explore.closed && !explore.dropped && now < STEPS_MAX && !current->explored_elsewhere) {
        frame->rflags |= RFLAGS_TF;
    }
    if (!explore.verdict && now >= explore.limit) {
        explore_judge(EXPLORE_LIMIT);
    }
    if (explore_is_due(this_cpu(rq), now, 0)) {
        explore_arrive(this_cpu(rq), now);
        return explore_take(EXPLORE_TAKEN, 0);
    }
    if (explore.place < explore.places && !explore.closed) {
        place = explore.schedule + explore.place;
        until = place->at + (place->nth > 0); /* it was not in the kernel, or that is not left yet */
    }
    if (now - explore.turn >= EXPLORE_TURN && explore_turn_is_over(this_cpu(rq))) {
        return explore_take(EXPLORE_TURN_OVER, 0);
    }
    if (explore.verdict || until > explore.turn + EXPLORE_TURN) {
        until = explore.turn + EXPLORE_TURN;
    }
    if (explore.fresh && frame->rflags & RFLAGS_TF) {
        explore.fresh = false;
        explore_step(frame->rip); /* the exception comes behind its first instruction */
    }
    return user_clock_set(now, (ktime_t)(until - now));
}
