/* What single operations of the kernel cost. */
#include "kernel.h"

#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>

enum { STACK = 16384, BIG = 16 << 20, PAGE = 4096 };

static char stack[STACK];
static volatile uint32_t tid;

static double null_call(long count)
{
    return EACH(count, bare_call(SYS_getppid, 0, 0, 0));
}

static double clock_call(long count)
{
    struct timespec time;

    return EACH(count, bare_call(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&time, 0));
}

static double yield_alone(long count)
{
    return EACH(count, bare_call(SYS_sched_yield, 0, 0, 0));
}

/* Yielding among several: a call of any of them, from when all take part to when the first stops. */
enum { YIELDERS = 1024, YIELD_STACK = 4096 };
static volatile long yields, yields_measured;
static volatile uint64_t yields_began, yields_ended;
static volatile uint32_t yield_gate, yield_tids[YIELDERS];

static int yield_on(void *argument)
{
    (void)argument;
    while (!yield_gate) {
        futex_wait(&yield_gate, 0);
    }
    while (!yields_ended) {
        if (yields++ == 0) {
            yields_began = ticks();
        } else if (yields == yields_measured) {
            yields_ended = ticks();
        }
        bare_call(SYS_sched_yield, 0, 0, 0);
    }
    return 0;
}

static double yield_among(long all, long count)
{
    char *stacks = memory((size_t)(all * YIELD_STACK));

    yields = yield_gate = 0;
    yields_measured = count;
    yields_ended = 0;
    for (long i = 0; i < all; i++) {
        thread_start(yield_on, NULL, stacks + i * YIELD_STACK, YIELD_STACK, &yield_tids[i]);
    }
    usleep(1000); /* until all sleep */
    yield_gate = 1;
    futex_wake(&yield_gate, (int)all);
    for (long i = 0; i < all; i++) {
        thread_join(&yield_tids[i]);
    }
    munmap(stacks, (size_t)(all * YIELD_STACK));
    return (double)(yields_ended - yields_began) / (double)count;
}

static double yield_2(long count)
{
    return yield_among(2, count);
}

static double yield_1024(long count)
{
    return yield_among(YIELDERS, count);
}

static double yield_processes(long count)
{
    double result;
    pid_t pid = bare_fork();

    if (pid == 0) {
        EACH(count, bare_call(SYS_sched_yield, 0, 0, 0));
        _exit(0);
    }
    bare_call(SYS_sched_yield, 0, 0, 0);
    result = EACH(count, bare_call(SYS_sched_yield, 0, 0, 0));
    bare_wait(pid);
    return result / 2;
}

/* A byte there and back. */
static int there[2], back[2];

static int pipe_answer(void *count)
{
    char byte;

    for (long i = 0; i < (long)count; i++) {
        MUST(read(there[0], &byte, 1) == 1 && write(back[1], &byte, 1) == 1);
    }
    return 0;
}

static double pipe_ask(long count)
{
    char byte = 0;

    return EACH(count, MUST(write(there[1], &byte, 1) == 1 && read(back[0], &byte, 1) == 1));
}

static void pipes_open(void)
{
    MUST(pipe(there) == 0 && pipe(back) == 0);
}

static void pipes_close(void)
{
    for (int i = 0; i < 2; i++) {
        close(there[i]);
        close(back[i]);
    }
}

static double pipe_processes(long count)
{
    double result;
    pid_t pid;

    pipes_open();
    pid = bare_fork();
    if (pid == 0) {
        pipe_answer((void *)count);
        _exit(0);
    }
    result = pipe_ask(count);
    bare_wait(pid);
    pipes_close();
    return result;
}

static double pipe_threads(long count)
{
    double result;

    pipes_open();
    thread_start(pipe_answer, (void *)count, stack, STACK, &tid);
    result = pipe_ask(count);
    thread_join(&tid);
    pipes_close();
    return result;
}

static double pipe_pages(long count)
{
    static char buffer[PAGE];
    uint64_t start;
    long got = 0, size;
    pid_t pid;

    pipes_open();
    pid = bare_fork();
    if (pid == 0) {
        for (long i = 0; i < count; i++) {
            MUST(write(there[1], buffer, PAGE) == PAGE);
        }
        _exit(0);
    }
    close(there[1]);
    start = ticks();
    while ((size = read(there[0], buffer, PAGE)) > 0) {
        got += size;
    }
    start = ticks() - start;
    MUST(got == count * PAGE);
    bare_wait(pid);
    pipes_close();
    return (double)start / (double)count;
}

static volatile uint32_t ball[2], nobody;

static int throw_back(void *count)
{
    for (long i = 0; i < (long)count; i++) {
        ball_catch(&ball[0]);
        ball_throw(&ball[1], 1);
    }
    return 0;
}

static double futex_threads(long count)
{
    double result;

    thread_start(throw_back, (void *)(count + 1), stack, STACK, &tid);
    ball_throw(&ball[0], 1);
    ball_catch(&ball[1]);
    result = EACH(count, (ball_throw(&ball[0], 1), ball_catch(&ball[1])));
    thread_join(&tid);
    return result;
}

static double futex_nobody(long count)
{
    return EACH(count, futex_wake(&nobody, 1));
}

static double thread_create_join(long count)
{
    return EACH(count, (thread_start(end_at_once, NULL, stack, STACK, &tid), thread_join(&tid)));
}

static double fork_exit(long count)
{
    return EACH(count, fork_exit_wait());
}

static char *touched(long pages)
{
    char *start = memory((size_t)pages * PAGE);

    for (long i = 0; i < pages; i++) {
        start[i * PAGE] = 1;
    }
    return start;
}

static double fork_16_mib(long count)
{
    char *big = touched(BIG / PAGE);
    double result = fork_exit(count);

    munmap(big, BIG);
    return result;
}

static double fork_exec(long count)
{
    return EACH(count, fork_exec_wait());
}

/* A page each. */

static double touch(char *start, long count)
{
    return EACH(count, *(volatile char *)(start + each * PAGE) = 2);
}

static double fault_anonymous(long count)
{
    char *start = memory((size_t)count * PAGE);
    double result = touch(start, count);

    munmap(start, (size_t)count * PAGE);
    return result;
}

static double fault_copy(long count)
{
    char *start = touched(count);
    int ends[2];
    double result;
    pid_t pid;

    MUST(pipe(ends) == 0);
    pid = bare_fork();
    if (pid == 0) {
        result = touch(start, count);
        _exit(write(ends[1], &result, sizeof(result)) != sizeof(result));
    }
    MUST(read(ends[0], &result, sizeof(result)) == sizeof(result));
    bare_wait(pid);
    close(ends[0]);
    close(ends[1]);
    munmap(start, (size_t)count * PAGE);
    return result;
}

static double fault_reuse(long count)
{
    char *start = touched(count);
    double result;

    fork_exit_wait();
    result = touch(start, count);
    munmap(start, (size_t)count * PAGE);
    return result;
}

static double unmap_page(long count)
{
    char *start = touched(count);

    return EACH(1, munmap(start, (size_t)count * PAGE)) / (double)count;
}

static void *page_map(void)
{
    return mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static double map_unmap(long count)
{
    return EACH(count, munmap(page_map(), PAGE));
}

static void map_touch_unmap(void)
{
    char *page = page_map();

    *(volatile char *)page = 1;
    munmap(page, PAGE);
}

static double map_touch(long count)
{
    return EACH(count, map_touch_unmap());
}

static double protect_pair(long count)
{
    char *page = touched(1);
    double result = EACH(count, (mprotect(page, PAGE, PROT_READ), mprotect(page, PAGE, PROT_READ | PROT_WRITE)));

    munmap(page, PAGE);
    return result;
}

const struct row kernel_rows[] = {
    {"null_call", null_call, 1000},
    {"clock_call", clock_call, 1000},
    {"yield_alone", yield_alone, 1000},
    {"yield_2_threads", yield_2, 2000},
    {"yield_2_processes", yield_processes, 2000},
    {"yield_1024_threads", yield_1024, 8192},
    {"pipe_round_trip_processes", pipe_processes, 500},
    {"pipe_round_trip_threads", pipe_threads, 500},
    {"pipe_page", pipe_pages, 500},
    {"futex_wake_nobody", futex_nobody, 1000},
    {"futex_round_trip", futex_threads, 500},
    {"thread_create_join", thread_create_join, 200},
    {"fork_exit_wait", fork_exit, 100},
    {"fork_exit_wait_16_mib", fork_16_mib, 8},
    {"fork_exec_wait", fork_exec, 50},
    {"fault_copy", fault_copy, 1000},
    {"fault_reuse", fault_reuse, 1000},
    {"fault_anonymous", fault_anonymous, 1000},
    {"unmap_touched_page", unmap_page, 1000},
    {"map_unmap", map_unmap, 1000},
    {"map_touch_unmap", map_touch, 1000},
    {"protect_pair", protect_pair, 1000},
    {NULL, NULL, 0},
};
