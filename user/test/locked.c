/* mlock and its relatives: pages are there before they are touched, stay, and are counted. */
#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "ktap.h"

static char *map_pages(int count, int prot)
{
    char *memory = mmap(NULL, (size_t)count * 4096, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(memory != MAP_FAILED);
    return memory;
}

static long status_kb(const char *name)
{
    static char text[4096];
    int fd = open("/proc/self/status", O_RDONLY);
    ssize_t size = read(fd, text, sizeof(text) - 1);
    const char *line;

    CHECK(size > 0 && close(fd) == 0);
    text[size] = '\0';
    line = strstr(text, name);
    CHECK(line);
    return atol(line + strlen(name));
}

static long locked_kb(void)
{
    return status_kb("VmLck:");
}

/* Linux counts what is there only roughly: so it is 4 MiB, and half of that is enough. */
#define LARGE 1024

static bool came(long *before)
{
    long now = status_kb("VmRSS:"), more = now - *before;

    *before = now;
    return more > LARGE * 2;
}

static void locked_pages_are_there(void)
{
    char *memory = map_pages(LARGE, PROT_READ | PROT_WRITE), *lazy = map_pages(LARGE, PROT_READ | PROT_WRITE);
    long before = status_kb("VmRSS:");

    CHECK(syscall(SYS_mlock, memory + 5, (LARGE - 1) * 4096) == 0 && came(&before)); /* to the page's ends */
    CHECK(syscall(SYS_mlock2, lazy, LARGE * 4096, 1) == 0 && !came(&before)); /* MLOCK_ONFAULT */
    memset(lazy, 1, LARGE * 4096);
    CHECK(came(&before));
    lazy = mmap(NULL, LARGE * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    CHECK(lazy != MAP_FAILED && came(&before));
}

static void locks_are_counted_and_end(void)
{
    char *memory = map_pages(8, PROT_READ | PROT_WRITE);
    int status;

    CHECK(locked_kb() == 0 && syscall(SYS_mlock, memory, 8 * 4096) == 0 && syscall(SYS_mlock, memory, 8 * 4096) == 0);
    CHECK(locked_kb() == 32);
    CHECK(syscall(SYS_munlock, memory + 4096, 4096) == 0 && locked_kb() == 28);
    CHECK(munmap(memory, 4096) == 0 && locked_kb() == 24);
    if (fork() == 0) {
        _exit(locked_kb() != 0);
    }
    CHECK(wait(&status) > 0 && status == 0);
    CHECK(syscall(SYS_mremap, memory + 3 * 4096, 5 * 4096, 9 * 4096, MREMAP_MAYMOVE) != -1 && locked_kb() == 40);
    CHECK(syscall(SYS_munlockall) == 0 && locked_kb() == 0);
}

static void bad_locks(void)
{
    char *memory = map_pages(8, PROT_READ | PROT_WRITE);

    CHECK(munmap(memory + 2 * 4096, 4096) == 0);
    CHECK_ERROR(syscall(SYS_mlock, memory, 8 * 4096), ENOMEM);
    CHECK(locked_kb() == 8); /* what is before the hole has it */
    CHECK_ERROR(syscall(SYS_munlock, memory + 4096, 8 * 4096), ENOMEM);
    CHECK_ERROR(syscall(SYS_mlock, memory, (size_t)-4096), EINVAL);
    CHECK_ERROR(syscall(SYS_mlock, map_pages(1, PROT_NONE), 4096), ENOMEM);
    CHECK_ERROR(syscall(SYS_mlock2, memory, 4096, 2), EINVAL);
    CHECK_ERROR(syscall(SYS_mlockall, 0), EINVAL);
    CHECK_ERROR(syscall(SYS_mlockall, MCL_ONFAULT), EINVAL);
    CHECK_ERROR(syscall(SYS_mlockall, 8), EINVAL);
    CHECK(syscall(SYS_mlock, memory, 0) == 0);
}

static void nothing_takes_locked_pages_away(void)
{
    char *memory = map_pages(1, PROT_READ | PROT_WRITE);

    *memory = 'x';
    CHECK(syscall(SYS_mlock, memory, 4096) == 0);
    CHECK_ERROR(syscall(SYS_madvise, memory, 4096, MADV_DONTNEED), EINVAL);
    CHECK_ERROR(syscall(SYS_msync, memory, 4096, MS_INVALIDATE), EBUSY);
    CHECK(*memory == 'x' && syscall(SYS_msync, memory, 4096, MS_SYNC) == 0);
    CHECK(syscall(SYS_munlock, memory, 4096) == 0 && syscall(SYS_msync, memory, 4096, MS_INVALIDATE) == 0);
    CHECK(syscall(SYS_madvise, memory, 4096, MADV_DONTNEED) == 0 && *memory == 0);
}

static void all_and_all_that_comes(void)
{
    char *heap = (char *)syscall(SYS_brk, 0);
    long all, before;

    map_pages(LARGE, PROT_READ | PROT_WRITE);
    before = status_kb("VmRSS:");
    CHECK(syscall(SYS_mlockall, MCL_CURRENT) == 0 && came(&before));
    all = locked_kb();
    map_pages(LARGE, PROT_READ | PROT_WRITE);
    CHECK(!came(&before) && locked_kb() == all && syscall(SYS_munlockall) == 0 && locked_kb() == 0);
    CHECK(syscall(SYS_mlockall, MCL_FUTURE) == 0 && locked_kb() == 0);
    map_pages(LARGE, PROT_READ | PROT_WRITE);
    CHECK(came(&before) && locked_kb() == LARGE * 4);
    CHECK(syscall(SYS_brk, heap + LARGE * 4096) == (long)heap + LARGE * 4096 && came(&before));
    CHECK(syscall(SYS_munlockall) == 0 && map_pages(1, PROT_READ) && locked_kb() == 0);
}

/* vm.max_map_count: mappings of the same page do not grow together. */
static void areas_have_an_end(void)
{
    int fd = open("areas", O_RDWR | O_CREAT, 0600), count = 0;

    CHECK(fd >= 0 && ftruncate(fd, 4096) == 0);
    while (count < 70000 && mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED) {
        count++;
    }
    CHECK(errno == ENOMEM && count > 65000 && count <= 65530 && unlink("areas") == 0);
}

/* The number, in kB, that /proc/self/smaps tells of the area that begins at `memory`. */
static long area_kb(const char *memory, const char *name)
{
    static char text[65536];
    int fd = open("/proc/self/smaps", O_RDONLY);
    ssize_t size = 0, part;
    const char *line;
    char start[32];

    while ((part = read(fd, text + size, sizeof(text) - 1 - (size_t)size)) > 0) {
        size += part;
    }
    text[size] = '\0';
    snprintf(start, sizeof(start), "%lx-", (unsigned long)memory);
    line = strstr(text, start);
    CHECK(close(fd) == 0 && line && (line = strstr(line, name)) != NULL);
    return atol(line + strlen(name));
}

static void smaps_tells_what_is_there_and_whose(void)
{
    char *memory = map_pages(10, PROT_NONE) + 4096; /* it is no part of an area beside it */
    int status;

    CHECK(mprotect(memory, 8 * 4096, PROT_READ | PROT_WRITE) == 0);
    CHECK(area_kb(memory, "Size:") == 32 && area_kb(memory, "Rss:") == 0);
    memset(memory, 1, 4 * 4096);
    CHECK(area_kb(memory, "Rss:") == 16 && area_kb(memory, "Pss:") == 16 && area_kb(memory, "Private_Dirty:") == 16);
    CHECK(area_kb(memory, "Referenced:") == 16 && area_kb(memory, "Locked:") == 0);
    if (fork() == 0) { /* a page is shared until one of the two writes to it */
        CHECK(area_kb(memory, "Rss:") == 16 && area_kb(memory, "Pss:") == 8 && area_kb(memory, "Shared_Dirty:") == 16);
        memory[0] = 2;
        CHECK(area_kb(memory, "Shared_Dirty:") == 12 && area_kb(memory, "Private_Dirty:") == 4);
        CHECK(area_kb(memory, "Pss:") == 10);
        _exit(0);
    }
    CHECK(wait(&status) > 0 && status == 0 && area_kb(memory, "Private_Dirty:") == 16);
    CHECK(syscall(SYS_mlock, memory, 8 * 4096) == 0);
    CHECK(area_kb(memory, "Rss:") == 32 && area_kb(memory, "Locked:") == 32);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(locked_pages_are_there), TEST(locks_are_counted_and_end), TEST(bad_locks),
        TEST(nothing_takes_locked_pages_away), TEST(all_and_all_that_comes), TEST(areas_have_an_end),
        TEST(smaps_tells_what_is_there_and_whose),
    };

    return RUN_TESTS(tests);
}
