/* top [-H] [-n ROUNDS]: who used the CPU in the last second, again and again; -H: threads, each by
 * itself; q ends it. */
#include <poll.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "tasks.h"

#define MAX 2048
#define LINES 20
#define MAX_CPUS 16

struct row {
    struct task task;
    long used; /* since the round before */
};

static struct row rows[MAX];
static struct {
    int tid;
    long time;
} before[MAX];
static int count, count_before;
static long read_at, elapsed; /* in hundredths of a second, as CPU times are */

static void add(int pid, int tid)
{
    struct row *row = &rows[count];

    if (count == MAX || !task_read(pid, tid, &row->task)) {
        return;
    }
    row->used = row->task.time;
    for (int i = 0; i < count_before; i++) {
        row->used -= before[i].tid == row->task.tid ? before[i].time : 0;
    }
    count++;
}

static int by_use(const void *a, const void *b)
{
    const struct row *x = a, *y = b;

    return x->used != y->used ? (int)(y->used - x->used) : x->task.tid - y->task.tid;
}

static void read_all(int threads)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    elapsed = now.tv_sec * 100 + now.tv_nsec / 10000000 - read_at;
    read_at += elapsed;
    count_before = count;
    for (int i = 0; i < count; i++) {
        before[i].tid = rows[i].task.tid;
        before[i].time = rows[i].task.time;
    }
    count = 0;
    tasks_visit(threads, add);
    qsort(rows, (size_t)count, sizeof(*rows), by_use);
}

/* How busy each CPU was since the round before, from /proc/stat. */
static void show_cpus(void)
{
    static long busy_before[MAX_CPUS], idle_before[MAX_CPUS];
    FILE *file = fopen("/proc/stat", "r");
    char line[256];
    int cpus = 0;

    while (file && cpus < MAX_CPUS && fgets(line, sizeof(line), file)) {
        long values[4], busy, idle;
        char *at = line + 4;

        if (strncmp(line, "cpu", 3) != 0 || line[3] == ' ') {
            continue; /* the sum of all, or something else */
        }
        strtol(at - 1, &at, 10);
        for (int i = 0; i < 4; i++) {
            values[i] = strtol(at, &at, 10);
        }
        busy = values[0] + values[1] + values[2] - busy_before[cpus];
        idle = values[3] - idle_before[cpus];
        busy_before[cpus] += busy;
        idle_before[cpus] += idle;
        printf("%sCPU %d %3ld%%", cpus == 0 ? "" : cpus % 8 ? "  " : "\n", cpus,
               busy + idle > 0 ? busy * 100 / (busy + idle) : 0);
        cpus++;
    }
    if (file) {
        fclose(file);
        printf("\n");
    }
}

static void show(int threads)
{
    printf("%s%d %s\n", isatty(1) ? "\033[H\033[2J" : "", count, threads ? "threads" : "processes");
    show_cpus();
    printf(threads ? "  PID   TID S CPU%%     TIME     VOL  FORCED WAITS FOR            NAME\n"
                   : "  PID S CPU%%     TIME     VOL  FORCED WAITS FOR            COMMAND\n");
    for (int i = 0; i < count && i < LINES; i++) {
        const struct task *task = &rows[i].task;

        printf("%5d ", task->pid);
        if (threads) {
            printf("%5d ", task->tid);
        }
        printf("%c %3ld%% %5ld.%02ld %7ld %7ld %-20.20s %.15s\n", task->state,
               elapsed ? rows[i].used * 100 / elapsed : 0, task->time / 100, task->time % 100,
               task->voluntary, task->forced, task->wait,
               task->name);
    }
    fflush(stdout);
}

static int usage(void)
{
    fprintf(stderr, "usage: top [-H] [-n ROUNDS]\n");
    return 2;
}

int main(int argc, char **argv)
{
    long rounds = -1;
    struct termios saved, modes;
    int threads = 0, tty = isatty(0) && tcgetattr(0, &saved) == 0, key = 0;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-H") == 0) {
            threads = 1;
        } else if (strcmp(argv[i], "-n") == 0 && i + 1 < argc) {
            rounds = atol(argv[++i]);
        } else {
            return usage();
        }
    }
    if (tty) {
        modes = saved;
        modes.c_lflag &= ~(unsigned)(ICANON | ECHO);
        tcsetattr(0, TCSANOW, &modes);
    }
    read_all(threads);
    for (; rounds != 0 && key != 'q'; rounds--) {
        struct pollfd input = {.fd = tty ? 0 : -1, .events = POLLIN};
        char c = 0;

        if (poll(&input, 1, 1000) > 0 && read(0, &c, 1) == 1) {
            key = c;
        }
        read_all(threads);
        show(threads);
    }
    if (tty) {
        tcsetattr(0, TCSANOW, &saved);
    }
    return 0;
}
