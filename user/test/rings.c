/*
 * What a program can do to a ring of the trace that it has mapped: nothing but to that ring.
 *
 * tests/tracing.py runs it in a guest that traces. Elsewhere /dev/ktrace cannot be mapped, and
 * there is nothing to be harmed.
 */
#include <co.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>

#include "../../kernel/trace/events.h"
#include "../../kernel/trace/format.h"
#include "ktap.h"

enum { RING_SIZE = 131072, RINGS = 64 };

static unsigned char *map_ring(void)
{
    int fd = open("/dev/ktrace", O_RDWR);
    unsigned char *ring;

    if (fd < 0) {
        return NULL;
    }
    ring = mmap(NULL, RING_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return ring == MAP_FAILED ? NULL : ring;
}

static void a_new_ring_is_empty(void)
{
    unsigned char *ring = map_ring();

    for (int i = 0; ring && i < RING_SIZE; i++) {
        CHECK(ring[i] == 0);
    }
}

/* The last test, so that its ring is in the trace: nonsense, and a mark in the name of init. */
static void nonsense_and_forgery_harm_nobody(void)
{
    unsigned char *ring = map_ring();
    uint64_t state = 88172645463325252ul;

    for (int i = 0; ring && i < RING_SIZE / 8; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        ((uint64_t *)ring)[i] = i % 4 == 2 ? (uint64_t)(i / 4 + 1) << 32 | (state & 0xffff) : state;
    }
    if (ring) {
        struct trace_record *forged = (struct trace_record *)ring + 1;

        *forged = (struct trace_record){.tsc = __builtin_ia32_rdtsc(), .tid = 1, .seq = 2,
                                        .event = TRACE_MARK, .x = 43};
        memcpy(&forged->a, "forged", 6);
    }
}

static void rings_are_bounded_and_come_back(void)
{
    static unsigned char *rings[RINGS + 1];
    int given[2] = {0, 0};

    for (int round = 0; round < 2; round++) {
        while (given[round] <= RINGS && (rings[given[round]] = map_ring())) {
            given[round]++;
        }
        for (int i = 0; i < given[round]; i++) {
            CHECK(munmap(rings[i], RING_SIZE) == 0);
        }
    }
    CHECK(given[0] <= RINGS && given[0] == given[1]);
}

static void a_child_keeps_the_ring_of_its_parent(void)
{
    unsigned char *ring = map_ring();
    int status;

    if (fork() == 0) {
        if (ring) {
            ring[100] = 7;
        }
        _exit(0);
    }
    CHECK(wait(&status) > 0 && status == 0);
    CHECK(!ring || ring[100] == 7);
}

static void the_end_of_a_ring_is_an_error(void)
{
    int fd = open("/dev/ktrace", O_RDWR), status;
    unsigned char *ring = fd < 0 ? MAP_FAILED
                                 : mmap(NULL, 2 * RING_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
                                        fd, 0);

    if (fork() == 0) {
        if (ring != MAP_FAILED) {
            ring[RING_SIZE] = 1;
        }
        raise(SIGBUS);
    }
    CHECK(wait(&status) > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
}

static void *mark(void *unused)
{
    co_mark(42, "half-way through");
    return unused;
}

static void a_program_can_set_a_mark(void)
{
    CHECK(co_go(mark, NULL, "marker") && co_run() == 0);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(a_new_ring_is_empty), TEST(rings_are_bounded_and_come_back),
        TEST(a_child_keeps_the_ring_of_its_parent), TEST(the_end_of_a_ring_is_an_error),
        TEST(a_new_ring_is_empty), TEST(a_program_can_set_a_mark),
        TEST(nonsense_and_forgery_harm_nobody),
    };

    return RUN_TESTS(tests);
}
