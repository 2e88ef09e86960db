/* madvise: what is more than a hint is done, or refused. mincore: what is there, and what is not. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "ktap.h"

#define PAGE 4096ul

static char *map_memory(int pages, int prot, int flags)
{
    char *memory = mmap(NULL, (size_t)pages * PAGE, prot, flags | MAP_ANONYMOUS, -1, 0);

    CHECK(memory != MAP_FAILED);
    return memory;
}

static long advise(void *memory, size_t size, int advice)
{
    return syscall(SYS_madvise, memory, size, advice);
}

/* What a child finds there: a character, or -1: nothing is mapped. */
static int child_sees(const char *at)
{
    char seen = 0;
    int ends[2], status;

    CHECK(pipe(ends) == 0);
    if (fork() == 0) {
        _exit(write(ends[1], at, 1) == 1 ? 0 : 1);
    }
    CHECK(wait(&status) > 0);
    if (status == 0) {
        CHECK(read(ends[0], &seen, 1) == 1);
    }
    CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
    return status ? -1 : seen;
}

static void a_fork_leaves_out_what_it_is_told(void)
{
    char *memory = map_memory(3, PROT_READ | PROT_WRITE, MAP_PRIVATE);

    memset(memory, 'x', 3 * PAGE);
    CHECK(advise(memory + PAGE, PAGE, MADV_DONTFORK) == 0);
    CHECK(child_sees(memory) == 'x' && child_sees(memory + PAGE) == -1 && child_sees(memory + 2 * PAGE) == 'x');
    CHECK(memory[PAGE] == 'x' && advise(memory, 3 * PAGE, MADV_DOFORK) == 0 && child_sees(memory + PAGE) == 'x');
}

static void a_fork_wipes_what_it_is_told(void)
{
    char *memory = map_memory(3, PROT_READ | PROT_WRITE, MAP_PRIVATE);

    memset(memory, 'x', 3 * PAGE);
    CHECK(advise(memory + PAGE, PAGE, MADV_WIPEONFORK) == 0);
    CHECK(child_sees(memory) == 'x' && child_sees(memory + PAGE) == 0 && child_sees(memory + 2 * PAGE) == 'x');
    CHECK(memory[PAGE] == 'x' && advise(memory, 3 * PAGE, MADV_KEEPONFORK) == 0 && child_sees(memory + PAGE) == 'x');
}

static void pages_come_at_once(void)
{
    char *memory = map_memory(2, PROT_READ | PROT_WRITE, MAP_PRIVATE);

    CHECK(advise(memory, 2 * PAGE, MADV_POPULATE_WRITE) == 0 && advise(memory, 2 * PAGE, MADV_POPULATE_READ) == 0);
    CHECK(mprotect(memory, 2 * PAGE, PROT_READ) == 0);
    CHECK_ERROR(advise(memory, 2 * PAGE, MADV_POPULATE_WRITE), EINVAL);
    CHECK(advise(memory, 2 * PAGE, MADV_POPULATE_READ) == 0 && mprotect(memory, PAGE, PROT_NONE) == 0);
    CHECK_ERROR(advise(memory, PAGE, MADV_POPULATE_READ), EINVAL);
    CHECK(munmap(memory, PAGE) == 0);
    CHECK_ERROR(advise(memory, 2 * PAGE, MADV_POPULATE_READ), ENOMEM);
}

static void what_does_not_fit_is_refused(void)
{
    char *memory = map_memory(1, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    char *shared = map_memory(1, PROT_READ | PROT_WRITE, MAP_SHARED);
    int fd = open("advised", O_RDWR | O_CREAT, 0600);
    char *file = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);

    CHECK(fd >= 0 && file != MAP_FAILED && unlink("advised") == 0);
    CHECK_ERROR(advise(shared, PAGE, MADV_WIPEONFORK), EINVAL);
    CHECK_ERROR(advise(file, PAGE, MADV_WIPEONFORK), EINVAL);
    CHECK_ERROR(advise(file, PAGE, MADV_FREE), EINVAL);
    CHECK_ERROR(advise(memory, PAGE, MADV_REMOVE), EINVAL);
    CHECK_ERROR(advise(memory, PAGE, 1212), EINVAL);
    CHECK_ERROR(advise(memory + 1, PAGE, MADV_DONTNEED), EINVAL);
    CHECK(advise(memory, PAGE, MADV_FREE) == 0 && advise(memory, PAGE, MADV_WIPEONFORK) == 0);
}

static void mmap_says_what_is_wrong_first(void)
{
    int fd = open("advised", O_RDWR | O_CREAT, 0600);

    CHECK(fd >= 0 && unlink("advised") == 0);
    CHECK_ERROR((long)mmap(NULL, PAGE, PROT_READ, MAP_SHARED_VALIDATE | 0x2000000, fd, 0), EOPNOTSUPP);
    CHECK_ERROR((long)mmap(NULL, PAGE, PROT_READ, MAP_SHARED_VALIDATE | MAP_ANONYMOUS, -1, 0), EINVAL);
    CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED_VALIDATE, fd, 0) != MAP_FAILED);
    CHECK_ERROR((long)mmap(NULL, 0, PROT_READ, MAP_SHARED, fd, 0), EINVAL);
    CHECK_ERROR((long)mmap(NULL, 0, PROT_READ, MAP_SHARED, 99, 0), EBADF);
    CHECK_ERROR((long)mmap(NULL, 0, PROT_READ, 0, -1, 0), EBADF);
}

/* As text, a character a page. */
static const char *present(const char *memory, int pages)
{
    static unsigned char there[16];

    memset(there, 'x', sizeof(there));
    CHECK(syscall(SYS_mincore, memory, (size_t)pages * PAGE - 1, there) == 0);
    for (int i = 0; i < pages; i++) {
        there[i] = "-1"[there[i] & 1];
    }
    CHECK(there[pages] == 'x');
    there[pages] = '\0';
    return (const char *)there;
}

static void what_was_touched_is_present(void)
{
    char *memory = map_memory(4, PROT_READ | PROT_WRITE, MAP_PRIVATE);

    CHECK(strcmp(present(memory, 4), "----") == 0);
    memory[PAGE] = 1;
    memory[3 * PAGE] = 1;
    CHECK(strcmp(present(memory, 4), "-1-1") == 0 && strcmp(present(memory + PAGE, 1), "1") == 0);
    CHECK(mprotect(memory, 2 * PAGE, PROT_NONE) == 0 && strcmp(present(memory, 4), "-1-1") == 0);
    CHECK(advise(memory + 3 * PAGE, PAGE, MADV_DONTNEED) == 0 && strcmp(present(memory, 4), "-1--") == 0);
    CHECK(syscall(SYS_mlock, memory + 2 * PAGE, 2 * PAGE) == 0 && strcmp(present(memory, 4), "-111") == 0);
}

/* Whoever has brought a page of a file, or of shared memory, it is there for all. */
static void what_others_brought_is_present(void)
{
    int fd = open("present", O_RDWR | O_CREAT | O_TRUNC, 0600);
    char *memory = map_memory(4, PROT_READ | PROT_WRITE, MAP_SHARED), *file;

    CHECK(strcmp(present(memory, 4), "----") == 0);
    if (fork() == 0) {
        memory[2 * PAGE] = 1;
        _exit(0);
    }
    CHECK(wait(NULL) > 0 && strcmp(present(memory, 4), "--1-") == 0);
    CHECK(syscall(SYS_pwrite64, fd, "x", 1, 2 * PAGE) == 1);
    file = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CHECK(file != MAP_FAILED && present(file, 3)[2] == '1');
    file[PAGE] = 1;
    CHECK(present(file, 3)[1] == '1' && unlink("present") == 0);
}

static void bad_questions_of_what_is_present(void)
{
    char *memory = map_memory(3, PROT_READ | PROT_WRITE, MAP_PRIVATE), *hole = map_memory(1, PROT_READ, MAP_PRIVATE);
    unsigned char there[4] = {7, 7, 7, 7};

    CHECK(munmap(hole, PAGE) == 0 && munmap(memory + 2 * PAGE, PAGE) == 0);
    memory[PAGE] = 1;
    CHECK(syscall(SYS_mincore, memory, 0, hole) == 0);
    CHECK_ERROR(syscall(SYS_mincore, memory + 1, PAGE, there), EINVAL);
    CHECK_ERROR(syscall(SYS_mincore, memory, PAGE, hole), EFAULT);
    CHECK_ERROR(syscall(SYS_mincore, memory, -PAGE, there), ENOMEM);
    CHECK_ERROR(syscall(SYS_mincore, memory, PAGE, -1ul), EFAULT);
    CHECK_ERROR(syscall(SYS_mincore, memory, 3 * PAGE, there), ENOMEM);
    CHECK(there[0] == 0 && there[1] == 1 && there[2] == 7);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(a_fork_leaves_out_what_it_is_told), TEST(a_fork_wipes_what_it_is_told), TEST(pages_come_at_once),
        TEST(what_does_not_fit_is_refused), TEST(mmap_says_what_is_wrong_first),
        TEST(what_was_touched_is_present), TEST(what_others_brought_is_present),
        TEST(bad_questions_of_what_is_present),
    };

    return RUN_TESTS(tests);
}
