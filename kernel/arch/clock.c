/*
 * Time. The TSC and the APIC timer are measured for 3 ms against the PIT's channel 2, the one
 * clock of a PC whose rate is known (1193182 Hz).
 */
#include "arch/clock.h"

#include "arch/apic.h"
#include "arch/percpu.h"
#include "dev/rtc.h"
#include "lib/log.h"

#define PIT_HZ 1193182
#define WINDOW_NS 3000000
#define TRIES 30
#define SPINS 16 /* between two looks: to an emulator a port is dearer than a hundred instructions */
#define TIMER_MIN 1000 /* a device that is set to less may miss it */
#define DOUBT 100 /* a hundredth of a window is near enough */

uint64_t clock_tsc_base, clock_mult, clock_tsc_khz;
ktime_t clock_realtime_offset;
static uint64_t timer_mult; /* APIC timer ticks = ns * timer_mult >> 32 */

/* What passed in one window of the PIT, and how much of it may not belong there. */
struct measurement {
    uint64_t cycles, doubt;
    uint32_t ticks;
};

static struct measurement clock_measure(void)
{
    uint16_t count = (uint16_t)((uint64_t)PIT_HZ * WINDOW_NS / SECOND);
    uint64_t before, start, look, last, end;
    uint32_t ticks;

    outb(0x61, (inb(0x61) & ~2) | 1); /* gate on, speaker off */
    outb(0x43, 0xb0);                 /* channel 2, both bytes, mode 0: count down once */
    outb(0x42, (uint8_t)count);
    before = rdtsc();
    outb(0x42, (uint8_t)(count >> 8));
    lapic_write(LAPIC_TIMER_INITIAL, 0xffffffff);
    start = look = last = rdtsc();
    while (!(inb(0x61) & 0x20)) {
        for (volatile int i = 0; i < SPINS; i++) {
        }
        last = look;
        look = rdtsc();
    }
    end = rdtsc();
    ticks = 0xffffffff - lapic_read(LAPIC_TIMER_CURRENT);
    return (struct measurement){end - start, start - before + rdtsc() - last, ticks};
}

void clock_init(void)
{
    struct measurement best, next;

    lapic_write(LAPIC_TIMER, 0x10000);
    best = clock_measure();
    /* A virtual CPU may be stopped at any point, and its host's time goes on. */
    for (int i = 0; i < TRIES && best.doubt > best.cycles / DOUBT; i++) {
        next = clock_measure();
        if (next.doubt < best.doubt) {
            best = next;
        }
    }
    lapic_write(LAPIC_TIMER_INITIAL, 0);
    lapic_write(LAPIC_TIMER, 0xf0);

    clock_tsc_base = rdtsc();
    clock_mult = (uint64_t)(((unsigned __int128)WINDOW_NS << 32) / best.cycles);
    clock_tsc_khz = best.cycles / (WINDOW_NS / 1000000);
    timer_mult = ((uint64_t)best.ticks << 32) / WINDOW_NS;
    clock_realtime_offset = rtc_read() * SECOND;
    printk("clock: TSC %lu MHz, APIC timer %lu MHz\n", clock_tsc_khz / 1000,
           (uint64_t)best.ticks * 1000 / WINDOW_NS);
}

void clock_skip(ktime_t time)
{
    uint64_t ms = (uint64_t)time / 1000000, rest = (uint64_t)time % 1000000;

    clock_tsc_base -= ms * clock_tsc_khz + rest * clock_tsc_khz / 1000000 + 1;
}

void timer_program(ktime_t deadline)
{
    ktime_t now = clock_now(), wait = deadline - now;
    uint64_t ticks;

    assert_irqs_off();
    wait = wait < TIMER_MIN ? TIMER_MIN : wait > SECOND ? SECOND : wait;
    this_cpu(timer_deadline) = now + wait;
    ticks = (uint64_t)wait * timer_mult >> 32;
    lapic_write(LAPIC_TIMER_INITIAL, ticks ? (uint32_t)ticks : 1);
}

ktime_t timer_came(void)
{
    ktime_t late = clock_now() - this_cpu(timer_deadline);

    if (late < 0) {
        if (lapic_read(LAPIC_TIMER_CURRENT)) {
            return -1;
        }
        late = 0; /* it counts no finer */
    }
    this_cpu(timer_deadline) = KTIME_NEVER;
    return late;
}
