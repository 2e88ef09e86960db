/*
 * Stacks: mapped in blocks of many, touched page by page, kept for the next coroutine when freed.
 *
 * Below each lies a guard: an overflow faults instead of spoiling the neighbour, and the handler
 * names the coroutine, on a signal stack of its own. The guard is wide, since a large frame does
 * not touch all of its pages: its function may begin to write far below. Code compiled with
 * -fstack-clash-protection, as all of user/ is, touches each page on its way down.
 *
 * A kernel has only so many mappings for a process (Linux: vm.max_map_count, 65530), and each
 * guard costs two. So that the program can still map memory, stacks beyond GUARDS go without
 * (struct co says which): for them the same space is a reserve that spoils nobody.
 */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "internal.h"

#define PAGE 4096ul
#define GUARD (64 * 1024ul)
#define DEFAULT_SIZE (GUARD + 64 * 1024ul)
#define LEAST (4 * PAGE)
#define BLOCK 64     /* stacks of the default size mapped at once */
#define KEEP 1024    /* freed stacks that keep their memory */
#define GUARDS 16384 /* half of the mappings of a process */

/*
 * Of the default size: those that were freed, the last one first; and what is left of the last block,
 * never touched. Under registry_lock(), as the number of guards.
 */
static struct co_list spare = {&spare, &spare}; /* struct co's place in the registry is free */
static long spare_count;
static char *fresh;
static int fresh_count;
static long guards;

static char *map(size_t size)
{
    long result = co_call(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return result < 0 && result > -4096 ? NULL : (char *)result;
}

static struct co *struct_of(char *base, size_t size)
{
    return (struct co *)(base + size - CO_ROOM);
}

/* A stack where nothing has been yet: its struct, and its guard while there are some to give. */
static struct co *furnish(char *base, size_t size)
{
    struct co *co = struct_of(base, size);

    co->base = base;
    co->size = size;
    registry_lock();
    if (guards < GUARDS && co_call(SYS_mprotect, (long)base, GUARD, PROT_NONE, 0, 0, 0) == 0) {
        co->guarded = 1;
        guards++;
    }
    registry_unlock();
    return co;
}

/* Overflows */

static struct sigaction previous;

static void on_fault(int signal, siginfo_t *info, void *context)
{
    struct co *co = co_current;
    char *address = info->si_addr;

    if (co && co->guarded && address >= co->base && address < co->base + GUARD) {
        co_print(2, "coroutine \"%s\": stack overflow (%lu bytes)\n", co->name, co->size - GUARD);
    }
    if (previous.sa_flags & SA_SIGINFO) {
        previous.sa_sigaction(signal, info, context);
    } else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
        previous.sa_handler(signal);
    } else { /* again, and die of it */
        sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    }
}

/* Twice in a child that was forked while another thread was here: see pthread_once. */
static void install(void)
{
    struct sigaction action, old;

    if (sigaction(SIGSEGV, NULL, &old) != 0 || old.sa_sigaction == on_fault) {
        return; /* ours must not become its own predecessor */
    }
    previous = old;
    memset(&action, 0, sizeof(action));
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigaction(SIGSEGV, &action, NULL);
}

/* The handler cannot run on the stack that is full. */
static void watch_overflows(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    static _Thread_local int ready;
    stack_t stack = {.ss_size = 4 * PAGE}, old;

    if (ready) {
        return;
    }
    ready = 1;
    pthread_once(&once, install);
    if (sigaltstack(NULL, &old) == 0 && !(old.ss_flags & SS_DISABLE)) {
        return; /* the program has one */
    }
    stack.ss_sp = map(stack.ss_size);
    if (stack.ss_sp) {
        sigaltstack(&stack, NULL);
    }
}

/* Memory */

static void keep(struct co *co)
{
    registry_lock();
    list_add_last(&spare, &co->all);
    spare_count++;
    registry_unlock();
}

/* One that was used before, as it was then but for its struct. */
static struct co *take_spare(void)
{
    struct co *co = NULL, old;

    registry_lock();
    if (!list_empty(&spare)) {
        co = CO_ENTRY(spare.prev, struct co, all);
        list_take(&co->all);
        spare_count--;
    }
    registry_unlock();
    if (co) {
        old = *co;
        memset(co, 0, CO_ROOM);
        co->base = old.base;
        co->size = old.size;
        co->guarded = old.guarded;
    }
    return co;
}

static struct co *take_fresh(void)
{
    char *base = NULL;

    registry_lock();
    if (fresh_count == 0 && (fresh = map(BLOCK * DEFAULT_SIZE))) {
        fresh_count = BLOCK;
        /* With huge pages the first touch would take 2 MiB. */
        co_call(SYS_madvise, (long)fresh, (long)(BLOCK * DEFAULT_SIZE), MADV_NOHUGEPAGE, 0, 0, 0);
    }
    if (fresh_count > 0) {
        base = fresh + --fresh_count * DEFAULT_SIZE;
    }
    registry_unlock();
    return base ? furnish(base, DEFAULT_SIZE) : NULL;
}

struct co *stack_alloc(size_t size)
{
    struct co *co;
    char *base;

    watch_overflows();
    if (size > SIZE_MAX - GUARD - PAGE) {
        return NULL;
    }
    size = size ? GUARD + ((size + PAGE - 1) & ~(PAGE - 1)) : DEFAULT_SIZE;
    if (size < GUARD + LEAST) {
        size = GUARD + LEAST;
    }
    if (size != DEFAULT_SIZE) {
        base = map(size);
        return base ? furnish(base, size) : NULL;
    }
    co = take_spare();
    return co ? co : take_fresh();
}

void stack_free(struct co *co)
{
    if (co->size != DEFAULT_SIZE) {
        registry_lock();
        guards -= co->guarded;
        registry_unlock();
        co_call(SYS_munmap, (long)co->base, (long)co->size, 0, 0, 0, 0);
        return;
    }
    if (spare_count >= KEEP) { /* all but the page with the struct */
        co_call(SYS_madvise, (long)(co->base + GUARD), (long)(DEFAULT_SIZE - GUARD - PAGE),
                MADV_DONTNEED, 0, 0, 0);
    }
    keep(co);
}
