/*
 * Short sleeps: none ends early. With an argument, so many of them, and the sum of the times at
 * which they ended: under icount a single one that ends a nanosecond later in one run shows.
 */
#include <time.h>

#include "ktap.h"

#define NAP 100000l /* nanoseconds */

/* Returns the time at which it ended, in nanoseconds since the start. */
static unsigned long nap(void)
{
    struct timespec time = {.tv_nsec = NAP};

    CHECK(nanosleep(&time, NULL) == 0);
    CHECK(clock_gettime(CLOCK_MONOTONIC, &time) == 0);
    return (unsigned long)time.tv_sec * 1000000000 + (unsigned long)time.tv_nsec;
}

static void no_nap_is_short(void)
{
    unsigned long before = nap();

    for (int i = 0; i < 1000; i++) {
        unsigned long after = nap();

        CHECK(after - before >= NAP);
        before = after;
    }
}

int main(int argc, char **argv)
{
    static const struct test tests[] = {TEST(no_nap_is_short)};
    unsigned long sum = 0;

    if (argc == 1) {
        return RUN_TESTS(tests);
    }
    for (long i = atol(argv[1]); i > 0; i--) {
        sum += nap();
    }
    printf("%lu\n", sum);
    return 0;
}
