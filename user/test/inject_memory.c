/* mmap and its relatives, and futexes on new pages, when memory runs out: an error, and everything is as it
 * was. */
#include <sys/syscall.h>

#include "inject.h"
#include "tasks.h"

#define PAGE 4096ul
#define TABLE (2ul << 20) /* what one page table maps */

static char *area, *made;
static int file;

static void *map(void *address, size_t size, int prot, int flags)
{
    return mmap(address, size, prot, flags | MAP_ANONYMOUS, -1, 0);
}

static long result_of(void *pointer)
{
    made = pointer;
    return pointer == MAP_FAILED ? -1 : 1;
}

static void fill(char *from, size_t pages, int seed)
{
    for (size_t i = 0; i < pages; i++) {
        memset(from + i * PAGE, seed + (int)i, PAGE);
    }
}

static void check_filled(const char *from, size_t pages, int seed)
{
    for (size_t i = 0; i < pages; i++) {
        for (size_t at = 0; at < PAGE; at += 512) {
            CHECK(from[i * PAGE + at] == (char)(seed + (int)i));
        }
    }
}

static void check_zero(const char *from, size_t pages)
{
    for (size_t at = 0; at < pages * PAGE; at += 512) {
        CHECK(from[at] == 0);
    }
}

/* Sixteen pages with contents, nothing beside them. */
static void setup_area(void)
{
    area = map(NULL, 16 * PAGE + 2 * TABLE, PROT_NONE, MAP_PRIVATE);
    CHECK(area != MAP_FAILED && munmap(area, 16 * PAGE + 2 * TABLE) == 0);
    area += TABLE;
    CHECK(map(area, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED) == area);
    fill(area, 16, 1);
}

static long run_map(void)
{
    return result_of(map(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE));
}

static void check_map(long result)
{
    if (result > 0) {
        check_zero(made, 8);
        fill(made, 8, 5);
    }
}

static const struct operation map_private = {"mmap", NULL, run_map, check_map, 0};
SWEEP(map_private)

static long run_map_shared(void)
{
    return result_of(map(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED));
}

static const struct operation map_shared = {"mmap shared", NULL, run_map_shared, check_map, 0};
SWEEP(map_shared)

/* Page tables and pages, one after the other. */
static long run_touch(void)
{
    for (size_t i = 0; i < 4; i++) {
        made[i * TABLE] = 7;
    }
    return 0;
}

static void check_touch(long result)
{
    for (size_t i = 0; i < 4; i++) {
        CHECK(made[i * TABLE] == 7 && made[i * TABLE + 1] == 0);
    }
    CHECK(result == 0);
}

static void setup_touch_private(void)
{
    made = map(NULL, 4 * TABLE, PROT_READ | PROT_WRITE, MAP_PRIVATE);
}

static void setup_touch_shared(void)
{
    made = map(NULL, 4 * TABLE, PROT_READ | PROT_WRITE, MAP_SHARED);
}

/* inject_touch_all has been everywhere: give the pages back. */
static long run_touch_again(void)
{
    return syscall(SYS_madvise, made, 4 * TABLE, MADV_DONTNEED) ? -1 : run_touch();
}

static const struct operation touch_private = {"page faults", setup_touch_private, run_touch_again,
                                               check_touch, MAY_DIE};
SWEEP(touch_private)

static const struct operation touch_shared = {"page faults of shared memory", setup_touch_shared,
                                              run_touch_again, check_touch, MAY_DIE};
SWEEP(touch_shared)

static long run_fixed(void)
{
    return result_of(map(area + 4 * PAGE, 4 * PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED));
}

static void check_fixed(long result)
{
    check_filled(area, 4, 1);
    check_filled(area + 8 * PAGE, 8, 9);
    if (result > 0) {
        check_zero(area + 4 * PAGE, 4);
    } else {
        check_filled(area + 4 * PAGE, 4, 5);
    }
}

static const struct operation map_over = {"mmap over pages", setup_area, run_fixed, check_fixed, 0};
SWEEP(map_over)

static long run_unmap(void)
{
    return munmap(area + 4 * PAGE, 4 * PAGE);
}

static void check_unmap(long result)
{
    check_filled(area, 4, 1);
    check_filled(area + 8 * PAGE, 8, 9);
    if (result < 0) {
        check_filled(area + 4 * PAGE, 4, 5);
    } else {
        CHECK_ERROR(access(area + 4 * PAGE, F_OK), EFAULT);
    }
}

static const struct operation unmap_middle = {"munmap", setup_area, run_unmap, check_unmap, 0};
SWEEP(unmap_middle)

static long run_protect(void)
{
    return mprotect(area + 4 * PAGE, 4 * PAGE, PROT_READ);
}

static void check_protect(long result)
{
    check_filled(area, 16, 1);
    if (result < 0) {
        fill(area, 16, 3); /* all of it can still be written */
    }
}

static const struct operation protect_middle = {"mprotect", setup_area, run_protect, check_protect, 0};
SWEEP(protect_middle)

static long remap(char *old, size_t old_size, size_t size, int flags, char *to)
{
    made = (char *)syscall(SYS_mremap, old, old_size, size, flags, to);
    return made == MAP_FAILED ? -1 : 1;
}

static long run_remap_grow(void)
{
    return remap(area, 16 * PAGE, 32 * PAGE, 0, NULL);
}

static void check_remap_grow(long result)
{
    check_filled(result > 0 ? made : area, 16, 1);
    if (result > 0) {
        check_zero(made + 16 * PAGE, 16);
    }
}

static const struct operation remap_grow = {"mremap in place", setup_area, run_remap_grow,
                                            check_remap_grow, 0};
SWEEP(remap_grow)

static long run_remap_shrink(void)
{
    return remap(area, 16 * PAGE, 4 * PAGE, 0, NULL);
}

static void check_remap_shrink(long result)
{
    check_filled(area, result > 0 ? 4 : 16, 1);
}

static const struct operation remap_shrink = {"mremap, smaller", setup_area, run_remap_shrink,
                                              check_remap_shrink, 0};
SWEEP(remap_shrink)

/* A part of it goes, over what another mapping has there. */
static void setup_remap_fixed(void)
{
    setup_area();
    made = map(NULL, 32 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    fill(made, 32, 33);
}

static long run_remap_fixed(void)
{
    return remap(area + 4 * PAGE, 4 * PAGE, 8 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
                 made + 8 * PAGE) == -1 ? -1 : 1;
}

static void check_remap_fixed(long result)
{
    check_filled(area, 4, 1);
    check_filled(area + 8 * PAGE, 8, 9);
    check_filled(result > 0 ? made : area + 4 * PAGE, 4, 5);
}

static const struct operation remap_fixed = {"mremap over pages", setup_remap_fixed, run_remap_fixed,
                                             check_remap_fixed, 0};
SWEEP(remap_fixed)

/* To where there are no page tables yet: each that is missing comes in the middle of the move. */
static char *const far = (char *)0x200000000000 + TABLE - 8 * PAGE;

static long run_remap_far(void)
{
    return remap(area, 16 * PAGE, 16 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, far);
}

static void check_remap_far(long result)
{
    check_filled(result > 0 ? far : area, 16, 1);
    CHECK_ERROR(access(result > 0 ? area : far, F_OK), EFAULT);
    CHECK_ERROR(access(result > 0 ? area + 8 * PAGE : far + 8 * PAGE, F_OK), EFAULT);
}

static const struct operation remap_far = {"mremap to new tables", setup_area, run_remap_far,
                                           check_remap_far, 0};
SWEEP(remap_far)

static char *brk_start;

static void setup_brk(void)
{
    brk_start = (char *)((syscall(SYS_brk, 0) + (long)PAGE - 1) & -(long)PAGE);
    CHECK((char *)syscall(SYS_brk, brk_start + 8 * PAGE) == brk_start + 8 * PAGE);
    fill(brk_start, 8, 1);
}

static long run_brk(void)
{
    if ((char *)syscall(SYS_brk, brk_start + 64 * PAGE) == brk_start + 64 * PAGE) {
        return 1;
    }
    errno = ENOMEM; /* the call itself has only the old end to say it with */
    return -1;
}

static void check_brk(long result)
{
    check_filled(brk_start, 8, 1);
    CHECK((char *)syscall(SYS_brk, 0) == brk_start + (result > 0 ? 64 : 8) * PAGE);
    if (result > 0) {
        check_zero(brk_start + 8 * PAGE, 56);
    }
}

static const struct operation brk_grow = {"brk", setup_brk, run_brk, check_brk, 0};
SWEEP(brk_grow)

static long run_brk_shrink(void)
{
    if ((char *)syscall(SYS_brk, brk_start + 4 * PAGE) == brk_start + 4 * PAGE) {
        return 1;
    }
    errno = ENOMEM;
    return -1;
}

static void check_brk_shrink(long result)
{
    check_filled(brk_start, result > 0 ? 4 : 8, 1);
}

static const struct operation brk_shrink = {"brk, smaller", setup_brk, run_brk_shrink,
                                            check_brk_shrink, 0};
SWEEP(brk_shrink)

static void setup_file(void)
{
    static char page[PAGE];

    file = open("a", O_RDWR | O_CREAT, 0600);
    for (int i = 0; i < 8; i++) {
        memset(page, i + 1, PAGE);
        CHECK(write(file, page, PAGE) == (ssize_t)PAGE);
    }
}

static long run_map_file(void)
{
    char *shared = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    char *private;

    if (shared == MAP_FAILED) {
        return -1;
    }
    private = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    if (private == MAP_FAILED) {
        CHECK(munmap(shared, 8 * PAGE) == 0);
        errno = ENOMEM;
        return -1;
    }
    for (int i = 0; i < 8; i++) {
        CHECK(shared[i * (int)PAGE] == i + 1 && private[i * (int)PAGE] == i + 1);
        private[i * (int)PAGE] = 50;
        shared[i * (int)PAGE + 1] = 60;
    }
    return 0;
}

static void check_map_file(long result)
{
    char bytes[2];

    for (int i = 0; i < 8; i++) {
        CHECK(lseek(file, i * (int)PAGE, SEEK_SET) >= 0 && read(file, bytes, 2) == 2);
        CHECK(bytes[0] == i + 1 && bytes[1] == (result < 0 ? i + 1 : 60));
    }
}

static const struct operation map_file = {"mmap of a file", setup_file, run_map_file, check_map_file,
                                          MAY_DIE};
SWEEP(map_file)

static void setup_words(void)
{
    area = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(area != MAP_FAILED);
}

/* The word's page is not there: it is made, and is zero. */
static long run_futex(void)
{
    syscall(SYS_madvise, area, 65536, MADV_DONTNEED);
    if (futex((int *)area, FUTEX_WAIT, 1, NULL) == -1 && errno != EAGAIN) {
        return -1;
    }
    return futex((int *)(area + PAGE), FUTEX_WAKE, 1, NULL);
}

static const struct operation futexes = {"futexes on new pages", setup_words, run_futex, NULL, MAY_DIE};
SWEEP(futexes)

/* Two words: the second one says no. */
static long run_wait_any(void)
{
    struct {
        uint64_t value, address;
        uint32_t flags, reserved;
    } words[2] = {{0, (uint64_t)area, 2, 0}, {1, (uint64_t)(area + 5 * PAGE), 2, 0}};

    syscall(SYS_madvise, area, 65536, MADV_DONTNEED);
    if (syscall(SYS_futex_waitv, words, 2l, 0l, NULL, 0l) == -1 && errno != EAGAIN) {
        return -1;
    }
    return 0;
}

static const struct operation waited_any = {"a wait for one of two futexes", setup_words, run_wait_any, NULL,
                                            MAY_DIE};
SWEEP(waited_any)

int main(void)
{
    static const struct test tests[] = {
        SWEPT(map_private), SWEPT(map_shared), SWEPT(touch_private), SWEPT(touch_shared),
        SWEPT(map_over), SWEPT(unmap_middle), SWEPT(protect_middle), SWEPT(remap_grow),
        SWEPT(remap_shrink), SWEPT(remap_fixed), SWEPT(remap_far), SWEPT(brk_grow),
        SWEPT(brk_shrink), SWEPT(map_file), SWEPT(futexes), SWEPT(waited_any),
    };

    return RUN_TESTS(tests);
}
