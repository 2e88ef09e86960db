/*
 * The call itself, with what may be in registers around it; tricks without a call; and how a task
 * comes back from a fault: its handler, or a forged frame, leads to machine_recover.
 */
#include "fuzz.h"

#include <string.h>

#define FLAGS_PLAIN 0x202ul
#define FLAGS_DF 0x400ul
#define FLAGS_TF 0x100ul

/*
 * rbx: where a child starts, on its own stack. r12: our stack, while rsp is t->stack. The flags are
 * plain again before any C code runs, in both.
 */
long machine_call(struct thread *t, long number, const uint64_t *arguments)
{
    register uint64_t r10 __asm__("r10") = arguments[3], r8 __asm__("r8") = arguments[4];
    register uint64_t r9 __asm__("r9") = arguments[5], r13 __asm__("r13") = t->stack;
    register uint64_t r14 __asm__("r14") = t->flags | 2;
    long result = number;

    t->stack = t->flags = 0;
    __asm__ volatile("lea -128(%%rsp), %%rsp\n\t"
                     "mov %%rsp, %%r12\n\t"
                     "test %%r13, %%r13\n\t"
                     "cmovz %%rsp, %%r13\n\t"
                     "push %%r14\n\t"
                     "popf\n\t"
                     "mov %%r13, %%rsp\n\t"
                     "syscall\n\t"
                     "test %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "test %%rbx, %%rbx\n\t"
                     "jz 1f\n\t"
                     "mov %%rbx, %%rsp\n\t"
                     "push %[plain]\n\t"
                     "popf\n\t"
                     "call worker_thread\n"
                     "1: mov %%r12, %%rsp\n\t"
                     "push %[plain]\n\t"
                     "popf\n\t"
                     "lea 128(%%rsp), %%rsp"
                     : "+a"(result), "+r"(r10), "+r"(r8), "+r"(r9), "+r"(r13), "+r"(r14)
                     : "D"(arguments[0]), "S"(arguments[1]), "d"(arguments[2]), "b"(t->child_stack),
                       [plain] "i"(FLAGS_PLAIN)
                     : "rcx", "r11", "r12", "memory", "cc");
    return result;
}

void machine_start(struct thread *t)
{
    __asm__ volatile("mov %0, %%rsp\n\tcall worker_thread" : : "r"(stack_top(t)) : "memory");
    __builtin_unreachable();
}

/* ---- After a fault ---- */

__asm__(".global machine_recover, machine_restore\n"
        "machine_recover:\n\t"
        "push $0x202\n\t"
        "popf\n\t"
        "mov %rsp, %rdi\n\t"
        "and $-65536, %rdi\n\t"
        "call machine_jump\n"
        "machine_restore:\n\t"
        "mov $15, %eax\n\t"
        "syscall");
_Static_assert(STACK_SIZE == 65536, "machine_recover finds the thread by it");

__attribute__((used)) void machine_jump(struct thread *t)
{
    __builtin_longjmp(t->recover, 1);
}

void machine_handler(int signal, void *info, uint64_t *context)
{
    uint64_t *registers = context + 5, flags, here = (uint64_t)__builtin_frame_address(0);

    (void)info;
    __asm__ volatile("pushf\n\tpop %0" : "=r"(flags));
    if (flags & (FLAGS_DF | FLAGS_TF)) {
        complain("a signal's handler was entered with RFLAGS.DF or TF set");
        __asm__ volatile("cld");
    }
    if (signal == 5) { /* SIGTRAP: a few single steps, then on */
        registers[17] &= (context[1] = registers[16] & 7) ? ~0ul : ~FLAGS_TF;
    } else if (signal == 4 || signal == 7 || signal == 8 || signal == 11) {
        uint64_t rsp = registers[15];

        rsp = rsp - STACKS_AT < STACKS * STACK_SIZE ? rsp : here;
        if (rsp - STACKS_AT >= STACKS * STACK_SIZE) {
            RAW(60, 99, 0, 0); /* whose stack was it? */
        }
        registers[15] = (uint64_t)thread_at(rsp) + STACK_SIZE / 2;
        registers[16] = (uint64_t)machine_recover;
        registers[17] = FLAGS_PLAIN;
    }
}

/* All signals to the handler, on a stack of its own, and nothing blocked. */
void machine_handlers(struct thread *t)
{
    uint64_t action[4] = {(uint64_t)machine_handler, 0x4c000004, (uint64_t)machine_restore, 0};
    uint64_t stack[3] = {(uint64_t)t + PAGE, 0, ALTSTACK_SIZE}, none = 0;

    RAW(131, stack, 0, 0);
    for (int signal = 1; signal < 65; signal++) {
        raw(13, (uint64_t)signal, (uint64_t)action, 0, 8, 0, 0);
    }
    raw(14, 2, (uint64_t)&none, 0, 8, 0, 0);
}

/* ---- Tricks ---- */

static void trick_segment(uint64_t which, uint64_t selector)
{
    static const uint16_t some[] = {0, 1, 2, 3, 0x23, 0x2b, 0x33, 0x1b, 7, 0xf, 0x10, 0x18, 0x3b, 0x43};
    uint16_t value = selector < 32 ? some[selector % 14] : (uint16_t)selector;

    switch (which) {
    case 0: __asm__ volatile("mov %0, %%ds" : : "r"(value)); break;
    case 1: __asm__ volatile("mov %0, %%es" : : "r"(value)); break;
    case 2: __asm__ volatile("mov %0, %%fs" : : "r"(value)); break;
    case 3: __asm__ volatile("mov %0, %%gs" : : "r"(value)); break;
    default: __asm__ volatile("mov %0, %%ss" : : "r"(value)); break;
    }
}

static void trick_far(uint64_t call, uint64_t selector, uint64_t address)
{
    struct {
        uint64_t address;
        uint16_t selector;
    } __attribute__((packed)) to = {selector & 1 ? address : (uint64_t)machine_recover, (uint16_t)selector};

    if (call) {
        __asm__ volatile(".byte 0x48, 0xff, 0x1f" : : "D"(&to) : "memory"); /* rex.W lcall *(%rdi) */
    } else {
        __asm__ volatile(".byte 0x48, 0xff, 0x2f" : : "D"(&to) : "memory"); /* rex.W ljmp *(%rdi) */
    }
}

/* An exception that is masked or not stays pending for what uses the x87 next. */
static void trick_x87(uint64_t number)
{
    uint16_t control = (uint16_t)(number & 0xf7f);

    __asm__ volatile("fninit\n\tfldcw %0\n\tfld1\n\tfldz\n\tfdivrp" : : "m"(control));
}

static void trick_mxcsr(uint64_t number)
{
    uint32_t control = (uint32_t)(number & (number % 8 ? 0xffff : 0xfffff));

    __asm__ volatile("ldmxcsr %0\n\tpxor %%xmm0, %%xmm0\n\tdivss %%xmm0, %%xmm0" : : "m"(control) : "xmm0");
}

/* What user mode may do, and most of what it may not. */
static void trick_instruction(uint64_t which, uint64_t address)
{
    switch (which) {
    case 0: __asm__ volatile("int3"); break;
    case 1: __asm__ volatile("int $0x80" : : "a"(39) : "memory"); break;
    case 2: __asm__ volatile("int $0x20\n\tint $0xfe"); break;
    case 3: __asm__ volatile("hlt"); break;
    case 4: __asm__ volatile("cli\n\tsti"); break;
    case 5: __asm__ volatile("rdmsr" : : "c"(0xc0000101) : "eax", "edx"); break;
    case 6: __asm__ volatile("sidt (%0)\n\tsgdt (%0)" : : "r"(SCRATCH_AT) : "memory"); break;
    case 7: __asm__ volatile(".byte 0xf1"); break; /* int1 */
    case 8: __asm__ volatile("sysenter"); break;
    case 9: __asm__ volatile("fxrstor (%0)" : : "r"(address) : "memory"); break;
    case 10: __asm__ volatile("fxsave (%0)" : : "r"(address) : "memory"); break;
    case 11: __asm__ volatile("mov %%cr0, %%rax\n\tclts" : : : "rax"); break;
    case 12: __asm__ volatile("clflush (%0)\n\tinvlpg (%0)" : : "r"(address)); break;
    case 13: __asm__ volatile("swapgs"); break;
    case 14: __asm__ volatile("pushf\n\torl $0x7000, (%%rsp)\n\tpopf\n\tiretq" : : : "memory"); break;
    default: __asm__ volatile("ud2"); break;
    }
}

static void trick_fail_nth(uint64_t number)
{
    long fd = shared->inject ? RAW(2, "/proc/self/fail-nth", 1, 0) : -1;
    char text[4] = {(char)('1' + number % 9), number & 16 ? '+' : '\0'};

    if (fd >= 0) {
        RAW(1, fd, text, strlen(text));
        RAW(3, fd, 0, 0);
    }
}

long machine_trick(struct thread *t, long number, const uint64_t *a)
{
    uint64_t fifteen[6] = {0};

    switch (number) {
    case T_FLAGS: t->flags = a[0]; break;
    case T_SEGMENT: trick_segment(a[0], a[1]); break;
    case T_FAR: trick_far(a[0], a[1], a[2]); break;
    case T_GS_BASE: __asm__ volatile("wrgsbase %0" : : "r"(a[0])); break;
    case T_X87: trick_x87(a[0]); break;
    case T_MXCSR: trick_mxcsr(a[0]); break;
    case T_INSTRUCTION: trick_instruction(a[0], a[1]); break;
    case T_READ: (void)*(volatile char *)a[0]; break;
    case T_WRITE: *(volatile char *)a[0] = 1; break;
    case T_SIGRETURN:
        t->stack = a[0];
        return machine_call(t, 15, fifteen);
    case T_ELF: file_elf(t); break;
    case T_SCRIPT: file_script(t); break;
    case T_FAIL_NTH: trick_fail_nth(a[0]); break;
    default: break; /* T_MEND: the worker does it */
    }
    return 0;
}
