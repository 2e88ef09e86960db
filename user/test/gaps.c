/* A mapping without an address goes to the highest gap that is large enough. */
#include <sys/mman.h>

#include "ktap.h"

#define PAGE 4096ul
#define AREAS 300
#define STEPS 6000

static struct area {
    char *start;
    size_t size;
} areas[AREAS]; /* from the highest downwards; the first one stays */
static int count;
static unsigned seed = 1;

static unsigned chance(unsigned of)
{
    seed = seed * 1103515245 + 12345;
    return seed / 65536 % of;
}

static void area_enter(char *start, size_t size)
{
    int at = count++;

    for (; at > 0 && areas[at - 1].start < start; at--) {
        areas[at] = areas[at - 1];
    }
    areas[at] = (struct area){start, size};
}

/* Neighbours differ, so that each area stays one. */
static char *area_map(size_t size)
{
    static const int kinds[] = {PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE};

    return mmap(NULL, size, kinds[chance(3)], MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* Where it belongs below the first one: everything there is ours. */
static char *gap_of(size_t size)
{
    for (int i = 1; i < count; i++) {
        char *end = areas[i].start + areas[i].size;

        if ((size_t)(areas[i - 1].start - end) >= size) {
            return areas[i - 1].start - size;
        }
    }
    return areas[count - 1].start - size;
}

static void map_one(void)
{
    size_t size = (1 + chance(8)) * PAGE;
    char *expected = gap_of(size), *start = area_map(size);

    CHECK(start != MAP_FAILED);
    if (start > areas[0].start) {
        return; /* on Linux there may be gaps above: filled, for good */
    }
    CHECK(start == expected);
    area_enter(start, size);
}

/* Take away one, or its upper or lower part, or its middle. */
static void unmap_some(void)
{
    int at = 1 + (int)chance((unsigned)count - 1);
    struct area whole = areas[at];
    size_t from = chance(2) ? 0 : chance((unsigned)(whole.size / PAGE)) * PAGE;
    size_t to = from + (1 + chance((unsigned)((whole.size - from) / PAGE))) * PAGE;

    CHECK(munmap(whole.start + from, to - from) == 0);
    count--;
    memmove(&areas[at], &areas[at + 1], (size_t)(count - at) * sizeof(*areas));
    if (from) {
        area_enter(whole.start, from);
    }
    if (to < whole.size) {
        area_enter(whole.start + to, whole.size - to);
    }
}

static void the_highest_gap_that_fits_is_taken(void)
{
    areas[0] = (struct area){area_map(PAGE), PAGE};
    count = 1;
    for (int step = 0; step < STEPS; step++) {
        if (count > 1 && (count > AREAS - 2 || chance(5) < 2)) {
            unmap_some();
        } else {
            map_one();
        }
    }
}

static void a_gap_is_used_when_nothing_lies_below(void)
{
    char *start = mmap(NULL, 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(start != MAP_FAILED && munmap(start + PAGE, PAGE) == 0);
    CHECK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == start + PAGE);
    CHECK(munmap(start, 3 * PAGE) == 0);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(the_highest_gap_that_fits_is_taken),
        TEST(a_gap_is_used_when_nothing_lies_below),
    };

    return run_tests(tests, sizeof(tests) / sizeof(*tests));
}
