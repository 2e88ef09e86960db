/* Between the files of the kernel's benchmark. */
#ifndef BENCH_KERNEL_H
#define BENCH_KERNEL_H
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* One figure: what an operation costs. */
struct row {
    const char *name;
    double (*measure)(long n); /* ticks for one; n: of how many it is the mean, or what it grows with */
    long n;                    /* that many, or at most so many */
};

/* Each table ends with a row without a name. */
extern const struct row kernel_rows[];
extern const struct row growth_rows[];

void smp_measure(long workers, const char *name); /* print its table, or that row, smp.c */

/* Under icount a tick is an instruction, of the kernel's or of ours. */
static inline uint64_t ticks(void)
{
    uint32_t low, high;

    __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

/* What one of `count` operations costs. */
#define EACH(count, operation)                                \
    ({                                                        \
        uint64_t each_start = ticks();                        \
                                                              \
        for (long each = 0; each < (long)(count); each++) {   \
            operation;                                        \
        }                                                     \
        (double)(ticks() - each_start) / (double)(count);     \
    })

/* The benchmark cannot go on: `what` failed. */
void must(int held, const char *what);
#define MUST(condition) must(condition, #condition)

/* A system call without the C library's share, as all below. */
static inline long bare_call(long number, long a, long b, long c)
{
    register long none __asm__("r10") = 0;

    __asm__ volatile("syscall" : "+a"(number) : "D"(a), "S"(b), "d"(c), "r"(none)
                     : "rcx", "r11", "memory");
    return number;
}

pid_t bare_fork(void);
void bare_wait(pid_t pid);
long futex_wait(volatile uint32_t *word, uint32_t value);
long futex_wake(volatile uint32_t *word, int count);
/* A thread of `function`, on a stack of its own; *tid is 0 when it has ended, and thread_join waits for
 * that. */
void thread_start(int (*function)(void *), void *argument, char *stack, size_t size,
                  volatile uint32_t *tid);
void thread_join(volatile uint32_t *tid);
int end_at_once(void *argument); /* for thread_start */
void fork_exit_wait(void);
void fork_exec_wait(void); /* of this program, which ends at once */
/* Two threads wake each other: hand over a value that is not 0; wait for one. */
void ball_throw(volatile uint32_t *to, uint32_t value);
uint32_t ball_catch(volatile uint32_t *at);
void *memory(size_t size); /* of zeroes, never touched, on pages of 4 KiB */
#endif
