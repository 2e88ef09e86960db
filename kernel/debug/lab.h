/*
 * The labs' tests inside the kernel (labs/N/kernel/): the option lab=NAME:SEED runs one before the
 * first program. What it finds goes to the log, where the grader (tools/labs/guest.py) looks for it;
 * values that it reports come of the seed, so that only a test which ran knows them.
 */
#ifndef DEBUG_LAB_H
#define DEBUG_LAB_H
#include "lib/log.h"
#include "lib/types.h"

struct lab_test {
    const char *name;
    bool (*run)(uint64_t seed); /* false: it has said what is wrong */
};
#define LAB_TEST(function)                                                              \
    static const struct lab_test function##_test                                        \
        __attribute__((used, section(".lab_tests"))) = {#function, function}

/* Run the one that the kernel option names, on the first CPU. */
void lab_test_if_asked(void);

/* End a function that returns bool: say what is wrong, and which step to look at next. */
#define LAB_EXPECT(condition, next, expected, seen, ...)                                \
    do {                                                                                \
        if (!(condition)) {                                                             \
            printk("lab: expected: " expected "\nlab: seen: " seen "\nlab: next: " next \
                   "\n" __VA_OPT__(, ) __VA_ARGS__);                                    \
            return false;                                                               \
        }                                                                               \
    } while (0)

/* The same numbers in programs and on the host: labs/grade.h, tools/labs/seeds.py. */
static inline uint64_t lab_mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

static inline uint64_t lab_number(uint64_t seed, uint64_t index)
{
    return lab_mix(seed + lab_mix(index));
}
#endif
