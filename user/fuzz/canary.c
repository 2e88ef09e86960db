/*
 * A canary: a process that fills memory and every register a program can set with what it knows,
 * and looks again and again. Nobody else's calls may change that; and it must get its turns.
 */
#include "fuzz.h"

#include <string.h>

#define WORDS (16 * PAGE / 8)

static uint64_t memory[WORDS];
static uint8_t expected[512] __attribute__((aligned(64))), seen[512] __attribute__((aligned(64)));

static uint64_t pattern(uint64_t index, uint64_t key)
{
    return (index + 1) * 0x9e3779b97f4a7c15ul ^ key;
}

/* Only together with the workers' (and CPUID leaf 7, EBX bit 0): a kernel that loses it loses no more. */
static int uses_gs_base(void)
{
    uint32_t a = 7, b, c = 0, d;
    int used = shared->only_count == 0;

    for (int i = 0; i < shared->only_count; i++) {
        used |= calls[shared->only[i]].number == T_GS_BASE;
    }
    __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return used && (b & 1);
}

/* x87 and SSE registers, and their control words: all exceptions masked, rounding not as usual. */
static void registers_fill(uint64_t key)
{
    uint32_t mxcsr = 0x7f80;
    uint16_t control = 0x0f7f;

    __asm__ volatile("fninit\n\tfxsave (%0)" : : "r"(expected) : "memory");
    memcpy(expected, &control, 2);
    memcpy(expected + 24, &mxcsr, 4);
    for (int i = 160; i < 416; i += 8) {
        uint64_t value = pattern((uint64_t)i, key);

        memcpy(expected + i, &value, 8);
    }
}

static const char *registers_look(uint64_t key, int base)
{
    static const uint64_t nap[2] = {0, 2000000};
    uint64_t gs = key & 0x7ffffffff000, found = gs, selectors = 0;
    uint16_t ds, es;

    if (base) {
        __asm__ volatile("wrgsbase %0" : : "r"(gs));
    }
    __asm__ volatile("fxrstor (%0)" : : "r"(expected) : "memory");
    if (key & 1) {
        RAW(35, nap, 0, 0);
    } else {
        for (volatile int i = 0; i < 5000; i++) { /* the clock interrupts it here and there */
        }
        RAW(24, 0, 0, 0);
    }
    __asm__ volatile("fxsave (%0)" : : "r"(seen) : "memory");
    if (base) {
        __asm__ volatile("rdgsbase %0" : "=r"(found));
    }
    __asm__ volatile("mov %%ds, %0\n\tmov %%es, %1" : "=r"(ds), "=r"(es));
    selectors = (uint64_t)ds | es;
    return found != gs                              ? "a canary's GS base changed"
           : selectors                              ? "a canary's ds or es changed"
           : memcmp(seen, expected, 5) || memcmp(seen + 24, expected + 24, 4)
               ? "a canary's x87 or SSE control word changed"
           : memcmp(seen + 160, expected + 160, 256) ? "a canary's SSE registers changed"
                                                    : NULL;
}

void canary_main(int index)
{
    uint64_t key = 0x0123456789abcdeful * (uint64_t)(index + 1), cpu[16] = {1ul << index};
    int base = uses_gs_base();
    const char *wrong;

    RAW(203, 0, sizeof(cpu), cpu); /* sched_setaffinity */
    for (uint64_t i = 0; i < WORDS; i++) {
        memory[i] = pattern(i, key);
    }
    for (uint64_t beat = 0;; beat++) {
        registers_fill(key + beat);
        wrong = registers_look(key + beat, base);
        for (uint64_t i = beat % 8; i < WORDS && !wrong; i += 8) {
            wrong = memory[i] == pattern(i, key) ? NULL : "a canary's memory changed";
        }
        if (wrong) {
            complain(wrong);
        }
        shared->beats[index]++;
    }
}
