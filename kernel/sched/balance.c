/*
 * Which CPU a task runs on: chosen when it wakes or starts; a CPU with nothing to do takes one
 * from another's queue; and each looks at the others now and then.
 *
 * Where the numbers of tasks differ by one they cannot be equal, but the tasks can take turns:
 * the CPU with fewer takes the task that has been longest on the one with more. So nine tasks on
 * four CPUs get the same time in the end.
 *
 * A task that runs cannot be moved. If its turn has come, nobody is moved before it is queued: else
 * the others would be handed to and fro, and it would stay where it gets more than they, or less.
 * Each look comes after another time, so that none keeps step with the slices.
 *
 * A task is moved under the locks of both run queues. The second one is only tried for: whoever
 * cannot have it comes back with a later tick.
 */
#include "arch/smp.h"
#include "sched/sched.h"
#include "sched/traced.h"

#define BALANCE_PERIOD (1 << 24) /* ns, on average; 17 ms */
#define BALANCE_LOOK 32 /* tasks */
/* A new task's creator often sleeps next, and the one before it may be at its end: at home it runs soon.
 * Elsewhere it would wait, and be fetched back. */
#define AWAY_FOR 3 /* tasks */

static uint64_t idle_cpus; /* atomic; marked_idle of each CPU */

void balance_mark_idle(struct runqueue *rq, bool idle)
{
    uint64_t bit = 1ul << rq->cpu;

    rq->marked_idle = idle;
    rq->alive = clock_now(); /* an idle CPU takes no timer interrupts */
    if (idle) {
        __atomic_fetch_or(&idle_cpus, bit, __ATOMIC_SEQ_CST);
    } else {
        __atomic_fetch_and(&idle_cpus, ~bit, __ATOMIC_SEQ_CST);
    }
}

bool balance_all_idle(void)
{
    return __atomic_load_n(&idle_cpus, __ATOMIC_RELAXED) == cpu_mask();
}

/* Tasks that run or wait there; a number that may be old. */
static int balance_load(const struct runqueue *rq)
{
    return __atomic_load_n(&rq->runnable, __ATOMIC_RELAXED) +
           (__atomic_load_n(&rq->running, __ATOMIC_RELAXED) != rq->idle);
}

/* The CPU with the fewest tasks; but `home`, unless it has more by AWAY_FOR. */
static uint32_t least_loaded(uint64_t allowed, uint32_t home)
{
    uint32_t best = home;
    int least = allowed >> home & 1 ? balance_load(&runqueues[home]) - (AWAY_FOR - 1) : INT32_MAX;

    for (uint32_t id = 0; id < cpu_count; id++) {
        if (id != home && allowed >> id & 1 && balance_load(&runqueues[id]) < least) {
            least = balance_load(&runqueues[id]);
            best = id;
        }
    }
    return best;
}

uint32_t balance_place(const struct task *task, enum enqueue_kind kind)
{
    uint64_t idle = task->affinity & __atomic_load_n(&idle_cpus, __ATOMIC_RELAXED);

    assert_irqs_off();
    if (idle >> task->cpu & 1) {
        return task->cpu; /* its caches are warm */
    }
    if (idle) {
        return (uint32_t)__builtin_ctzl(idle);
    }
    if (kind != ENQUEUE_FRESH && task->affinity >> task->cpu & 1) {
        return task->cpu;
    }
    return least_loaded(task->affinity & cpu_mask(), task->cpu);
}

/*
 * Of the first ones that are queued there, the task that has been there for longest and may run on
 * `cpu`, or NULL; `in_turn`: NULL, too, if it is the turn of the one that runs. Not of all: they are
 * looked at under both locks.
 */
static struct task *balance_candidate(struct runqueue *from, uint32_t cpu, bool in_turn)
{
    struct task *oldest = NULL, *task = NULL, *running = from->running;

    assert_held(&from->lock);
    for (int looked = 0; looked < BALANCE_LOOK && (task = sched_class.next(from, task)); looked++) {
        if (task->affinity >> cpu & 1 && (!oldest || task->placed < oldest->placed)) {
            oldest = task;
        }
    }
    if (in_turn && oldest && running->affinity >> cpu & 1 && running->placed < oldest->placed) {
        return NULL;
    }
    return oldest;
}

void balance_move(struct runqueue *from, struct runqueue *to, struct task *task)
{
    assert_held(&from->lock);
    assert_held(&to->lock);
    sched_class.dequeue(from, task);
    from->runnable--;
    sched_class.leave(from, task);
    __atomic_store_n(&task->cpu, to->cpu, __ATOMIC_RELEASE);
    task->placed = clock_now();
    trace_migrate(task, from->cpu);
    sched_class.enqueue(to, task, ENQUEUE_MOVED);
    to->runnable++;
}

bool balance_pull(struct runqueue *rq, bool in_turn)
{
    struct runqueue *from = NULL;
    struct task *task;

    assert_held(&rq->lock);
    for (uint32_t i = 1; i < cpu_count; i++) { /* of equals the next one, so each is asked */
        struct runqueue *other = &runqueues[(rq->cpu + i) % cpu_count];

        if (__atomic_load_n(&other->runnable, __ATOMIC_RELAXED) > 0 &&
            balance_load(other) > balance_load(from ? from : rq)) {
            from = other;
        }
    }
    if (!from || !spin_trylock(&from->lock)) {
        return false;
    }
    task = balance_candidate(from, rq->cpu, in_turn);
    if (task) {
        balance_move(from, rq, task);
    }
    spin_unlock(&from->lock);
    return task != NULL;
}

/* Half a period to one and a half. The numbers are those of rand() in POSIX's example. */
static ktime_t balance_later(struct runqueue *rq)
{
    rq->balance_seed = rq->balance_seed * 1103515245 + 12345;
    return BALANCE_PERIOD / 2 + rq->balance_seed % BALANCE_PERIOD;
}

void balance_tick(struct runqueue *rq, ktime_t now)
{
    uint64_t idle = __atomic_load_n(&idle_cpus, __ATOMIC_RELAXED);

    assert_held(&rq->lock);
    if (cpu_count == 1 || now < rq->balance_at) {
        return;
    }
    if (balance_pull(rq, true)) {
        rq->balance_at = now + balance_later(rq);
    }
    if (rq->runnable > 0 && idle) { /* it missed its chance when it tried */
        smp_kick((uint32_t)__builtin_ctzl(idle));
    }
}
