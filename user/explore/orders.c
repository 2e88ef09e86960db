/*
 * Orders of coroutines: see orders.h.
 *
 * A run that follows a list of choices shows which choices come behind them: that list with one of
 * them made otherwise is a child of it. So all orders are a tree, with the queue's at its root, and
 * each is met once. It is tried level by level, in a shuffled order; of a level that is too large, a
 * fair sample.
 */
#include "orders.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../ulib/co/order.h"
#include "report.h"

#define LOG "/tmp/explore.order"
#define LEVEL_MAX 4000 /* orders of one level that are tried */
#define SECOND 1000000000l
#define FIRST_PATIENCE (20 * SECOND) /* for a command of which nothing is known yet */

static struct order_log *order_log;
static sigset_t child_ends; /* SIGCHLD, blocked here, so that it can be waited for */

struct level {
    struct schedule *orders;
    uint64_t count, of; /* kept, met */
};

void orders_begin(void)
{
    int fd = open(LOG, O_RDWR | O_CREAT | O_TRUNC, 0600);

    if (fd < 0 || ftruncate(fd, sizeof(*order_log))) {
        give_up(LOG);
    }
    order_log = mmap(NULL, sizeof(*order_log), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (order_log == MAP_FAILED || setenv("CO_ORDER_LOG", LOG, 1)) {
        give_up(LOG);
    }
    close(fd);
    sigemptyset(&child_ends);
    sigaddset(&child_ends, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child_ends, NULL);
}

static void orders_choose(const struct schedule *schedule)
{
    if (setenv("CO_ORDER", schedule_text(schedule), 1)) {
        give_up("CO_ORDER");
    }
    order_log->count = 0;
}

static uint64_t records(void)
{
    return order_log->count < ORDER_RECORDS ? order_log->count : ORDER_RECORDS;
}

/* Did the last run come to a point where its coroutines only waited for each other? */
static int orders_deadlock(void)
{
    for (uint64_t i = 0; i < records(); i++) {
        if (order_log->records[i].kind == ORDER_DEADLOCK) {
            return 1;
        }
    }
    return 0;
}

static int64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * SECOND + time.tv_nsec;
}

/* Wait for the child, at most until `deadline`; then it is killed, with all that it has started. */
static enum verdict await(pid_t child, int64_t deadline, int *status)
{
    while (waitpid(child, status, WNOHANG) == 0) {
        int64_t left = deadline - now();
        struct timespec most = {left / SECOND, left % SECOND};

        if (left <= 0) {
            kill(-child, SIGKILL);
            waitpid(child, status, 0);
            return LIMIT;
        }
        syscall(SYS_rt_sigtimedwait, &child_ends, NULL, &most, sizeof(child_ends.__bits[0]));
    }
    kill(-child, SIGKILL); /* what it has left behind */
    return DONE;
}

static _Noreturn void become(char *const command[], int output)
{
    setpgid(0, 0);
    sigprocmask(SIG_UNBLOCK, &child_ends, NULL);
    dup2(open("/dev/null", O_RDONLY), 0);
    dup2(output, 1);
    dup2(output, 2);
    execvp(command[0], command);
    fprintf(stderr, "%s: %s\n", command[0], strerror(errno));
    _exit(127);
}

int orders_try(struct search *search, const struct schedule *schedule, char *const command[])
{
    struct run *run = &search->run;
    int output = device_output_begin();
    int64_t started = now();
    pid_t child;

    orders_choose(schedule);
    child = fork();
    if (child < 0) {
        give_up("fork");
    }
    if (child == 0) {
        become(command, output);
    }
    setpgid(child, child); /* whoever of the two comes first */
    *run = (struct run){0};
    run->verdict = await(child, started + (int64_t)(search->limit ? search->limit : FIRST_PATIENCE),
                         &run->status);
    run->instructions = (uint64_t)(now() - started); /* icount: nearly so */
    run->verdict = orders_deadlock() ? DEADLOCK : run->verdict;
    search_count(search);
    if (run->verdict == DONE && run->status == search->passes << 8) { /* wait(2): exited with it */
        return 0;
    }
    search->found = *schedule;
    return 1;
}

/* Keep it, or, when the level is full, perhaps instead of another: each has the same chance. */
static void level_add(struct search *search, struct level *level, const struct schedule *order)
{
    uint64_t place = level->count;

    level->of++;
    if (!level->orders) {
        level->orders = malloc(LEVEL_MAX * sizeof(*order));
    }
    if (!level->orders) {
        give_up("memory");
    }
    if (place == LEVEL_MAX) {
        place = search_draw(search, level->of);
    } else {
        level->count++;
    }
    if (place < LEVEL_MAX) {
        level->orders[place] = *order;
    }
}

/* All orders that are the one of the last run but for one choice behind its own. */
static void level_add_children(struct search *search, struct level *level, const struct schedule *order)
{
    uint64_t last = order->count ? order->places[order->count - 1].at : 0;

    for (uint64_t i = 0; i < records(); i++) {
        const struct order_record *record = &order_log->records[i];

        for (uint32_t taken = 1; record->choice > last && taken < record->among; taken++) {
            struct schedule child = *order;

            if (schedule_extend(&child, record->choice, 0, taken)) {
                level_add(search, level, &child);
            }
        }
    }
}

/* All orders of a level; what is met of the next one goes there. True: one failed. */
static int level_try(struct search *search, struct level *level, unsigned number, struct level *next,
                     char *const command[])
{
    struct coverage *covered = &search->covered[number];

    covered->of = level->of;
    for (; level->count > 0 && search->tried < search->runs; covered->schedules++) {
        uint64_t place = search_draw(search, level->count);
        struct schedule order = level->orders[place];

        level->orders[place] = level->orders[--level->count];
        if (orders_try(search, &order, command)) {
            return 1;
        }
        if (number == 0) {
            search->instructions = search->run.instructions;
            /* What needs so much more than the first run will never end. */
            search->limit = 20 * search->instructions + SECOND;
        }
        level_add_children(search, next, &order);
    }
    covered->all = covered->schedules == covered->of && (number == 0 || search->covered[number - 1].all);
    return 0;
}

/* Leave out what it fails without. */
static void orders_shrink(struct search *search, char *const command[])
{
    for (uint32_t i = 0; i < search->found.count;) {
        struct schedule was = search->found, without = was;

        memmove(&without.places[i], &without.places[i + 1], (--without.count - i) * sizeof(struct place));
        if (!orders_try(search, &without, command)) {
            search->found = was;
            i++;
        }
    }
}

int orders_go(struct search *search, char *const command[])
{
    struct level levels[PREEMPTIONS_MAX + 2] = {0};
    const struct schedule queue = {0};
    int found = 0;

    level_add(search, &levels[0], &queue);
    for (unsigned i = 0; i <= search->preemptions && !found; i++) {
        found = level_try(search, &levels[i], i, &levels[i + 1], command);
        free(levels[i].orders);
    }
    search->rest = levels[search->preemptions + 1].of;
    if (found) {
        uint64_t tried = search->tried;

        orders_shrink(search, command);
        search->tried = tried;
    }
    return found;
}

/* What the last run's coroutines did, one JSON object a line. */
static void orders_report(void)
{
    static const char *const kinds[] = {"", "turn", "back", "select", "park", "end", "deadlock"};

    for (uint64_t i = 0; i < records(); i++) {
        const struct order_record *record = &order_log->records[i];

        printf("{\"order\": \"%s\", \"id\": %u, \"choice\": %u, \"among\": %u, \"taken\": %u, \"text\": ",
               kinds[record->kind <= ORDER_DEADLOCK ? record->kind : 0], record->id, record->choice,
               record->among, record->taken);
        report_string(record->text);
        printf("}\n");
    }
}

void orders_tell(struct search *search, char *const command[], const struct setup *setup, int found)
{
    const struct schedule order = search->found;
    struct run seen;
    int64_t entry;
    int pid;

    orders_try(search, &order, command);
    seen = search->run;
    orders_choose(&order);
    device_start(command, setup);
    report_program();
    device_where(&entry, &pid);
    search->mark += search->mark ? entry : 0;
    search->run = (struct run){.limit = FIRST_LIMIT, .steps = 1};
    device_run(&search->run);
    orders_report();
    if (seen.verdict != LIMIT || search->run.verdict != DEADLOCK) { /* the kernel knows why it stands */
        search->run.verdict = seen.verdict;
        search->run.instructions = seen.instructions;
    }
    search->run.status = seen.status;
    search->found = order;
    report_run(search, found);
}
