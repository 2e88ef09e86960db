/*
 * The kernel log: a ring of text and the sinks that show it.
 *
 * lib knows no spinlock of arch, so the ring has its own: one word, taken with interrupts off.
 * Nobody waits for it when log_alone is set, so that a panic is heard even if it struck while logging.
 */
#include "lib/log.h"
#include "lib/printf.h"
#include "lib/string.h"

#define SINKS 4

static char ring[LOG_SIZE];
static uint64_t ring_end; /* bytes ever written; under `locked`, as all here */
static log_sink_t sinks[SINKS];
static char locked;
bool log_alone;

static uint64_t log_lock(void)
{
    uint64_t flags;

    __asm__ volatile("pushfq; popq %0; cli" : "=r"(flags) : : "memory");
    while (__atomic_test_and_set(&locked, __ATOMIC_ACQUIRE) && !log_alone) {
        __asm__ volatile("pause");
    }
    return flags;
}

static void log_unlock(uint64_t flags)
{
    __atomic_clear(&locked, __ATOMIC_RELEASE);
    if (flags & 0x200) {
        __asm__ volatile("sti" : : : "memory");
    }
}

static void log_write(const char *text, size_t size)
{
    uint64_t flags = log_lock();

    for (size_t i = 0; i < size; i++) {
        ring[ring_end++ % LOG_SIZE] = text[i];
    }
    for (int i = 0; i < SINKS; i++) {
        if (sinks[i]) {
            sinks[i](text, size);
        }
    }
    log_unlock(flags);
}

void log_add_sink(log_sink_t sink)
{
    uint64_t flags = log_lock();

    for (int i = 0; i < SINKS; i++) {
        if (!sinks[i]) {
            sinks[i] = sink;
            break;
        }
    }
    log_unlock(flags);
}

size_t log_read(char *buffer, size_t size, uint64_t *lost)
{
    uint64_t flags = log_lock();
    size_t count = ring_end < LOG_SIZE ? ring_end : LOG_SIZE, start, first;

    count = count < size ? count : size;
    *lost = ring_end - count;
    start = (ring_end - count) % LOG_SIZE;
    first = count < LOG_SIZE - start ? count : LOG_SIZE - start; /* the rest is at the ring's beginning */
    memcpy(buffer, ring + start, first);
    memcpy(buffer + first, ring, count - first);
    log_unlock(flags);
    return count;
}

static void log_format(const char *format, va_list args)
{
    char line[512];
    int length = vsnprintf(line, sizeof(line), format, args);

    if ((size_t)length >= sizeof(line)) {
        length = sizeof(line) - 1;
        memcpy(line + length - 4, "...\n", 4); /* it shows that it was cut */
    }
    log_write(line, (size_t)length);
}

void printk(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    log_format(format, args);
    va_end(args);
}

bool panic_begin(void)
{
    bool first;

    __asm__ volatile("cli");
    panic_alone();
    first = !log_alone;
    log_alone = true;
    return first;
}

void panic(const char *format, ...)
{
    va_list args;

    if (panic_begin()) {
        printk("PANIC: ");
        va_start(args, format);
        log_format(format, args);
        va_end(args);
        printk("\n");
    }
    panic_finish();
}
