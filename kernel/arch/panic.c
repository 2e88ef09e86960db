/*
 * Panic: the first CPU in trouble stops the others, says what it knows (registers, the stack of
 * each CPU) and leaves the machine. Also the two ends that are nobody's mistake and tell as much:
 * init is no more, and the guest's time is over.
 *
 * The others are stopped by an NMI, so that those are stopped which have interrupts off, too.
 */
#include "arch/panic.h"

#include "arch/apic.h"
#include "arch/cpu.h"
#include "arch/exit.h"
#include "arch/explain.h"
#include "arch/paging.h"
#include "arch/percpu.h"
#include "arch/symbols.h"
#include "arch/vector.h"
#include "lib/log.h"
#include "lib/printf.h"

static const struct trap_frame *stopped_at[CPU_MAX]; /* what each CPU did when it was stopped */
static uint32_t stopped; /* atomic: CPUs that are stopped, the one that panics included; 0: none */
static bool traced;      /* the stacks have been shown: a panic within a panic shows no more */

#define FRAMES_MAX 24
#define WORDS_MAX 12 /* with the rest of a panic they fill a screen of 25 lines */

static void panic_stop_others(void)
{
    if (cpu_count == 1) {
        return;
    }
    __atomic_store_n(&stopped, 1, __ATOMIC_SEQ_CST); /* this one */
    lapic_nmi_others();
    for (int i = 0; i < 1000000 && __atomic_load_n(&stopped, __ATOMIC_RELAXED) < cpu_count; i++) {
        cpu_pause();
    }
}

void nmi_dispatch(struct trap_frame *frame)
{
    uint32_t lapic = lapic_id(), me = 0;

    while (me < CPU_MAX - 1 && cpus[me].lapic_id != lapic) {
        me++;
    }
    wrmsr(MSR_GS_BASE, (uint64_t)&cpus[me]); /* user mode's, perhaps; and there is no way back */
    if (!__atomic_load_n(&stopped, __ATOMIC_ACQUIRE)) {
        panic_trap(frame, "NMI: somebody asks where this CPU is"); /* tools/run, when time is up */
    }
    stopped_at[me] = frame;
    __atomic_fetch_add(&stopped, 1, __ATOMIC_SEQ_CST);
    machine_stop();
}

static void panic_print_frame(int depth, uint64_t address)
{
    unsigned long offset;
    const char *name = symbol_find(address, &offset);

    if (name) {
        printk("  #%d 0x%016lx %s+0x%lx\n", depth, address, name, offset);
    } else {
        printk("  #%d 0x%016lx ?\n", depth, address);
    }
}

/* Frame pointers lead from call to call: [rbp] is the caller's rbp, [rbp + 8] the return. */
static void panic_print_stack(uint64_t rip, const uint64_t *rbp)
{
    int depth = 0;

    if (rip) {
        panic_print_frame(depth++, rip);
    }
    while (depth < FRAMES_MAX && ((uint64_t)rbp & 7) == 0 && paging_is_mapped((vaddr_t)rbp) &&
           paging_is_mapped((vaddr_t)(rbp + 1))) {
        const uint64_t *next = (const uint64_t *)rbp[0];

        if (rbp[1] < KERNEL_BASE) {
            break;
        }
        panic_print_frame(depth++, rbp[1]);
        if (rbp[1] == (uint64_t)trap_return) { /* the trap's frame lies above: what it came into */
            panic_print_frame(depth++, ((const struct trap_frame *)(rbp + 2))->rip);
        }
        if (next <= rbp) {
            break;
        }
        rbp = next;
    }
}

/* What is on top of the stack: two words a line, with the function where one leads into one. */
static void panic_print_words(const uint64_t *rsp)
{
    int i;

    printk("stack at 0x%lx:\n", (uint64_t)rsp);
    for (i = 0; i < WORDS_MAX && paging_is_mapped((vaddr_t)(rsp + i)); i++) {
        unsigned long offset;
        const char *name = symbol_find(rsp[i], &offset);
        char text[24] = "";

        if (name) {
            snprintf(text, sizeof(text), " %.14s+0x%lx", name, offset);
        }
        printk(i & 1 ? "  %016lx%s\n" : "  %016lx%-22s", rsp[i], text);
    }
    printk(i & 1 ? "\n" : "");
}

/* A panic while this one is printed prints no more. */
static bool panic_first_time(void)
{
    bool first = !traced;

    traced = true;
    return first;
}

static void panic_print_others(void)
{
    for (uint32_t id = 0; id < cpu_count; id++) {
        const struct trap_frame *frame = stopped_at[id];

        if (frame && trap_from_user(frame)) {
            printk("CPU %u was in user mode, at 0x%lx\n", id, frame->rip);
        } else if (frame) {
            printk("CPU %u was here:\n", id);
            panic_print_stack(frame->rip, (const uint64_t *)frame->rbp);
        }
    }
}

/* The first CPU that panics stops the others, which includes one that would panic as well. */
void panic_alone(void)
{
    static uint32_t owner;
    uint32_t nobody = 0, me = this_cpu(lock_token);

    if (__atomic_compare_exchange_n(&owner, &nobody, me, false, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST)) {
        panic_stop_others();
    } else if (nobody != me) {
        machine_stop();
    }
}

void panic_finish(void)
{
    irq_disable();
    if (panic_first_time()) {
        panic_print_stack(0, __builtin_frame_address(0));
        panic_print_others();
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
    if (panic_first_time()) {
        panic_print_stack(0, __builtin_frame_address(0));
        panic_print_others();
    }
    machine_exit(MACHINE_EXIT_TIMEOUT);
}

/* Three a line: the text screen has 80 columns. */
static void panic_print_registers(const struct trap_frame *f, vaddr_t cr2)
{
    printk("rip %016lx rsp %016lx rfl %016lx\n", f->rip, f->rsp, f->rflags);
    printk("rax %016lx rbx %016lx rcx %016lx\n", f->rax, f->rbx, f->rcx);
    printk("rdx %016lx rsi %016lx rdi %016lx\n", f->rdx, f->rsi, f->rdi);
    printk("rbp %016lx r8  %016lx r9  %016lx\n", f->rbp, f->r8, f->r9);
    printk("r10 %016lx r11 %016lx r12 %016lx\n", f->r10, f->r11, f->r12);
    printk("r13 %016lx r14 %016lx r15 %016lx\n", f->r13, f->r14, f->r15);
    printk("cr2 %016lx cr3 %016lx cr4 %016lx\n", cr2, read_cr3(), read_cr4());
}

void panic_trap(struct trap_frame *f, const char *what)
{
    vaddr_t cr2 = read_cr2();
    bool overflow = f->vector == 8 && cr2 >= KSTACK_BASE && cr2 < KERNEL_BASE;

    panic_begin();
    exit_registers = (struct exit_registers){f->rip, f->rsp, f->rbp};
    printk("PANIC: %s in %s (vector %lu, error 0x%lx)\n",
           overflow ? "kernel stack overflow: double fault" : what,
           trap_from_user(f) ? "user mode" : "the kernel", f->vector, f->error);
    if (panic_first_time()) {
        trap_explain(f, cr2);
        panic_print_stack(f->rip, overflow ? NULL : (const uint64_t *)f->rbp);
        panic_print_registers(f, cr2);
        panic_print_words((const uint64_t *)f->rsp);
        panic_print_others();
    }
    machine_exit(MACHINE_EXIT_PANIC);
}
