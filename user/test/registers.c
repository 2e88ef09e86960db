/*
 * What user mode leaves in registers is its own: it comes back after each way through the kernel,
 * and nobody else sees it; a handler and a new program begin with what Linux gives them.
 */
#include <sys/mman.h>
#include <sys/syscall.h>

#include "context.h"
#include "tasks.h"

enum { ARCH_SET_GS = 0x1001, ARCH_SET_FS, ARCH_GET_FS, ARCH_GET_GS };
#define GS_VALUE 0x123456789000ul
#define ROUNDS 400

static char *self; /* this program's path */
static unsigned long seen_flags, handler_flags, set_flags;

/* The flags after a system call that began with `flags`. */
static unsigned long flags_over(unsigned long flags, long number, long a, long b, long c)
{
    unsigned long after, result = (unsigned long)number;

    __asm__ volatile("pushfq\n\tpushq %2\n\tpopfq\n\tsyscall\n\tpushfq\n\tpopq %1\n\tpopfq"
                     : "+a"(result), "=&r"(after) : "r"(flags), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "memory", "cc");
    CHECK((long)result >= 0);
    return after;
}

#define ALL_BUT_TF (F_STATUS | F_IF | F_DF | F_NT | F_AC | F_ID | 2)

static void flags_come_back(void)
{
    CHECK(flags_over(ALL_BUT_TF, SYS_getpid, 0, 0, 0) == ALL_BUT_TF);
    CHECK(flags_over(2, SYS_getpid, 0, 0, 0) == (2 | F_IF));
    if (fork() == 0) {
        for (int i = 0; i < 20; i++) {
            CHECK(flags_over(2, SYS_sched_yield, 0, 0, 0) == (2 | F_IF));
        }
        _exit(0);
    }
    for (int i = 0; i < 20; i++) {
        CHECK(flags_over(ALL_BUT_TF, SYS_sched_yield, 0, 0, 0) == ALL_BUT_TF);
    }
}

static void note_flags(int signal, siginfo_t *info, void *pointer)
{
    struct context *context = pointer;

    (void)signal, (void)info;
    __asm__ volatile("pushfq\n\tpopq %0\n\tpushq $2\n\tpopfq"
                     : "=r"(handler_flags) : : "cc", "memory");
    seen_flags = context->registers[R_FLAGS];
    if (set_flags) {
        context->registers[R_FLAGS] = set_flags;
    }
}

static void flags_of_a_handler(void)
{
    unsigned long after;

    handle(SIGUSR1, note_flags);
    after = flags_over(ALL_BUT_TF, SYS_tgkill, getpid(), getpid(), SIGUSR1);
    CHECK(seen_flags == ALL_BUT_TF);
    CHECK(after == (ALL_BUT_TF & ~(F_NT | F_ID))); /* these rt_sigreturn leaves as it finds them */
    CHECK((handler_flags & (F_DF | F_TF)) == 0 && handler_flags & F_NT && handler_flags & F_AC);
    set_flags = ~(unsigned long)F_TF; /* IOPL, VM, what there is */
    after = flags_over(2, SYS_tgkill, getpid(), getpid(), SIGUSR1);
    CHECK(after == (2 | F_IF | F_STATUS | F_DF | F_AC));
    set_flags = 1ul << 63;
    after = flags_over(ALL_BUT_TF, SYS_tgkill, getpid(), getpid(), SIGUSR1);
    CHECK(after == (2 | F_IF));
}

/* All registers but rsp over what the kernel is entered by: `number` in rax, or a trap. */
struct all {
    unsigned long rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15;
};
void registers_over_call(struct all *all); /* rcx and r11 are the call's own */
void registers_over_trap(struct all *all); /* reads *rax, then int3 */
__asm__(".macro all_registers how\n\t"
        "pushq %rbx\n\tpushq %rbp\n\tpushq %r12\n\tpushq %r13\n\tpushq %r14\n\tpushq %r15\n\t"
        "pushq %rdi\n\t"
        "movq (%rdi), %rax\n\tmovq 8(%rdi), %rbx\n\tmovq 16(%rdi), %rcx\n\tmovq 24(%rdi), %rdx\n\t"
        "movq 32(%rdi), %rsi\n\tmovq 48(%rdi), %rbp\n\tmovq 56(%rdi), %r8\n\tmovq 64(%rdi), %r9\n\t"
        "movq 72(%rdi), %r10\n\tmovq 80(%rdi), %r11\n\tmovq 88(%rdi), %r12\n\t"
        "movq 96(%rdi), %r13\n\tmovq 104(%rdi), %r14\n\tmovq 112(%rdi), %r15\n\tmovq 40(%rdi), %rdi\n\t"
        "\\how\n\t"
        "xchgq %rdi, (%rsp)\n\t"
        "movq %rax, (%rdi)\n\tmovq %rbx, 8(%rdi)\n\tmovq %rcx, 16(%rdi)\n\tmovq %rdx, 24(%rdi)\n\t"
        "movq %rsi, 32(%rdi)\n\tmovq %rbp, 48(%rdi)\n\tmovq %r8, 56(%rdi)\n\tmovq %r9, 64(%rdi)\n\t"
        "movq %r10, 72(%rdi)\n\tmovq %r11, 80(%rdi)\n\tmovq %r12, 88(%rdi)\n\t"
        "movq %r13, 96(%rdi)\n\tmovq %r14, 104(%rdi)\n\tmovq %r15, 112(%rdi)\n\tpopq %rax\n\tmovq %rax, 40(%rdi)\n\t"
        "popq %r15\n\tpopq %r14\n\tpopq %r13\n\tpopq %r12\n\tpopq %rbp\n\tpopq %rbx\n\tret\n"
        ".endm\n"
        "registers_over_call: all_registers \"syscall; registers_after_call:\"\n"
        "registers_over_trap: all_registers \"testb $1, (%rax); int3\"\n");
extern char registers_after_call[];

static void fill(struct all *all, unsigned long rax)
{
    unsigned long *words = (unsigned long *)all;

    for (size_t i = 0; i < sizeof(*all) / 8; i++) {
        words[i] = 0x1111111111111111 * (i + 1) ^ 0x8000000000000000;
    }
    all->rax = rax;
}

/* After the call the registers are as before but for the result, and what the instruction takes. */
static long kept_by_call(long number, unsigned long a, unsigned long b, unsigned long c)
{
    struct all before, after;

    fill(&before, (unsigned long)number);
    before.rdi = a;
    before.rsi = b;
    before.rdx = c;
    after = before;
    registers_over_call(&after);
    CHECK(after.rcx == (unsigned long)registers_after_call);
    CHECK((after.r11 & ~(unsigned long)F_STATUS) == (2 | F_IF));
    before.rax = after.rax;
    before.rcx = after.rcx;
    before.r11 = after.r11;
    CHECK(memcmp(&before, &after, sizeof(before)) == 0);
    return (long)after.rax;
}

static void note_nothing(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
}

static void registers_come_back(void)
{
    struct all before, after;
    struct timespec time = {0, 1000};
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    long pid;

    handle(SIGUSR1, note_nothing);
    handle(SIGTRAP, note_nothing);
    CHECK(kept_by_call(SYS_getpid, 1, 2, 3) == getpid());
    CHECK(kept_by_call(511, 1, 2, 3) == -ENOSYS && kept_by_call(-1, 1, 2, 3) == -ENOSYS);
    CHECK(kept_by_call(0, 99, 8, 3) == -EBADF); /* read */
    CHECK(kept_by_call(SYS_sched_yield, 1, 2, 3) == 0);
    CHECK(kept_by_call(35, (unsigned long)&time, 0, 3) == 0); /* nanosleep */
    CHECK(kept_by_call(SYS_tgkill, (unsigned long)getpid(), (unsigned long)getpid(), SIGUSR1) == 0);
    pid = kept_by_call(57, 1, 2, 3); /* fork */
    if (pid == 0) {
        _exit(0); /* the child's were looked at as well */
    }
    CHECK(pid > 0);
    fill(&before, (unsigned long)page);
    after = before;
    registers_over_trap(&after);
    CHECK(memcmp(&before, &after, sizeof(before)) == 0);
}

static struct told steps[16];
static int step_count;

static void note_step(int signal, siginfo_t *info, void *context)
{
    if (step_count < 16) {
        steps[step_count++] = told_of(signal, info, context);
    }
}

/* A system call is one step with the instruction behind it: there is where the trap comes. */
static void single_steps(void)
{
    static const int expected[] = {1, 2, 5, 6, 7, 14, 15};
    unsigned long start;
    long number = SYS_getpid;

    handle(SIGTRAP, note_step);
    __asm__ volatile("leaq 1f(%%rip), %1\n\tpushfq\n\torl $0x100, (%%rsp)\n\tpopfq\n"
                     "1:\tnop\n\tnop\n\tsyscall\n\tnop\n\tnop\n\tpushfq\n\t"
                     "andl $~0x100, (%%rsp)\n\tpopfq\n\tnop"
                     : "+a"(number), "=&r"(start) : : "rcx", "r11", "memory", "cc");
    CHECK(number == getpid() && step_count == 7);
    for (int i = 0; i < step_count; i++) {
        CHECK(told_as(&steps[i], SIGTRAP, 2, 1, 0));
        CHECK(steps[i].address == steps[i].rip && steps[i].rip == start + (unsigned)expected[i]);
    }
}

static int have_wrgsbase(void)
{
    unsigned a = 7, b, c = 0, d;

    __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return b & 1;
}

static unsigned long gs_base(void)
{
    unsigned long base, asked;

    CHECK(syscall(SYS_arch_prctl, ARCH_GET_GS, &asked) == 0);
    if (have_wrgsbase()) {
        __asm__ volatile("rdgsbase %0" : "=r"(base));
        CHECK(base == asked);
    }
    return asked;
}

static void set_gs_base(unsigned long base)
{
    if (have_wrgsbase()) {
        __asm__ volatile("wrgsbase %0" : : "r"(base));
    } else {
        CHECK(syscall(SYS_arch_prctl, ARCH_SET_GS, base) == 0);
    }
}

static int thread_with_gs(void *value)
{
    unsigned long *result = value;

    CHECK(gs_base() == GS_VALUE); /* from its creator */
    set_gs_base(GS_VALUE + 1);
    for (int i = 0; i < 20; i++) {
        sched_yield();
        CHECK(gs_base() == GS_VALUE + 1);
    }
    *result = gs_base();
    return 0;
}

static void gs_base_is_the_tasks_own(void)
{
    static struct thread thread;
    unsigned long in_thread = 0;
    pid_t other = fork(); /* before there is a value */
    int status;

    for (int i = 0; other == 0 && i < 50; i++) {
        CHECK(gs_base() == 0);
        sched_yield();
    }
    if (other == 0) {
        _exit(0);
    }
    set_gs_base(GS_VALUE);
    CHECK(thread_start(&thread, thread_with_gs, &in_thread) > 0);
    if (fork() == 0) {
        CHECK(gs_base() == GS_VALUE);
        CHECK(syscall(SYS_arch_prctl, ARCH_SET_GS, GS_VALUE + 2) == 0 && gs_base() == GS_VALUE + 2);
        _exit(0);
    }
    for (int i = 0; i < 50; i++) {
        sched_yield();
        CHECK(gs_base() == GS_VALUE);
    }
    thread_join(&thread);
    CHECK(in_thread == GS_VALUE + 1);
    CHECK(waitpid(other, &status, 0) == other && status == 0);
    CHECK(wait(&status) > 0 && status == 0);
    CHECK_ERROR(syscall(SYS_arch_prctl, ARCH_SET_GS, 1ul << 63), EPERM);
    CHECK_ERROR(syscall(SYS_arch_prctl, ARCH_SET_FS, -1ul), EPERM);
}

struct selectors {
    unsigned short ds, es, fs, gs;
};

static struct selectors selectors_read(void)
{
    struct selectors s;

    __asm__ volatile("movw %%ds, %0\n\tmovw %%es, %1\n\tmovw %%fs, %2\n\tmovw %%gs, %3"
                     : "=m"(s.ds), "=m"(s.es), "=m"(s.fs), "=m"(s.gs));
    return s;
}

static int selectors_are(unsigned ds, unsigned es, unsigned fs, unsigned gs)
{
    struct selectors s = selectors_read();

    return s.ds == ds && s.es == es && s.fs == fs && s.gs == gs;
}

static void selectors_load(unsigned ds, unsigned es, unsigned fs, unsigned gs)
{
    __asm__ volatile("movl %0, %%ds\n\tmovl %1, %%es\n\tmovl %2, %%fs\n\tmovl %3, %%gs"
                     : : "r"(ds), "r"(es), "r"(fs), "r"(gs) : "memory");
}

/* Raw calls only: the base of FS, where the library's thread is, is gone with its selector. */
static void yield(void)
{
    long number = SYS_sched_yield;

    __asm__ volatile("syscall" : "+a"(number) : : "rcx", "r11", "memory");
}

static void selectors_are_the_tasks_own(void)
{
    unsigned long thread;
    int status = 0, ok = 1;
    pid_t child = fork();

    CHECK(selectors_are(0, 0, 0, 0));
    CHECK(syscall(SYS_arch_prctl, ARCH_GET_FS, &thread) == 0);
    for (int i = 0; child == 0 && i < 20; i++) {
        CHECK(selectors_are(0, 0, 0, 0));
        sched_yield();
    }
    if (child == 0) {
        _exit(0);
    }
    selectors_load(0x2b, 0x28, 0x33, 0x2b);
    for (int i = 0; i < 20; i++) {
        ok &= selectors_are(0x2b, 0x28, 0x33, 0x2b);
        yield();
    }
    syscall(SYS_arch_prctl, ARCH_SET_FS, thread);
    CHECK(ok && selectors_are(0x2b, 0x28, 0, 0x2b) && gs_base() == 0);
    if (fork() == 0) {
        CHECK(selectors_are(0x2b, 0x28, 0, 0x2b));
        CHECK(syscall(SYS_arch_prctl, ARCH_SET_GS, GS_VALUE) == 0);
        CHECK(selectors_are(0x2b, 0x28, 0, 0) && gs_base() == GS_VALUE);
        _exit(0);
    }
    CHECK(wait(&status) > 0 && status == 0 && wait(&status) > 0 && status == 0);
}

/* A program of its own leaves in registers whatever it can, and becomes this one again. */
static void leave_for_program(int rounds)
{
    static const unsigned mxcsr = 0x7f80;
    static const unsigned short control = 0xf7f;
    char text[16], *arguments[] = {self, text, NULL}, *none[] = {NULL};

    snprintf(text, sizeof(text), "%d", rounds);
    selectors_load(0x2b, 0x2b, 0, 0);
    set_gs_base(GS_VALUE);
    __asm__ volatile("fldcw %0\n\tldmxcsr %1\n\tpcmpeqd %%xmm8, %%xmm8\n\tmovaps %%xmm8, %%xmm9\n\t"
                     "movaps %%xmm8, %%xmm14\n\tmovaps %%xmm8, %%xmm15"
                     : : "m"(control), "m"(mxcsr) : "xmm8", "xmm9", "xmm14", "xmm15");
    __asm__ volatile("pushfq\n\torl %0, (%%rsp)\n\tpopfq"
                     : : "i"(F_NT | F_AC | F_ID) : "cc", "memory");
    execve(self, arguments, none);
    _exit(1);
}

/* Called by main before anything else. */
static void new_program_is_clean(void)
{
    unsigned long flags, x[8];
    unsigned short control;
    unsigned mxcsr;

    __asm__ volatile("pushfq\n\tpopq %0" : "=r"(flags));
    __asm__ volatile("fnstcw %0\n\tstmxcsr %1" : "=m"(control), "=m"(mxcsr));
    __asm__ volatile("movups %%xmm8, (%0)\n\tmovups %%xmm9, 16(%0)\n\tmovups %%xmm14, 32(%0)\n\t"
                     "movups %%xmm15, 48(%0)" : : "r"(x) : "memory");
    CHECK(control == 0x37f && mxcsr == 0x1f80);
    for (int i = 0; i < 8; i++) {
        CHECK(x[i] == 0);
    }
    CHECK((flags & ~(unsigned long)F_STATUS) == (2 | F_IF));
    CHECK(gs_base() == 0 && selectors_are(0, 0, 0, 0));
}

/* Another one wakes often, and so takes the CPU in the middle of everything that exec does. */
static void a_new_program_starts_clean(void)
{
    struct timespec often = {0, 20000};
    pid_t pid = fork(), waking;
    int status;

    if (pid == 0) {
        CHECK(syscall(SYS_setpriority, 0L, 0L, 19L) == 0); /* who wakes is before it at once */
        leave_for_program(ROUNDS);
    }
    waking = fork();
    while (waking == 0) {
        nanosleep(&often, NULL);
    }
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    CHECK(kill(waking, SIGKILL) == 0 && waitpid(waking, NULL, 0) == waking);
}

/* The number is an int. */
static void the_upper_half_of_a_number_means_nothing(void)
{
    const unsigned long halves[] = {1ul << 32, 0xfffffffful << 32, 1ul << 63};

    for (int i = 0; i < 3; i++) {
        long result;

        __asm__ volatile("syscall" : "=a"(result) : "0"(SYS_getpid | halves[i]) : "rcx", "r11", "memory");
        CHECK(result == getpid());
        __asm__ volatile("syscall" : "=a"(result) : "0"(0x7ffffffful | halves[i]) : "rcx", "r11", "memory");
        CHECK(result == -ENOSYS);
    }
}

int main(int argc, char **argv)
{
    static const struct test tests[] = {
        TEST(flags_come_back), TEST(flags_of_a_handler), TEST(registers_come_back),
        TEST(single_steps), TEST(gs_base_is_the_tasks_own), TEST(selectors_are_the_tasks_own),
        TEST(a_new_program_starts_clean), TEST(the_upper_half_of_a_number_means_nothing),
    };

    self = argv[0];
    if (argc > 1) {
        new_program_is_clean();
        if (atoi(argv[1]) > 0) {
            leave_for_program(atoi(argv[1]) - 1);
        }
        return 0;
    }
    return RUN_TESTS(tests);
}
