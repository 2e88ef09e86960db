/*
 * The judge: starts a worker for each round, ends it in time, tidies up after it, and compares the
 * machine with what it was: free pages, the kernel's objects, tasks, descriptors; canaries that
 * hold memory and registers (canary.c); and that everybody still gets the CPU.
 *
 *     fuzz --seed S --calls N [--round R] [--only NAME,...] [--inject]
 *
 * What is wrong is said in one line, and then the machine is made to crash: tools/fuzz finds in
 * the core what each task did last.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

#define ROUND_CALLS 1000
#define ROUND_MS 150       /* it takes some 20 */
#define PATIENCE 40        /* ms without a call */
#define CLASSES 24         /* of sizes, in /proc/slabinfo */
#define KEPT_PAGES_MAX 64  /* lost pages that may be partly used slabs and tables, over the whole run */
#define DIRECTORY_PATH "/tmp/fuzz"

struct state {
    long free_kb, objects[CLASSES], tasks, descriptors;
};

static struct state first;
static int canaries;

static _Noreturn void guilty(const char *what, long a, long b)
{
    printf("\nfuzz: WRONG: round %lu: %s (%ld, %ld)\n", (unsigned long)shared->round, what, a, b);
    fflush(stdout);
    usleep(100000); /* it reaches the line */
    RAW(1, open("/proc/sysrq-trigger", O_WRONLY), "c", 1);
    exit(1);
}

/* ---- What there is ---- */

static size_t slurp(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY);
    ssize_t got = fd < 0 ? 0 : read(fd, text, size - 1);

    close(fd);
    text[got > 0 ? got : 0] = '\0';
    return got > 0 ? (size_t)got : 0;
}

static void measure(struct state *state)
{
    static char text[4096];
    const char *at;

    memset(state, 0, sizeof(*state));
    slurp("/proc/loadavg", text, sizeof(text));
    at = strchr(text, '/');
    state->tasks = at ? atol(at + 1) : 0;
    slurp("/proc/slabinfo", text, sizeof(text)); /* name, objects in use, ... behind two lines */
    at = text;
    for (int i = -2; i < CLASSES && *at; i++) {
        size_t name = strcspn(at, " \n");

        if (i >= 0) {
            state->objects[i] = atol(at + name);
        }
        at += strcspn(at, "\n");
        at += *at == '\n';
    }
    slurp("/proc/meminfo", text, sizeof(text));
    at = strstr(text, "MemFree:");
    state->free_kb = at ? atol(at + 8) : 0;
    for (int fd = 0; fd < 32; fd++) {
        state->descriptors += fcntl(fd, F_GETFD) >= 0;
    }
}

/* ---- A round ---- */

static int worker_exec(void *argument)
{
    static char seed[24], *argv[] = {"fuzz", "--worker", seed, "-1", NULL}, *environment[] = {NULL};
    int null = open("/dev/null", O_RDWR);

    snprintf(seed, sizeof(seed), "%lu", *(unsigned long *)argument);
    setsid();
    mkdir(DIRECTORY_PATH, 0755);
    chdir(DIRECTORY_PATH);
    for (int fd = 0; fd < 3; fd++) {
        dup2(null, fd);
    }
    execve("/proc/self/exe", argv, environment);
    _exit(127);
}

/* Interrupt whoever sleeps; SIGCONT for who was stopped. */
static void kick(pid_t pid)
{
    kill(pid, SIGCONT);
    kill(pid, SIGALRM);
}

static void kick_threads(void)
{
    for (int i = 0; i < LOGS; i++) {
        if (shared->log[i].round == shared->round && shared->log[i].tid > 0) {
            RAW(234, shared->log[i].pid, shared->log[i].tid, SIGALRM);
        }
    }
}

/* Until the worker has ended; it is interrupted while nothing moves, and killed if that does not help. */
static void round_wait(pid_t worker)
{
    long last = -1;
    int still = 0;

    for (int ms = 0; ms < ROUND_MS; ms++) {
        int ended = waitpid(worker, NULL, WNOHANG) != 0;

        if (ended) {
            return;
        }
        still = shared->calls == last ? still + 1 : 0;
        last = shared->calls;
        if (still > PATIENCE) {
            break;
        }
        if (still > 1) {
            each_process(kick);
            kick_threads();
        }
        usleep(1000);
    }
    shared->limit = 0;
}

static void beats_wait(void)
{
    uint64_t before[CANARIES];

    memcpy(before, (void *)shared->beats, sizeof(before));
    for (int i = 0; i < canaries; i++) {
        for (int ms = 0; shared->beats[i] == before[i]; ms++) {
            if (ms == 5000) {
                guilty("a canary does not run", i, 0);
            }
            usleep(1000);
        }
    }
}

static void compare(const struct state *now)
{
    if (now->tasks != first.tasks) {
        guilty("tasks before and after", first.tasks, now->tasks);
    }
    if (now->descriptors != first.descriptors) {
        guilty("descriptors before and after", first.descriptors, now->descriptors);
    }
    for (int i = 0; i < CLASSES; i++) {
        if (now->objects[i] > first.objects[i]) {
            printf("\nfuzz: class %d of /proc/slabinfo\n", i);
            guilty("kernel objects before and after", first.objects[i], now->objects[i]);
        }
    }
    if (now->free_kb < first.free_kb - KEPT_PAGES_MAX * 4) {
        guilty("kB free before and after", first.free_kb, now->free_kb);
    }
}

static void round_judge(void)
{
    struct state now;

    for (int tries = 0; tries < 20; tries++) { /* what is freed late */
        measure(&now);
        if (memcmp(&now, &first, sizeof(now)) == 0) {
            break;
        }
        usleep(1000);
    }
    if (shared->complaint[0]) {
        guilty(shared->complaint, 0, 0);
    }
    beats_wait();
    if (kill(1, 0)) {
        guilty("the first process is gone", 0, 0);
    }
    compare(&now);
}

static void round_run(uint64_t round, long calls)
{
    static char stack[16384] __attribute__((aligned(16)));
    static unsigned long seed;
    pid_t worker;
    int left;

    shared->round = round;
    shared->calls = shared->born = 0;
    shared->limit = calls;
    seed = (shared->seed * 0x9e3779b97f4a7c15ul + round) * 0xbf58476d1ce4e5b9ul >> 7;
    mkdir("/tmp", 01777);
    for (int tries = 0; tries < 100; tries++) { /* memory may be scarce for a moment */
        worker = clone(worker_exec, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, &seed, NULL, NULL, NULL);
        if (worker > 0) {
            break;
        }
        usleep(1000);
    }
    if (worker <= 0) {
        guilty("no worker could be started", worker, 0);
    }
    round_wait(worker);
    if (calls && !shared->calls) {
        guilty("the worker made no call", 0, 0);
    }
    left = tidy_up();
    if (left) {
        guilty("processes do not die", left, 0);
    }
    shared->total += shared->calls;
}

/* ---- The beginning ---- */

static void share(void)
{
    int fd = open(SHARED_PATH, O_RDWR | O_CREAT, 0600);

    if (ftruncate(fd, sizeof(struct common)) ||
        mmap(shared, sizeof(struct common), 3, MAP_SHARED | MAP_FIXED, fd, 0) != (void *)shared) {
        puts("fuzz: no memory to share with the workers");
        exit(1);
    }
    close(fd);
    memset(shared, 0, sizeof(struct common));
}

static void canaries_start(void)
{
    cpu_set_t cpus;

    sched_getaffinity(0, sizeof(cpus), &cpus);
    for (canaries = 0; canaries < CPU_COUNT(&cpus) && canaries < CANARIES; canaries++) {
        if (fork() == 0) {
            setsid();
            canary_main(canaries);
        }
    }
    tidy_remember();
}

/* The kernel keeps these rings: all are there before anything is compared. */
static void ktrace_warm(void)
{
    int fd = open("/dev/ktrace", O_RDWR);
    char *rings[256];
    int count = 0;

    fd = fd < 0 ? open("/dev/ktrace", O_WRONLY) : fd;
    write(fd, "on", 2);
    close(fd);
    fd = open("/dev/ktrace", O_RDWR);
    while (count < 256 && (rings[count] = mmap(NULL, PAGE, 3, MAP_SHARED, fd, 0)) != MAP_FAILED) {
        count++;
    }
    for (int i = 0; i < count; i++) {
        munmap(rings[i], PAGE);
    }
    write(fd, "off", 3);
    close(fd);
    shared->ktrace = count > 0;
}

static int is_call(const char *name, size_t size)
{
    int i = 0;

    while (i < calls_count && (strncmp(calls[i].name, name, size) != 0 || calls[i].name[size])) {
        i++;
    }
    return i < calls_count;
}

/* "NAME,NAME": these calls alone; "^NAME,NAME": all but these. */
static void only(const char *names)
{
    int without = names[0] == '^';
    static char list[4096];
    char name[32];

    snprintf(list, sizeof(list), ",%s,", names + without);
    for (const char *one = list + 1; *one; one += strcspn(one, ",") + 1) {
        if (!is_call(one, strcspn(one, ","))) {
            printf("fuzz: no call is named %.*s\n", (int)strcspn(one, ","), one);
            exit(2);
        }
    }
    for (int i = 0; i < calls_count && shared->only_count < 256; i++) {
        snprintf(name, sizeof(name), ",%s,", calls[i].name);
        if ((strstr(list, name) == NULL) == without) {
            shared->only[shared->only_count++] = (uint16_t)i;
        }
    }
}

int judge_main(int argc, char **argv)
{
    long calls = 0, round = 0, done = 0;
    static char text[256];

    share();
    for (int i = 1; i + 1 < argc; i += 2) {
        unsigned long number = strtoul(argv[i + 1], NULL, 0);

        if (strcmp(argv[i], "--seed") == 0) {
            shared->seed = number;
        } else if (strcmp(argv[i], "--calls") == 0) {
            calls = (long)number;
        } else if (strcmp(argv[i], "--round") == 0) {
            round = (long)number;
        } else if (strcmp(argv[i], "--inject") == 0) {
            shared->inject = (int)number;
        } else if (strcmp(argv[i], "--only") == 0) {
            only(argv[i + 1]);
        }
    }
    for (int signal = 1; signal < 32; signal++) {
        (void)(signal != SIGCHLD && sigaction(signal, &(struct sigaction){.sa_handler = SIG_IGN}, NULL));
    }
    slurp("/proc/meminfo", text, sizeof(text));
    if (atol(text + strcspn(text, " ")) > 48 << 10) {
        ktrace_warm();
    }
    canaries_start();
    for (long warm = 0; warm < 3; warm++) {
        round_run(0, 0);
    }
    measure(&first);
    measure(&first);
    while (done < calls) {
        round_run((uint64_t)++round, calls - done < ROUND_CALLS ? calls - done : ROUND_CALLS);
        round_judge();
        done += shared->calls ? shared->calls : 1;
    }
    printf("\nfuzz: %ld calls in %ld rounds, seed %lu: all is well\n", shared->total, round,
           (unsigned long)shared->seed);
    fflush(stdout);
    _exit(0); /* the canaries: init ends them with the machine */
}
