/*
 * Starting the other CPUs, and calls between CPUs.
 *
 * Each CPU has a mailbox for the call that it makes: it fills it, interrupts the others and waits
 * for their answers. It waits with interrupts on, so CPUs that call each other all get on; and
 * there is no lock, which under icount the same CPU could get for ever (it gives its turn away
 * just when it waits, with the lock).
 */
#include "arch/smp.h"

#include "arch/apic.h"
#include "arch/clock.h"
#include "arch/idt.h"
#include "arch/paging.h"
#include "arch/spinlock.h"
#include "arch/vector.h"
#include "lib/string.h"
#include "trace/trace.h"

#define TRAMPOLINE_PAGE 0x8000ul /* trampoline.asm knows it */
#define MILLISECOND 1000000l

extern const char trampoline_start[], trampoline_end[];
void smp_main(void) __attribute__((noreturn));

vaddr_t smp_stack; /* of the CPU that is being started */
static uint32_t starting;
static bool started;

static struct call {
    void (*function)(void *);
    void *argument;
    uint64_t waiting; /* atomic: CPUs that have not answered */
} calls[CPU_MAX];     /* by caller */
static uint64_t callers[CPU_MAX]; /* atomic; by CPU: whom it has not answered */

void smp_answer_calls(void)
{
    uint64_t bit = 1ul << this_cpu(id);
    uint64_t from = __atomic_exchange_n(&callers[this_cpu(id)], 0, __ATOMIC_ACQUIRE);

    assert_irqs_off();
    for (; from; from &= from - 1) {
        struct call *call = &calls[__builtin_ctzl(from)];

        call->function(call->argument);
        __atomic_fetch_and(&call->waiting, ~bit, __ATOMIC_RELEASE);
    }
    cpu_pause(); /* where CPUs take turns (QEMU's icount), it hands the turn to the caller */
}

/* Some are asked. */
static __attribute__((noinline)) void call_others(uint64_t mask, void (*function)(void *), void *argument)
{
    uint64_t me = 1ul << this_cpu(id);
    struct call *call = &calls[this_cpu(id)];

    assert(irq_enabled());
    call->function = function;
    call->argument = argument;
    __atomic_store_n(&call->waiting, mask, __ATOMIC_RELAXED);
    for (uint32_t id = 0; id < cpu_count; id++) {
        if (mask >> id & 1) {
            __atomic_fetch_or(&callers[id], me, __ATOMIC_RELEASE);
            trace(TRACE_IPI, 0, VECTOR_CALL, id);
            lapic_send_ipi(cpus[id].lapic_id, VECTOR_CALL);
        }
    }
    while (__atomic_load_n(&call->waiting, __ATOMIC_ACQUIRE)) {
        cpu_pause();
    }
}

void smp_call(uint64_t mask, void (*function)(void *), void *argument)
{
    mask &= ~(1ul << this_cpu(id));
    if (mask) {
        call_others(mask, function, argument);
    }
}

void smp_kick(uint32_t id)
{
    trace(TRACE_IPI, 0, VECTOR_RESCHEDULE, id);
    lapic_send_ipi(cpus[id].lapic_id, VECTOR_RESCHEDULE);
}

/* No PAUSE: where CPUs take turns (QEMU's icount) each one ends a turn, and nobody waits for it. */
static void smp_delay(ktime_t time)
{
    ktime_t end = clock_now() + time;

    while (clock_now() < end) {
    }
}

static bool smp_wait_started(ktime_t time)
{
    ktime_t end = clock_now() + time;

    while (!__atomic_load_n(&started, __ATOMIC_ACQUIRE) && clock_now() < end) {
        cpu_pause();
    }
    return __atomic_load_n(&started, __ATOMIC_ACQUIRE);
}

/* Where trampoline.asm calls: the kernel's page tables and smp_stack are in use. */
void smp_main(void)
{
    percpu_init(starting);
    cpus[starting].lapic_id = lapic_id();
    cpu_init();
    idt_load();
    lapic_init_cpu();
    __atomic_store_n(&started, true, __ATOMIC_RELEASE);
    sched_idle();
}

/* INIT, 10 ms, then STARTUP twice, 200 us apart: Intel SDM volume 3, section 9.4.4.1. */
static bool smp_start_cpu(uint32_t lapic)
{
    __atomic_store_n(&started, false, __ATOMIC_RELEASE);
    lapic_send_init(lapic);
    smp_delay(10 * MILLISECOND);
    for (int i = 0; i < 2; i++) {
        lapic_send_startup(lapic, TRAMPOLINE_PAGE);
        if (smp_wait_started(MILLISECOND / 5)) {
            return true;
        }
    }
    return smp_wait_started(1000 * MILLISECOND);
}

void smp_start(void)
{
    memcpy(phys_to_virt(TRAMPOLINE_PAGE), trampoline_start,
           (size_t)(trampoline_end - trampoline_start));
    for (uint32_t i = 0; i < acpi_info.cpus && cpu_count < CPU_MAX; i++) {
        if (acpi_info.cpu_ids[i] == lapic_id()) {
            continue;
        }
        starting = cpu_count;
        smp_stack = sched_prepare_cpu(starting);
        if (!smp_stack || !smp_start_cpu(acpi_info.cpu_ids[i])) {
            printk("smp: CPU with local APIC %u does not start\n", acpi_info.cpu_ids[i]);
            return; /* a late one would take the next one's stack */
        }
        __atomic_store_n(&cpu_count, starting + 1, __ATOMIC_RELEASE);
    }
    if (acpi_info.cpus > cpu_count) {
        printk("smp: %u of %u CPUs: there is no room for more\n", cpu_count, acpi_info.cpus);
    } else if (cpu_count > 1) {
        printk("smp: %u CPUs\n", cpu_count);
    }
}
