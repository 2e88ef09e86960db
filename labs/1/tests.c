/* Lab 1, address spaces: what programs see of page tables, faults and copy on write. */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "grade.h"

#define PAGE 4096ul
#define PLACES 64

static uint64_t *map(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    EXPECT(p != MAP_FAILED, "a mapping", "errno %d", errno);
    return p;
}

/* A place for number i: all four indexes come from the seed. No two share a top-level entry. */
static uint64_t *place(uint64_t i)
{
    uint64_t bits = grade_number(i) & 0x7fffffffff & ~(PAGE - 1);

    return (uint64_t *)((i + 1) << 39 | bits);
}

static void walk(void)
{
    uint64_t sum = 0;

    for (uint64_t i = 0; i < PLACES; i++) {
        void *p = mmap(place(i), PAGE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

        EXPECT(p == place(i), "a page mapped where it was asked for", "%p, errno %d", p, errno);
        *place(i) = grade_number(1000 + i);
    }
    for (uint64_t i = 0; i < PLACES; i++) {
        EXPECT(*place(i) == grade_number(1000 + i), "each page keeps its own number",
               "another at %p: do two addresses lead to one entry?", (void *)place(i));
        sum += *place(i) ^ (uint64_t)place(i);
    }
    grade_value("places", sum);
}

/* Most of what is mapped is never touched: it must cost nothing; what is touched is zero. */
static void demand_zero(void)
{
    size_t pages = 16384; /* 64 MiB, nearly all that the machine has */
    uint64_t *p = map(pages * PAGE), sum = 0;
    long before = grade_free_kib(), used;

    for (uint64_t i = 0; i < 500; i++) {
        uint64_t *word = p + grade_number(i) % pages * (PAGE / 8);

        for (uint64_t j = 1; j < PAGE / 8; j++) {
            EXPECT(word[j] == 0, "a new page is all zeros", "0x%lx at %p", word[j], (void *)&word[j]);
        }
        word[0] += grade_number(i);
        sum += word[0];
    }
    used = before - grade_free_kib();
    EXPECT(used < 3000, "500 pages and their tables, below 3000 KiB", "%ld KiB", used);
    memset(p, 0xaa, 4 << 20);
    munmap(p, pages * PAGE);
    p = map(4 << 20);
    for (uint64_t i = 0; i < 1024 * 512; i++) {
        EXPECT(p[i] == 0, "a page that had another use is zero again, from its first byte to its last",
               "0x%lx in word %lu of a page", p[i], i % 512);
    }
    grade_value("touched", sum);
}

static void poke(uint64_t *p)
{
    *(volatile uint64_t *)p = 1;
}

static void peek(uint64_t *p)
{
    (void)*(volatile uint64_t *)p;
}

/* The page comes into being by the read; the write must fail all the same. */
static void peek_and_poke(uint64_t *p)
{
    peek(p);
    poke(p);
}

static void call(uint64_t *p)
{
    ((void (*)(void))p)();
}

static int death_by(void (*crash)(uint64_t *), uint64_t *p)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        crash(p);
        _exit(0);
    }
    EXPECT(waitpid(pid, &status, 0) == pid, "a child", "errno %d", errno);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void protection(void)
{
    uint64_t *p = map(2 * PAGE);
    uint64_t *read_only = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int deaths[6];

    *(unsigned char *)p = 0xc3; /* ret */
    mprotect(p, PAGE, PROT_READ);
    deaths[0] = death_by(poke, p);
    deaths[1] = death_by(peek, p);
    deaths[2] = death_by(call, p);
    deaths[3] = death_by(peek, (uint64_t *)0xffffffff80100000);
    deaths[4] = death_by(peek, NULL);
    deaths[5] = death_by(peek_and_poke, read_only);
    EXPECT(deaths[0] == SIGSEGV, "a write to a read-only page is SIGSEGV", "signal %d", deaths[0]);
    EXPECT(deaths[1] == 0, "a read of a read-only page is fine", "signal %d", deaths[1]);
    EXPECT(deaths[2] == SIGSEGV, "data is not executed: SIGSEGV", "signal %d", deaths[2]);
    EXPECT(deaths[3] == SIGSEGV, "kernel memory is not for users: SIGSEGV", "signal %d", deaths[3]);
    EXPECT(deaths[4] == SIGSEGV, "nothing is mapped at 0: SIGSEGV", "signal %d", deaths[4]);
    EXPECT(deaths[5] == SIGSEGV, "a page of a read-only mapping is read-only: SIGSEGV", "signal %d",
           deaths[5]);
    grade_value("protected", grade_number(4));
}

/* Three generations write the same page; each keeps its own. */
static void cow_isolates(void)
{
    uint64_t *p = map(PAGE), sum = 0;
    int fds[2];

    pipe(fds);
    p[0] = grade_number(0);
    if (fork() == 0) {
        p[0] ^= grade_number(1);
        if (fork() == 0) {
            p[0] ^= grade_number(2);
            write(fds[1], p, 8);
            _exit(0);
        }
        wait(NULL);
        write(fds[1], p, 8);
        _exit(0);
    }
    wait(NULL);
    EXPECT(p[0] == grade_number(0), "the parent's page is as it was", "changed by a child");
    for (uint64_t i = 0; i < 2; i++) {
        uint64_t word;

        read(fds[0], &word, 8);
        sum += grade_mix(word + i);
    }
    grade_value("generations", sum + p[0]);
}

/* The parent wrote just before the fork, so its CPU knows the page as writable. The child looks
 * after the parent wrote again. */
static void stale_tlb(void)
{
    uint64_t *p = map(64 * PAGE), sum = 0, word = 0;
    int go[2], answer[2];

    pipe(go);
    pipe(answer);
    for (uint64_t i = 0; i < 64; i++) {
        p[i * 512] = grade_number(i);
    }
    if (fork() == 0) {
        read(go[0], &word, 1);
        for (uint64_t i = 0; i < 64; i++) {
            sum += p[i * 512] * (i + 1);
        }
        write(answer[1], &sum, 8);
        _exit(0);
    }
    for (uint64_t i = 0; i < 64; i++) {
        p[i * 512] = 0;
    }
    write(go[1], "x", 1);
    read(answer[0], &word, 8);
    grade_value("child_sum", word);
}

/* Eight children of a process of 20 MiB, in a machine of 64 MiB. */
static void cow_is_cheap(void)
{
    size_t pages = 5120;
    uint64_t *p = map(pages * PAGE), sum = 0;
    int go[2], fds[2];
    long before, used;

    pipe(go);
    pipe(fds);
    for (uint64_t i = 0; i < pages; i++) {
        p[i * 512] = i + grade_seed;
    }
    before = grade_free_kib();
    for (uint64_t child = 0; child < 8; child++) {
        pid_t pid = fork();

        EXPECT(pid >= 0, "a fork that copies nothing", "errno %d at child %lu", errno, child);
        if (pid == 0) {
            uint64_t word;

            read(go[0], &word, 1);
            word = grade_mix(p[grade_number(child) % pages * 512]);
            write(fds[1], &word, 8);
            _exit(0);
        }
    }
    used = before - grade_free_kib();
    EXPECT(used < 4096, "8 children cost page tables and stacks, below 4096 KiB", "%ld KiB", used);
    write(go[1], "12345678", 8);
    for (int child = 0; child < 8; child++) {
        uint64_t word;

        read(fds[0], &word, 8);
        sum += word;
    }
    grade_value("read", sum);
}

static void fork_and_write(uint64_t *p, int times)
{
    for (int i = 0; i < times; i++) {
        pid_t pid = fork();

        if (pid == 0) {
            memset(p, 1, 256 << 10);
            munmap(p, 128 << 10);
            _exit(0);
        }
        EXPECT(pid > 0 && waitpid(pid, NULL, 0) == pid, "a child", "errno %d", errno);
        memset(p, 2, 256 << 10);
    }
}

/* What /proc says of the memory that this process has, KiB. */
static long resident_kib(void)
{
    char text[1024], *at;
    int fd = open("/proc/self/status", O_RDONLY);
    ssize_t size = read(fd, text, sizeof(text) - 1);

    close(fd);
    text[size > 0 ? size : 0] = '\0';
    at = strstr(text, "VmRSS:");
    return at ? strtol(at + 6, NULL, 10) : -1;
}

/* 72 MiB, so many tables that not all freed ones are kept for the next; half of it is written twice. */
static uint64_t large(void)
{
    size_t pages = 18432;
    long before = resident_kib(), more;
    uint64_t *p = map(pages * PAGE), sum = 0;
    pid_t pid;

    for (uint64_t i = 0; i < pages; i++) {
        p[i * 512] = i + grade_seed;
    }
    pid = fork();
    if (pid == 0) {
        memset(p, 0, PAGE);
        _exit(0);
    }
    for (uint64_t i = 0; i < pages; i++) {
        p[i * 512] += i % 2;
        sum += grade_mix(p[i * 512]);
    }
    EXPECT(pid > 0 && waitpid(pid, NULL, 0) == pid, "a child", "errno %d", errno);
    more = resident_kib() - before;
    EXPECT(more >= 73728 && more < 73728 + 256, "VmRSS is 73728 KiB more after 72 MiB were touched",
           "%ld KiB", more);
    munmap(p, pages * PAGE);
    more = resident_kib() - before;
    EXPECT(more < 256, "VmRSS as before when they are unmapped", "%ld KiB more", more);
    return sum;
}

static void no_leaks(void)
{
    uint64_t *p = map(256 << 10), sum;
    long before, lost;

    fork_and_write(p, 20);
    before = grade_free_kib();
    fork_and_write(p, 60);
    lost = before - grade_free_kib();
    EXPECT(lost < 256, "all pages and tables come back", "%ld KiB are lost after 60 forks", lost);
    sum = large();
    lost = before - grade_free_kib();
    EXPECT(lost < 512, "all pages and tables of 72 MiB come back", "%ld KiB are lost", lost);
    grade_value("kept", sum);
}

/* What the test of this name in the kernel saw is in the log, where the grader finds it. */
static void in_kernel(void)
{
    grade_value("seen", grade_number(2));
}

static const struct grade_test tests[] = {
    GRADE(walk), {"tables", in_kernel}, GRADE(demand_zero), GRADE(protection), {"entries", in_kernel},
    {"no_memory", in_kernel}, GRADE(cow_isolates), {"shares", in_kernel}, GRADE(stale_tlb),
    {"flushes", in_kernel}, GRADE(cow_is_cheap), GRADE(no_leaks),
};
GRADE_MAIN(tests)
