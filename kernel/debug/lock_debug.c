/*
 * The debug build's checks of locking, each of which panics with both places in the code:
 *
 *   order        B is taken under A here, and A was taken under B there, directly or over others
 *   interrupts   a lock that an interrupt handler takes is held with interrupts on elsewhere
 *   sleeping     a mutex is taken, or the CPU given away, under a spinlock
 *   holding      what says assert_held() is called by who does not hold the lock
 *
 * A lock's class is where it was initialised, or where it was first taken. Of each pair of classes
 * it is remembered whether one was taken under the other: a deadlock is found without happening,
 * the first time that both orders occur in one run. Locks of one class are taken by address, if
 * not said otherwise (nested). A lock that is only tried for cannot be waited for, and makes no order.
 */
#ifdef DEBUG
#include "lib/lock_debug.h"

#include "arch/cpu.h"
#include "arch/percpu.h"
#include "arch/symbols.h"
#include "lib/log.h"

#define CLASSES 256

struct site_pair {
    const void *first, *second;
};

static const char *classes[CLASSES];
static bool used_by_interrupts[CLASSES];
static const void *held_with_interrupts[CLASSES]; /* where */
static uint64_t under[CLASSES][CLASSES / 64];     /* [a] bit b: b was taken under a */
static struct site_pair sites[CLASSES][CLASSES];  /* of that: where a, where b */
/* Protects what is written to all above. No spinlock: taking one comes here. */
static char graph_locked;
static struct held_locks spin_held[CPU_MAX];
static bool in_interrupt[CPU_MAX];

static void graph_lock(void)
{
    while (__atomic_test_and_set(&graph_locked, __ATOMIC_ACQUIRE)) {
        cpu_pause();
    }
}

static void graph_unlock(void)
{
    __atomic_clear(&graph_locked, __ATOMIC_RELEASE);
}

static int class_number(struct lock_debug *lock, const void *site)
{
    int number = 0;

    if (!lock->class) {
        lock->class = site; /* an address of code serves as well as a name */
    }
    while (number < CLASSES && classes[number] && classes[number] != lock->class) {
        number++;
    }
    if (number < CLASSES && classes[number]) {
        return number;
    }
    graph_lock();
    for (number = 0; number < CLASSES && classes[number] && classes[number] != lock->class;) {
        number++;
    }
    if (number < CLASSES) {
        classes[number] = lock->class;
    }
    graph_unlock();
    if (number == CLASSES) {
        panic("lock_debug: more than %d classes of locks", CLASSES);
    }
    return number;
}

static void print_class(const char *what, int number)
{
    unsigned long at = (unsigned long)classes[number];
    extern const char kernel_text_start[], kernel_rodata_start[];

    if (at >= (unsigned long)kernel_text_start && at < (unsigned long)kernel_rodata_start) {
        symbol_print(what, classes[number]);
    } else {
        printk("  %s: the lock made at %s\n", what, classes[number]);
    }
}

/* Is `to` reachable from `from` by "was taken under"? The first step goes to *step. */
static bool class_reachable(int from, int to, uint64_t *seen, int *step)
{
    for (int next = 0; next < CLASSES; next++) {
        int ignored;

        if (!(under[from][next / 64] >> (next % 64) & 1) || seen[next / 64] >> (next % 64) & 1) {
            continue;
        }
        seen[next / 64] |= 1ul << (next % 64);
        if (next == to || class_reachable(next, to, seen, &ignored)) {
            *step = next;
            return true;
        }
    }
    return false;
}

/* `second` is taken at `site` while `first` is held: note it, or find it wrong. */
static void check_order(int first, const void *first_site, int second, const void *site)
{
    uint64_t seen[CLASSES / 64] = {0};
    int step;

    if (under[first][second / 64] >> (second % 64) & 1) {
        return;
    }
    if (class_reachable(second, first, seen, &step)) {
        panic_begin();
        printk("PANIC: lock order: two CPUs could wait for each other for ever\n");
        print_class("lock A", first);
        print_class("lock B", second);
        symbol_print("here A was taken", first_site);
        symbol_print("and B under it", site);
        symbol_print("elsewhere B was taken", sites[second][step].first);
        symbol_print(step == first ? "and A under it" : "and a third one under it, which leads to A",
                   sites[second][step].second);
        panic_finish();
    }
    graph_lock();
    sites[first][second] = (struct site_pair){first_site, site};
    under[first][second / 64] |= 1ul << (second % 64);
    graph_unlock();
}

static void check_interrupts(int class, const void *site, bool enabled)
{
    if (in_interrupt[this_cpu(id)]) {
        used_by_interrupts[class] = true;
    } else if (enabled) {
        held_with_interrupts[class] = site;
    }
    if (used_by_interrupts[class] && held_with_interrupts[class]) {
        panic_begin();
        printk("PANIC: an interrupt handler could wait for the lock that it interrupted\n");
        print_class("lock", class);
        symbol_print("taken with interrupts on", held_with_interrupts[class]);
        symbol_print("now taken", site);
        panic_finish();
    }
}

static void check_against(struct held_locks *held, struct lock_debug *lock, int class,
                          const void *site)
{
    for (int i = 0; i < held->count; i++) {
        int other = class_number(held->held[i].lock, held->held[i].site);

        if (other != class) {
            check_order(other, held->held[i].site, class, site);
        } else if (!lock->nested && held->held[i].lock > lock) {
            panic_begin();
            printk("PANIC: lock order: two locks of one kind, not by address\n");
            symbol_print("the first", held->held[i].site);
            symbol_print("the second", site);
            panic_finish();
        }
    }
}

void lock_debug_acquire(struct lock_debug *lock, bool sleeps, bool tried)
{
    const void *site = __builtin_return_address(0);
    uint64_t flags = irq_save();
    struct held_locks *spins = &spin_held[this_cpu(id)], *mutexes = this_cpu(mutexes_held);
    struct held_locks *mine = sleeps ? mutexes : spins;
    int class = class_number(lock, site);

    if (sleeps && !tried && (spins->count > 0 || in_interrupt[this_cpu(id)])) {
        lock_debug_print_held();
        panic("a mutex is taken where nothing may sleep");
    }
    if (!sleeps) {
        check_interrupts(class, site, flags & RFLAGS_IF);
    }
    if (!tried) {
        if (mutexes && !in_interrupt[this_cpu(id)]) {
            check_against(mutexes, lock, class, site);
        }
        check_against(spins, lock, class, site);
    }
    if (mine && mine->count < (int)ARRAY_SIZE(mine->held)) {
        mine->held[mine->count].lock = lock;
        mine->held[mine->count++].site = site;
    }
    irq_restore(flags);
}

void lock_debug_release(struct lock_debug *lock, bool sleeps)
{
    uint64_t flags = irq_save();
    struct held_locks *held = sleeps ? this_cpu(mutexes_held) : &spin_held[this_cpu(id)];

    for (int i = held ? held->count - 1 : -1; i >= 0; i--) {
        if (held->held[i].lock == lock) {
            for (held->count--; i < held->count; i++) {
                held->held[i] = held->held[i + 1];
            }
            break;
        }
    }
    irq_restore(flags);
}

static bool is_held(const struct held_locks *held, const struct lock_debug *lock)
{
    int i = 0;

    while (held && i < held->count && held->held[i].lock != lock) {
        i++;
    }
    /* Of more than there is room for some are not known. */
    return held && (i < held->count || held->count == (int)ARRAY_SIZE(held->held));
}

void lock_debug_check_held(const struct lock_debug *lock, const char *what)
{
    const void *site = __builtin_return_address(0);
    uint64_t flags = irq_save();

    if (!is_held(&spin_held[this_cpu(id)], lock) && !is_held(this_cpu(mutexes_held), lock)) {
        panic_begin();
        printk("PANIC: assert_held(%s): it is not held here\n", what);
        symbol_print("wanted", site);
        lock_debug_print_held();
        panic_finish();
    }
    irq_restore(flags);
}

void lock_debug_print_held(void)
{
    struct held_locks *held = &spin_held[this_cpu(id)];

    printk("spinlocks that CPU %u holds: %d\n", this_cpu(id), held->count);
    for (int i = 0; i < held->count; i++) {
        symbol_print("taken", held->held[i].site);
    }
}

void lock_debug_interrupt(bool begins)
{
    in_interrupt[this_cpu(id)] = begins;
}
#endif
