/*
 * Everything at once: processes, mappings, futexes, pipes, signals, exec and exit of many threads,
 * files. Each job is a process that checks what it does; all run side by side for some time.
 *
 * stress [--seed S] [--seconds N] [--jobs FIRST-LETTERS]: the seed decides the order of things.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "ktap.h"

static double deadline;
static unsigned seed = 1;
static const char *self;

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int more(void)
{
    return now() < deadline;
}

static unsigned chance(unsigned *state, unsigned below)
{
    *state = *state * 1664525 + 1013904223;
    return (*state >> 8) % below;
}

static void expect_exit(pid_t pid, int code)
{
    int status;

    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == code);
}

static void forks(unsigned state)
{
    while (more()) {
        int code = (int)chance(&state, 100);
        pid_t pid = fork();

        if (pid == 0) {
            char text[8];

            if (code & 1) {
                snprintf(text, sizeof(text), "%d", code);
                execvp(self, (char *[]){(char *)self, "--exit", text, NULL});
            }
            _exit(code);
        }
        expect_exit(pid, code);
    }
}

/* One thread unmaps what another one reads and writes: nobody may see or spoil foreign memory. */
#define AREA ((volatile uint8_t *)0x200000000ul)
#define AREA_SIZE (8 * 4096ul)
static _Thread_local jmp_buf fault;
static volatile int ended;

static void on_fault(int signal)
{
    (void)signal;
    longjmp(fault, 1);
}

static void *touch(void *argument)
{
    volatile unsigned at = *(unsigned *)argument;

    while (!ended) {
        at = (at + 4096 + 61) % AREA_SIZE;
        if (setjmp(fault) == 0) {
            uint8_t seen = AREA[at];

            CHECK(seen == 0 || seen == 0xaa);
            AREA[at] = 0xaa;
        }
    }
    return NULL;
}

static void maps(unsigned state)
{
    struct sigaction action = {.sa_handler = on_fault, .sa_flags = SA_NODEFER};
    pthread_t threads[2];

    sigaction(SIGSEGV, &action, NULL);
    for (int i = 0; i < 2; i++) {
        CHECK(pthread_create(&threads[i], NULL, touch, &state) == 0);
    }
    while (more()) {
        uint8_t *other;

        CHECK(mmap((void *)AREA, AREA_SIZE, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == (void *)AREA);
        for (unsigned at = 0; at < AREA_SIZE; at += 4096) {
            AREA[at] = 0xaa;
        }
        if (chance(&state, 4) == 0) { /* copy on write while the others write */
            pid_t pid = fork();

            if (pid == 0) {
                _exit(AREA[4096] == 0xaa ? 3 : 4);
            }
            expect_exit(pid, 3);
        }
        if (chance(&state, 2)) {
            mprotect((void *)AREA, AREA_SIZE, PROT_READ);
        }
        munmap((void *)AREA, AREA_SIZE);
        other = mmap(NULL, AREA_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(other != MAP_FAILED);
        memset(other, 0xbb, AREA_SIZE); /* probably the same pages */
        for (unsigned at = 0; at < AREA_SIZE; at++) {
            CHECK(other[at] == 0xbb);
        }
        munmap(other, AREA_SIZE);
    }
    ended = 1;
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
}

/* Futexes: a counter under a mutex, and a turn that goes round by condition variables. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static long counter, turn;

static void *count(void *argument)
{
    long index = (long)argument, mine = 0;

    while (!ended) {
        pthread_mutex_lock(&mutex);
        counter++;
        mine++;
        if (turn % 4 == index) {
            turn++;
            pthread_cond_broadcast(&changed);
        } else if (!ended) {
            pthread_cond_wait(&changed, &mutex);
        }
        pthread_mutex_unlock(&mutex);
    }
    pthread_mutex_lock(&mutex);
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
    return (void *)mine;
}

static void futexes(unsigned state)
{
    pthread_t threads[4];
    long sum = 0;

    for (long i = 0; i < 4; i++) {
        CHECK(pthread_create(&threads[i], NULL, count, (void *)i) == 0);
    }
    while (more()) {
        long before = turn;

        usleep(1000 + chance(&state, 5000));
        CHECK(turn != before || !more() || (usleep(3000000), turn != before));
    }
    ended = 1;
    for (int i = 0; i < 4; i++) {
        void *mine;

        pthread_mutex_lock(&mutex);
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&mutex);
        CHECK(pthread_join(threads[i], &mine) == 0);
        sum += (long)mine;
    }
    CHECK(sum == counter);
}

/* A ring of processes hands a block on; its bytes must arrive as they were. */
static void pipes(unsigned state)
{
    enum { RING = 4, SIZE = 9000 };
    int ends[RING][2];
    static uint8_t block[SIZE];

    for (int i = 0; i < RING; i++) {
        CHECK(pipe(ends[i]) == 0);
    }
    for (int i = 1; i < RING; i++) {
        if (fork() == 0) {
            ssize_t got;

            for (int j = 0; j < RING; j++) {
                close(ends[j][j == i - 1 ? 1 : 0]);
                if (j != i - 1 && j != i) {
                    close(ends[j][1]);
                }
            }
            while ((got = read(ends[i - 1][0], block, 1 + chance(&state, SIZE))) > 0) {
                for (ssize_t done = 0; done < got;) {
                    ssize_t part = write(ends[i][1], block + done, (size_t)(got - done));

                    CHECK(part > 0);
                    done += part;
                }
            }
            _exit(got == 0 ? 0 : 1);
        }
    }
    for (int i = 0; i < RING; i++) {
        close(ends[i][i == RING - 1 ? 1 : 0]);
        if (i != 0 && i != RING - 1) {
            close(ends[i][1]);
        }
    }
    for (uint8_t round = 0; more(); round++) {
        size_t size = 1 + chance(&state, SIZE);

        for (size_t i = 0; i < size; i++) {
            block[i] = (uint8_t)(i + round);
        }
        CHECK(write(ends[0][1], block, size) == (ssize_t)size);
        for (size_t done = 0; done < size;) {
            struct pollfd wait = {.fd = ends[RING - 1][0], .events = POLLIN};
            uint8_t part[512];
            ssize_t got;

            CHECK(poll(&wait, 1, 60000) == 1);
            got = read(wait.fd, part, sizeof(part));
            CHECK(got > 0);
            for (ssize_t i = 0; i < got; i++) {
                CHECK(part[i] == (uint8_t)(done + (size_t)i + round));
            }
            done += (size_t)got;
        }
    }
    close(ends[0][1]);
    for (int i = 1; i < RING; i++) {
        int status;

        CHECK(wait(&status) > 0 && status == 0);
    }
}

/* A signal must not change what the interrupted code has in its registers. */
static volatile long handled;

static void on_alarm(int signal)
{
    (void)signal;
    handled++;
}

static void *keep_registers(void *unused)
{
    (void)unused;
    while (!ended) {
        long bad;

        __asm__ volatile("mov $0x11, %%rbx\n\tmov $0x12, %%r12\n\tmov $0x13, %%r13\n\t"
                         "mov $0x14, %%r14\n\tmov $0x15, %%r15\n\tmov $0x16, %%rcx\n\t"
                         "mov $0x17, %%r11\n\tmov $2000, %%eax\n"
                         "1:\tdec %%eax\n\tjnz 1b\n\t"
                         "sub $0x11, %%rbx\n\tsub $0x12, %%r12\n\tsub $0x13, %%r13\n\t"
                         "sub $0x14, %%r14\n\tsub $0x15, %%r15\n\tsub $0x16, %%rcx\n\t"
                         "sub $0x17, %%r11\n\tor %%rbx, %%rcx\n\tor %%r12, %%rcx\n\t"
                         "or %%r13, %%rcx\n\tor %%r14, %%rcx\n\tor %%r15, %%rcx\n\t"
                         "or %%r11, %%rcx\n\tmov %%rcx, %0"
                         : "=r"(bad)
                         : : "rax", "rbx", "rcx", "r11", "r12", "r13", "r14", "r15", "cc");
        CHECK(bad == 0);
    }
    return NULL;
}

static void signals(unsigned state)
{
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    pthread_t thread;

    sigaction(SIGUSR1, &action, NULL);
    CHECK(pthread_create(&thread, NULL, keep_registers, NULL) == 0);
    while (more()) {
        CHECK(pthread_kill(thread, SIGUSR1) == 0);
        if (chance(&state, 64) == 0) {
            usleep(100);
        }
    }
    ended = 1;
    pthread_join(thread, NULL);
    CHECK(handled > 0);
}

static void *exit_or_exec(void *argument)
{
    if (argument) {
        execvp(self, (char *[]){(char *)self, "--exit", "9", NULL});
    }
    _exit(9);
}

static void *spin(void *unused)
{
    for (;;) {
        sched_yield();
    }
    return unused;
}

/* All threads of a process end it, or replace it, at the same moment. */
static void exits(unsigned state)
{
    while (more()) {
        pid_t pid = fork();

        if (pid == 0) {
            for (int i = 0; i < 5; i++) {
                pthread_t thread;

                CHECK(pthread_create(&thread, NULL, chance(&state, 3) ? exit_or_exec : spin,
                                     (void *)(long)chance(&state, 2)) == 0);
            }
            exit_or_exec((void *)(long)chance(&state, 2));
        }
        expect_exit(pid, 9);
    }
}

static void *rename_back(void *unused)
{
    while (!ended) {
        rename("stress-b", "stress-a");
    }
    return unused;
}

static void files(unsigned state)
{
    pthread_t thread;

    CHECK(pthread_create(&thread, NULL, rename_back, NULL) == 0);
    while (more()) {
        int fd = open("stress-a", O_RDWR | O_CREAT, 0600);
        char text[8] = "";

        CHECK(fd >= 0 && write(fd, "stress", 6) == 6);
        CHECK(lseek(fd, 0, SEEK_SET) == 0 && read(fd, text, 6) == 6);
        CHECK(memcmp(text, "stress", 6) == 0);
        rename("stress-a", "stress-b");
        close(fd);
        if (chance(&state, 8) == 0) {
            unlink("stress-a");
        }
    }
    ended = 1;
    pthread_join(thread, NULL);
    unlink("stress-a");
    unlink("stress-b");
}

static const struct {
    const char *name;
    void (*run)(unsigned state);
} jobs[] = {
    {"forks", forks}, {"maps", maps}, {"futexes", futexes}, {"pipes", pipes},
    {"signals", signals}, {"exits", exits}, {"directory", files},
};
#define JOBS (int)(sizeof(jobs) / sizeof(*jobs))

int main(int argc, char **argv)
{
    const char *chosen = "fmupsed"; /* u: fUtexes */
    double seconds = 0.3;
    pid_t pids[JOBS];
    int bad = 0;

    self = argv[0];
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--exit") == 0) {
            return atoi(argv[i + 1]);
        } else if (strcmp(argv[i], "--seed") == 0) {
            seed = (unsigned)atoi(argv[i + 1]);
        } else if (strcmp(argv[i], "--seconds") == 0) {
            seconds = strtod(argv[i + 1], NULL);
        } else if (strcmp(argv[i], "--jobs") == 0) {
            chosen = argv[i + 1];
        }
    }
    fprintf(stderr, "# seed %u\n", seed);
    printf("KTAP version 1\n1..%d\n", JOBS);
    fflush(stdout);
    deadline = now() + seconds;
    for (int i = 0; i < JOBS; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            if (strchr(chosen, "fmupsed"[i])) {
                jobs[i].run(seed * 7919 + (unsigned)i);
            }
            _exit(0);
        }
    }
    for (int i = 0; i < JOBS; i++) {
        int status;

        waitpid(pids[i], &status, 0);
        bad += status != 0;
        printf("%sok %d - %s\n", status ? "not " : "", i + 1, jobs[i].name);
        if (status) {
            fprintf(stderr, "# %s: status 0x%x\n", jobs[i].name, status);
        }
    }
    return bad != 0;
}
