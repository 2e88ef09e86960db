/* isolate [--json]: seven ways to crash. Each kills its process, and nothing else. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

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
    const char *name;
    void (*crash)(void);
    int signal;
} crashes[] = {
    {"write through a null pointer", null_pointer, SIGSEGV},
    {"write to a kernel address", kernel_address, SIGSEGV},
    {"overflow the stack", overflow, SIGSEGV},
    {"run an illegal instruction", illegal_instruction, SIGILL},
    {"divide by zero", divide_by_zero, SIGFPE},
    {"write to the program's code", write_to_code, SIGSEGV},
    {"jump to data", jump_to_data, SIGSEGV},
};
#define COUNT ((int)(sizeof(crashes) / sizeof(*crashes)))

int main(int argc, char **argv)
{
    int json = argc > 1 && strcmp(argv[1], "--json") == 0, deaths = 0, as_expected = 0;

    if (!json) {
        printf("A process can hurt itself alone: each of these children does something forbidden.\n"
               "Look at the last column: the hardware trapped, the kernel sent a signal, it died.\n\n");
    }
    for (int i = 0; i < COUNT; i++) {
        int status = 0, signal;
        pid_t child;

        fflush(stdout);
        child = fork();
        if (child == 0) {
            crashes[i].crash();
            _exit(0);
        }
        waitpid(child, &status, 0);
        signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
        deaths += signal != 0;
        as_expected += signal == crashes[i].signal;
        if (!json) {
            printf("  %-30s %s\n", crashes[i].name, signal ? strsignal(signal) : "survived!");
        }
    }
    if (json) {
        printf("{\"demo\": \"isolate\", \"crashes\": %d, \"deaths\": %d, \"as_expected\": %d}\n", COUNT,
               deaths, as_expected);
    } else {
        printf("\n%d deaths, %d survivors: the shell lives.\n", deaths, COUNT - deaths);
    }
    return as_expected != COUNT;
}
