/*
 * /dev/explore: many runs of one program, each from the same state (sched/explore.h says what a run
 * is).
 *
 * The one who explores forks a child, which calls EXPLORE_PREPARE and becomes the program. Where
 * that begins to be interesting, at main() or explore_begin(), a debug register stops it. There it
 * stays, the template of all runs: for each EXPLORE_RUN it forks a child, which goes on from there
 * by the schedule, and waits for the end of that child and of all that this creates.
 */
#include "debug/explore.h"

#include "arch/cpu.h"
#include "arch/percpu.h"
#include "arch/places.h"
#include "arch/user_clock.h"
#include "fs/device.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/kmalloc.h"
#include "mm/kstack.h"
#include "mm/mm.h"
#include "mm/page.h"
#include "mm/uaccess.h"
#include "process/exit.h"
#include "process/fork.h"
#include "sched/explore.h"
#include "sched/sched.h"

#define EVENTS_ORDER 9 /* pages of events: 2 MiB */
#define EXPLORE_SIZES 16
#define KILL_MAX (10 * SECOND) /* for who was killed to end */
#define DR7_BEGIN (DR7_NOTHING | 1)   /* breakpoint 0, an instruction's (SDM volume 3, section 17.2.4) */
#define DR7_END (DR7_NOTHING | 4)     /* breakpoint 1 */
#define DR6_BEGIN 1u
#define DR6_END 2u

/* What user/explore gives and gets. Addresses are relative to the program's entry point. */
struct explore_range {
    int64_t low, high; /* the instructions from low to below high */
};
struct explore_watch {
    int64_t at, address; /* the instruction there is about a variable */
    uint32_t size, unused;
};
struct explore_setup {
    int64_t begin, end; /* where runs begin; where they end to be interesting, INT64_MAX: nowhere */
    struct explore_range ranges[EXPLORE_RANGES]; /* whose steps are told */
    struct explore_watch watches[EXPLORE_WATCHES]; /* by rising `at`; size 0: no more */
};
struct explore_run {
    uint32_t places, steps;
    uint32_t in_kernel, pct; /* see struct explore */
    int32_t priorities[EXPLORE_TASKS];
    uint64_t limit;
    struct explore_place schedule[EXPLORE_PLACES];
    uint64_t instructions; /* from here on: what came out */
    uint32_t verdict, tasks, events, dropped;
    int32_t status, diverged;
    uint64_t late;
};
struct explore_copy {
    struct explore_event *to;
    uint32_t first, count;
};
struct explore_template {
    int64_t entry;
    int32_t pid, unused;
};
/* What the machine has in use: a run gives all of it back. */
struct explore_count {
    uint64_t tasks, pages;            /* pages: but for those that hold objects */
    uint32_t sizes[EXPLORE_SIZES], objects[EXPLORE_SIZES]; /* of the kernel, by size; 0: no more */
};
enum {
    EXPLORE_PREPARE = 0x4501, EXPLORE_RUN, EXPLORE_EVENTS, EXPLORE_WHERE, EXPLORE_COUNT,
};

enum session_state { SESSION_EMPTY, SESSION_PREPARED, SESSION_READY, SESSION_RUNS, SESSION_GONE };

static struct session {
    enum session_state state;
    vaddr_t entry;
    struct explore_setup setup;
    struct explore_run run;
} session;
static struct mutex session_lock; /* one call at a time of those that explore */

static void session_set(enum session_state state)
{
    __atomic_store_n(&session.state, state, __ATOMIC_SEQ_CST);
    wake_all(&explore.over);
}

void explore_exec(vaddr_t entry)
{
    current->explored_elsewhere = current->explored != 0;
    if (session.state != SESSION_PREPARED || current != explore.template) {
        return;
    }
    session.entry = entry;
    __asm__ volatile("mov %0, %%dr0" : : "r"(entry + (uint64_t)session.setup.begin));
    __asm__ volatile("mov %0, %%dr1" : : "r"(entry + (uint64_t)session.setup.end));
    write_dr7(DR7_BEGIN);
}

/* All of the group that are left have to end. */
static void explore_kill(void)
{
    for (pid_t tid = 0; (tid = task_next(tid)) != 0;) {
        struct task *task = task_find(tid);

        if (task && task->explored) {
            signal_send_process(task->group, SIGKILL, &(struct signal_info){.code = SI_KERNEL});
        }
        task_put(task);
    }
}

/* One run, by the template. Its result is in session.run. */
static void template_run(void)
{
    struct explore_run *run = &session.run;
    struct wait_result result = {0};
    long tid;

    explore_reset();
    explore.places = run->places;
    memcpy(explore.schedule, run->schedule, sizeof(explore.schedule));
    explore.limit = run->limit;
    explore.steps = run->steps;
    explore.in_kernel = run->in_kernel;
    explore.pct = run->pct;
    memcpy(explore.priorities, run->priorities, sizeof(explore.priorities));
    if (explore.in_kernel) {
        places_patch();
    }
    explore.starting = true;
    task_ids_from(current->tid);
    write_dr7(session.setup.end == INT64_MAX ? DR7_NOTHING : DR7_END);
    tid = task_clone(&(struct clone_args){0});
    if (tid < 0) {
        explore.starting = false;
        run->verdict = EXPLORE_NONE;
        return;
    }
    wait_event(&explore.over, WAIT_EXPLORE, tid, explore.verdict);
    run->instructions = explore.ended;
    if (explore.alive) {
        explore_kill();
        wait_event_general(&explore.over, false, WAIT_EXPLORE, tid, explore.alive == 0,
                           clock_now() + KILL_MAX);
        if (explore.alive) {
            panic("hang: %u tasks were killed and have not ended for %d s", explore.alive,
                  (int)(KILL_MAX / SECOND));
        }
    }
    task_wait(P_PID, (pid_t)tid, WEXITED | WALL, &result);
    run->verdict = explore.verdict;
    run->tasks = explore.tasks;
    run->events = explore.event_count;
    run->dropped = explore.dropped;
    run->status = result.status;
    run->late = explore.late;
    run->diverged = explore.diverged || explore.place < explore.places;
}

/* The template has come to where runs begin. It leaves only to end. Interrupts on. */
static void template_serve(void)
{
    session_set(SESSION_READY);
    while (!wait_event_interruptible(&explore.over, WAIT_EXPLORE, 0,
                                     session.state == SESSION_RUNS)) {
        template_run();
        session_set(SESSION_READY);
    }
    session_set(SESSION_GONE);
}

static bool explore_steps_here(vaddr_t rip)
{
    int64_t at = (int64_t)(rip - session.entry);

    for (int i = 0; i < EXPLORE_RANGES; i++) {
        if (at >= session.setup.ranges[i].low && at < session.setup.ranges[i].high) {
            return true;
        }
    }
    return false;
}

/* A variable of the current task, as it is. False: that cannot be said. Interrupts off. */
static bool watch_load(vaddr_t address, uint32_t size, uint64_t *value)
{
    bool known;

    *value = 0;
    preempt_disable(); /* no page is made for it */
    known = size <= sizeof(*value) && !copy_from_user(value, (const void __user *)address, size);
    preempt_enable_no_resched();
    return known;
}

/* The step that was just recorded: is it about a variable? */
static void watch_begin(struct explore_event *event, vaddr_t rip)
{
    const struct explore_watch *watch = session.setup.watches;
    int64_t at = (int64_t)(rip - session.entry);

    for (int i = 0; i < EXPLORE_WATCHES && watch->size && watch->at < at; i++) {
        watch++;
    }
    if (watch == session.setup.watches + EXPLORE_WATCHES || !watch->size || watch->at != at) {
        return;
    }
    explore.watched = event;
    explore.watched_address = session.entry + (uint64_t)watch->address;
    explore.watched_size = watch->size;
    if (watch_load(explore.watched_address, watch->size, &event->object)) {
        event->nth = EXPLORE_KNOWN;
    }
}

/* The instruction was executed: what is the variable now? */
static void watch_end(void)
{
    struct explore_event *event = explore.watched;

    explore.watched = NULL;
    if (event && watch_load(explore.watched_address, explore.watched_size, &event->ready)) {
        event->nth |= EXPLORE_CHANGED;
    }
}

void explore_step(vaddr_t rip)
{
    uint32_t number = explore.event_count;

    watch_end();
    if (explore_steps_here(rip)) {
        explore_record(EXPLORE_STEP, current, rip);
        if (explore.event_count > number) {
            watch_begin(explore.events + number, rip);
        }
    }
}

bool user_clock_debug(struct trap_frame *frame)
{
    uint64_t dr6 = read_dr6();

    if (!(dr6 & (DR6_BEGIN | DR6_END)) && !(current->explored && explore.steps)) {
        return false;
    }
    write_dr6(DR6_NOTHING);
    if (dr6 & DR6_BEGIN && current == explore.template) {
        write_dr7(DR7_NOTHING);
        irq_enable();
        template_serve();
        irq_disable();
    } else if (dr6 & DR6_END && current->explored && !current->explored_elsewhere) {
        write_dr7(DR7_NOTHING);
        explore_record(EXPLORE_CLOSED, current, frame->rip);
        explore.closed = true;
    } else if (dr6 & (DR6_BEGIN | DR6_END)) {
        frame->rflags |= RFLAGS_RF; /* another program has something else there */
    }
    if (dr6 & DR6_BS) {
        frame->rflags &= ~(uint64_t)RFLAGS_TF;
        explore_step(frame->rip);
    }
    return true;
}

static long explore_prepare(const void __user *from)
{
    if (session.state != SESSION_EMPTY && session.state != SESSION_GONE) {
        return -EBUSY;
    }
    if (copy_from_user(&session.setup, from, sizeof(session.setup))) {
        return -EFAULT;
    }
    task_put(explore.template);
    explore.template = task_get(current);
    session.state = SESSION_PREPARED;
    return 0;
}

/* Does the template go on? It may end before it comes to where runs begin. */
static bool session_is_settled(void)
{
    const struct task *task = explore.template;

    return session.state == SESSION_READY || session.state == SESSION_GONE || !task ||
           task->state == TASK_ZOMBIE;
}

static long session_wait(void)
{
    long error;

    if (!explore.template) {
        return -ESRCH;
    }
    error = wait_event_interruptible(&explore.over, WAIT_EXPLORE, 0, session_is_settled());
    if (error) {
        return error;
    }
    return session.state == SESSION_READY ? 0 : -ESRCH;
}

static long explore_one_run(void __user *argument)
{
    struct explore_run *run = &session.run;
    long error = session_wait();

    if (error) {
        return error;
    }
    if (copy_from_user(run, argument, sizeof(*run))) {
        return -EFAULT;
    }
    if (run->places > EXPLORE_PLACES) {
        return -EINVAL;
    }
    session_set(SESSION_RUNS);
    error = session_wait();
    if (error) {
        return error;
    }
    return copy_to_user(argument, run, sizeof(*run)) ? -EFAULT : 0;
}

static long explore_copy_events(const void __user *argument)
{
    struct explore_copy copy;

    if (get_user(copy, (const struct explore_copy __user *)argument)) {
        return -EFAULT;
    }
    if (copy.first > explore.event_count || copy.count > explore.event_count - copy.first) {
        return -EINVAL;
    }
    return copy_to_user((void __user *)copy.to, explore.events + copy.first,
                        copy.count * sizeof(*explore.events)) ? -EFAULT : 0;
}

static long explore_where(void __user *argument)
{
    long error = session_wait();
    struct explore_template where;

    if (error) {
        return error;
    }
    where = (struct explore_template){(int64_t)session.entry, explore.template->tid, 0};
    return copy_to_user(argument, &where, sizeof(where)) ? -EFAULT : 0;
}

static long explore_count(void __user *argument)
{
    struct explore_count count = {.tasks = (uint64_t)task_count};
    struct kmalloc_class class;
    size_t idle = page_free_count() + kstack_cached_pages() + mm_cached_pages();

    for (size_t i = 0; i < EXPLORE_SIZES && kmalloc_class(i, &class); i++) {
        count.sizes[i] = class.size;
        count.objects[i] = (uint32_t)class.used;
        idle += class.slabs * class.pages_per_slab;
    }
    count.pages = page_total_count() - idle;
    return copy_to_user(argument, &count, sizeof(count)) ? -EFAULT : 0;
}

static long explore_ioctl(struct file *file, unsigned command, uint64_t argument)
{
    void __user *user = (void __user *)argument;
    long error = -ENOTTY;

    (void)file;
    mutex_lock(&session_lock);
    if (command == EXPLORE_PREPARE) {
        error = explore_prepare(user);
    } else if (command == EXPLORE_RUN) {
        error = explore_one_run(user);
    } else if (command == EXPLORE_EVENTS) {
        error = explore_copy_events(user);
    } else if (command == EXPLORE_WHERE) {
        error = explore_where(user);
    } else if (command == EXPLORE_COUNT) {
        error = explore_count(user);
    }
    mutex_unlock(&session_lock);
    return error;
}

/* One CPU, and a clock that counts instructions: otherwise a schedule would mean nothing. */
static long explore_open(struct file *file)
{
    struct page *pages;

    (void)file;
    if (cpu_count > 1 || !user_clock_is_exact()) {
        return -ENODEV;
    }
    if (!explore.events) {
        pages = page_alloc(EVENTS_ORDER);
        if (!pages) {
            return -ENOMEM;
        }
        explore.events = page_to_virt(pages);
        explore.event_max = (PAGE_SIZE << EVENTS_ORDER) / sizeof(*explore.events);
    }
    return 0;
}

static const struct file_ops ops = {.open = explore_open, .ioctl = explore_ioctl};

void explore_device_init(void)
{
    if (strcmp(sched_class.name, "explore") == 0) {
        device_register(10, 201, "explore", 0666, &ops, NULL);
    }
}
