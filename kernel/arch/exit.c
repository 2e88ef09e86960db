/* Leaving: power off, restart, panic; what QEMU is told (tools/run knows the codes). */
#include "arch/exit.h"

#include "arch/apic.h"
#include "arch/boot.h"
#include "arch/cpu.h"
#include "arch/paging.h"
#include "arch/percpu.h"
#include "arch/smp.h"
#include "arch/spinlock.h"
#include "arch/trap.h"
#include "lib/log.h"
#include "lib/string.h"

#define DEBUG_EXIT_PORT 0xf4

static void stop(void) __attribute__((noreturn));
static void stop(void)
{
    for (;;) {
        irq_disable();
        __asm__ volatile("hlt");
    }
}

/* From where the machine was left, for a debugger that has only its memory (ktracelib/core.py). */
struct {
    uint64_t rip, rsp, rbp;
} exit_registers;

void machine_exit(enum machine_exit_code code)
{
    const char *exit = boot_option("exit");
    const uint64_t *frame = __builtin_frame_address(0);

    irq_disable();
    if (!exit_registers.rip) { /* otherwise a trap, which knows better */
        exit_registers.rip = frame[1] - 1; /* in the call, which may be a function's end */
        exit_registers.rsp = (uint64_t)(frame + 2);
        exit_registers.rbp = frame[0];
    }
    if (exit && strcmp(exit, "debug") == 0) {
        outl(DEBUG_EXIT_PORT, code);
        stop();
    }
    if (code == MACHINE_EXIT_POWEROFF && acpi_info.pm1a_control) {
        outw(acpi_info.pm1a_control, (uint16_t)(acpi_info.s5_a << 10 | 1 << 13));
        if (acpi_info.pm1b_control) {
            outw(acpi_info.pm1b_control, (uint16_t)(acpi_info.s5_b << 10 | 1 << 13));
        }
    } else if (code == MACHINE_EXIT_RESTART) {
        outb(0x64, 0xfe); /* the keyboard controller pulls the reset line */
    }
    stop();
}

void machine_poweroff(void)
{
    machine_exit(MACHINE_EXIT_POWEROFF);
}

void machine_restart(void)
{
    machine_exit(MACHINE_EXIT_RESTART);
}

extern const struct {
    uint64_t count;
    struct {
        uint64_t address, name;
    } symbols[];
} ksyms_table;

const char *symbol_find(unsigned long address, unsigned long *offset)
{
    uint64_t low = 0, high = ksyms_table.count;
    const char *names = (const char *)&ksyms_table.symbols[ksyms_table.count];

    while (low < high) {
        uint64_t middle = (low + high) / 2;

        if (ksyms_table.symbols[middle].address <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == 0) {
        return NULL;
    }
    *offset = address - ksyms_table.symbols[low - 1].address;
    return names + ksyms_table.symbols[low - 1].name;
}

void symbol_print(const char *what, const void *address)
{
    unsigned long offset = 0;
    const char *name = symbol_find((unsigned long)address, &offset);

    printk("  %s: %s+0x%lx [0x%016lx]\n", what, name ? name : "?", offset, (unsigned long)address);
}

static void print_frame(int depth, uint64_t address)
{
    unsigned long offset;
    const char *name = symbol_find(address, &offset);

    printk("  #%d 0x%016lx %s+0x%lx\n", depth, address, name ? name : "?", name ? offset : 0);
}

/* Frame pointers lead from call to call: [rbp] is the caller's rbp, [rbp + 8] the return. */
static void backtrace(uint64_t rip, const uint64_t *rbp)
{
    int depth = 0;

    if (rip) {
        print_frame(depth++, rip);
    }
    while (depth < 24 && (uint64_t)rbp >= DIRECT_MAP_BASE && ((uint64_t)rbp & 7) == 0) {
        const uint64_t *next = (const uint64_t *)rbp[0];

        if (rbp[1] < KERNEL_BASE) {
            break;
        }
        print_frame(depth++, rbp[1]);
        if (rbp[1] == (uint64_t)trap_return) { /* the trap's frame lies above: what it came into */
            print_frame(depth++, ((const struct trap_frame *)(rbp + 2))->rip);
        }
        if (next <= rbp) {
            break;
        }
        rbp = next;
    }
}

static bool traced;

static void backtrace_others(void)
{
    for (uint32_t id = 0; id < cpu_count; id++) {
        const struct trap_frame *frame = smp_stopped_at(id);

        if (frame && trap_from_user(frame)) {
            printk("CPU %u was in user mode, at 0x%lx\n", id, frame->rip);
        } else if (frame) {
            printk("CPU %u was here:\n", id);
            backtrace(frame->rip, (const uint64_t *)frame->rbp);
        }
    }
}

/* A panic while this is printed prints no more. */
static void finish_panic(void)
{
    irq_disable();
    if (!traced) {
        traced = true;
        backtrace(0, __builtin_frame_address(0));
        backtrace_others();
    }
    machine_exit(MACHINE_EXIT_PANIC);
}

void machine_init_ended(const char *how, long number)
{
    panic_begin(); /* or stop, if another CPU was first */
    printk("init ended: %s %ld\n", how, number);
    machine_exit(MACHINE_EXIT_INIT);
}

void machine_timeout(void)
{
    panic_begin(); /* or stop, if another CPU was first */
    printk("timeout: the guest's time is over; CPU %u was here:\n", this_cpu(id));
    backtrace(0, __builtin_frame_address(0));
    backtrace_others();
    machine_exit(MACHINE_EXIT_TIMEOUT);
}

/* The first CPU that panics stops the others, which includes one that would panic as well. */
static void begin_panic(void)
{
    static uint32_t owner;
    uint32_t nobody = 0, me = this_cpu(lock_token);

    if (__atomic_compare_exchange_n(&owner, &nobody, me, false, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST)) {
        smp_stop_others();
    } else if (nobody != me) {
        stop();
    }
}

void panic_init(void)
{
    panic_begin_hook = begin_panic;
    panic_hook = finish_panic;
}

void panic_trap(struct trap_frame *f, const char *what)
{
    uint64_t cr2 = read_cr2();
    bool overflow = f->vector == 8 && cr2 >= KSTACK_BASE && cr2 < KERNEL_BASE;

    panic_begin();
    exit_registers.rip = f->rip;
    exit_registers.rsp = f->rsp;
    exit_registers.rbp = f->rbp;
    printk("PANIC: %s in the kernel (vector %lu, error 0x%lx)\n",
           overflow ? "kernel stack overflow: double fault" : what, f->vector, f->error);
    printk("rip %016lx rsp %016lx rflags %08lx cr2 %016lx cr3 %lx\n", f->rip, f->rsp, f->rflags,
           cr2, read_cr3());
    printk("rax %016lx rbx %016lx rcx %016lx rdx %016lx\n", f->rax, f->rbx, f->rcx, f->rdx);
    printk("rsi %016lx rdi %016lx rbp %016lx r8  %016lx\n", f->rsi, f->rdi, f->rbp, f->r8);
    printk("r9  %016lx r10 %016lx r11 %016lx r12 %016lx\n", f->r9, f->r10, f->r11, f->r12);
    printk("r13 %016lx r14 %016lx r15 %016lx\n", f->r13, f->r14, f->r15);
    if (!traced) {
        traced = true;
        backtrace(f->rip, overflow ? NULL : (const uint64_t *)f->rbp);
        backtrace_others();
    }
    machine_exit(MACHINE_EXIT_PANIC);
}

static int overflow_stack(volatile int depth)
{
    int (*volatile again)(volatile int) = overflow_stack; /* no tail call, no warning */
    volatile char fill[512];

    fill[0] = (char)depth;
    return again(depth + 1) + fill[0];
}

/* What the debug build finds, though one CPU alone does not hang on it. */
static void both_orders(void)
{
    static struct spinlock a = SPINLOCK_INIT, b = SPINLOCK_INIT; /* protect nothing */

    spin_lock(&a);
    spin_lock(&b);
    spin_unlock(&b);
    spin_unlock(&a);
    spin_lock(&b);
    spin_lock(&a);
    spin_unlock(&a);
    spin_unlock(&b);
}

static void assert_unheld(void)
{
    static struct spinlock a = SPINLOCK_INIT; /* protects nothing */

    (void)a;
    assert_held(&a);
}

/* What the sanitized build finds; otherwise the machine counts modulo 64. */
static uint64_t shift_too_far(volatile int amount)
{
    return 1ul << amount;
}

void crash_if_asked(void)
{
    const char *crash = boot_option("crash");

    if (!crash) {
        return;
    }
    if (strcmp(crash, "panic") == 0) {
        panic("crash=panic was asked for");
    } else if (strcmp(crash, "overflow") == 0) {
        overflow_stack(0);
    } else if (strcmp(crash, "hang") == 0) {
        stop();
    } else if (strcmp(crash, "deadlock") == 0) {
        both_orders();
    } else if (strcmp(crash, "unheld") == 0) {
        assert_unheld();
    } else if (strcmp(crash, "shift") == 0) {
        shift_too_far(64);
    } else if (strcmp(crash, "triple") == 0) {
        static const char empty_idt[10];

        __asm__ volatile("lidt %0; int3" : : "m"(empty_idt));
    }
}
