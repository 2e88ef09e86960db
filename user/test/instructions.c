/*
 * What user mode must not do, and what traps: each instruction's signal, code, address, and the trap
 * and error code in the handler's context are those of Linux; and the machine goes on.
 */
#include <sys/mman.h>

#include "context.h"

static struct told told;
static char *volatile after; /* where to go on */

static void note(int signal, siginfo_t *info, void *pointer)
{
    struct context *context = pointer;

    /* Alignment is still checked: some CPUs would find fault with what we write here. */
    __builtin_ia32_writeeflags_u64(__builtin_ia32_readeflags_u64() & ~0x40000ull);
    told = told_of(signal, info, context);
    context->registers[R_RIP] = (unsigned long)after;
}

static void note_all(void)
{
    handle(SIGSEGV, note);
    handle(SIGBUS, note);
    handle(SIGILL, note);
    handle(SIGFPE, note);
    handle(SIGTRAP, note);
}

/* Run an instruction, told.rip - `start` says where it trapped. */
#define TRY_AFTER(before, text)                                                                \
    ({                                                                                         \
        unsigned long start;                                                                   \
        told = (struct told){0};                                                               \
        __asm__ volatile("leaq 2f(%%rip), %%rax\n\tmovq %%rax, %1\n\tleaq 1f(%%rip), %%rax\n\t" \
                         "movq %%rax, %0\n\txorl %%eax, %%eax\n\txorl %%edx, %%edx\n\t"         \
                         before "\n\t1:\t" text "\n\t2:"                                     \
                         : "=m"(start), "=m"(after) : : "rax", "rcx", "rdx", "memory", "cc");   \
        start;                                                                                 \
    })
#define TRY(text) TRY_AFTER("", text)
/* It raises #GP with this error code, of which Linux says no more than SIGSEGV. */
#define REFUSED(text, error) REFUSED_AFTER("", text, error)
#define REFUSED_AFTER(before, text, error)                                                     \
    do {                                                                                       \
        unsigned long start = TRY_AFTER(before, text);                                         \
        CHECK(told_as(&told, SIGSEGV, SI_KERNEL, 13, error) && told.rip == start && !told.address); \
    } while (0)

static void privileged_instructions(void)
{
    note_all();
    REFUSED("hlt", 0);
    REFUSED("cli", 0);
    REFUSED("sti", 0);
    REFUSED("inb $0x60, %%al", 0);
    REFUSED("outb %%al, $0xf4", 0);
    REFUSED("clts", 0);
    REFUSED("rdmsr", 0);
    REFUSED("wrmsr", 0);
    REFUSED("swapgs", 0);
    REFUSED("sysretq", 0);
    REFUSED("movq %%cr0, %%rax", 0);
    REFUSED("movq %%rax, %%cr4", 0);
    REFUSED("movq %%rax, %%dr7", 0);
    REFUSED("movq %%dr6, %%rax", 0);
    REFUSED("invlpg (%%rax)", 0);
    REFUSED("lmsw %%ax", 0);
    REFUSED("ltr %%ax", 0);
    REFUSED("lldt %%ax", 0);
    REFUSED("lgdt (%%rsp)", 0);
    REFUSED("lidt (%%rsp)", 0);
}

/* The kernel's gates. (What the error code says of the vector is wrong in some emulators.) */
#define GATE(number)                                                                           \
    do {                                                                                       \
        unsigned long start = TRY("int $" #number);                                            \
        CHECK(told_as(&told, SIGSEGV, SI_KERNEL, 13, told.error) && told.rip == start);        \
    } while (0)

static void gates_of_the_kernel(void)
{
    note_all();
    GATE(0);
    GATE(1);
    GATE(2);
    GATE(8);
    GATE(14);
    GATE(18);
    GATE(0x20);
    GATE(0xf1);
}

/* Here the error code names the selector. */
static void selectors_of_others(void)
{
    note_all();
    REFUSED_AFTER("movl $0x10, %%eax", "movl %%eax, %%ds", 0x10); /* the kernel's */
    REFUSED_AFTER("movl $0x07, %%eax", "movl %%eax, %%es", 0x04); /* in an LDT */
    REFUSED_AFTER("movl $0x83, %%eax", "movl %%eax, %%gs", 0x80); /* beyond the table */
    REFUSED_AFTER("movl $0, %%eax", "movl %%eax, %%ss", 0);
    REFUSED_AFTER("movl $0x10, %%eax", "movl %%eax, %%ss", 0x10);
}

/* No selector but those of the user's own segments says anything; a table of one's own is empty. */
static void descriptors_are_hidden(void)
{
    for (unsigned selector = 0; selector < 65536; selector++) {
        unsigned rights = 0;
        char valid;

        __asm__("larl %2, %0\n\tsetz %1" : "+r"(rights), "=q"(valid) : "r"(selector) : "cc");
        if (valid) { /* present, code or data, of ring 3 */
            CHECK(!(selector & 4) && selector < 0x80 && (rights & 0xf000) == 0xf000);
        }
    }
}

static void traps_tell_what_they_are(void)
{
    unsigned long start;

    note_all();
    start = TRY("ud2");
    CHECK(told_as(&told, SIGILL, 2, 6, 0) && told.rip == start && told.address == start);
    start = TRY("divl %%edx");
    CHECK(told_as(&told, SIGFPE, 1, 0, 0) && told.rip == start && told.address == start);
    start = TRY("int3");
    CHECK(told_as(&told, SIGTRAP, SI_KERNEL, 3, 0) && told.rip == start + 1 && !told.address);
    start = TRY(".byte 0xcd, 3");
    CHECK(told_as(&told, SIGTRAP, SI_KERNEL, 3, 0) && told.rip == start + 2 && !told.address);
    start = TRY("int $4");
    CHECK(told_as(&told, SIGSEGV, SI_KERNEL, 4, 0) && told.rip == start + 2 && !told.address);
    start = TRY("xorl %%ecx, %%ecx\n\txgetbv\n\tud2"); /* no privilege, where it exists */
    CHECK(told.signal == SIGILL);
}

static void page_faults_tell_what_they_are(void)
{
    unsigned long start;

    note_all();
    start = TRY("movb (%%rax), %%al");
    CHECK(told_as(&told, SIGSEGV, 1, 14, 4) && told.rip == start && told.address == 0);
    TRY_AFTER("movl $0x1234, %%eax", "movb %%al, (%%rax)");
    CHECK(told_as(&told, SIGSEGV, 1, 14, 6) && told.address == 0x1234 && told.cr2 == 0x1234);
    TRY("movb %%al, traps_tell_what_they_are(%%rip)");
    CHECK(told_as(&told, SIGSEGV, 2, 14, 7));
    TRY("jmp *%%rax");
    CHECK(told_as(&told, SIGSEGV, 1, 14, 0x14) && told.rip == 0);
    TRY_AFTER("movq $-4096, %%rax", "movb (%%rax), %%al"); /* the kernel's */
    CHECK(told_as(&told, SIGSEGV, 1, 14, 5) && told.address == -4096ul);
    TRY_AFTER("movq $0xffffffff80200000, %%rax", "movb %%al, (%%rax)");
    CHECK(told_as(&told, SIGSEGV, 1, 14, 7) && told.address == 0xffffffff80200000);
    TRY_AFTER("movabsq $0x4000000000000000, %%rax", "movb (%%rax), %%al");
    CHECK(told_as(&told, SIGSEGV, SI_KERNEL, 13, 0) && !told.address);
    CHECK(told.cr2 == 0xffffffff80200000); /* of the last page fault */
}

/* A call whose next instruction would be the first byte that no program can have. */
static void system_call_at_the_end_of_memory(void)
{
    unsigned char *page = (unsigned char *)0x7fffffffe000;
    long result = 39;

    if (mmap(page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != page) {
        CHECK(mprotect(page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC) == 0); /* the stack's */
    }
    page[4094] = 0x0f;
    page[4095] = 0x05;
    note_all();
    __asm__ volatile("leaq 1f(%%rip), %%rcx\n\tmovq %%rcx, %1\n\tjmp *%2\n\t1:"
                     : "+a"(result), "=m"(after) : "r"(page + 4094) : "rcx", "r11", "memory");
    CHECK(told_as(&told, SIGSEGV, 1, 14, told.error | 0x14) && told.rip == 0x7ffffffff000);
    CHECK(result == getpid());
}

/* Not every emulator has these traps: QEMU 7.2 checks no alignment, 10.0 lets everybody invd, wbinvd
 * and into. */
static void what_some_machines_leave_out(void)
{
    unsigned long start;

    note_all();
    start = TRY("invd");
    CHECK(!told.signal || (told_as(&told, SIGSEGV, SI_KERNEL, 13, 0) && told.rip == start));
    start = TRY("wbinvd");
    CHECK(!told.signal || (told_as(&told, SIGSEGV, SI_KERNEL, 13, 0) && told.rip == start));
    start = TRY(".byte 0xce"); /* into */
    CHECK(!told.signal || (told_as(&told, SIGILL, 2, 6, 0) && told.rip == start));
    TRY("pushfq\n\torl $0x40000, (%%rsp)\n\tpopfq\n\tmovl %%eax, -63(%%rsp)\n\t2:\tpushfq\n\t"
        "andl $~0x40000, (%%rsp)\n\tpopfq\n\tnop");
    CHECK(!told.signal || (told_as(&told, SIGBUS, 1, 17, 0) && !told.address));
}

int main(void)
{
    static const struct test tests[] = {
        TEST(privileged_instructions), TEST(gates_of_the_kernel), TEST(selectors_of_others),
        TEST(descriptors_are_hidden), TEST(traps_tell_what_they_are),
        TEST(page_faults_tell_what_they_are), TEST(system_call_at_the_end_of_memory),
        TEST(what_some_machines_leave_out),
    };

    return RUN_TESTS(tests);
}
