/*
 * isolate: seven ways to crash. The hardware traps each, the kernel turns the trap into a signal,
 * and the signal ends the process that did it, and nothing else.
 *
 * A process, that is, not a thread: threads share the address space, so when one of them does
 * something forbidden, no other can be trusted any more, and all of them end.
 */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/lesson.h"

static void null_pointer(void)
{
    *(volatile int *)0 = 1;
}

static void kernel_address(void)
{
    *(volatile int *)0xffffffff80000000ul = 1;
}

static int stack_overflow(volatile int depth)
{
    int (*volatile again)(volatile int) = stack_overflow;
    volatile char fill[4096];

    fill[0] = (char)depth;
    return again(depth + 1) + fill[0];
}

static void overflow(void)
{
    stack_overflow(0);
}

static void illegal_instruction(void)
{
    __asm__ volatile("ud2");
}

static void divide_by_zero(void)
{
    volatile int one = 1, zero = 0; /* both, or the compiler finds a way without dividing */

    one = one / zero;
}

static void write_to_code(void)
{
    *(volatile char *)null_pointer = 1;
}

static void jump_to_data(void)
{
    static volatile unsigned char data[16] = {0xc3};

    ((void (*)(void))data)();
}

static const struct {
    const char *name, *trap;
    void (*crash)(void);
    int signal;
} crashes[] = {
    {"write through a null pointer", "page fault", null_pointer, SIGSEGV},
    {"write to a kernel address", "page fault", kernel_address, SIGSEGV},
    {"overflow the stack", "page fault", overflow, SIGSEGV},
    {"run an illegal instruction", "invalid opcode", illegal_instruction, SIGILL},
    {"divide by zero", "divide error", divide_by_zero, SIGFPE},
    {"write to the program's code", "page fault", write_to_code, SIGSEGV},
    {"jump to data", "page fault", jump_to_data, SIGSEGV},
};
#define CRASHES ((int)COUNT(crashes))

/* The signal that ended a child that runs `crash`; 0 if it survived. */
static int signal_that_ended(void (*crash)(void))
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        crash();
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child) {
        lesson_failed("fork");
    }
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static volatile unsigned long *siblings_count;

static _Noreturn void *count_for_ever(void *unused)
{
    (void)unused;
    for (;;) {
        (*siblings_count)++;
    }
}

static void *crash_in_thread(void *unused)
{
    (void)unused;
    while (*siblings_count == 0) {
        usleep(1000);
    }
    null_pointer();
    return NULL;
}

/* One thread counts, the first waits, the third crashes. */
static void crash_beside_threads(void)
{
    pthread_t counter, crasher;

    pthread_create(&counter, NULL, count_for_ever, NULL);
    pthread_create(&crasher, NULL, crash_in_thread, NULL);
    pthread_join(crasher, NULL);
}

/* Did the thread that did nothing wrong stop counting, too? */
static bool crash_of_a_thread_ends_all(void)
{
    unsigned long before;
    int signal;

    siblings_count = shared_memory(sizeof(*siblings_count));
    signal = signal_that_ended(crash_beside_threads);
    before = *siblings_count;
    usleep(20000);
    say("  %-30s %-15s %s\n", "one thread of three: null", "page fault",
        signal ? strsignal(signal) : "survived!");
    return signal == SIGSEGV && before > 0 && *siblings_count == before;
}

int main(int argc, char **argv)
{
    static const struct lesson lesson = {
        "isolate", "seven ways to crash: each ends its process, and nothing else",
        {"A process hurts only itself: each of these children does something forbidden.",
         "Look at the last column: a trap, a signal from the kernel, and it is dead."},
        NULL,
        "  crashes             how many children did something forbidden\n"
        "  deaths              how many a signal ended\n"
        "  as_expected         how many the expected signal ended\n"
        "  threads_died_too    a crash of one thread ended the others of its process\n",
    };
    int deaths = 0, as_expected = 0;
    bool threads_died;

    lesson_start(&lesson, argc, argv);
    for (int i = 0; i < CRASHES; i++) {
        int signal = signal_that_ended(crashes[i].crash);

        deaths += signal != 0;
        as_expected += signal == crashes[i].signal;
        say("  %-30s %s%-15s%s %s\n", crashes[i].name, paint(DIM), crashes[i].trap, paint(PLAIN),
            signal ? strsignal(signal) : "survived!");
    }
    threads_died = crash_of_a_thread_ends_all();
    json_number("crashes", CRASHES);
    json_number("deaths", deaths);
    json_number("as_expected", as_expected);
    json_bool("threads_died_too", threads_died);
    verdict(as_expected == CRASHES, "%d deaths, %d survivors: the shell lives.", deaths,
            CRASHES - deaths);
    verdict(threads_died, "When one thread crashed, the other threads of its process died with it: "
                          "what isolates is the address space, and threads share theirs.");
    return lesson_end();
}
