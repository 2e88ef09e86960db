/*
 * A lab's test program: labs/N/tests.c, run as `labtest NAME SEED NONCE CPUS`, one test a boot.
 *
 * It reports by KTAP. What earns points is not the word "ok": the grader (tools/labs/guest.py)
 * recomputes each reported value from the seed, and knows the exit status that comes of the
 * nonce and the values.
 */
#ifndef LABS_GRADE_H
#define LABS_GRADE_H
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct grade_test {
    const char *name;
    void (*run)(void);
};
#define GRADE(name) {#name, name}

static uint64_t grade_seed, grade_hash;
static int grade_cpus;
static const char *grade_name;

/* The same numbers on the host: tools/labs/seeds.py. */
static inline uint64_t grade_mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

/* The seed's number `index`. */
static inline uint64_t grade_number(uint64_t index)
{
    return grade_mix(grade_seed + grade_mix(index));
}

/* Free memory of the machine, KiB. */
static inline long grade_free_kib(void)
{
    char text[512], *at;
    int fd = open("/proc/meminfo", O_RDONLY);
    ssize_t size = read(fd, text, sizeof(text) - 1);

    close(fd);
    text[size > 0 ? size : 0] = '\0';
    at = strstr(text, "MemFree:");
    return at ? strtol(at + 8, NULL, 10) : -1;
}

/* Report a value; the host knows which it must be. */
static inline void grade_value(const char *key, uint64_t value)
{
    printf("# value %s 0x%lx\n", key, (unsigned long)value);
    grade_hash = (grade_hash ^ value) * 0x9e3779b97f4a7c15;
    grade_hash ^= grade_hash >> 29;
}

/* End the test: failed. */
#define grade_fail(expected, ...)                                       \
    do {                                                                \
        printf("not ok 1 - %s\n# expected: %s\n# seen: ", grade_name, expected); \
        printf(__VA_ARGS__);                                            \
        printf("\n");                                                   \
        fflush(stdout);                                                 \
        _exit(1);                                                       \
    } while (0)

#define EXPECT(condition, expected, ...)        \
    do {                                        \
        if (!(condition)) {                     \
            grade_fail(expected, __VA_ARGS__);  \
        }                                       \
    } while (0)

static inline int grade_main(int argc, char **argv, const struct grade_test *tests, int count)
{
    if (argc != 5) {
        fprintf(stderr, "usage: labtest NAME SEED NONCE CPUS (tools/grade runs it)\n");
        return 2;
    }
    grade_name = argv[1];
    grade_seed = strtoul(argv[2], NULL, 10);
    grade_hash = strtoul(argv[3], NULL, 16);
    grade_cpus = atoi(argv[4]);
    printf("KTAP version 1\n# nonce %016lx\n1..1\n", (unsigned long)grade_hash);
    for (int i = 0; i < count; i++) {
        if (strcmp(tests[i].name, grade_name) == 0) {
            fflush(stdout);
            tests[i].run();
            printf("ok 1 - %s\n", grade_name);
            fflush(stdout);
            _exit(10 + (int)(grade_hash % 90));
        }
    }
    fprintf(stderr, "labtest: no test %s\n", grade_name);
    return 2;
}
#define GRADE_MAIN(tests) \
    int main(int argc, char **argv) { return grade_main(argc, argv, tests, sizeof(tests) / sizeof(*(tests))); }
#endif
