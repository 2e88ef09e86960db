/*
 * Lab 1's kernel test `flushes`: what is in the tables at the moment when another CPU is told to forget
 * its TLB. That CPU has the tables loaded and its interrupts off, so who flushes has to wait for it;
 * meanwhile it looks. After the flush it uses the pages by their user addresses, as a thread would.
 *
 * The order is forced; exploring schedules would find these mistakes without knowing where to look.
 */
#include "space.h"

#include "arch/clock.h"
#include "arch/percpu.h"
#include "mm/uaccess.h"
#include "process/fork.h"
#include "sched/sched.h"

#define PAGES 4
#define PATIENCE 2000000 /* ns in which the first CPU comes to its flush, or to its end */

/* The two CPUs take turns: each round has these stages, and the next begins where it ends. */
enum { STAGE_READY = 1, STAGE_STARTED, STAGE_DONE, STAGE_SEEN };
enum { ROUND_FORK, ROUND_WRITE, ROUNDS };

static const vaddr_t places[PAGES] = {0x10000000, 0x10001000, 0x10002000, 0x700000000000};
static struct mm *watched;
static const struct page *watched_page; /* which the first place has at first */
static uint64_t watch_seed;
static int stage; /* atomic */

/* What the second CPU saw. */
static struct sight {
    bool waited, locked;
    int references; /* of watched_page */
    pte_t entries[PAGES];
    long written[PAGES]; /* -EFAULT: no page may be made here, preemption is off */
    uint64_t read;       /* at the first place */
} sights[ROUNDS];

static void stage_set(int round, int which)
{
    __atomic_store_n(&stage, round * STAGE_SEEN + which, __ATOMIC_RELEASE);
}

static bool stage_is(int round, int which)
{
    return __atomic_load_n(&stage, __ATOMIC_ACQUIRE) == round * STAGE_SEEN + which;
}

static void stage_wait(int round, int which)
{
    while (!stage_is(round, which)) {
        cpu_pause();
    }
}

/* Through this CPU's TLB. */
static void watch_use(struct sight *sight)
{
    get_user(sight->read, (uint64_t __user *)places[0]);
    for (uint64_t i = 0; i < PAGES; i++) {
        sight->written[i] = put_user(lab_number(watch_seed, i), (uint64_t __user *)places[i]);
    }
}

static void watch_round(int round, struct sight *sight)
{
    ktime_t start;

    mm_switch(watched);
    watch_use(sight);
    irq_disable();
    stage_set(round, STAGE_READY);
    while (stage_is(round, STAGE_READY)) {
        cpu_pause();
    }
    start = clock_now();
    while (stage_is(round, STAGE_STARTED) && clock_now() - start < PATIENCE) {
        cpu_pause();
    }
    sight->waited = stage_is(round, STAGE_STARTED);
    sight->locked = watched->lock.state != 0;
    sight->references = watched_page->references;
    for (vaddr_t i = 0; i < PAGES; i++) {
        sight->entries[i] = space_entry(watched, places[i]);
    }
    irq_enable(); /* here the flush comes in */
    stage_wait(round, STAGE_DONE);
    watch_use(sight);
    mm_switch(NULL);
    stage_set(round, STAGE_SEEN);
}

/* The second CPU's thread; it never ends, as its CPU's idle task does not. */
static void watch(void *unused)
{
    (void)unused;
    sched_set_affinity(current, 2);
    while (this_cpu(id) != 1) {
        sched_yield();
    }
    preempt_disable();
    for (int round = 0; round < ROUNDS; round++) {
        watch_round(round, &sights[round]);
    }
    preempt_enable();
    current->state = TASK_SLEEPING;
    schedule();
}

static bool flushes_at_fork(const struct sight *sight)
{
    LAB_EXPECT(sight->waited, "step 4: mm_flush_all(from) in mm_clone: it asks all CPUs",
               "fork makes the other CPU flush its TLB", "nobody asked it to");
    for (int i = 0; i < PAGES; i++) {
        LAB_EXPECT(!(sight->entries[i] & PTE_WRITE),
                   "step 4: flush after the copying: before it, a CPU reads the old entries again",
                   "all entries read-only when the flush comes", "entry 0x%lx of page %d",
                   sight->entries[i], i);
    }
    LAB_EXPECT(sight->locked,
               "step 4: flush before mutex_unlock: another thread's fault must not copy a page into which "
               "a CPU still writes", "the address space locked when the flush comes", "it is not");
    for (int i = 0; i < PAGES; i++) {
        LAB_EXPECT(sight->written[i] == -EFAULT, "step 4: flush all of the old address space, mm_flush_all",
                   "after fork, no CPU writes without a fault", "the other one still may at 0x%lx", places[i]);
    }
    return true;
}

static bool flushes_at_write(const struct sight *sight, uint64_t number)
{
    LAB_EXPECT(sight->waited, "step 3: mm_flush the page after a copy: threads on other CPUs read the old one",
               "a copied page makes the other CPU flush its TLB", "nobody asked it to");
    LAB_EXPECT((sight->entries[0] & PTE_ADDRESS) != page_to_phys(watched_page),
               "step 3: enter the copy, then flush: before it, a CPU reads the old entry again",
               "the copy in the entry when the flush comes", "the old page, entry 0x%lx", sight->entries[0]);
    LAB_EXPECT(sight->references == 2,
               "step 3: page_put comes after mm_flush: a CPU may still read the page, and it may be the "
               "last reference", "2 references to the old page when the flush comes", "%d",
               sight->references);
    LAB_EXPECT(sight->read == number, "step 3: mm_flush from `address` to the page's end",
               "the other CPU reads 0x%lx in the copied page", "0x%lx", number, sight->read);
    return true;
}

static bool flushes_run(uint64_t seed)
{
    uint64_t number = lab_number(seed, 9), sum = 0;
    struct mm *child;

    kernel_thread("watch", watch, NULL);
    stage_wait(ROUND_FORK, STAGE_READY);
    stage_set(ROUND_FORK, STAGE_STARTED);
    child = mm_clone(watched);
    stage_set(ROUND_FORK, STAGE_DONE);
    stage_wait(ROUND_WRITE, STAGE_READY);
    stage_set(ROUND_WRITE, STAGE_STARTED);
    space_write(watched, places[0]);
    *space_word(watched, places[0]) = number;
    stage_set(ROUND_WRITE, STAGE_DONE);
    stage_wait(ROUND_WRITE, STAGE_SEEN);
    if (!flushes_at_fork(&sights[ROUND_FORK]) || !flushes_at_write(&sights[ROUND_WRITE], number)) {
        return false;
    }
    for (vaddr_t i = 0; i < PAGES; i++) {
        sum += *space_word(child, places[i]);
    }
    printk("lab: value child_sum 0x%lx\n", sum);
    mm_put(child);
    return true;
}

static bool flushes(uint64_t seed)
{
    bool right;

    LAB_EXPECT(cpu_count > 1, "run it by tools/grade", "a second CPU", "one");
    watch_seed = seed;
    watched = mm_create();
    for (vaddr_t i = 0; i < PAGES; i++) {
        if (!space_map(watched, places[i], 1, RW) || space_write(watched, places[i])) {
            return false;
        }
    }
    watched_page = space_page(watched, places[0]);
    right = flushes_run(seed);
    mm_put(watched);
    return right;
}
LAB_TEST(flushes);
