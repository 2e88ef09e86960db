/* mmap and its relatives, copy on write, protection, limits. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "ktap.h"

static void *map(size_t size, int prot, int flags)
{
    return mmap(NULL, size, prot, flags | MAP_ANONYMOUS, -1, 0);
}

static int death_by(void (*crash)(char *), char *address)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        crash(address);
        _exit(0);
    }
    waitpid(pid, &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void poke(char *address)
{
    *(volatile char *)address = 1;
}

static void peek(char *address)
{
    (void)*(volatile char *)address;
}

static void call(char *address)
{
    ((void (*)(void))address)();
}

static void anonymous_memory_is_zero(void)
{
    char *p = map(1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE);

    for (int i = 0; i < 1 << 20; i += 512) {
        CHECK(p[i] == 0);
        p[i] = 1;
    }
    CHECK(munmap(p, 1 << 20) == 0);
    CHECK(death_by(peek, p) == SIGSEGV);
}

static void private_pages_part_after_fork(void)
{
    char *p = map(65536, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    int status;

    p[5000] = 7;
    if (fork() == 0) {
        p[5000] = 8;
        _exit(p[5000]);
    }
    wait(&status);
    CHECK(WEXITSTATUS(status) == 8 && p[5000] == 7);
}

static void shared_pages_stay_shared(void)
{
    char *p = map(8192, PROT_READ | PROT_WRITE, MAP_SHARED);

    if (fork() == 0) {
        p[4096] = 9;
        _exit(0);
    }
    wait(NULL);
    CHECK(p[4096] == 9);
}

static void protection_is_obeyed(void)
{
    char *p = map(8192, PROT_READ | PROT_WRITE, MAP_PRIVATE);

    p[0] = (char)0xc3;
    CHECK(mprotect(p, 4096, PROT_READ) == 0);
    CHECK(death_by(poke, p) == SIGSEGV && death_by(peek, p) == 0);
    CHECK(death_by(call, p) == SIGSEGV);
    CHECK(mprotect(p, 4096, PROT_READ | PROT_EXEC) == 0);
    CHECK(death_by(call, p) == 0);
    CHECK(mprotect(p, 4096, PROT_NONE) == 0);
    CHECK(death_by(peek, p) == SIGSEGV);
    CHECK(death_by(poke, p + 4096) == 0);
}

/* Nor by a call of the system, though the page keeps what is in it. */
static void nobody_reads_a_page_without_rights(void)
{
    char *p = map(8192, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    int ends[2], status;

    CHECK(pipe(ends) == 0);
    strcpy(p, "secret");
    CHECK(mprotect(p, 8192, PROT_NONE) == 0);
    CHECK_ERROR(write(ends[1], p, 7), EFAULT);
    CHECK(write(ends[1], "public!", 7) == 7);
    CHECK_ERROR(read(ends[0], p, 7), EFAULT);
    CHECK_ERROR(open(p, O_RDONLY), EFAULT);
    CHECK_ERROR(syscall(SYS_futex, p, 0 /* FUTEX_WAIT */, 1, NULL, NULL, 0), EFAULT);
    CHECK_ERROR(syscall(SYS_futex, p, 1 /* FUTEX_WAKE of a shared word */, 1, NULL, NULL, 0), EFAULT);
    if (fork() == 0) {
        CHECK(death_by(peek, p) == SIGSEGV);
        CHECK(mprotect(p, 8192, PROT_READ | PROT_WRITE) == 0 && strcmp(p, "secret") == 0);
        p[0] = 'S';
        _exit(0);
    }
    CHECK(wait(&status) > 0 && status == 0);
    CHECK(mprotect(p, 8192, PROT_READ | PROT_WRITE) == 0 && strcmp(p, "secret") == 0 && !p[4096]);
    CHECK(mprotect(p, 8192, PROT_NONE) == 0 && munmap(p, 4096) == 0);
}

static void touch_all(char *address)
{
    for (char *at = address; at >= (char *)0; at -= 4096) {
        poke(at);
    }
}

static void stack_does_not_grow_down_to_zero(void)
{
    char *p = mmap((void *)0x10000, 4096, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN, -1, 0);

    CHECK(p == (char *)0x10000);
    CHECK(death_by(poke, p) == 0 && death_by(poke, NULL) == SIGSEGV);
    CHECK(death_by(touch_all, p) == SIGSEGV);
    CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0) == MAP_FAILED &&
          errno == EINVAL);
    CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_GROWSDOWN, open("/proc/self/exe", O_RDONLY),
               0) == MAP_FAILED && errno == EINVAL);
}

static void hole_in_the_middle(void)
{
    char *p = map(3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE);

    p[0] = p[8192] = 3;
    CHECK(munmap(p + 4096, 4096) == 0);
    CHECK(death_by(peek, p + 4096) == SIGSEGV);
    CHECK(p[0] == 3 && p[8192] == 3);
    CHECK_ERROR(mprotect(p, 3 * 4096, PROT_READ), ENOMEM);
}

static void mapping_errors(void)
{
    CHECK(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED &&
          errno == EINVAL);
    CHECK(mmap(NULL, 4096, PROT_READ, MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == EINVAL);
    CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 99, 0) == MAP_FAILED && errno == EBADF);
    CHECK(mmap(NULL, 1ul << 47, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED &&
          errno == ENOMEM);
    CHECK_ERROR(munmap((void *)1, 4096), EINVAL);
    CHECK_ERROR(munmap((void *)4096, 0), EINVAL);
    CHECK_ERROR(mprotect((void *)1, 4096, PROT_READ), EINVAL);
}

static void file_mapping_shows_the_file(void)
{
    int fd = open("mapped", O_RDWR | O_CREAT | O_TRUNC, 0600);
    char *shared, *copy, c;

    CHECK(write(fd, "hello", 5) == 5);
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    copy = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CHECK(memcmp(shared, "hello", 5) == 0 && shared[5] == 0);
    copy[0] = 'J';
    shared[4] = '!';
    CHECK(lseek(fd, 4, SEEK_SET) == 4 && read(fd, &c, 1) == 1 && c == '!');
    CHECK(shared[0] == 'h');
    CHECK(ftruncate(fd, 0) == 0);
    CHECK(death_by(peek, shared) == SIGBUS);
    unlink("mapped");
}

static void shared_mapping_obeys_the_descriptor(void)
{
    int fd = open("readonly", O_RDONLY | O_CREAT | O_TRUNC, 0600);
    char *p;

    CHECK(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EACCES);
    p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
    CHECK(p != MAP_FAILED);
    CHECK_ERROR(mprotect(p, 4096, PROT_READ | PROT_WRITE), EACCES);
    CHECK(mmap(NULL, 4096, PROT_WRITE, MAP_PRIVATE, fd, 0) != MAP_FAILED);
    unlink("readonly");
}

static void address_space_limit_refuses(void)
{
    struct rlimit limit = {64 << 20, 64 << 20};

    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
    CHECK(map(128 << 20, PROT_READ, MAP_PRIVATE) == MAP_FAILED && errno == ENOMEM);
    CHECK(malloc(128 << 20) == NULL);
}

static int deep(volatile int depth)
{
    int (*volatile again)(volatile int) = deep;
    volatile char fill[1024];

    fill[0] = 1;
    return depth ? again(depth - 1) + fill[0] : 0;
}

static void stack_grows(void)
{
    CHECK(deep(4000) == 4000); /* 4 MiB of the 8 */
}

int main(void)
{
    static const struct test tests[] = {
        TEST(anonymous_memory_is_zero), TEST(private_pages_part_after_fork),
        TEST(shared_pages_stay_shared), TEST(protection_is_obeyed),
        TEST(nobody_reads_a_page_without_rights), TEST(stack_does_not_grow_down_to_zero),
        TEST(hole_in_the_middle),
        TEST(mapping_errors), TEST(file_mapping_shows_the_file),
        TEST(shared_mapping_obeys_the_descriptor), TEST(address_space_limit_refuses),
        TEST(stack_grows),
    };

    return RUN_TESTS(tests);
}
