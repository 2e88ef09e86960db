/*
 * Switches, each as a ping-pong between two stacks; a figure is for one switch.
 *
 * The bare ones (six registers, co_switch) need a stack on which they return into a function:
 * `prepare` lays it out as switch.asm and six.asm describe.
 */
#include <co.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"

void six_ret(void **from, void *const *to);
void six_jmp(void **from, void *const *to);

static uint64_t stack[2048] __attribute__((aligned(16)));
static void *here, *there;
static struct co_ctx own, other;

/* As a call of `function` would find the stack: its return address, which is never used, on top. */
static void *prepare(void (*function)(void), int words)
{
    uint64_t *top = &stack[2048 - 2];

    top[-1] = (uint64_t)function;
    for (int i = 2; i <= words; i++) {
        top[-i] = 0;
    }
    return top - words;
}

static void six_ret_peer(void)
{
    for (;;) {
        six_ret(&there, &here);
    }
}

static double six_ret_row(long count)
{
    double start;

    there = prepare(six_ret_peer, 7);
    six_ret(&here, &there);
    start = now();
    for (long i = 0; i < count; i++) {
        six_ret(&here, &there);
    }
    return (now() - start) / (double)(2 * count);
}

static void six_jmp_peer(void)
{
    for (;;) {
        six_jmp(&there, &here);
    }
}

static double six_jmp_row(long count)
{
    double start;

    there = prepare(six_jmp_peer, 7);
    six_jmp(&here, &there);
    start = now();
    for (long i = 0; i < count; i++) {
        six_jmp(&here, &there);
    }
    return (now() - start) / (double)(2 * count);
}

static void co_switch_peer(void)
{
    for (;;) {
        co_switch(&other, &own, NULL);
    }
}

static double co_switch_row(long count)
{
    double start;

    other.rsp = prepare(co_switch_peer, 8);
    *(uint64_t *)other.rsp = 0x0000037f00001f80; /* x87 and MXCSR as a process starts with them */
    co_switch(&own, &other, NULL);
    start = now();
    for (long i = 0; i < count; i++) {
        co_switch(&own, &other, NULL);
    }
    return (now() - start) / (double)(2 * count);
}

static void *yielder(void *in)
{
    while (in) {
        in = co_yield(in);
    }
    return NULL;
}

static double resume_row(long count)
{
    struct co *co = co_create(yielder, NULL);
    double start, end;

    co_resume(co, co, NULL);
    start = now();
    for (long i = 0; i < count; i++) {
        co_resume(co, co, NULL);
    }
    end = now();
    co_destroy(co);
    return (end - start) / (double)count;
}

static void *nothing(void *in)
{
    return in;
}

static void create_and_end(void)
{
    struct co *co = co_create(nothing, NULL);

    co_resume(co, NULL, NULL);
    co_destroy(co);
}

static double create_row(long count)
{
    double start = now();

    for (long i = 0; i < count; i++) {
        create_and_end();
    }
    return (now() - start) / (double)count;
}

static void *turns(void *argument)
{
    for (long i = 0; i < (long)argument; i++) {
        co_yield_now();
    }
    return NULL;
}

static double loop_of(long coroutines, long count)
{
    double start;

    for (long i = 0; i < coroutines; i++) {
        co_go(turns, (void *)(count / coroutines), "turns");
    }
    start = now();
    co_run();
    return (now() - start) / (double)count;
}

static double loop_2_row(long count)
{
    return loop_of(2, count);
}

static double loop_1000_row(long count)
{
    return loop_of(1000, count);
}

/* Two threads on one CPU hand over by futex. */

enum { WAIT = 128, WAKE = 129 };

static uint32_t turn;

static void hand_over(uint32_t mine, long count)
{
    for (long i = 0; i < count; i++) {
        while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != mine) {
            syscall(SYS_futex, &turn, WAIT, !mine, NULL, NULL, 0);
        }
        __atomic_store_n(&turn, !mine, __ATOMIC_RELEASE);
        syscall(SYS_futex, &turn, WAKE, 1, NULL, NULL, 0);
    }
}

static void *second(void *count)
{
    hand_over(1, (long)count);
    return NULL;
}

static double thread_row(long count)
{
    pthread_t thread;
    cpu_set_t before, one;
    double start, end;

    sched_getaffinity(0, sizeof(before), &before);
    CPU_ZERO(&one);
    for (int cpu = 0; CPU_COUNT(&one) == 0; cpu++) {
        if (CPU_ISSET(cpu, &before)) {
            CPU_SET(cpu, &one);
        }
    }
    sched_setaffinity(0, sizeof(one), &one); /* the new thread inherits it */
    turn = 0;
    if (pthread_create(&thread, NULL, second, (void *)count)) {
        return 0;
    }
    start = now();
    hand_over(0, count);
    pthread_join(thread, NULL);
    end = now();
    sched_setaffinity(0, sizeof(before), &before);
    return (end - start) / (double)(2 * count);
}

const struct row switch_rows[] = {
    {"six_registers_ret", six_ret_row, 1},
    {"six_registers_jmp", six_jmp_row, 1},
    {"co_switch", co_switch_row, 1},
    {"resume_yield_pair", resume_row, 2},
    {"yield_now_2", loop_2_row, 4},
    {"yield_now_1000", loop_1000_row, 4},
    {"create_end", create_row, 20},
    {"thread_switch", thread_row, 100},
    {NULL, NULL, 1},
};
