/*
 * A lab's test program: labs/N/tests.c, run as `labtest NAME SEED NONCE CPUS`, one test a boot.
 *
 * It reports by KTAP. What earns points is not the word "ok": the grader (tools/labs/guest.py)
 * recomputes each reported value from the seed, and knows the exit status that comes of the
 * nonce and the values.
 */
#ifndef LABS_GRADE_H
#define LABS_GRADE_H
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct grade_test {
    const char *name;
    void (*run)(void);
};
#define GRADE(name) {#name, name}

/* Weak: the same ones in each file of a test program. */
__attribute__((weak)) uint64_t grade_seed, grade_hash;
__attribute__((weak)) int grade_cpus;
__attribute__((weak)) const char *grade_name;
__attribute__((weak)) const char *volatile grade_next; /* what to do if it fails from here on */
__attribute__((weak)) pid_t grade_pid;

/* The same numbers on the host: tools/labs/seeds.py. */
static inline uint64_t grade_mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

/* The seed's number `index`. */
static inline uint64_t grade_number(uint64_t index)
{
    return grade_mix(grade_seed + grade_mix(index));
}

/* Free memory of the machine, KiB. */
static inline long grade_free_kib(void)
{
    char text[512], *at;
    int fd = open("/proc/meminfo", O_RDONLY);
    ssize_t size = read(fd, text, sizeof(text) - 1);

    close(fd);
    text[size > 0 ? size : 0] = '\0';
    at = strstr(text, "MemFree:");
    return at ? strtol(at + 8, NULL, 10) : -1;
}

/* Report a value; the host knows which it must be. */
static inline void grade_value(const char *key, uint64_t value)
{
    printf("# value %s 0x%lx\n", key, (unsigned long)value);
    grade_hash = (grade_hash ^ value) * 0x9e3779b97f4a7c15;
    grade_hash ^= grade_hash >> 29;
}

/* Say which step to look at if what follows fails; it takes the place of the hint of lab.py. */
static inline void grade_hint(const char *next)
{
    grade_next = next;
}

/* End the test: failed. */
#define grade_fail(expected, ...)                                       \
    do {                                                                \
        printf("not ok 1 - %s\n# expected: %s\n# seen: ", grade_name, expected); \
        printf(__VA_ARGS__);                                            \
        printf("\n");                                                   \
        if (grade_next) {                                               \
            printf("# next: %s\n", grade_next);                         \
        }                                                               \
        fflush(stdout);                                                 \
        _exit(1);                                                       \
    } while (0)

#define EXPECT(condition, expected, ...)        \
    do {                                        \
        if (!(condition)) {                     \
            grade_fail(expected, __VA_ARGS__);  \
        }                                       \
    } while (0)

/* The words at an address that may be wrong: write(2) refuses it, reading it would be a fault. */
static inline int grade_peek(uint64_t address, uint64_t *words, size_t count)
{
    int ends[2], whole;

    if (pipe(ends) != 0) {
        return 0;
    }
    whole = write(ends[1], (const void *)address, count * 8) == (ssize_t)(count * 8) &&
            read(ends[0], words, count * 8) == (ssize_t)(count * 8);
    close(ends[0]);
    close(ends[1]);
    return whole;
}

/* A line of the report, at once and without stdio, which may be what is broken. */
static inline void __attribute__((format(printf, 1, 2))) grade_tell(const char *format, ...)
{
    char line[256];
    va_list arguments;
    int size;

    va_start(arguments, format);
    size = vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    write(1, line, (size_t)size < sizeof(line) ? (size_t)size : sizeof(line) - 1);
}

/*
 * The test program is about to die of a signal: say where, for the grader to find the line, and
 * die. Not on the stack that was in use: it may be why. `context` is the kernel's ucontext: two
 * words and a stack_t before the registers r8 to r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip.
 */
static void grade_died(int signal, siginfo_t *info, void *context)
{
    const uint64_t *registers = (const uint64_t *)context + 5;
    uint64_t rbp = registers[10], frame[2] = {rbp, 0};

    if (getpid() == grade_pid) {
        grade_tell("\n# died: %d %d 0x%lx 0x%lx 0x%lx\n", signal, info->si_code,
                   (unsigned long)(uintptr_t)info->si_addr, (unsigned long)registers[16],
                   (unsigned long)rbp);
        if (grade_peek(registers[15], frame, 1)) { /* who called, if it went where nothing is */
            grade_tell("# top: 0x%lx\n", (unsigned long)frame[0]);
        }
        for (int depth = 0; depth < 12 && grade_peek(rbp, frame, 2) && frame[1]; depth++) {
            grade_tell("# frame: 0x%lx\n", (unsigned long)frame[1]);
            if (frame[0] <= rbp) {
                break;
            }
            rbp = frame[0];
        }
        if (grade_next) {
            grade_tell("# next: %s\n", grade_next);
        }
    }
    sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
}

static inline void grade_watch_deaths(void)
{
    static char stack[4 * 4096] __attribute__((aligned(16)));
    static const int signals[] = {SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV};
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK};

    grade_pid = getpid();
    action.sa_sigaction = grade_died;
    sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof(stack)}, NULL);
    for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
        sigaction(signals[i], &action, NULL);
    }
}

static inline int grade_main(int argc, char **argv, const struct grade_test *tests, int count)
{
    if (argc != 3 && argc != 5) {
        fprintf(stderr, "usage: labtest NAME SEED [NONCE CPUS] (tools/grade runs it)\n");
        return 2;
    }
    grade_name = argv[1];
    grade_seed = strtoul(argv[2], NULL, 10);
    grade_hash = strtoul(argc == 5 ? argv[3] : "0", NULL, 16);
    grade_cpus = argc == 5 ? atoi(argv[4]) : 1;
    grade_watch_deaths();
    printf("KTAP version 1\n# nonce %016lx\n1..1\n", (unsigned long)grade_hash);
    for (int i = 0; i < count; i++) {
        if (strcmp(tests[i].name, grade_name) == 0) {
            fflush(stdout);
            tests[i].run();
            printf("ok 1 - %s\n", grade_name);
            fflush(stdout);
            _exit(argc == 5 ? 10 + (int)(grade_hash % 90) : 0);
        }
    }
    fprintf(stderr, "labtest: no test %s\n", grade_name);
    return 2;
}
#define GRADE_MAIN(tests) \
    int main(int argc, char **argv) { return grade_main(argc, argv, tests, sizeof(tests) / sizeof(*(tests))); }
#endif
