/*
 * isolate: eight crashes. The hardware traps each, the kernel turns the trap into a signal, and the
 * signal ends the process that did it, and nothing else.
 *
 * Which trap it was the child sees itself: a handler notes its number and returns, and the second
 * time, without the handler, the same instruction is the end of it.
 *
 * A process, that is, not a thread: threads share the address space, so when one of them does
 * something forbidden, no other can be trusted any more, and all of them end.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/lesson.h"

#define TGKILL_CALL 234

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

/* What the children tell, in shared memory. */
static struct told {
    long trap;                       /* the number of the exception; -1: none came */
    volatile unsigned long count;    /* by the thread that did nothing wrong */
    pid_t counter;
} *told;

static _Noreturn void *count_for_ever(void *unused)
{
    (void)unused;
    told->counter = gettid();
    for (;;) {
        told->count++;
    }
}

static void *crash_in_thread(void *unused)
{
    while (told->count == 0) {
        usleep(1000);
    }
    null_pointer();
    return unused;
}

/* One thread counts, the first waits, the third crashes. */
static void crash_beside_threads(void)
{
    pthread_t counter, crasher;

    if (pthread_create(&counter, NULL, count_for_ever, NULL)
        || pthread_create(&crasher, NULL, crash_in_thread, NULL)) {
        lesson_failed("pthread_create");
    }
    pthread_join(crasher, NULL);
}

enum { DIVIDE_ERROR = 0, INVALID_OPCODE = 6, PAGE_FAULT = 14 }; /* SDM volume 3, table 6-1 */

static const struct crash {
    const char *name;
    void (*crash)(void);
    int signal;
    long trap;
} crashes[] = {
    {"write through a null pointer", null_pointer, SIGSEGV, PAGE_FAULT},
    {"write to a kernel address", kernel_address, SIGSEGV, PAGE_FAULT},
    {"overflow the stack", overflow, SIGSEGV, PAGE_FAULT},
    {"run an illegal instruction", illegal_instruction, SIGILL, INVALID_OPCODE},
    {"divide by zero", divide_by_zero, SIGFPE, DIVIDE_ERROR},
    {"write to the program's code", write_to_code, SIGSEGV, PAGE_FAULT},
    {"jump to data", jump_to_data, SIGSEGV, PAGE_FAULT},
    {"null pointer, in one of 3 threads", crash_beside_threads, SIGSEGV, PAGE_FAULT},
};
#define CRASHES ((int)COUNT(crashes))

static const char *trap_name(long trap)
{
    switch (trap) {
    case DIVIDE_ERROR:
        return "divide error";
    case INVALID_OPCODE:
        return "invalid opcode";
    case PAGE_FAULT:
        return "page fault";
    default:
        return trap < 0 ? "no trap" : "another trap";
    }
}

/* The general registers of the kernel's sigcontext: the exception's number is the 20th word. */
struct context {
    unsigned long flags, link;
    stack_t stack;
    unsigned long words[23];
};

static void note_trap(int number, siginfo_t *info, void *context)
{
    (void)number, (void)info;
    told->trap = (long)((struct context *)context)->words[20];
}

/* A stack of its own, for one crash leaves none. No core file, and no endless stack to overflow. */
static void prepare_to_crash(void)
{
    static char space[16384];
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK | (int)SA_RESETHAND};
    stack_t stack = {.ss_sp = space, .ss_size = sizeof(space)};
    struct rlimit none = {0, 0}, some = {8 << 20, 8 << 20};
    static const int signals[] = {SIGSEGV, SIGILL, SIGFPE, SIGBUS};

    action.sa_sigaction = note_trap;
    sigaltstack(&stack, NULL);
    setrlimit(RLIMIT_CORE, &none);
    setrlimit(RLIMIT_STACK, &some); /* fails where less is allowed, which is as good */
    for (size_t i = 0; i < COUNT(signals); i++) {
        sigaction(signals[i], &action, NULL);
    }
}

/* The signal that ended a child that did it; 0 if it survived. */
static int die_of(const struct crash *crash, pid_t *child)
{
    int status;

    memset(told, 0, sizeof(*told));
    told->trap = -1;
    *child = lesson_fork();
    if (*child == 0) {
        prepare_to_crash();
        crash->crash();
        _exit(0);
    }
    status = lesson_wait(*child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/* Of the last crash: did the thread that did nothing wrong run, and is it gone, too? */
static bool other_thread_is_gone(pid_t child)
{
    unsigned long before = told->count;
    bool gone = syscall(TGKILL_CALL, child, told->counter, 0) < 0 && errno == ESRCH;

    usleep(20000);
    return gone && before > 0 && told->count == before;
}

int main(int argc, char **argv)
{
    static const struct lesson lesson = {
        "isolate", "eight crashes: each ends its process, and nothing else",
        {"A process hurts only itself: each of these children does something forbidden.",
         "Look at the last column: a trap, a signal from the kernel, and it is dead."},
        NULL,
        "  crashes             how many children did something forbidden\n"
        "  deaths              how many a signal ended\n"
        "  as_expected         how many the expected trap and signal ended\n"
        "  threads_died_too    a crash of one thread ended the others of its process\n",
    };
    int deaths = 0, as_expected = 0;
    bool threads_died;
    pid_t child = 0;

    lesson_start(&lesson, argc, argv);
    told = shared_memory(sizeof(*told));
    for (int i = 0; i < CRASHES; i++) {
        int signal = die_of(&crashes[i], &child);

        deaths += signal != 0;
        as_expected += signal == crashes[i].signal && told->trap == crashes[i].trap;
        say("  %s %s%s%s %s\n", cell(-34, crashes[i].name), paint(DIM),
            cell(-15, trap_name(told->trap)), paint(PLAIN),
            translate(signal ? strsignal(signal) : "survived!"));
    }
    threads_died = other_thread_is_gone(child);
    json_number("crashes", CRASHES);
    json_number("deaths", deaths);
    json_number("as_expected", as_expected);
    json_bool("threads_died_too", threads_died);
    verdict(as_expected == CRASHES && deaths == CRASHES,
            "%d crashes, %d deaths, %d of them of the trap and the signal that were due; and the "
            "process that started them all is alive and tells it.", CRASHES, deaths, as_expected);
    verdict(threads_died, "When one thread crashed, the other threads of its process died with it: "
                          "what isolates is the address space, and threads share theirs.");
    return lesson_end();
}
