/*
 * A sweep of injected failures: an operation is done again and again, and the first, the second,
 * the third ... of its allocations fails, until one run needs no more than went well; then the same
 * with all allocations from the Nth on. Each run is a process of its own. It fails with ENOMEM, or
 * it is killed where it may be (its own page faults), or it succeeds, and after each of these the
 * contents are checked, and in the end that all memory, objects and tasks are there again.
 *
 * That takes the kernel option `inject` (docs/testing.md). Elsewhere each operation is done once.
 */
#ifndef INJECT_H
#define INJECT_H
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "ktap.h"

enum {
    MAY_DIE = 1,  /* it touches memory of its own: no page, and it is killed */
    KEEPS = 4,    /* what it makes stays in the kernel */
    MAY_FAULT = 8, /* killed by SIGSEGV: a signal has no place on the stack */
};

#define STILL_TO_COME 77 /* status of a run that cannot report: the Nth has not been */

struct operation {
    const char *name;
    void (*setup)(void);       /* before failures are injected; may be NULL */
    long (*run)(void);         /* -1: it failed, errno says why */
    void (*check)(long result); /* afterwards; -errno: it failed; may be NULL */
    int flags;
};

/* What the parent hears of a run. */
static struct inject_report {
    int fired;  /* the failure has happened */
    int failed; /* with an error */
} *inject_report;

static int inject_fd = -1; /* of the process that is running: its fail-nth */

static inline int inject_possible(void)
{
    return access("/proc/self/fail-nth", F_OK) == 0;
}

static inline void inject_open(void)
{
    inject_fd = inject_possible() ? open("/proc/self/fail-nth", O_RDWR) : -1;
}

static inline void inject_begin(int nth, int each)
{
    char text[16];
    int size = snprintf(text, sizeof(text), "%d%s", nth, each ? "+" : "");

    if (inject_fd >= 0 && nth > 0) {
        CHECK(write(inject_fd, text, (size_t)size) == size);
    }
}

/* Switch it off. Has it happened? */
static inline int inject_end(void)
{
    char text[16] = "";

    if (inject_fd < 0) {
        return 0;
    }
    CHECK(syscall(SYS_pread64, inject_fd, text, sizeof(text) - 1, 0) > 0);
    CHECK(write(inject_fd, "0", 1) == 1);
    return atoi(text) == 0;
}

static inline void inject_read(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY);
    ssize_t got = 0, part;

    CHECK(fd >= 0);
    while ((part = read(fd, text + got, size - 1 - (size_t)got)) > 0) {
        got += part;
    }
    text[got] = '\0';
    CHECK(part == 0);
    close(fd);
}

/* All pages that the process may write are its own from now on: no faults but those asked for. */
static inline void inject_touch_all(char *maps)
{
    volatile char deep[65536];

    for (unsigned i = 0; i < sizeof(deep); i += 4096) {
        deep[i] = 0;
    }
    for (char *line = maps; line && *line; line = strchr(line, '\n'), line += line != NULL) {
        char *end;
        unsigned long from = strtoul(line, &end, 16), to = strtoul(end + 1, &end, 16);

        for (; end[2] == 'w' && from < to; from += 4096) {
            *(volatile char *)from = *(volatile char *)from;
        }
    }
}

/* One descriptor is left before the table has to grow. */
static inline void inject_fill_table(void)
{
    for (int fd = 0; fd < 62; fd = dup(0)) {
        CHECK(fd >= 0);
    }
}

/* A call for a descriptor that is not in the table. */
static inline long inject_beyond_table(long (*call)(void))
{
    int last = dup(0);
    long result = call();

    CHECK(last == 63 && close(last) == 0);
    return result;
}

static inline unsigned long inject_open_files(void)
{
    unsigned long set = 0;

    for (int fd = 0; fd < 64; fd++) {
        set |= (unsigned long)(fcntl(fd, F_GETFD) >= 0) << fd;
    }
    return set;
}

/* One run, in a process of its own. */
static inline void inject_run(const struct operation *operation, int nth, int each)
{
    static char before[16384], after[16384];
    unsigned long files;
    long result;

    inject_open();
    if (operation->setup) {
        operation->setup();
    }
    inject_read("/proc/self/maps", before, sizeof(before));
    inject_touch_all(before);
    inject_read("/proc/self/maps", before, sizeof(before));
    files = inject_open_files();
    errno = 0;
    inject_begin(nth, each);
    result = operation->run();
    result = result == -1 ? -errno : result;
    inject_report->fired = inject_end();
    inject_report->failed = result < 0;
    if (result < 0) {
        errno = (int)-result;
        CHECK(inject_report->fired && result == -ENOMEM);
        inject_read("/proc/self/maps", after, sizeof(after));
        CHECK(strcmp(before, after) == 0);
        CHECK(inject_open_files() == files);
    }
    if (operation->check) {
        operation->check(result);
    }
    _exit(0);
}

struct inject_state {
    long free, tasks, objects[16];
};

static inline struct inject_state inject_look(void)
{
    struct inject_state state = {0};
    static char text[8192];
    char *at;
    int class = 0;

    inject_read("/proc/slabinfo", text, sizeof(text));
    for (at = text; (at = strstr(at, "\nkmalloc-")) && class < 16; at++) {
        state.objects[class++] = atol(strchr(at, ' '));
    }
    inject_read("/proc/loadavg", text, sizeof(text));
    state.tasks = atol(strchr(text, '/') + 1);
    inject_read("/proc/meminfo", text, sizeof(text));
    state.free = atol(strstr(text, "MemFree:") + 8);
    return state;
}

/* Is all there again? What has ended may take a moment to go. */
static inline int inject_same(const struct inject_state *before)
{
    struct inject_state after;

    for (int i = 0; i < 50; i++) {
        after = inject_look();
        if (memcmp(before, &after, sizeof(after)) == 0) {
            return 1;
        }
        usleep(1000);
    }
    fprintf(stderr, "# %ld kB free, before %ld; %ld tasks, before %ld; objects, before:", after.free,
            before->free, after.tasks, before->tasks);
    for (int i = 0; i < 16; i++) {
        fprintf(stderr, " %ld,%ld", after.objects[i], before->objects[i]);
    }
    fprintf(stderr, "\n");
    return 0;
}

static inline void inject_clean(void)
{
    static const char *const names[] = {"a", "b", "c", "d", "e/f", "e"};

    for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
        unlink(names[i]);
        rmdir(names[i]);
    }
}

/* How one run ended. False: there was no Nth allocation. */
static inline int inject_once(const struct operation *operation, int nth, int each)
{
    int status;
    pid_t pid;

    inject_report->fired = 1; /* it may be killed before it can say so */
    inject_report->failed = 0;
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        inject_run(operation, nth, each);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    inject_clean();
    if (WIFEXITED(status) && WEXITSTATUS(status) == STILL_TO_COME) {
        inject_report->fired = status = 0;
    }
    if (status != 0 && !(operation->flags & MAY_DIE && inject_report->fired &&
                         WIFSIGNALED(status) &&
                         (WTERMSIG(status) == SIGKILL ||
                          (operation->flags & MAY_FAULT && WTERMSIG(status) == SIGSEGV)))) {
        fprintf(stderr, "# %s: allocation %d%s failed: status 0x%x\n", operation->name, nth,
                each ? "+" : "", status);
        CHECK(status == 0);
    }
    return inject_report->fired;
}

static inline void inject_sweep(const struct operation *operation)
{
    struct inject_state before;
    int attempt, nth, each, count = 0;

    inject_report = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(inject_report != MAP_FAILED);
    inject_once(operation, 0, 0);
    if (!inject_possible()) {
        return;
    }
    for (attempt = 0; attempt < 3; attempt++) { /* the first one fills what the kernel keeps */
        before = inject_look();
        for (each = 0; each < 2; each++) {
            for (nth = 1; inject_once(operation, nth, each); nth++) {
                CHECK(nth < 5000);
            }
            count += nth - 1;
        }
        if (operation->flags & KEEPS || inject_same(&before)) {
            break;
        }
    }
    fprintf(stderr, "# %s: %d allocations\n", operation->name, count / (attempt + 1) / 2);
    CHECK(attempt < 3);
}

#define SWEEP(operation) \
    static void operation##_survives(void) { inject_sweep(&operation); }
#define SWEPT(operation) {#operation "_survives", operation##_survives}
#endif
