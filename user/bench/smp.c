/*
 * What several CPUs get done: workers, one a CPU, do the same for a while, each with things of its own;
 * a figure is how often all together did it in a millisecond. It is real time, so other load on the
 * machine lowers it: of several short rounds the best one counts.
 */
#include "kernel.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

enum { WORKERS = 16, ROUNDS = 6, ROUND_US = 20000, STACK = 16384, PAGE = 4096, AREA = 64 * PAGE };

/* In memory that processes share. */
static struct shared {
    volatile uint32_t ready, go, stop;
    struct {
        volatile long done;
        char other_lines[120]; /* a counter's cache line has one writer */
    } worker[WORKERS];
} *shared;

/* Of a worker that is a thread, and of the thread it makes; mapped, for the other tables' forks copy what
 * lies in the program. */
static char (*stacks)[2][STACK];
static volatile uint32_t tids[WORKERS][2];

/* `amount` are done. False: it is time to end. */
static int more(long me, long amount)
{
    shared->worker[me].done += amount;
    return !shared->stop;
}

static void work_calls(long me)
{
    do {
        for (int i = 0; i < 100; i++) {
            bare_call(SYS_getppid, 0, 0, 0);
        }
    } while (more(me, 100));
}

static void work_faults(long me)
{
    do {
        char *area = memory(AREA);

        for (long at = 0; at < AREA; at += PAGE) {
            *(volatile char *)(area + at) = 1;
        }
        munmap(area, AREA);
    } while (more(me, AREA / PAGE));
}

static void work_threads(long me)
{
    do {
        thread_start(end_at_once, NULL, stacks[me][1], STACK, &tids[me][1]);
        thread_join(&tids[me][1]);
    } while (more(me, 1));
}

static void work_forks(long me)
{
    do {
        fork_exit_wait();
    } while (more(me, 1));
}

static void work_execs(long me)
{
    do {
        fork_exec_wait();
    } while (more(me, 1));
}

static void work_pipes(long me)
{
    int there[2], back[2];
    char byte = 0;
    pid_t pid;

    MUST(pipe(there) == 0 && pipe(back) == 0);
    pid = bare_fork();
    if (pid == 0) {
        close(there[1]);
        while (read(there[0], &byte, 1) == 1 && write(back[1], &byte, 1) == 1) {
        }
        _exit(0);
    }
    do {
        MUST(write(there[1], &byte, 1) == 1 && read(back[0], &byte, 1) == 1);
    } while (more(me, 1));
    close(there[1]);
    bare_wait(pid);
}

static volatile uint32_t balls[WORKERS][32]; /* [0] and [1], the others keep pairs apart */

static int throw_back(void *pair)
{
    volatile uint32_t *ball = pair;

    while (ball_catch(&ball[0]) != 2) {
        ball_throw(&ball[1], 1);
    }
    return 0;
}

static void work_futexes(long me)
{
    volatile uint32_t *ball = balls[me];

    thread_start(throw_back, (void *)ball, stacks[me][1], STACK, &tids[me][1]);
    do {
        ball_throw(&ball[0], 1);
        ball_catch(&ball[1]);
    } while (more(me, 1));
    ball_throw(&ball[0], 2);
    thread_join(&tids[me][1]);
}

static void make_and_remove(long me, const char *path)
{
    do {
        int fd = open(path, O_CREAT | O_WRONLY, 0600);

        MUST(fd >= 0 && close(fd) == 0 && unlink(path) == 0);
    } while (more(me, 1));
}

static void work_files_of_one(long me)
{
    char path[32];

    snprintf(path, sizeof(path), "/tmp/file-%ld", me);
    make_and_remove(me, path);
}

static void work_files_of_many(long me)
{
    char directory[32], path[48];

    snprintf(directory, sizeof(directory), "/tmp/directory-%ld", me);
    snprintf(path, sizeof(path), "%s/file", directory);
    mkdir(directory, 0700);
    make_and_remove(me, path);
}

static const struct smp_row {
    const char *name;
    void (*work)(long me);
    int threads; /* workers are threads of one process, not processes */
} smp_rows[] = {
    {"calls", work_calls, 0},
    {"faults_of_threads", work_faults, 1},
    {"faults_of_processes", work_faults, 0},
    {"thread_create_join", work_threads, 0},
    {"fork_exit_wait", work_forks, 0},
    {"fork_exec_wait", work_execs, 0},
    {"pipe_pairs", work_pipes, 0},
    {"futex_pairs", work_futexes, 0},
    {"files_in_one_directory", work_files_of_one, 0},
    {"files_in_many_directories", work_files_of_many, 0},
    {NULL, NULL, 0},
};
static const struct smp_row *row;

static int worker(void *me)
{
    __atomic_fetch_add(&shared->ready, 1, __ATOMIC_SEQ_CST);
    while (!shared->go) {
        bare_call(SYS_sched_yield, 0, 0, 0);
    }
    row->work((long)me);
    return 0;
}

static int64_t nanoseconds(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000l + time.tv_nsec;
}

/* Of how many a millisecond they were capable in one round. */
static double round_of(long workers)
{
    pid_t pids[WORKERS];
    int64_t began, took;
    long done = 0;

    *shared = (struct shared){0};
    for (long i = 0; i < workers; i++) {
        if (row->threads) {
            thread_start(worker, (void *)i, stacks[i][0], STACK, &tids[i][0]);
        } else if ((pids[i] = bare_fork()) == 0) {
            _exit(worker((void *)i));
        }
    }
    while (shared->ready < workers) {
        usleep(100);
    }
    began = nanoseconds();
    shared->go = 1;
    usleep(ROUND_US);
    shared->stop = 1;
    for (long i = 0; i < workers; i++) {
        done += shared->worker[i].done;
    }
    took = nanoseconds() - began;
    for (long i = 0; i < workers; i++) {
        if (row->threads) {
            thread_join(&tids[i][0]);
        } else {
            bare_wait(pids[i]);
        }
    }
    return (double)done * 1e6 / (double)took;
}

void smp_measure(long workers, const char *name)
{
    MUST(workers > 0 && workers <= WORKERS);
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    MUST(shared != MAP_FAILED);
    stacks = memory(WORKERS * sizeof(*stacks));
    for (row = smp_rows; row->name; row++) {
        double best = 0;

        if (name && strcmp(name, row->name) != 0) {
            continue;
        }
        for (int i = 0; i < ROUNDS; i++) {
            double rate = round_of(workers);

            best = rate > best ? rate : best;
        }
        printf("%s %.2f\n", row->name, best);
        fflush(stdout);
    }
}
