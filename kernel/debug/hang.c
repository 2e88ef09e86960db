/*
 * Hangs, seen from the timer interrupt: a CPU that has something to do and takes no timer
 * interrupt, or a task that waits for a CPU for too long. Either is a panic, which shows what each
 * CPU does.
 *
 * A CPU cannot see itself hang, so the others look; with one CPU it takes --timeout. An idle CPU
 * sets no timer. A task with little weight may wait long among heavy ones and is left alone; and
 * programs may start so many that each waits long, which is no fault of the kernel.
 */
#include "arch/smp.h"
#include "sched/sched.h"

#define HANG (10 * SECOND)
#define LOOK_PERIOD SECOND
#define ASK 2
#define TASKS_AT_ONCE 64
#define TURN SECOND /* what another task may take before this one: the heaviest, a slice */

static void check_cpu(struct runqueue *rq, ktime_t now)
{
    const struct task *task = __atomic_load_n(&rq->running, __ATOMIC_RELAXED);
    ktime_t alive = __atomic_load_n(&rq->alive, __ATOMIC_RELAXED);

    if (task == rq->idle || now - alive <= HANG) {
        rq->hang_checks = 0;
    } else if (rq->hang_checks < ASK) { /* a CPU that takes interrupts is alive by that */
        rq->hang_checks++;
        smp_kick(rq->cpu);
    } else {
        panic("hang: CPU %u takes no timer interrupt for %ld s; it runs %s (%d)", rq->cpu,
              (now - alive) / SECOND, task->name, task->tid);
    }
}

/* The order of reading is that of rq_enqueue's writing, the other way round. */
static void check_task(const struct task *task, ktime_t now)
{
    bool queued = __atomic_load_n(&task->queued, __ATOMIC_ACQUIRE);
    ktime_t waits = now - __atomic_load_n(&task->exec_start, __ATOMIC_RELAXED);

    bool ordinary = task->nice <= 0 && !task->realtime; /* others wait as long as there are better ones */

    if (queued && ordinary && waits > HANG && waits > runqueues[task->cpu].runnable * TURN) {
        panic("hang: %s (%d) could run, and waits for CPU %u for %ld s", task->name, task->tid,
              task->cpu, waits / SECOND);
    }
}

void hang_tick(struct runqueue *rq, ktime_t now)
{
    static ktime_t look_at; /* CPUs take turns at looking */
    ktime_t at = __atomic_load_n(&look_at, __ATOMIC_RELAXED);
    static pid_t looked_at; /* tasks_lock */

    __atomic_store_n(&rq->alive, now, __ATOMIC_RELAXED);
    if (now < at || !__atomic_compare_exchange_n(&look_at, &at, now + LOOK_PERIOD, false,
                                                 __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
        return;
    }
    for (uint32_t id = 0; id < cpu_count; id++) {
        check_cpu(&runqueues[id], now);
    }
    /* Whoever was interrupted may hold a lock that stands below this one: only try. */
    if (!spin_trylock(&tasks_lock)) {
        return;
    }
    for (int left = TASKS_AT_ONCE; left > 0; left--) {
        looked_at = task_next_locked(looked_at);
        if (!looked_at) {
            break;
        }
        check_task(task_find_locked(looked_at), now);
    }
    if (looked_at) { /* the others with the next tick */
        __atomic_store_n(&look_at, now, __ATOMIC_RELAXED);
    }
    spin_unlock(&tasks_lock);
}
