/* Coroutines, layers 0 and 1: the switch, and the life of a coroutine. */
#include <co.h>
#include <pthread.h>
#include <stdint.h>

#include "ktap.h"

static char trace[256];

static void note(const char *text)
{
    CHECK(strlen(trace) + strlen(text) < sizeof(trace));
    strcat(trace, text);
}

static void *inner(void *in)
{
    note(in);
    note(co_yield("d"));
    return "h";
}

static void *outer(void *in)
{
    struct co *co = co_create(inner, NULL);
    void *out;

    note(in);
    note("b");
    CHECK(co_resume(co, "c", &out) == 0);
    note(out);
    note(co_yield("e"));
    CHECK(co_resume(co, "g", &out) == 0);
    note(out);
    CHECK(co_destroy(co) == 0);
    return "i";
}

static void nested_calls_run_in_order(void)
{
    struct co *co = co_create(outer, NULL);
    void *out;

    CHECK(co_resume(co, "a", &out) == 0);
    note(out);
    CHECK(co_resume(co, "f", &out) == 0);
    note(out);
    CHECK(strcmp(trace, "abcdefghi") == 0);
    CHECK(co_status(co) == CO_DEAD);
    CHECK(co_destroy(co) == 0);
}

#define DEPTH 128

static struct co *chain[DEPTH];

static void *nest(void *in)
{
    long depth = (long)in;
    void *out = NULL;

    CHECK(co_self() == chain[depth]);
    for (long i = 0; i < depth; i++) {
        CHECK(co_status(chain[i]) == CO_NORMAL);
        CHECK(co_resume(chain[i], NULL, NULL) == -EBUSY);
    }
    if (depth + 1 < DEPTH) {
        chain[depth + 1] = co_create(nest, NULL);
        CHECK(co_resume(chain[depth + 1], (void *)(depth + 1), &out) == 0);
        CHECK(co_status(chain[depth + 1]) == CO_DEAD);
        CHECK(co_destroy(chain[depth + 1]) == 0);
    }
    return (void *)((long)out + 1);
}

static void nesting_128_deep_comes_back(void)
{
    void *out;

    chain[0] = co_create(nest, NULL);
    CHECK(co_resume(chain[0], NULL, &out) == 0);
    CHECK((long)out == DEPTH);
}

static struct co *watched;

static void *watch(void *in)
{
    CHECK(co_status(co_self()) == CO_RUNNING);
    CHECK(co_status(watched) == CO_NORMAL);
    return in;
}

static void *watched_main(void *in)
{
    struct co *co = co_create(watch, NULL);

    CHECK(co_status(watched) == CO_RUNNING);
    CHECK(co_status(co) == CO_SUSPENDED);
    CHECK(co_resume(co, NULL, NULL) == 0);
    CHECK(co_status(watched) == CO_RUNNING);
    CHECK(co_status(co) == CO_DEAD);
    co_destroy(co);
    co_yield(in);
    return NULL;
}

static void states_are_right_at_each_point(void)
{
    CHECK(co_self() == NULL);
    watched = co_create(watched_main, &(struct co_attr){.name = "watched", .data = trace});
    CHECK(strcmp(co_name(watched), "watched") == 0 && co_data(watched) == trace);
    CHECK(co_status(watched) == CO_SUSPENDED);
    CHECK(co_resume(watched, NULL, NULL) == 0);
    CHECK(co_status(watched) == CO_SUSPENDED);
    CHECK(co_self() == NULL);
    CHECK(co_resume(watched, NULL, NULL) == 0);
    CHECK(co_status(watched) == CO_DEAD);
}

static void *yield_once(void *in)
{
    return co_yield(in);
}

static void *resume_it(void *co)
{
    CHECK(co_resume(co, NULL, NULL) == 0);
    return NULL;
}

static void resumer_that_is_gone_is_not_touched(void)
{
    struct co *lasting = co_create(yield_once, NULL), *first = co_create(resume_it, NULL), *second;
    void *out;

    CHECK(co_resume(first, lasting, NULL) == 0);
    CHECK(co_status(first) == CO_DEAD && co_destroy(first) == 0);
    second = co_create(yield_once, NULL);
    CHECK(second == first); /* the same stack, another coroutine */
    CHECK(co_resume(second, NULL, NULL) == 0);
    CHECK(co_resume(lasting, "back", &out) == 0);
    CHECK(strcmp(out, "back") == 0);
    CHECK(co_status(second) == CO_SUSPENDED && co_status(lasting) == CO_DEAD);
}

static void *misuse(void *in)
{
    struct co *normal = in;

    CHECK(co_resume(co_self(), NULL, NULL) == -EINVAL);
    CHECK(co_destroy(co_self()) == -EBUSY);
    CHECK(co_resume(normal, NULL, NULL) == -EBUSY);
    CHECK(co_destroy(normal) == -EBUSY);
    return NULL;
}

static void *resume_misuse(void *in)
{
    struct co *co = co_create(misuse, NULL);

    CHECK(co_resume(co, co_self(), NULL) == 0);
    CHECK(co_resume(co, NULL, NULL) == -ESRCH);
    CHECK(co_destroy(co) == 0);
    CHECK(co_destroy(co) == -ESRCH);
    CHECK(co_resume(co, NULL, NULL) == -ESRCH);
    return in;
}

static void *from_another_thread(void *co)
{
    CHECK(co_resume(co, NULL, NULL) == -EXDEV);
    CHECK(co_destroy(co) == -EXDEV);
    return NULL;
}

static void each_misuse_has_its_error(void)
{
    struct co *co = co_create(resume_misuse, NULL), *of_loop = co_go(yield_once, NULL, NULL);
    pthread_t thread;

    CHECK(co_yield(NULL) == CO_OUTSIDE);
    CHECK(pthread_create(&thread, NULL, from_another_thread, co) == 0);
    pthread_join(thread, NULL);
    CHECK(co_resume(of_loop, NULL, NULL) == -EPERM);
    CHECK(co_destroy(of_loop) == -EBUSY);
    CHECK(co_resume(co, NULL, NULL) == 0);
    CHECK(co_status(co) == CO_DEAD);
}

static void *adder(void *in)
{
    long sum = 0;

    while (in) {
        sum += (long)in;
        in = co_yield((void *)sum);
    }
    return (void *)-sum;
}

static void values_pass_both_ways(void)
{
    struct co *co = co_create(adder, NULL);
    long sum = 0;
    void *out;

    for (long i = 1; i <= 100; i++) {
        sum += i;
        CHECK(co_resume(co, (void *)i, &out) == 0);
        CHECK((long)out == sum);
    }
    CHECK(co_resume(co, NULL, &out) == 0);
    CHECK((long)out == -sum);
}

/* Fill the callee-saved registers with pattern + 0..5, call, and count those that changed. */
int registers_kept(uint64_t pattern, void *(*function)(void *));
__asm__(".text\n"
        "registers_kept:\n"
        "push %rbp; push %rbx; push %r12; push %r13; push %r14; push %r15; push %rdi\n"
        "lea 0(%rdi), %rbx; lea 1(%rdi), %rbp; lea 2(%rdi), %r12\n"
        "lea 3(%rdi), %r13; lea 4(%rdi), %r14; lea 5(%rdi), %r15\n"
        "xor %edi, %edi\n"
        "call *%rsi\n"
        "pop %rdi\n"
        "xor %eax, %eax\n"
        "sub %rdi, %rbx; setne %cl; movzbl %cl, %ecx; add %ecx, %eax\n"
        "sub %rdi, %rbp; cmp $1, %rbp; setne %cl; movzbl %cl, %ecx; add %ecx, %eax\n"
        "sub %rdi, %r12; cmp $2, %r12; setne %cl; movzbl %cl, %ecx; add %ecx, %eax\n"
        "sub %rdi, %r13; cmp $3, %r13; setne %cl; movzbl %cl, %ecx; add %ecx, %eax\n"
        "sub %rdi, %r14; cmp $4, %r14; setne %cl; movzbl %cl, %ecx; add %ecx, %eax\n"
        "sub %rdi, %r15; cmp $5, %r15; setne %cl; movzbl %cl, %ecx; add %ecx, %eax\n"
        "pop %r15; pop %r14; pop %r13; pop %r12; pop %rbx; pop %rbp\n"
        "ret\n");

static void *fill_registers(void *in)
{
    for (int i = 0; i < 3; i++) {
        CHECK(registers_kept((uint64_t)in * 0x0101010101010101, co_yield) == 0);
    }
    return NULL;
}

static struct co *fillers[3];

static void *resume_fillers(void *in)
{
    for (long i = 0; i < 3; i++) {
        CHECK(co_resume(fillers[i], (void *)(i + 1), NULL) == 0);
    }
    return in;
}

static void callee_saved_registers_are_kept(void)
{
    for (int i = 0; i < 3; i++) {
        fillers[i] = co_create(fill_registers, NULL);
    }
    for (int i = 0; i < 4; i++) {
        CHECK(registers_kept(0x7070707070707070, resume_fillers) == 0);
    }
    CHECK(co_status(fillers[2]) == CO_DEAD);
}

#define ROUNDING 0x6000u     /* of MXCSR: SDM volume 1, 10.2.3 */
#define X87_ROUNDING 0x0c00u /* of the x87 control word: 8.1.5 */

static void set_rounding(unsigned mode)
{
    unsigned mxcsr;
    uint16_t x87;

    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
    mxcsr = (mxcsr & ~ROUNDING) | mode << 13;
    __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
    __asm__ volatile("fnstcw %0" : "=m"(x87));
    x87 = (uint16_t)((x87 & ~X87_ROUNDING) | mode << 10);
    __asm__ volatile("fldcw %0" : : "m"(x87));
}

static int rounding_is(unsigned mode)
{
    unsigned mxcsr;
    uint16_t x87;

    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
    __asm__ volatile("fnstcw %0" : "=m"(x87));
    return (mxcsr & ROUNDING) >> 13 == mode && (x87 & X87_ROUNDING) >> 10 == mode;
}

static void *round_so(void *mode)
{
    CHECK(rounding_is(0)); /* a coroutine starts with the default */
    set_rounding((unsigned)(long)mode);
    co_yield(NULL);
    CHECK(rounding_is((unsigned)(long)mode));
    return NULL;
}

static void rounding_mode_is_each_coroutines_own(void)
{
    struct co *up = co_create(round_so, NULL), *down = co_create(round_so, NULL);

    set_rounding(3);
    for (int i = 0; i < 2; i++) {
        CHECK(co_resume(up, (void *)2, NULL) == 0);
        CHECK(rounding_is(3));
        CHECK(co_resume(down, (void *)1, NULL) == 0);
        CHECK(rounding_is(3));
    }
    CHECK(co_status(up) == CO_DEAD && co_status(down) == CO_DEAD);
    set_rounding(0);
}

#define INEXACT 0x20u /* of MXCSR: there was such a result; of nobody in particular (ABI, 3.2.3) */

static unsigned mxcsr_of(unsigned set)
{
    unsigned mxcsr;

    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
    mxcsr |= set;
    __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
    return mxcsr;
}

static void *look_at_mxcsr(void *in)
{
    (void)in;
    return (void *)(long)mxcsr_of(0);
}

/* To load MXCSR where but these bits differ is slow on some CPUs, and for nothing. */
static void what_a_call_may_change_is_not_switched(void)
{
    struct co *co = co_create(look_at_mxcsr, NULL);
    void *seen;

    mxcsr_of(INEXACT);
    CHECK(co_resume(co, NULL, &seen) == 0 && (long)seen & INEXACT);
}

static void *at_entry(void *in)
{
    /* The caller's call left rsp at 8 modulo 16, and rbp was pushed below the return address. */
    CHECK((uintptr_t)__builtin_frame_address(0) % 16 == 0);
    return in;
}

static void stack_is_aligned_at_entry(void)
{
    for (size_t size = 16384; size < 80000; size += 4096 + 8) {
        struct co *co = co_create(at_entry, &(struct co_attr){.stack_size = size});

        CHECK(co_resume(co, NULL, NULL) == 0);
        co_destroy(co);
    }
}

int main(void)
{
    static const struct test tests[] = {
        TEST(nested_calls_run_in_order), TEST(nesting_128_deep_comes_back),
        TEST(states_are_right_at_each_point), TEST(resumer_that_is_gone_is_not_touched),
        TEST(each_misuse_has_its_error), TEST(values_pass_both_ways),
        TEST(callee_saved_registers_are_kept), TEST(rounding_mode_is_each_coroutines_own),
        TEST(what_a_call_may_change_is_not_switched),
        TEST(stack_is_aligned_at_entry),
    };
    return RUN_TESTS(tests);
}
