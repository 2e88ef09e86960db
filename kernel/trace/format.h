/*
 * What a trace looks like in memory: for the kernel, the coroutine library and tools/ktracelib.
 *
 * The header lies in the kernel's data under the symbol ktrace_header, so that a reader of guest
 * memory finds it; or it is the first page of the file that CO_TRACE names, whose rings follow.
 * Little endian; the sizes in it say what a newer version has more.
 */
#ifndef TRACE_FORMAT_H
#define TRACE_FORMAT_H
#include <stdint.h>

#define TRACE_MAGIC 0x313045434152544b /* "KTRACE01" */

struct trace_record {
    uint64_t tsc;
    uint32_t tid;
    uint16_t event;
    uint8_t cpu, flags;
    uint32_t x;
    uint32_t seq; /* index + 1, written last: another value is an old or a torn record */
    uint64_t a;
};
_Static_assert(sizeof(struct trace_record) == 32, "readers know the size");

enum trace_ring_kind {
    TRACE_RING_NONE,
    TRACE_RING_CPU,   /* all events of a CPU */
    TRACE_RING_NAMES, /* TASK and NAME of a CPU: so few that they outlive the events */
    TRACE_RING_USER,  /* a thread's own: its contents are whatever a program wrote */
};

struct trace_ring {
    uint64_t records;  /* where: a physical address, or an offset into the file */
    uint64_t head;     /* records ever written; 0 in a user ring: only its owner knows */
    uint64_t lost;     /* not written because the ring was full */
    uint32_t capacity; /* records, a power of two */
    uint32_t kind;
    uint32_t owner;    /* the CPU, or the tid of a user ring's thread */
    uint32_t group;    /* that thread's process */
    uint64_t limit;    /* the kernel's own: no record from this index on */
    void *at;          /* the same: `records` as a pointer */
    uint8_t padding[8]; /* a cache line each: CPUs write them all the time */
};
_Static_assert(sizeof(struct trace_ring) == 64, "readers know the size");

#define TRACE_RINGS_CPU 16
#define TRACE_RINGS_USER 64 /* more threads than that have theirs at a time: `refused` counts them */
#define TRACE_RINGS (2 * TRACE_RINGS_CPU + TRACE_RINGS_USER)

#define TRACE_ON 1             /* flags */
#define TRACE_STOP_WHEN_FULL 2
#define TRACE_ON_HOST 4        /* of a program on Linux: no events of the kernel */

struct trace_header {
    uint64_t magic;
    uint32_t header_size, ring_size, record_size, ring_count;
    uint64_t tsc_base; /* the TSC where the clock is 0 */
    uint64_t tsc_mult; /* CLOCK_MONOTONIC in ns = (tsc - base) * mult >> 32 */
    uint32_t flags, cpus;
    uint32_t refused; /* rings that were asked for when all were in use */
    uint8_t padding[12];
    struct trace_ring rings[TRACE_RINGS];
};
_Static_assert(__builtin_offsetof(struct trace_header, rings) == 64, "readers know the size");
#endif
