/* Does the machine go on while schedules are explored? And what it says of the schedule when it ends. */
#include "arch/exit.h"
#include "arch/user_clock.h"
#include "arch/watchdog.h"
#include "lib/log.h"
#include "sched/explore.h"
#include "sched/sched.h"

#define WORDS_MAX 500        /* events that are told */
#define PUT_OFF (SECOND / 2) /* how often the watchdog hears from us: it waits for two seconds */
#define IDLE_MAX 1000        /* how often timers may come of which the group has nothing */
#define KERNEL_MAX SECOND    /* what a task may do in the kernel with no step in user mode: it hangs */

void machine_last_words(void)
{
    if (explore.alive == 0) {
        return;
    }
    printk("explore: it was %s", explore.pct ? "by priorities" : "schedule");
    for (uint32_t i = 0; i < explore.places; i++) {
        const struct explore_place *place = explore.schedule + i;

        printk("%s%lu", i ? "," : " ", place->at);
        if (place->nth) {
            printk("k%u", place->nth);
        }
        printk("@%u", place->task);
    }
    printk(" after %lu instructions, run %lu\n", explore_now(), explore.runs);
    for (uint32_t i = 0; i < explore.event_count && i < WORDS_MAX; i++) {
        const struct explore_event *event = explore.events + i;

        if (event->kind == EXPLORE_RUNS || event->kind == EXPLORE_STOPS) {
            printk("explore: %u %u %u %u %lu %u 0x%lx 0x%lx 0x%lx\n", event->kind, event->task,
                   event->why, event->reason, event->at, event->nth, event->rip, event->object,
                   event->ready);
        }
    }
}

ktime_t explore_next_timer(void)
{
    return timer_next(explore.machine_ends);
}

bool explore_is_stuck(void)
{
    ktime_t next = explore_next_timer();

    if (explore.idle_at != user_clock) {
        explore.idle_at = user_clock;
        explore.idle = 0;
    }
    explore.idle += next != explore.idle_until;
    explore.idle_until = next;
    return next == KTIME_NEVER || explore.idle > IDLE_MAX;
}

/*
 * Does it still go on? While any task runs, the watchdog is put off; so it comes if interrupts are
 * off for too long. What takes interrupts and still never leaves the kernel is found here.
 */
void explore_charge(struct runqueue *rq, struct task *task, ktime_t time)
{
    (void)rq;
    explore.silent += time;
    if (explore.silent > PUT_OFF || !explore.guarded) {
        explore.silent = 0;
        explore.guarded = true;
        watchdog_put_off();
    }
    if (!task->explored || explore.kernel_at != user_clock) {
        explore.kernel_at = user_clock;
        explore.kernel_time = 0;
    }
    explore.kernel_time += time;
    if (explore.kernel_time > KERNEL_MAX && task->explored) {
        panic("hang: %s (%d) has been in the kernel for %d s", task->name, task->tid,
              (int)(explore.kernel_time / SECOND));
    }
}
