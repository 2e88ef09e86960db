/*
 * A worker: up to four threads that make calls until the round has had enough, over the same
 * descriptors and memory, and the children they clone, who make a few calls and end.
 */
#include "fuzz.h"

#include <string.h>

void complain(const char *text)
{
    if (!shared->complaint[0]) {
        strncpy(shared->complaint, text, sizeof(shared->complaint) - 1);
    }
}

/* ---- A place to stand on ---- */

static void map_at(uint64_t address, uint64_t size, int protection, int flags)
{
    raw(9, address, size, (uint64_t)protection, (uint64_t)flags | 0x30, -1ul, 0); /* FIXED, ANONYMOUS */
}

/* The scratch memory and the handlers as they were, whatever the calls did to them. */
static void mend(struct thread *t, int first)
{
    uint64_t end = SCRATCH_END;

    map_at(SCRATCH_AT, SCRATCH_PAGES * PAGE, 3, 2);
    map_at(end, PAGE, 0, 2);
    map_at(end + PAGE, PAGE, 1, 2);
    map_at(WORDS_AT, PAGE, 3, 1);
    RAW(11, WORDS_AT + PAGE, 2 * PAGE, 0);
    if (first || one_in(t, 4)) {
        map_at(MAPS_AT, 16 * PAGE, 3, 2);
        map_at(MAPS_AT + 16 * PAGE, 8 * PAGE, 3, 1);
        map_at(MAPS_AT + 28 * PAGE, 4 * PAGE, 3, 0x102); /* GROWSDOWN */
    }
    machine_handlers(t);
}

struct thread *worker_new_thread(struct thread *t)
{
    for (uint64_t i = 0; i < STACKS; i++) {
        struct thread *fresh = thread_at(STACKS_AT + i * STACK_SIZE);

        if (!__atomic_exchange_n(&fresh->busy, 1, __ATOMIC_ACQ_REL)) {
            fresh->random = draw(t) | 1;
            fresh->left = (long)below(t, 30);
            fresh->process = 1;
            fresh->child_stack = fresh->stack = fresh->flags = 0;
            return fresh;
        }
    }
    return NULL;
}

static void log_open(struct thread *t)
{
    struct log *log = &shared->log[__atomic_fetch_add(&shared->logs, 1, __ATOMIC_RELAXED) % LOGS];

    memset(log, 0, sizeof(*log));
    log->magic = LOG_MAGIC;
    log->pid = (int32_t)RAW(39, 0, 0, 0);
    log->tid = (int32_t)RAW(186, 0, 0, 0);
    log->seed = shared->seed;
    log->round = shared->round;
    t->log = log;
}

/* ---- Steps ---- */

/* In the process that a round began with: what would end it at once is tried less often. */
static int spared(struct thread *t, const struct call *call)
{
    return (call->rare && !one_in(t, (uint64_t)call->rare)) ||
           (t->left < 0 && (call->number == 59 || call->number == 231 || call->number == 60) && !one_in(t, 16));
}

static const struct call *step_choose(struct thread *t)
{
    const struct call *call;
    int tries = 0;

    do {
        int count = shared->only_count;

        call = &calls[count ? shared->only[below(t, (uint64_t)count)] : below(t, (uint64_t)calls_count)];
    } while (spared(t, call) && ++tries < 100);
    return call;
}

/* fork, vfork, clone: a stack for the child first, and a limit on all that are born. */
static int births_allowed(struct thread *t, const struct call *call)
{
    struct thread *fresh;

    t->child_stack = 0;
    if (call->number < 56 || call->number > 58) {
        return 1;
    }
    fresh = __atomic_fetch_add(&shared->born, 1, __ATOMIC_RELAXED) < 64 ? worker_new_thread(t) : NULL;
    t->child_stack = fresh ? stack_top(fresh) : 0;
    return fresh != NULL;
}

static void step(struct thread *t)
{
    const struct call *call = step_choose(t);
    struct log_entry *entry = &t->log->entries[t->log->count % LOG_ENTRIES];
    long result;

    if (!births_allowed(t, call)) {
        return;
    }
    entry->state = 0;
    memset(entry->text, 0, sizeof(entry->text));
    strncpy(entry->name, call->name, sizeof(entry->name));
    t->entry = entry;
    for (int i = 0; i < 6; i++) {
        entry->arguments[i] = value_make(t, call->arguments[i]);
    }
    entry->state = 1;
    t->log->count++;
    __atomic_fetch_add(&shared->calls, 1, __ATOMIC_RELAXED);
    if (one_in(t, 64)) {
        t->stack = hostile_address(t);
    }
    result = call->number >= TRICK ? machine_trick(t, call->number, entry->arguments)
                                   : machine_call(t, call->number, entry->arguments);
    entry->result = result;
    entry->state = 2;
    if (t->child_stack && result < 0) {
        thread_at(t->child_stack)->busy = 0;
    }
    if (call->number == T_MEND) {
        mend(t, 0);
    }
    pools_feed(t, call, entry->arguments, result);
}

/* Of a thread or a child; it ends here. Where a step faults, the next begins. */
static void __attribute__((noinline)) steps(struct thread *t)
{
    if (__builtin_setjmp(t->recover)) {
        mend(t, 0);
    }
    while (t->left != 0 && shared->calls < shared->limit) {
        if (t->left > 0) {
            t->left--;
        }
        if (one_in(t, 32)) {
            mend(t, 0);
        }
        step(t);
    }
}

void worker_thread(void)
{
    struct thread *t = thread_at((uint64_t)__builtin_frame_address(0));
    int process = t->process;

    log_open(t);
    pool_add(t, POOL_CHILD, (uint64_t)t->log->tid);
    mend(t, 0);
    steps(t);
    t->busy = 0;
    RAW(process ? 231 : 60, 0, 0, 0);
    __builtin_trap();
}

/* In the round's own directory, with little of everything; `left`: -1, or the calls after an exec. */
void worker_main(uint64_t seed, long left)
{
    uint64_t as[2] = {(16ul << 20) << seed % 3, -1ul}, threads = 1 + seed % 4;
    struct thread *t;

    map_at(STACKS_AT, STACKS * STACK_SIZE, 3, 2);
    raw(9, MAPS_AT, MAPS_PAGES * PAGE, 0, 0x32, -1ul, 0);
    raw(302, 0, 9, (uint64_t)as, 0, 0, 0); /* RLIMIT_AS */
    t = thread_at(STACKS_AT);
    t->random = seed | 1;
    for (int i = 0; i < 8; i++) {
        draw(t);
    }
    t->busy = 1;
    t->left = left;
    t->process = 1;
    pools_init();
    mend(t, 1);
    for (uint64_t i = 1; i < threads && left < 0; i++) {
        struct thread *other = worker_new_thread(t);
        uint64_t arguments[6] = {0x50f00};

        other->left = left;
        other->process = 0;
        t->child_stack = stack_top(other);
        machine_call(t, 56, arguments); /* CLONE_VM, FS, FILES, SIGHAND, THREAD, SYSVSEM */
    }
    t->child_stack = 0;
    machine_start(t);
}
