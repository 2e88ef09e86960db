/*
 * The frame of a handler and the way back from it: what it says of the FPU, and what becomes of a
 * frame that was changed into one that cannot be. Nobody but the program itself is hurt.
 */
#include "context.h"

enum { FPE_FLTDIV = 3, FPE_FLTOVF, FPE_FLTUND, FPE_FLTRES, FPE_FLTINV };
enum { NO_TRAP = 0, IRETQ = 13 };

static void (*change)(struct context *);
static unsigned long expected_trap, expected_error;
static int expected_end;

/* First SIGUSR1, whose frame is changed; then what that led to. */
static void note(int signal, siginfo_t *info, void *pointer)
{
    struct context *context = pointer;
    struct told told = told_of(signal, info, context);

    if (signal == SIGUSR1) {
        change(context);
        return;
    }
    CHECK(expected_end && told_as(&told, SIGSEGV, SI_KERNEL, expected_trap, expected_error));
    CHECK(!told.address);
    _exit(0);
}

/* A child returns from a handler with its frame changed by `function`. */
static int child_after(void (*function)(struct context *))
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        change = function;
        handle(SIGUSR1, note);
        handle(SIGSEGV, note);
        handle(SIGBUS, note);
        raise(SIGUSR1);
        _exit(expected_end);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    return status;
}

static int refused(void (*function)(struct context *), unsigned long trap, unsigned long error)
{
    expected_end = 1;
    expected_trap = trap;
    expected_error = error;
    return child_after(function) == 0;
}

static int accepted(void (*function)(struct context *))
{
    expected_end = 0;
    return child_after(function) == 0;
}

static void selectors(struct context *context, unsigned long cs, unsigned long ss)
{
    context->registers[R_SELECTORS] = cs | ss << 48;
}

static void cs_null(struct context *context) { selectors(context, 0, 0x2b); }
static void cs_of_data(struct context *context) { selectors(context, 0x2b, 0x2b); }
static void cs_of_the_kernel(struct context *context) { selectors(context, 0x10, 0x2b); }
static void cs_of_a_table(struct context *context) { selectors(context, 0x0c, 0x2b); }
static void cs_of_nothing(struct context *context) { selectors(context, 0xfff8, 0x2b); }
static void cs_without_ring(struct context *context) { selectors(context, 0x30, 0x28); }
static void ss_null(struct context *context) { selectors(context, 0x33, 0); }
static void ss_of_code(struct context *context) { selectors(context, 0x33, 0x33); }
static void ss_of_the_kernel(struct context *context) { selectors(context, 0x33, 0x18); }

static void ss_that_does_not_count(struct context *context)
{
    ss_null(context);
    context->flags &= ~4ul; /* UC_STRICT_RESTORE_SS */
}

static void changed_selectors(void)
{
    CHECK(refused(cs_null, IRETQ, 0));
    CHECK(refused(cs_of_data, IRETQ, 0x28));
    CHECK(refused(cs_of_the_kernel, IRETQ, 0x10));
    CHECK(refused(cs_of_a_table, IRETQ, 0x0c));
    CHECK(refused(cs_of_nothing, IRETQ, 0xfff8));
    CHECK(accepted(cs_without_ring));
    CHECK(refused(ss_null, IRETQ, 0));
    CHECK(refused(ss_of_code, IRETQ, 0x30));
    CHECK(refused(ss_of_the_kernel, IRETQ, 0x18));
    CHECK(accepted(ss_that_does_not_count));
}

static void rip_not_canonical(struct context *context)
{
    context->registers[R_RIP] = 1ul << 63;
}

static void rsp_not_canonical(struct context *context)
{
    context->registers[R_RSP] = 1ul << 63;
    context->registers[R_RIP] = 0;
}

static void flags_of_ring_0(struct context *context)
{
    context->registers[R_FLAGS] |= F_IOPL | F_NT | 0x1a0000; /* VM, VIF, VIP */
    context->registers[R_FLAGS] &= ~(unsigned long)F_IF;
}

static void changed_registers(void)
{
    int status;

    CHECK(refused(rip_not_canonical, IRETQ, 0));
    CHECK(accepted(flags_of_ring_0));
    status = child_after(rsp_not_canonical); /* no room for a frame of SIGSEGV, either */
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

static void fpu_nowhere(struct context *context) { context->fpu = (unsigned char *)16; }
static void fpu_of_the_kernel(struct context *context) { context->fpu = (void *)0xffff888000100000; }
static void mxcsr_impossible(struct context *context) { context->fpu[27] = 0x80; }

static void fpu_misaligned(struct context *context)
{
    memmove(context->fpu - 8, context->fpu, 512);
    context->fpu -= 8;
    memset(context->fpu + 464, 0, 48); /* no extended state */
}

static void changed_fpu_pointers(void)
{
    CHECK(refused(fpu_nowhere, NO_TRAP, 0));
    CHECK(refused(fpu_of_the_kernel, NO_TRAP, 0));
    CHECK(refused(fpu_misaligned, NO_TRAP, 0));
    CHECK(refused(mxcsr_impossible, NO_TRAP, 0));
}

/* The FPU and SSE registers, as far as they are looked at. */
struct fpu {
    unsigned short control;
    unsigned mxcsr;
    unsigned long xmm8[2];
};

static struct fpu fpu_read(void)
{
    struct fpu fpu;

    __asm__ volatile("fnstcw %0\n\tstmxcsr %1\n\tmovups %%xmm8, %2"
                     : "=m"(fpu.control), "=m"(fpu.mxcsr), "=m"(fpu.xmm8));
    return fpu;
}

static int fpu_is(const struct fpu *fpu, unsigned short control, unsigned mxcsr, unsigned long xmm8)
{
    return fpu->control == control && fpu->mxcsr == mxcsr && fpu->xmm8[0] == xmm8 &&
           fpu->xmm8[1] == xmm8;
}

static struct fpu in_handler, in_frame;
static int drop_fpu;

static void note_fpu(int signal, siginfo_t *info, void *pointer)
{
    struct context *context = pointer;

    (void)signal, (void)info;
    in_handler = fpu_read();
    in_frame.control = *(unsigned short *)context->fpu;
    in_frame.mxcsr = *(unsigned *)(context->fpu + 24);
    memcpy(in_frame.xmm8, context->fpu + 160 + 8 * 16, 16);
    __asm__ volatile("pcmpeqd %%xmm8, %%xmm8\n\tpsrlw $1, %%xmm8" : : : "xmm8");
    if (drop_fpu) {
        context->fpu = NULL;
    }
}

static struct fpu fpu_over_a_signal(void)
{
    static const unsigned short control = 0xf7f;
    static const unsigned mxcsr = 0x7f80;
    struct fpu after;
    long number = 234; /* tgkill */

    __asm__ volatile("fldcw %4\n\tldmxcsr %5\n\tpcmpeqd %%xmm8, %%xmm8\n\tsyscall\n\t"
                     "fnstcw %1\n\tstmxcsr %2\n\tmovups %%xmm8, %3\n\tfninit"
                     : "+a"(number), "=m"(after.control), "=m"(after.mxcsr), "=m"(after.xmm8)
                     : "m"(control), "m"(mxcsr), "D"((long)getpid()), "S"((long)getpid()),
                       "d"((long)SIGUSR1)
                     : "rcx", "r11", "memory", "xmm8");
    return after;
}

static void fpu_of_a_handler(void)
{
    struct fpu after;

    handle(SIGUSR1, note_fpu);
    after = fpu_over_a_signal();
    CHECK(fpu_is(&in_handler, 0x37f, 0x1f80, 0));
    CHECK(fpu_is(&in_frame, 0xf7f, 0x7f80, -1ul));
    CHECK(fpu_is(&after, 0xf7f, 0x7f80, -1ul));
    drop_fpu = 1;
    after = fpu_over_a_signal();
    CHECK(fpu_is(&after, 0x37f, 0x1f80, 0));
}

static struct told error;

static void note_error(int signal, siginfo_t *info, void *pointer)
{
    struct context *context = pointer;
    unsigned short *control = (unsigned short *)context->fpu, *status = control + 1;

    error = told_of(signal, info, context);
    error.cr2 = error.trap == 16 ? *status & 0x3f & ~*control : 0; /* what is wrong */
    *status &= 0x7f00; /* go on without it */
    *(unsigned *)(context->fpu + 24) |= 0x1f80;
}

/* One error unmasked, and a sum that makes it; the wait is where an x87 error comes. */
#define X87(mask, text)                                                                     \
    do {                                                                                    \
        const unsigned short control = 0x37f & ~(mask);                                     \
                                                                                            \
        error = (struct told){0};                                                           \
        __asm__ volatile("fninit\n\tfldcw %0\n\t" text "\n\tfwait\n\tfninit"                \
                         : : "m"(control), "m"(huge), "m"(tiny) : "memory");                \
    } while (0)

static void x87_errors_are_told_apart(void)
{
    static const double huge = 1e300, tiny = 1e-300;

    handle(SIGFPE, note_error);
    X87(1, "fldz\n\tfldz\n\tfdivrp");
    CHECK(told_as(&error, SIGFPE, FPE_FLTINV, 16, 0) && error.cr2 == 1);
    CHECK(error.address == error.rip);
    X87(4, "fld1\n\tfldz\n\tfdivrp");
    CHECK(told_as(&error, SIGFPE, FPE_FLTDIV, 16, 0) && error.cr2 == 4);
    X87(8, "fldl %1\n\tfmull %1\n\tfstpl -64(%%rsp)");
    CHECK(told_as(&error, SIGFPE, FPE_FLTOVF, 16, 0) && error.cr2 & 8);
    X87(16, "fldl %2\n\tfmull %2\n\tfstpl -64(%%rsp)");
    CHECK(told_as(&error, SIGFPE, FPE_FLTUND, 16, 0) && error.cr2 & 16);
    X87(32, "fldpi\n\tfstpl -64(%%rsp)");
    CHECK(told_as(&error, SIGFPE, FPE_FLTRES, 16, 0) && error.cr2 == 32);
    X87(0, "fldz\n\tfldz\n\tfdivrp");
    CHECK(error.signal == 0);
}

/* The same of SSE, where the machine has such traps: not all that pretend to be one do. */
#define SSE(mask, text)                                                                     \
    do {                                                                                    \
        const unsigned mxcsr = 0x1f80 & ~((mask) << 7);                                     \
                                                                                            \
        error = (struct told){0};                                                           \
        __asm__ volatile("ldmxcsr %0\n\tmovsd %1, %%xmm0\n\t" text "\n\tldmxcsr %2"         \
                         : : "m"(mxcsr), "m"(one), "m"(usual), "m"(zero), "m"(huge), "m"(third) \
                         : "xmm0", "xmm1", "memory");                                       \
    } while (0)
#define TRAPPED(code) (!error.signal || (told_as(&error, SIGFPE, code, 19, 0) && \
                                         error.address == error.rip))

static void sse_errors_are_told_apart(void)
{
    static const double one = 1, zero = 0, huge = 1e300, third = 3;
    static const unsigned usual = 0x1f80;

    handle(SIGFPE, note_error);
    SSE(1, "movsd %3, %%xmm0\n\tdivsd %3, %%xmm0");
    CHECK(TRAPPED(FPE_FLTINV));
    SSE(4, "divsd %3, %%xmm0");
    CHECK(TRAPPED(FPE_FLTDIV));
    SSE(8, "movsd %4, %%xmm0\n\tmulsd %4, %%xmm0");
    CHECK(TRAPPED(FPE_FLTOVF));
    SSE(16, "divsd %4, %%xmm0\n\tdivsd %4, %%xmm0");
    CHECK(TRAPPED(FPE_FLTUND));
    SSE(32, "divsd %5, %%xmm0");
    CHECK(TRAPPED(FPE_FLTRES));
}

int main(void)
{
    static const struct test tests[] = {
        TEST(changed_selectors), TEST(changed_registers), TEST(changed_fpu_pointers),
        TEST(fpu_of_a_handler), TEST(x87_errors_are_told_apart), TEST(sse_errors_are_told_apart),
    };

    return RUN_TESTS(tests);
}
