/*
 * fair: nine threads beside one. The kernel schedules tasks, and a thread is a task: the process
 * with nine of them gets nine tenths of the CPU.
 *
 * Both processes are pinned to the same CPU, or they would not compete.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/lesson.h"

#define MANY 9
#define TASKS (MANY + 1)

static struct race {
    pthread_barrier_t start;   /* of all tasks: nobody runs alone */
    volatile long long task_ns[TASKS]; /* CPU time of each since the start; the last is alone */
    long long process_ns[2];   /* the same of the two processes, as the kernel adds it up */
} *race;
static long time_ms = 3000;

static long long thread_cpu_ns(void)
{
    struct timespec time;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time.tv_sec * 1000000000ll + time.tv_nsec;
}

static long long all_ns(void)
{
    long long sum = 0;

    for (int i = 0; i < TASKS; i++) {
        sum += race->task_ns[i];
    }
    return sum;
}

/*
 * Use the CPU, and never give it away, until all have had as much as was asked for. That it is CPU
 * time makes the shares the same on a busy machine; it only takes longer.
 */
static void *spin(void *argument)
{
    volatile long long *used = argument;
    long long before;

    pthread_barrier_wait(&race->start);
    before = thread_cpu_ns();
    while (all_ns() < time_ms * 1000000) {
        for (volatile int i = 0; i < 5000; i++) {
        }
        *used = thread_cpu_ns() - before;
    }
    return NULL;
}

static void run_process(int process, int first_task, int tasks)
{
    pthread_t threads[MANY];
    long long before = cpu_ns();

    for (int i = 1; i < tasks; i++) {
        if (pthread_create(&threads[i], NULL, spin, (void *)&race->task_ns[first_task + i])) {
            lesson_failed("pthread_create");
        }
    }
    spin((void *)&race->task_ns[first_task]);
    for (int i = 1; i < tasks; i++) {
        pthread_join(threads[i], NULL);
    }
    race->process_ns[process] = cpu_ns() - before;
    _exit(0);
}

static void draw(void)
{
    long long sum = all_ns() + 1;

    for (int i = 0; i < TASKS; i++) {
        double share = (double)race->task_ns[i] / (double)sum;

        if (i == 0 || i == MANY) {
            say("  %s\n",
                translate(i ? "the process with one thread" : "the process with nine threads"));
        }
        say("    thread %d  |%s%s%s| %4.1f %%\n", i < MANY ? i + 1 : 1,
            paint(i < MANY ? CYAN : YELLOW), bar(share * 2, 44), paint(PLAIN), share * 100);
    }
}

static void compete(void)
{
    pthread_barrierattr_t shared;

    pthread_barrierattr_init(&shared);
    pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&race->start, &shared, TASKS);
    live_begin(draw);
    pin_to_cpu(0);
    for (int process = 0; process < 2; process++) {
        if (lesson_fork() == 0) {
            end_with_parent();
            run_process(process, process ? MANY : 0, process ? 1 : MANY);
        }
    }
    for (int i = 0; i < 2; i++) {
        lesson_join(-1);
    }
    live_end();
}

int main(int argc, char **argv)
{
    static const struct lesson_option options[] = {
        {.name = "time", .kind = OPTION_NUMBER, .value = &time_ms, .least = 200, .most = 60000,
         .help = "how much CPU time they compete for, in ms"},
        {0},
    };
    static const struct lesson lesson = {
        "fair", "a process with nine threads beside one with one: who gets the CPU?",
        {"Ten endless loops on one CPU: nine threads of a process, and another process.",
         "Look at the bars: are the ten threads equal, or are the two processes?"},
        options,
        "  time_ms                    the CPU time they competed for\n"
        "  many_cpu_ms, one_cpu_ms    CPU time of the two processes\n"
        "  many_share_percent         the share of the process with nine threads\n"
        "  thread_share_percent       array: the share of each of the ten threads\n",
    };
    double share, sum;

    lesson_start(&lesson, argc, argv);
    race = shared_memory(sizeof(*race));
    compete();
    sum = (double)(race->process_ns[0] + race->process_ns[1]);
    share = 100 * (double)race->process_ns[0] / sum;

    json_number("time_ms", (double)time_ms);
    json_number("many_cpu_ms", (double)race->process_ns[0] / 1e6);
    json_number("one_cpu_ms", (double)race->process_ns[1] / 1e6);
    json_number("many_share_percent", share);
    json_array("thread_share_percent");
    for (int i = 0; i < TASKS; i++) {
        json_number(NULL, 100 * (double)race->task_ns[i] / sum);
    }
    json_end();
    verdict(share >= 87 && share <= 93, /* equal processes would have 50 each */
            "The process with nine threads got %.1f %% of the CPU, the one with one thread "
            "%.1f %%: the kernel shares the CPU among tasks, not among processes, and each thread "
            "is a task.",
            share, 100 - share);
    return lesson_end();
}
