/*
 * switchcost: what it costs to hand the CPU on, from the cheapest way to the dearest, and why.
 *
 *   function call      a return address is pushed and popped
 *   coroutine switch   the callee-saved registers and the stack pointer are exchanged
 *   system call        the CPU changes its mode, the kernel saves registers, and back
 *   thread switch      a system call, in which the kernel chooses a task and exchanges stacks
 *   process switch     the same, and another page table (CR3): cached translations are lost
 *
 * Two tasks on one CPU call sched_yield() in turn. Each writes down when it yields, and the one who
 * gets the CPU reads that. Whether the CPU really changed hands shows in a word that both write.
 */
#include <co.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/lesson.h"

#define GETPPID_CALL 110
/* The shortest counts, of batches or of single switches: an interrupt, or a third program that had the
 * CPU in between, makes one longer, nothing shorter. */
#define ROUNDS 5
#define BATCH 2000
#define TRIES 6 /* a machine may be slower for a while, just when one row is measured */

static long loops = 20000;
static double clock_ns; /* a reading of the clock */

struct cost {
    const char *name, *key, *why;
    double ns;
};
enum { CALL, COROUTINE, SYSTEM_CALL, THREAD, PROCESS, COSTS };
static struct cost costs[COSTS] = {
    [CALL] = {"function call", "function_call", "return address: pushed, popped", 0},
    [COROUTINE] = {"coroutine switch", "coroutine_switch", "+ registers and stack exchanged", 0},
    [SYSTEM_CALL] = {"null system call", "null_system_call", "into the kernel and back", 0},
    [THREAD] = {"thread switch", "thread_switch", "+ kernel picks and switches tasks", 0},
    [PROCESS] = {"process switch", "process_switch", "+ another page table (CR3)", 0},
};

static void keep_least(double *least, double value)
{
    if (*least == 0 || value < *least) {
        *least = value;
    }
}

/* ---- Inside one thread ---- */

static __attribute__((noinline)) void nothing(void)
{
    __asm__ volatile("");
}

static double time_calls(void)
{
    long long start = now_ns();

    for (long i = 0; i < BATCH; i++) {
        nothing();
    }
    return (double)(now_ns() - start) / BATCH;
}

/* What reading the clock adds to a time between two readings. */
static double time_clock(void)
{
    long long start = now_ns(), end = start;

    for (long i = 0; i < BATCH; i++) {
        end = now_ns();
    }
    return (double)(end - start) / BATCH;
}

static double time_system_calls(void)
{
    long long start = now_ns();

    for (long i = 0; i < BATCH; i++) {
        syscall(GETPPID_CALL);
    }
    return (double)(now_ns() - start) / BATCH;
}

static _Noreturn void *yield_for_ever(void *unused)
{
    (void)unused;
    for (;;) {
        co_yield(NULL);
    }
}

/* There and back: two switches a loop. */
static double time_coroutines(struct co *co)
{
    long long start = now_ns();

    for (long i = 0; i < BATCH; i++) {
        co_resume(co, NULL, NULL);
    }
    return (double)(now_ns() - start) / (2 * BATCH);
}

/* ---- Between two tasks ---- */

static struct table {
    volatile int holder;         /* who had the CPU last: 0 or 1 */
    volatile bool over;
    volatile long long yielded;  /* when the holder yielded last */
    volatile long pages;         /* each is to touch after a switch */
} *table;

static unsigned char *memory; /* private: a process has its own, threads have one */
static const long page_counts[] = {1, 16, 64, 256, 1024};
#define PAGE_COUNTS ((int)COUNT(page_counts))
#define PAGE 4096

static unsigned long cycles(void)
{
    __builtin_ia32_lfence(); /* all that came before is done */
    return __builtin_ia32_rdtsc();
}

/* Yield until the other has had the CPU; when it gave it back is in table->yielded. */
static void hand_on(int me)
{
    table->holder = me;
    while (table->holder == me && !table->over) {
        table->yielded = now_ns();
        sched_yield();
    }
}

/* Write one byte in each page, in another cache line in each. */
static void touch_pages(void)
{
    for (long page = 0; page < table->pages; page++) {
        memory[page * PAGE + page * 64 % PAGE]++;
    }
}

static void *partner(void *unused)
{
    while (!table->over) {
        hand_on(1);
        touch_pages();
    }
    return unused;
}

/* The time of one switch from the partner to us. */
static void time_switches(struct cost *cost)
{
    table->pages = 0;
    for (long i = 0; i < loops / 8; i++) {
        hand_on(0);
        keep_least(&cost->ns, (double)(now_ns() - table->yielded) - clock_ns);
    }
}

/* The cycles to touch a page, just after the partner has had the CPU and touched its own. */
static double time_touches(long pages)
{
    long turns = loops / 200 + 1;
    unsigned long sum = 0, clock = 0, start;

    table->pages = pages;
    hand_on(0);
    for (long i = 0; i < turns; i++) {
        hand_on(0);
        start = cycles();
        touch_pages();
        sum += cycles() - start;
        start = cycles();
        clock += cycles() - start;
    }
    return (double)(sum > clock ? sum - clock : 0) / (double)(turns * pages);
}

/* All figures with the partner that runs now. */
static void measure_partner(struct cost *cost, double *touch_cycles)
{
    for (int round = 0; round < ROUNDS; round++) {
        time_switches(cost);
        for (int i = 0; i < PAGE_COUNTS; i++) {
            keep_least(&touch_cycles[i], time_touches(page_counts[i]));
        }
    }
    table->over = true;
}

static void measure_threads(double *touch_cycles)
{
    pthread_t thread;

    table->over = false;
    if (pthread_create(&thread, NULL, partner, NULL)) {
        lesson_failed("pthread_create");
    }
    measure_partner(&costs[THREAD], touch_cycles);
    pthread_join(thread, NULL);
}

static void measure_processes(double *touch_cycles)
{
    pid_t child;

    table->over = false;
    child = lesson_fork();
    if (child == 0) {
        end_with_parent();
        partner(NULL);
        _exit(0);
    }
    measure_partner(&costs[PROCESS], touch_cycles);
    lesson_join(child);
}

static void measure_inside(void)
{
    struct co *co = co_create(yield_for_ever, NULL);

    if (!co) {
        lesson_failed("co_create");
    }
    for (long batch = 0; batch <= ROUNDS * loops / BATCH; batch++) {
        keep_least(&clock_ns, time_clock());
        keep_least(&costs[CALL].ns, time_calls());
        keep_least(&costs[COROUTINE].ns, time_coroutines(co));
        keep_least(&costs[SYSTEM_CALL].ns, time_system_calls());
    }
    co_destroy(co);
}

/* Does each cost more than the one before? */
static bool in_order(void)
{
    for (int i = 1; i < COSTS; i++) {
        if (costs[i].ns <= costs[i - 1].ns) {
            return false;
        }
    }
    return true;
}

/* ---- What came of it ---- */

static void report_costs(const char *unit)
{
    say("%s  %-17s %s%s\n", paint(BOLD), "", cell(12, unit), paint(PLAIN));
    json_object("costs");
    for (int i = 0; i < COSTS; i++) {
        say("  %s %9.*f  %s%s%s %s\n", cell(-17, costs[i].name), costs[i].ns < 99.95, costs[i].ns,
            paint(CYAN), bar(costs[i].ns / costs[PROCESS].ns, 14), paint(PLAIN),
            translate(costs[i].why));
        json_number(costs[i].key, costs[i].ns);
    }
    json_end();
}

static void report_touches(const double *thread_cycles, const double *process_cycles)
{
    double dearest = 1;

    for (int i = 0; i < PAGE_COUNTS; i++) {
        dearest = process_cycles[i] > dearest ? process_cycles[i] : dearest;
    }
    say("\nAfter a switch, how many cycles does it take to touch a page again?\n\n");
    say("  %s %s %s\n", cell(-12, "working set"), cell(14, "other thread"),
        cell(14, "other process"));
    json_array("refill");
    for (int i = 0; i < PAGE_COUNTS; i++) {
        char pages[32];

        snprintf(pages, sizeof(pages), translate(page_counts[i] > 1 ? "%4ld pages" : "%4ld page"),
                 page_counts[i]);
        say("  %s %14.1f %14.1f  |%s%s%s|\n", cell(-12, pages), thread_cycles[i], process_cycles[i],
            paint(CYAN), bar(process_cycles[i] / dearest, 20), paint(PLAIN));
        json_object(NULL);
        json_number("pages", (double)page_counts[i]);
        json_number("after_thread_cycles_per_page", thread_cycles[i]);
        json_number("after_process_cycles_per_page", process_cycles[i]);
        json_end();
    }
    json_end();
}

int main(int argc, char **argv)
{
    static const struct lesson_option options[] = {
        {.name = "loops", .kind = OPTION_NUMBER, .value = &loops, .least = 100, .most = 10000000,
         .help = "how often each is done, in each of 5 rounds"},
        {0},
    };
    static const struct lesson lesson = {
        "switchcost", "what it costs to hand the CPU on: call, coroutine, thread, process",
        {"Five ways to hand the CPU on, and each costs more than the one above it.",
         "Look at the reasons: where is the kernel entered, where does CR3 change?"},
        options,
        "  unit      what the costs are in: \"ns\", or \"instructions\" (the guest under icount)\n"
        "  costs     object: function_call, coroutine_switch, null_system_call, thread_switch,\n"
        "            process_switch; each is one way, not there and back\n"
        "  refill    array, only for \"ns\": pages, after_thread_cycles_per_page,\n"
        "            after_process_cycles_per_page: touching pages just after a switch\n",
    };
    double thread_cycles[PAGE_COUNTS] = {0}, process_cycles[PAGE_COUNTS] = {0};
    const char *unit;

    lesson_start(&lesson, argc, argv);
    unit = time_counts_instructions() ? "instructions" : "ns";
    pin_to_cpu(0);
    table = shared_memory(sizeof(*table));
    memory = calloc(page_counts[PAGE_COUNTS - 1], PAGE);
    for (int tries = 0; tries == 0 || (tries < TRIES && !in_order()); tries++) {
        measure_inside();
        measure_threads(thread_cycles);
        measure_processes(process_cycles);
    }

    json_text("unit", unit);
    report_costs(unit);
    if (unit[0] == 'n') {
        report_touches(thread_cycles, process_cycles);
    } else {
        say("\nHere time counts instructions, and a lost cache or TLB entry costs none: run this\n"
            "without icount to see what a working set costs after a switch.\n");
    }
    verdict(costs[CALL].ns < costs[COROUTINE].ns && costs[COROUTINE].ns < costs[SYSTEM_CALL].ns,
            "A coroutine switch (%.1f %s) costs %.1f function calls, and less than a system "
            "call that does nothing (%.1f): it is a call that returns on another stack.",
            costs[COROUTINE].ns, translate(unit), costs[COROUTINE].ns / costs[CALL].ns,
            costs[SYSTEM_CALL].ns);
    verdict(costs[SYSTEM_CALL].ns < costs[THREAD].ns,
            "A thread switch (%.0f %s) costs %.0f coroutine switches: the kernel is entered, "
            "chooses a task and exchanges kernel stacks.",
            costs[THREAD].ns, translate(unit), costs[THREAD].ns / costs[COROUTINE].ns);
    verdict(costs[PROCESS].ns > costs[THREAD].ns,
            "A process switch costs %.0f %s, %+.0f to a thread switch: another page table, and "
            "what the caches lost by that is still to be paid.",
            costs[PROCESS].ns, translate(unit), costs[PROCESS].ns - costs[THREAD].ns);
    return lesson_end();
}
