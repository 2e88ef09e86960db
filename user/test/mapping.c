/* What mappings promise and keep: mremap, limits, how much may be promised, what a failure leaves. */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "ktap.h"

#define PAGE 4096ul
#define MAYMOVE 1
#define FIXED 2
#define DONTUNMAP 4
#define TIB (1ul << 40)

static char *map(size_t size, int prot, int flags)
{
    return mmap(NULL, size, prot, flags | MAP_ANONYMOUS, -1, 0);
}

static char *map_private(size_t size)
{
    char *p = map(size, PROT_READ | PROT_WRITE, MAP_PRIVATE);

    CHECK(p != MAP_FAILED);
    return p;
}

static char *remap(char *old, size_t old_size, size_t size, int flags, char *to)
{
    return (char *)syscall(SYS_mremap, old, old_size, size, flags, to);
}

static unsigned long raw_brk(unsigned long brk)
{
    errno = 0; /* a C library may set it: the call itself has no error */
    return (unsigned long)syscall(SYS_brk, brk);
}

/* A system call says whether there is memory, without a signal. */
static int is_mapped(const char *p)
{
    int ends[2];
    long done;

    CHECK(pipe(ends) == 0);
    done = write(ends[1], p, 1);
    close(ends[0]);
    close(ends[1]);
    return done == 1;
}

static void fill(char *p, int pages)
{
    for (int i = 0; i < pages; i++) {
        memset(p + PAGE * (unsigned)i, 'a' + i, PAGE);
    }
}

static int is_filled(const char *p, int first, int pages)
{
    for (int i = 0; i < pages; i++) {
        if (p[PAGE * (unsigned)i] != 'a' + first + i || p[PAGE * (unsigned)i + 4095] != 'a' + first + i) {
            return 0;
        }
    }
    return 1;
}

/* A huge page is one, which cannot be given back in parts; or there is none. */
static void huge_pages_are_not_pretended(void)
{
    char *p = map(2 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | 0x40000);

    if (p == MAP_FAILED) {
        CHECK(errno == EINVAL || errno == ENOMEM);
    } else {
        CHECK_ERROR(munmap(p, PAGE), EINVAL);
    }
}

static void moved_pages_keep_their_content(void)
{
    char *area = map_private(64 * PAGE), *p = area, *q = area + 32 * PAGE;

    fill(p, 8);
    CHECK(remap(p, 8 * PAGE, 8 * PAGE, MAYMOVE | FIXED, q) == q && is_filled(q, 0, 8));
    CHECK(!is_mapped(p) && !is_mapped(p + 7 * PAGE) && is_mapped(p + 8 * PAGE));
    /* To a shorter place, over something else: the rest is gone. */
    fill(p + 8 * PAGE, 3);
    CHECK(remap(q, 8 * PAGE, 3 * PAGE, MAYMOVE | FIXED, p + 8 * PAGE) == p + 8 * PAGE);
    CHECK(is_filled(p + 8 * PAGE, 0, 3) && !is_mapped(q) && !is_mapped(q + 7 * PAGE));
    CHECK(p[11 * PAGE] == 0);
    /* Growing: zeroes behind. A part in the middle of a mapping moves alone. */
    q = remap(p + 9 * PAGE, PAGE, 5 * PAGE, MAYMOVE, NULL);
    CHECK(is_filled(q, 1, 1) && q[PAGE] == 0 && q[5 * PAGE - 1] == 0);
    CHECK(is_filled(p + 8 * PAGE, 0, 1) && !is_mapped(p + 9 * PAGE) && is_filled(p + 10 * PAGE, 2, 1));
    CHECK(remap(q, 5 * PAGE, PAGE, 0, NULL) == q && is_filled(q, 1, 1) && !is_mapped(q + PAGE));
}

static void move_leaves_the_old_range_if_it_is_to(void)
{
    char *p = map_private(4 * PAGE), *q;

    fill(p, 4);
    q = remap(p, 4 * PAGE, 4 * PAGE, MAYMOVE | DONTUNMAP, NULL);
    CHECK(q != MAP_FAILED && q != p && is_filled(q, 0, 4));
    CHECK(p[0] == 0 && p[4 * PAGE - 1] == 0);
    CHECK_ERROR((long)remap(q, 4 * PAGE, 5 * PAGE, MAYMOVE | DONTUNMAP, NULL), EINVAL);
    CHECK_ERROR((long)remap(q, 4 * PAGE, 4 * PAGE, DONTUNMAP, NULL), EINVAL);
}

/* Far apart, so that page tables are made and given back; between tables, too. */
static void move_between_tables(void)
{
    char *p = (char *)0x100000000000 + 510 * PAGE, *q = (char *)0x200000000000 + 508 * PAGE;

    for (int round = 0; round < 3; round++) {
        CHECK(mmap(p, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
                   -1, 0) == p);
        fill(p + PAGE, 6);
        CHECK(remap(p, 8 * PAGE, 8 * PAGE, MAYMOVE | FIXED, q) == q && is_filled(q + PAGE, 0, 6));
        CHECK(q[0] == 0 && q[7 * PAGE] == 0 && !is_mapped(p + PAGE));
        CHECK(remap(q, 8 * PAGE, 8 * PAGE, MAYMOVE | FIXED, q + 16 * PAGE) == q + 16 * PAGE);
        CHECK(is_filled(q + 17 * PAGE, 0, 6) && munmap(q + 16 * PAGE, 8 * PAGE) == 0);
    }
}

static void hidden_pages_move_with_the_others(void)
{
    char *p = map_private(4 * PAGE), *q;

    fill(p, 4);
    CHECK(mprotect(p, 4 * PAGE, PROT_NONE) == 0);
    q = remap(p, 4 * PAGE, 4 * PAGE, MAYMOVE | FIXED, map(16 * PAGE, PROT_NONE, MAP_PRIVATE));
    CHECK(q != MAP_FAILED && !is_mapped(q) && !is_mapped(p));
    CHECK(mprotect(q, 4 * PAGE, PROT_READ) == 0 && is_filled(q, 0, 4));
}

static void remap_errors(void)
{
    char *p = map_private(8 * PAGE);

    CHECK(munmap(p + 6 * PAGE, PAGE) == 0);
    CHECK_ERROR((long)remap(p + 1, PAGE, PAGE, 0, NULL), EINVAL);
    CHECK_ERROR((long)remap(p, PAGE, 0, MAYMOVE, NULL), EINVAL);
    CHECK_ERROR((long)remap(p, PAGE, PAGE, 8, NULL), EINVAL);
    CHECK_ERROR((long)remap(p, PAGE, PAGE, FIXED, p + PAGE), EINVAL);
    CHECK_ERROR((long)remap(p, 4 * PAGE, 4 * PAGE, MAYMOVE | FIXED, p + 2 * PAGE), EINVAL);
    CHECK_ERROR((long)remap(p, PAGE, PAGE, MAYMOVE | FIXED, (char *)0x7ffffffff000), EINVAL);
    CHECK_ERROR((long)remap(p, 7 * PAGE, 9 * PAGE, MAYMOVE, NULL), EFAULT);
    CHECK_ERROR((long)remap(p + 6 * PAGE, PAGE, 2 * PAGE, MAYMOVE, NULL), EFAULT);
    CHECK_ERROR((long)remap(p, PAGE, 2 * PAGE, 0, NULL), ENOMEM);
    CHECK_ERROR((long)remap(p, PAGE, 1ul << 46, MAYMOVE, NULL), ENOMEM);
}

/* Only what may be filled is promised; more than all memory is refused at once. */
static void more_than_all_memory_is_refused(void)
{
    const int rw = PROT_READ | PROT_WRITE;
    unsigned long brk = raw_brk(0);
    char *p = map_private(PAGE), *space;
    int fd = open("/proc/self/exe", O_RDONLY);

    *p = 'x';
    CHECK(map(64 * TIB, rw, MAP_PRIVATE) == MAP_FAILED && errno == ENOMEM);
    CHECK(map(8 * TIB, PROT_WRITE, MAP_PRIVATE) == MAP_FAILED && errno == ENOMEM);
    CHECK(map(8 * TIB, PROT_READ, MAP_SHARED) == MAP_FAILED && errno == ENOMEM);
    CHECK(mmap(NULL, 8 * TIB, rw, MAP_PRIVATE, fd, 0) == MAP_FAILED && errno == ENOMEM);
    CHECK(mmap(p, 8 * TIB, rw, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED);
    CHECK(*p == 'x'); /* what it would have replaced */
    CHECK(raw_brk(brk + 8 * TIB) == brk && raw_brk(brk + PAGE) == brk + PAGE);
    CHECK(remap(p, PAGE, 8 * TIB, MAYMOVE, NULL) == MAP_FAILED && errno == ENOMEM && *p == 'x');

    space = map(8 * TIB, PROT_NONE, MAP_PRIVATE);
    CHECK(space != MAP_FAILED);
    CHECK(mprotect(space, 8 * TIB, PROT_READ) == 0);
    CHECK_ERROR(mprotect(space, 8 * TIB, rw), ENOMEM);
    CHECK(mprotect(space + 4 * TIB, 1 << 20, rw) == 0);
    space[4 * TIB] = 1;
    CHECK(munmap(space, 8 * TIB) == 0);
    space = map(8 * TIB, rw, MAP_PRIVATE | MAP_NORESERVE);
    CHECK(space != MAP_FAILED);
    space[4 * TIB] = 1;
    CHECK(munmap(space, 8 * TIB) == 0);
    space = map(8 * TIB, rw, MAP_SHARED | MAP_NORESERVE);
    CHECK(space != MAP_FAILED && munmap(space, 8 * TIB) == 0);
    CHECK(mmap(NULL, 8 * TIB, PROT_READ, MAP_PRIVATE, fd, 0) != MAP_FAILED);
}

static void address_space_limit_counts_what_is_replaced(void)
{
    struct rlimit limit = {32 << 20, 32 << 20};
    char *p = map(24 << 20, PROT_READ, MAP_PRIVATE);

    CHECK(p != MAP_FAILED && setrlimit(RLIMIT_AS, &limit) == 0);
    CHECK(map(24 << 20, PROT_READ, MAP_PRIVATE) == MAP_FAILED && errno == ENOMEM);
    CHECK(mmap(p, 24 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p);
    CHECK(mmap(p, 48 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED);
    CHECK(errno == ENOMEM && *p == 0);
    CHECK(remap(p, 24 << 20, 48 << 20, MAYMOVE, NULL) == MAP_FAILED && errno == ENOMEM);
    CHECK(remap(p, 24 << 20, 24 << 20, MAYMOVE, NULL) == p);
    CHECK(remap(p, 24 << 20, 4 << 20, MAYMOVE | FIXED, (char *)0x200000000000) != MAP_FAILED);
}

static void data_limit_is_on_private_writable_memory(void)
{
    struct rlimit limit = {16 << 20, RLIM_INFINITY};
    unsigned long brk = raw_brk(0);
    const int rw = PROT_READ | PROT_WRITE;
    char *p;

    CHECK(setrlimit(RLIMIT_DATA, &limit) == 0);
    CHECK(map(24 << 20, rw, MAP_PRIVATE) == MAP_FAILED && errno == ENOMEM);
    CHECK(map(24 << 20, rw, MAP_SHARED) != MAP_FAILED);
    p = map(24 << 20, PROT_READ, MAP_PRIVATE);
    CHECK(p != MAP_FAILED);
    CHECK_ERROR(mprotect(p, 24 << 20, rw), ENOMEM);
    CHECK(mprotect(p, 4 << 20, rw) == 0);
    CHECK(raw_brk(brk + (24 << 20)) == brk);
    CHECK(raw_brk(brk + (4 << 20)) == brk + (4 << 20));
}

static int lower_limit(void *unused)
{
    struct rlimit limit = {1 << 20, 1 << 20};

    (void)unused;
    return setrlimit(RLIMIT_AS, &limit) != 0;
}

static void limits_are_the_processs_not_the_memorys(void)
{
    static char stack[65536] __attribute__((aligned(16)));
    int status;
    pid_t pid = clone(lower_limit, stack + sizeof(stack), 0x4100 | SIGCHLD /* CLONE_VM, CLONE_VFORK */,
                      NULL, NULL, NULL, NULL);

    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
    CHECK(map(8 << 20, PROT_READ, MAP_PRIVATE) != MAP_FAILED);
}

static void offsets_end_where_files_do(void)
{
    int fd = open("offsets", O_RDWR | O_CREAT | O_TRUNC, 0600);
    const off_t last = 0x7ffffffffffff000;

    CHECK(mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, last) == MAP_FAILED && errno == EOVERFLOW);
    CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, last) == MAP_FAILED && errno == EOVERFLOW);
    CHECK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, (off_t)-PAGE) == MAP_FAILED && errno == EOVERFLOW);
    CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, last - (off_t)PAGE) != MAP_FAILED);
    unlink("offsets");
}

static void protection_changes_up_to_a_hole(void)
{
    char *p = map_private(4 * PAGE);

    CHECK(munmap(p + 2 * PAGE, PAGE) == 0);
    CHECK_ERROR(mprotect(p + PAGE, 3 * PAGE, PROT_NONE), ENOMEM);
    CHECK(is_mapped(p) && !is_mapped(p + PAGE) && is_mapped(p + 3 * PAGE));
    CHECK_ERROR(mprotect(p + 2 * PAGE, 2 * PAGE, PROT_NONE), ENOMEM);
    CHECK(is_mapped(p + 3 * PAGE));
    CHECK(mprotect(p, 0, 0x1234) == 0);
    CHECK_ERROR(mprotect(p, -1ul, PROT_READ), ENOMEM);
    CHECK_ERROR(mprotect(p, PAGE, 0x70), EINVAL);
    CHECK_ERROR(mprotect(p, PAGE, PROT_READ | 0x1000000 /* PROT_GROWSDOWN */), EINVAL);
    CHECK_ERROR(mprotect(p, PAGE, PROT_READ | 0x2000000 /* PROT_GROWSUP */), EINVAL);
    p = map(8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_GROWSDOWN);
    CHECK(mprotect(p + 4 * PAGE, PAGE, PROT_NONE | 0x1000000) == 0); /* from where the stack begins */
    CHECK(!is_mapped(p) && !is_mapped(p + 4 * PAGE) && is_mapped(p + 5 * PAGE));
}

static void advice_skips_holes_and_says_so(void)
{
    char *p = map_private(4 * PAGE);

    fill(p, 4);
    CHECK(munmap(p + PAGE, PAGE) == 0);
    CHECK_ERROR(syscall(SYS_madvise, p, 3 * PAGE, MADV_DONTNEED), ENOMEM);
    CHECK(p[0] == 0 && p[2 * PAGE] == 0 && p[3 * PAGE] == 'd');
    CHECK_ERROR(syscall(SYS_madvise, p, -1ul, MADV_DONTNEED), EINVAL);
    CHECK_ERROR(syscall(SYS_madvise, NULL, -1ul, MADV_DONTNEED), EINVAL);
    CHECK(syscall(SYS_madvise, p, 0, MADV_DONTNEED) == 0);
}

static void *breaks(void *step)
{
    for (int i = 0; i < 3000; i++) {
        raw_brk(raw_brk(0) + (unsigned long)step);
    }
    return NULL;
}

/* Two threads that move the end of the heap: it and the mapping stay one. */
static void break_is_where_the_heap_ends(void)
{
    unsigned long start = raw_brk(0), top = (start + 256 * PAGE) & -PAGE;
    pthread_t thread;

    CHECK(raw_brk(top) == top);
    CHECK(pthread_create(&thread, NULL, breaks, (void *)PAGE) == 0);
    breaks((void *)-PAGE);
    pthread_join(thread, NULL);
    CHECK(raw_brk(top) == top && raw_brk(top + 4096 * PAGE) == top + 4096 * PAGE);
    for (unsigned long at = top; at < top + 4096 * PAGE; at += 64 * PAGE) {
        *(volatile char *)at = 1;
    }
    CHECK(raw_brk(top) == top && !is_mapped((char *)top));
}

/* How much a machine promises in all is its own affair: `mapping promise` asks until it is refused. */
static int promise(void)
{
    const size_t step = 16 << 20;
    int count = 0;

    while (count < 4096 && map(step, PROT_READ | PROT_WRITE, MAP_PRIVATE) != MAP_FAILED) {
        count++;
    }
    printf("%d MiB, then %s; ", count * 16, strerror(errno));
    fflush(stdout);
    printf("fork: %s\n", fork() >= 0 ? "0" : strerror(errno));
    return 0;
}

int main(int argc, char **argv)
{
    static const struct test tests[] = {
        TEST(huge_pages_are_not_pretended), TEST(moved_pages_keep_their_content),
        TEST(move_leaves_the_old_range_if_it_is_to),
        TEST(move_between_tables), TEST(hidden_pages_move_with_the_others), TEST(remap_errors),
        TEST(more_than_all_memory_is_refused), TEST(address_space_limit_counts_what_is_replaced),
        TEST(data_limit_is_on_private_writable_memory), TEST(limits_are_the_processs_not_the_memorys),
        TEST(offsets_end_where_files_do), TEST(protection_changes_up_to_a_hole),
        TEST(advice_skips_holes_and_says_so), TEST(break_is_where_the_heap_ends),
    };

    (void)argv;
    return argc > 1 ? promise() : RUN_TESTS(tests);
}
