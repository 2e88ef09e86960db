/* 10,000 forks, and a hog: afterwards everything is there again. */
#include <dirent.h>
#include <sys/mman.h>

#include "ktap.h"

static long free_kilobytes(void)
{
    FILE *file = fopen("/proc/meminfo", "r");
    char line[128];
    long value = 0;

    while (file && fgets(line, sizeof(line), file)) {
        if (strncmp(line, "MemFree:", 8) == 0) {
            value = atol(line + 8);
        }
    }
    fclose(file);
    return value;
}

static void forks(int count)
{
    for (int i = 0; i < count; i++) {
        pid_t pid = fork();

        if (pid == 0) {
            _exit(0);
        }
        CHECK(pid > 0 && waitpid(pid, NULL, 0) == pid);
    }
}

static int is_baton(void)
{
    return access("/proc/unimplemented", F_OK) == 0;
}

static void nothing_is_lost_by_10000_forks(void)
{
    long before, after;

    if (!is_baton()) {
        return; /* elsewhere other processes come and go */
    }
    forks(100);
    free_kilobytes(); /* its own buffers are there from now on */
    before = free_kilobytes();
    forks(10000);
    after = free_kilobytes();
    if (before != after) {
        fprintf(stderr, "# free before %ld kB, after %ld kB\n", before, after);
    }
    CHECK(before == after);
}

static void hog_is_stopped_and_we_go_on(void)
{
    long before, after;
    int status;
    pid_t pid;

    if (!is_baton()) {
        return; /* not on somebody's machine */
    }
    before = free_kilobytes();
    pid = fork();
    if (pid == 0) {
        for (;;) {
            char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

            if (p == MAP_FAILED) {
                _exit(1);
            }
            for (int i = 0; i < 1 << 20; i += 4096) {
                p[i] = 1;
            }
        }
    }
    CHECK(waitpid(pid, &status, 0) == pid && status != 0);
    after = free_kilobytes();
    CHECK(after > before - 64 && after < before + 64); /* a slab or two may stay */
}

int main(void)
{
    static const struct test tests[] = {
        TEST(nothing_is_lost_by_10000_forks), TEST(hog_is_stopped_and_we_go_on),
    };

    return RUN_TESTS(tests);
}
