/*
 * Writing the trace.
 *
 * A ring is written by its own CPU alone, with interrupts off, so it needs no lock. The sequence
 * number is the last thing written of a record: a reader of a stopped machine sees which one was
 * being written. The oldest record may be the one that is being overwritten: readers skip it.
 */
#include "trace/trace.h"

#include "arch/boot.h"
#include "arch/clock.h"
#include "arch/paging.h"
#include "arch/percpu.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"

#define EVENTS 65536u /* records of a CPU's ring, unless trace_records= says another number */
#define EVENTS_LEAST 1024u
#define EVENTS_MOST (2 * EVENTS)
#define NAMES 4096u

_Static_assert(CPU_MAX == TRACE_RINGS_CPU, "format.h: TRACE_RINGS_CPU");

bool trace_on;

struct trace_header ktrace_header __attribute__((aligned(64))) = {
    .magic = TRACE_MAGIC,
    .header_size = offsetof(struct trace_header, rings),
    .ring_size = sizeof(struct trace_ring),
    .record_size = sizeof(struct trace_record),
    .ring_count = TRACE_RINGS,
};

/* Interrupts off, and `ring` is of this CPU. Some forty instructions: they run at every event. */
static inline void trace_append(struct trace_ring *ring, uint32_t tid, enum trace_event event,
                                uint8_t flags, uint32_t x, uint64_t a)
{
    uint64_t index = ring->head;
    struct trace_record *record = (struct trace_record *)ring->at + (index & (ring->capacity - 1));

    if (unlikely(index >= ring->limit)) {
        ring->lost++;
        return;
    }
    record->tid = tid;
    record->tsc = rdtsc();
    record->event = event;
    record->cpu = (uint8_t)this_cpu(id);
    record->flags = flags;
    record->x = x;
    record->a = a;
    ring->head = ++index;
    __atomic_store_n(&record->seq, (uint32_t)index, __ATOMIC_RELEASE);
}

void trace_write(enum trace_event event, uint8_t flags, uint32_t x, uint64_t a)
{
    uint64_t irq = irq_save();

    trace_append(this_cpu(trace_ring),
                 *(const uint32_t *)((const char *)current + trace_tid_offset), event, flags, x, a);
    irq_restore(irq);
}

static void append_name(uint32_t tid, enum trace_event event, uint32_t x, uint64_t a)
{
    uint64_t irq = irq_save();

    trace_append(&ktrace_header.rings[CPU_MAX + this_cpu(id)], tid, event, 0, x, a);
    irq_restore(irq);
}

void trace_task(uint32_t tid, uint32_t process, uint64_t a)
{
    append_name(tid, TRACE_TASK, process, a);
}

void trace_name(uint32_t tid, const char *name)
{
    size_t length = strlen(name);

    for (size_t at = 0; at == 0 || at < length; at += 8) {
        uint64_t part = 0;

        memcpy(&part, name + at, length - at < 8 ? length - at : 8);
        append_name(tid, TRACE_NAME, (uint32_t)at, part);
    }
}

static uint64_t snapshot_at[CPU_MAX]; /* names ring's head after this CPU's last snapshot */

bool trace_snapshot_due(void)
{
    uint32_t cpu = this_cpu(id);
    const struct trace_ring *ring = &ktrace_header.rings[CPU_MAX + cpu];

    return ring->head - snapshot_at[cpu] > ring->capacity / 2;
}

void trace_snapshot(void)
{
    trace_all_tasks();
    snapshot_at[this_cpu(id)] = ktrace_header.rings[CPU_MAX + this_cpu(id)].head;
}

static bool add_ring(uint32_t slot, uint32_t cpu, enum trace_ring_kind kind, uint32_t wanted)
{
    struct trace_ring *ring = &ktrace_header.rings[slot];
    uint32_t capacity = wanted;

    while (!ring->records && capacity >= EVENTS_LEAST) {
        void *records = trace_memory(capacity * sizeof(struct trace_record));

        if (records) {
            ring->capacity = capacity;
            ring->owner = cpu;
            ring->kind = kind;
            ring->limit = ktrace_header.flags & TRACE_STOP_WHEN_FULL ? capacity : UINT64_MAX;
            ring->at = records;
            ring->records = virt_to_phys(records);
        }
        if (records && capacity < wanted) {
            printk("trace: CPU %u has memory for %u records, not %u\n", cpu, capacity, wanted);
        }
        capacity /= 2;
    }
    return ring->records;
}

/* A power of two: what was asked for, or less where memory is scarce. */
static uint32_t events_wanted(void)
{
    uint64_t wanted;
    uint32_t records = EVENTS_LEAST;

    if (!boot_number("trace_records", EVENTS_LEAST, EVENTS_MOST, &wanted)) {
        wanted = EVENTS;
    }
    while (records * 2 <= wanted) {
        records *= 2;
    }
    return records;
}

long trace_start(void)
{
    uint32_t events = events_wanted();

    if (trace_on) {
        return 0;
    }
    for (uint32_t cpu = 0; cpu < ktrace_header.cpus; cpu++) {
        if (!add_ring(cpu, cpu, TRACE_RING_CPU, events) ||
            !add_ring(CPU_MAX + cpu, cpu, TRACE_RING_NAMES, NAMES)) {
            return -ENOMEM;
        }
        cpus[cpu].trace_ring = &ktrace_header.rings[cpu];
    }
    ktrace_header.tsc_base = clock_tsc_base;
    ktrace_header.tsc_mult = clock_mult;
    ktrace_header.flags |= TRACE_ON;
    trace_write(TRACE_START, 0, ktrace_header.cpus, clock_tsc_base); /* before any CPU writes another */
    __atomic_store_n(&trace_on, true, __ATOMIC_SEQ_CST);
    trace_snapshot();
    trace_syscalls(true);
    return 0;
}

void trace_stop(void)
{
    trace_syscalls(false);
    ktrace_header.flags &= ~(uint32_t)TRACE_ON;
    __atomic_store_n(&trace_on, false, __ATOMIC_SEQ_CST);
}

void trace_init(uint32_t cpus)
{
    const char *mode = boot_option("trace");

    ktrace_header.cpus = cpus < CPU_MAX ? cpus : CPU_MAX;
    if (!mode || strcmp(mode, "off") == 0) {
        return;
    }
    if (strcmp(mode, "stop-when-full") == 0) {
        ktrace_header.flags |= TRACE_STOP_WHEN_FULL;
    } else if (strcmp(mode, "on") != 0) {
        printk("trace: no mode \"%s\"; there are on, off and stop-when-full\n", mode);
        return;
    }
    if (trace_start()) {
        printk("trace: no memory for the rings\n");
    }
}
