/*
 * Writing trace records: see trace.h. Nothing here may change what the library does; whatever
 * goes wrong, the trace is off.
 */
#include "trace.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "loop.h"
#include "../../../kernel/trace/events.h"
#include "../../../kernel/trace/format.h"

#define RING_SIZE 131072l /* of /dev/ktrace, and in the file */
#define RECORDS (RING_SIZE / sizeof(struct trace_record))
#define FILE_RINGS 8192l /* where they begin; the header is before them */
#define NAMES_AGAIN 64   /* so many coroutines are named again when the ring is full */

enum { READ_WRITE = 2, CREATE = 0100, TRUNCATE = 01000, CLOSE_ON_EXEC = 02000000 };

_Thread_local struct trace_record *co_trace_ring;
int co_trace_possible = 1;
static _Thread_local uint64_t ring_index;
static struct trace_header *file_header; /* of CO_TRACE's file; NULL: records go to /dev/ktrace */

/* Descriptors are not kept: the program's own would get other numbers. */
static void *map(const char *path, long offset, long size)
{
    long fd = co_call(SYS_open, (long)path, READ_WRITE | CLOSE_ON_EXEC, 0, 0, 0, 0), address;

    if (fd < 0) {
        return NULL;
    }
    address = co_call(SYS_mmap, 0, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
    co_call(SYS_close, fd, 0, 0, 0, 0, 0);
    return address < 0 ? NULL : (void *)address;
}

static void open_file(const char *path)
{
    long size = FILE_RINGS + TRACE_RINGS_USER * RING_SIZE;
    long fd = co_call(SYS_open, (long)path, READ_WRITE | CREATE | TRUNCATE | CLOSE_ON_EXEC, 0666,
                      0, 0, 0);
    long error = fd < 0 ? fd : co_call(SYS_ftruncate, fd, size, 0, 0, 0, 0);

    if (fd >= 0) {
        co_call(SYS_close, fd, 0, 0, 0, 0, 0);
    }
    file_header = error < 0 ? NULL : map(path, 0, FILE_RINGS);
    if (!file_header) {
        return;
    }
    file_header->magic = TRACE_MAGIC;
    file_header->header_size = offsetof(struct trace_header, rings);
    file_header->ring_size = sizeof(struct trace_ring);
    file_header->record_size = sizeof(struct trace_record);
    file_header->tsc_mult = 1ul << 32; /* times are nanoseconds */
    file_header->flags = TRACE_ON | TRACE_ON_HOST;
}

/* A ring in the file; processes that fork share the header and count in it. */
static struct trace_record *file_ring(void)
{
    uint32_t number = __atomic_fetch_add(&file_header->ring_count, 1, __ATOMIC_RELAXED);
    struct trace_ring *ring = &file_header->rings[number];

    if (number >= TRACE_RINGS_USER) {
        __atomic_fetch_add(&file_header->refused, 1, __ATOMIC_RELAXED);
        __atomic_store_n(&file_header->ring_count, TRACE_RINGS_USER, __ATOMIC_RELAXED);
        return NULL;
    }
    ring->owner = (uint32_t)co_call(SYS_gettid, 0, 0, 0, 0, 0, 0); /* not the one before a fork */
    ring->group = (uint32_t)co_call(SYS_getpid, 0, 0, 0, 0, 0, 0);
    ring->capacity = RECORDS;
    ring->records = (uint64_t)(FILE_RINGS + number * RING_SIZE);
    ring->kind = TRACE_RING_USER;
    return map(getenv("CO_TRACE"), (long)ring->records, RING_SIZE);
}

static void open_ring(void)
{
    const char *path = getenv("CO_TRACE");

    ring_index = 0;
    co_trace_ring = file_header ? NULL : map("/dev/ktrace", 0, RING_SIZE);
    if (co_trace_ring) {
        return;
    }
    registry_lock(); /* one thread makes the file */
    if (!file_header && path && *path) {
        open_file(path);
    }
    registry_unlock();
    if (file_header) {
        co_trace_ring = file_ring();
    } else {
        co_trace_possible = 0;
    }
}

static int64_t thread_cpu_time(void)
{
    struct {
        int64_t seconds, nanoseconds;
    } time = {0, 0};

    if (file_header) {
        co_call(SYS_clock_gettime, CLOCK_THREAD_CPUTIME_ID, (long)&time, 0, 0, 0, 0);
    }
    return time.seconds * SECOND + time.nanoseconds;
}

static void write_record(enum trace_event event, uint8_t flags, uint32_t x, uint64_t a)
{
    struct trace_record *record = &co_trace_ring[ring_index % RECORDS];

    record->tsc = file_header ? (uint64_t)co_now() : __builtin_ia32_rdtsc();
    record->tid = (uint32_t)co_thread_id();
    record->event = event;
    record->cpu = 0xff;
    record->flags = flags;
    record->x = x;
    record->a = a;
    __atomic_store_n(&record->seq, (uint32_t)++ring_index, __ATOMIC_RELEASE);
}

/* A text in pieces of eight characters. */
static void write_text(enum trace_event event, uint32_t x, const char *text)
{
    size_t length = strlen(text);

    for (size_t at = 0; at < length && at < 32; at += 8) {
        uint64_t part = 0;

        memcpy(&part, text + at, length - at < 8 ? length - at : 8);
        write_record(event, (uint8_t)at, x, part);
    }
}

/* The names were overwritten: say them again, for who sees only what is left. */
static void name_again(void)
{
    struct co_list *node;
    int named = 0;

    registry_lock();
    for (node = co_registry.all.prev; node != &co_registry.all && named < NAMES_AGAIN;
         node = node->prev) {
        struct co *co = CO_ENTRY(node, struct co, all);

        if (co->thread == co_thread_id()) {
            write_text(TRACE_CO_NAME, co->id, co->name);
            named++;
        }
    }
    registry_unlock();
}

void co_traced_spawn(struct co *co)
{
    if (!co_trace_ring) {
        open_ring();
    }
    if (co_trace_ring) {
        write_record(TRACE_CO_SPAWN, 0, co->id, co_current ? co_current->id : 0);
        write_text(TRACE_CO_NAME, co->id, co->name);
    }
}

static void leave(struct co *from)
{
    struct loop_co *looped = from->loop ? loop_co_of(from) : NULL;
    enum trace_co_out out = from->state == CO_DEAD                           ? TRACE_OUT_EXIT
                            : from->state == CO_NORMAL                       ? TRACE_OUT_RESUME
                            : looped && looped->loop_state == LOOP_READY     ? TRACE_OUT_YIELD
                                                                             : TRACE_OUT_PARK;

    if (out == TRACE_OUT_PARK && looped) {
        if (looped->timer_index) {
            write_record(TRACE_CO_DUE, 0, from->id, (uint64_t)looped->deadline);
        }
        if (looped->why_number >= 0) {
            write_record(TRACE_CO_ON, 0, from->id, (uint64_t)looped->why_number);
        }
        write_text(TRACE_CO_PARK, from->id, looped->why);
    }
    write_record(TRACE_CO_OUT, (uint8_t)out, from->id, (uint64_t)thread_cpu_time());
}

void co_traced_switch(struct co *from, struct co *to)
{
    if (from) {
        leave(from);
    }
    if (to) {
        write_record(TRACE_CO_IN, 0, to->id, (uint64_t)thread_cpu_time());
    }
    if (ring_index % RECORDS < 8 && ring_index > RECORDS) {
        name_again();
    }
}

void co_traced_ready(struct co *co)
{
    write_record(TRACE_CO_READY, 0, co->id, co_current ? co_current->id : 0);
}

void co_mark(uint32_t number, const char *text)
{
    uint64_t word = 0;

    if (co_trace_ring) {
        memcpy(&word, text, strnlen(text, sizeof(word)));
        write_record(TRACE_MARK, 0, number, word);
    }
}

static void close_ring(void)
{
    co_call(SYS_munmap, (long)co_trace_ring, RING_SIZE, 0, 0, 0, 0);
    co_trace_ring = NULL;
}

void co_traced_fork(void)
{
    close_ring();
    open_ring();
    if (co_trace_ring) {
        name_again();
        if (co_current) {
            write_record(TRACE_CO_IN, 0, co_current->id, (uint64_t)thread_cpu_time());
        }
    }
}

/* In the guest the ring is another's from now on; what is in it stays until it is needed. */
void co_traced_end(void)
{
    if (!file_header) {
        close_ring();
    }
}
