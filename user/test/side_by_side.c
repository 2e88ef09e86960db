/* Two threads of a process fault at the same time, and neither sleeps much: the lock that both need is
 * held for a moment only. */
#include <pthread.h>
#include <sys/mman.h>

#include "asleep.h"

#define PAGES 4096
#define PAGE 4096ul

static pthread_barrier_t start;
static long slept[2];

static void *touch(void *mine)
{
    char *pages = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    long before;

    CHECK(pages != MAP_FAILED);
    pthread_barrier_wait(&start);
    before = voluntary_switches(gettid());
    for (long i = 0; i < PAGES; i++) {
        pages[i * (long)PAGE] = 1;
    }
    *(long *)mine = voluntary_switches(gettid()) - before;
    CHECK(munmap(pages, PAGES * PAGE) == 0);
    return NULL;
}

static void threads_fault_side_by_side(void)
{
    pthread_t other;

    CHECK(pthread_barrier_init(&start, NULL, 2) == 0);
    CHECK(pthread_create(&other, NULL, touch, &slept[1]) == 0);
    touch(&slept[0]);
    pthread_join(other, NULL);
    fprintf(stderr, "# %ld and %ld sleeps in %d faults each\n", slept[0], slept[1], PAGES);
    CHECK(slept[0] + slept[1] < PAGES / 8);
}

int main(void)
{
    static const struct test tests[] = {TEST(threads_fault_side_by_side)};

    return RUN_TESTS(tests);
}
